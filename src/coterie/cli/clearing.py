"""Making room for a demonstration that is made again."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING

from coterie._workspace import is_workspace
from coterie.cli.editing import held
from coterie.cli.locking import locked
from coterie.cli.run import PARTS, is_begun, is_finished, stored_settings
from coterie.errors import InputError
from coterie.runfiles import CHECKPOINT, LABELS, MODEL

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS = {"row", "cluster", "confidence"}  # of the labels.csv of a demonstration


def clear_for_demo(folder: Path) -> None:
    """Remove a run that ``coterie demo`` made, so that it can make it again.

    Parameters
    ----------
    folder : Path
        A folder; nothing happens if it does not exist or is empty.

    Raises
    ------
    InputError
        If the folder holds anything else, a person changed the run, or it is under way.
    """
    if not is_begun(folder):
        return
    foreign = [e.name for e in folder.iterdir() if e.name not in PARTS and not is_workspace(e.name)]
    if foreign or stored_settings(folder).made_by != "demo":
        what = f"{sorted(foreign)[0]!r}, which coterie demo did not make" if foreign else "another run"
        raise InputError(f"{folder} holds {what}; give another --out.")
    # A finished run is locked as edits lock it, which also finishes one that was killed.
    with held(folder) if is_finished(folder) else locked(folder / CHECKPOINT):
        if is_finished(folder) and _is_changed(folder):
            raise InputError(f"{folder} was changed since coterie demo made it; give another --out.")
        shutil.rmtree(folder)


def _is_changed(folder: Path) -> bool:
    """Return whether clusters were edited, columns added to the file of the rows, or files lost since it was made."""
    try:
        with (folder / LABELS).open(encoding="utf-8", newline="") as file:
            headings = next(csv.reader(file), [])
        config = json.loads((folder / MODEL / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(config.get("edits")) or not set(headings) <= _COLUMNS
