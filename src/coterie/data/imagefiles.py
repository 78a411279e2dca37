"""Which files of a folder are images."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from coterie.errors import DataWarning, InputError, warn

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_OTHERS = frozenset({".heic", ".heif", ".avif", ".jxl", ".jp2", ".ppm", ".pgm", ".pnm", ".dng", ".cr2", ".nef", ".arw"})


def find_images(folder: Path) -> dict[str, Path]:
    """Return the path of every image file by its name inside the folder, sorted; links to folders are not followed.

    Parameters
    ----------
    folder : Path
        An existing folder.

    Returns
    -------
    dict of str to Path
        Names have "/" between folders; bytes in them that are no UTF-8 are replaced by a mark.

    Raises
    ------
    InputError
        If a subfolder cannot be read.

    Warns
    -----
    DataWarning
        If there are pictures of kinds that cannot be read here.
    """

    def refuse(error: OSError) -> None:
        raise InputError(f"The folder {error.filename!r} cannot be read: {error.strerror}.") from error

    found: dict[str, Path] = {}
    others: Counter[str] = Counter()
    for where, folders, names in os.walk(folder, followlinks=False, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(where, name)
            ending = path.suffix.lower()
            if name.startswith("."):
                continue
            others[ending] += ending in _OTHERS
            if ending in ENDINGS:
                shown = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
                while shown in found:  # two names may differ in the replaced bytes only
                    shown += "'"
                found[shown] = path
    if kinds := sorted(+others):
        count = f"{others.total():,} {'picture' if others.total() == 1 else 'pictures'} ending in {', '.join(kinds)}"
        warn(f"Passed over {count}, which cannot be read here: save them as JPEG or PNG.", DataWarning)
    return dict(sorted(found.items()))
