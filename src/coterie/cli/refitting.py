"""Fitting a run again with the labels that were given."""

from __future__ import annotations

import shlex
from pathlib import Path

from coterie.cli.answers import KNOWN
from coterie.cli.console import Screen
from coterie.cli.launch import launch
from coterie.cli.run import stored_settings
from coterie.cli.settings import CONFIG


def fit_again(screen: Screen, folder: Path, *, wanted: bool = True) -> None:
    """Fit a run again with its ``known.csv``, into a folder of its own, or say how.

    Parameters
    ----------
    screen : Screen
        Where to say what happens.
    folder : Path
        A finished run with labels in ``known.csv``.
    wanted : bool, default=True
        Whether to fit now.
    """
    known, out, settings = folder / KNOWN, _free(folder), stored_settings(folder)
    if settings.known is not None and not Path(settings.known).is_file():
        column = f"the column {settings.known!r} of {settings.data}"
        screen.say(f"The run learned from {column}. To fit again, copy the labels in {known} there.")
        return
    if wanted:
        launch({"known": str(known)}, config=folder / CONFIG, out=out, resume=False, quiet=screen.quiet)
        return
    parts = ["coterie", "fit", "--config", str(folder / CONFIG), "--known", str(known), "--out", str(out)]
    screen.say(f"To fit again with them: {shlex.join(parts)}")


def _free(folder: Path) -> Path:
    """Return a folder beside the run that is not there yet."""
    number = 1
    while (
        out := folder.with_name(f"{folder.resolve().name}-labelled" + (f"-{number}" if number > 1 else ""))
    ).exists():
        number += 1
    return out
