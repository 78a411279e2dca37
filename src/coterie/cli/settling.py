"""The end of an edit: what it wrote beside a run is moved into its place, by it or by the command that comes next."""

from __future__ import annotations

import shutil
from pathlib import Path

from coterie.cli.locking import locked
from coterie.files import recover_folder
from coterie.runfiles import EDITED, MODEL

_OLD = "old"  # a model that was moved aside


def finish_edit(folder: Path) -> None:
    """Finish the edit that a killed process left in a run; nothing happens where there is none, or in other folders.

    Parameters
    ----------
    folder : Path
        A run, or whatever a command was given.
    """
    if (folder / EDITED).is_dir():
        with locked(folder, folder):
            settle_edit(folder)


def settle_edit(folder: Path) -> None:
    """Move what an edit wrote into its place; whoever calls holds the run's lock.

    Parameters
    ----------
    folder : Path
        The run.
    """
    new = folder / EDITED
    recover_folder(new)
    if not new.is_dir():
        return
    if (new / MODEL).is_dir():
        if (folder / MODEL).exists():
            (folder / MODEL).rename(new / _OLD)
        (new / MODEL).rename(folder / MODEL)
    for entry in sorted(new.iterdir()):
        if entry.is_file():
            entry.replace(folder / entry.name)
    shutil.rmtree(new)
