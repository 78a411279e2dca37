"""Which files of a folder are images."""

from __future__ import annotations

import os
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
    others: list[Path] = []
    for where, folders, names in os.walk(folder, followlinks=False, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(where, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() in _OTHERS:
                others.append(path)
            elif path.suffix.lower() in ENDINGS:
                shown = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
                while shown in found:  # two names may differ in the replaced bytes only
                    shown += "'"
                found[shown] = path
    read = {path.with_suffix("") for path in found.values()}  # many cameras write each picture in two ways
    if left_out := [path for path in others if path.with_suffix("") not in read]:
        kinds = ", ".join(sorted({path.suffix.lower() for path in left_out}))
        count = f"{len(left_out):,} {'picture' if len(left_out) == 1 else 'pictures'} ending in {kinds}"
        warn(f"Passed over {count}, which cannot be read here: save them as JPEG or PNG.", DataWarning)
    return dict(sorted(found.items()))
