"""Going on with a run: the command for it, and why it cannot be done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coterie.errors import InputError, OtherFitError

if TYPE_CHECKING:
    from coterie.cli.settings import RunSettings


def how_to_go_on(folder: Path) -> str:
    """Return the command that goes on with a run."""
    return f"coterie fit --out {shlex.quote(str(folder))} --resume"


def typed(folder: Path) -> str:
    """Return a folder as it is typed after a command: one whose name begins with a dash would be taken for a flag."""
    return f"./{folder}" if str(folder).startswith("-") else str(folder)


@contextmanager
def unchanged(settings: RunSettings, folder: Path) -> Iterator[None]:
    """Say what has changed since a run was begun, where what was kept of it belongs to another fit.

    Parameters
    ----------
    settings : RunSettings
        What the run was begun with.
    folder : Path
        The run folder.

    Yields
    ------
    None
        To what may find a checkpoint of another fit.

    Raises
    ------
    InputError
        In the words of the command line.
    """
    try:
        yield
    except OtherFitError as error:
        # Of files only digests are kept, which tell nobody anything.
        files = {
            "rows": f"the rows of {settings.data}",
            "known": f"the labels of {settings.known}",
            "warm": f"the model of {settings.warm_start}",
        }
        # Settings that follow from the files, such as a number of clusters, differ because these do.
        changed = [words for name, words in files.items() if name in error.differs]
        changed = changed or [_told(name, was, now) for name, (was, now) in error.differs.items()]
        raise InputError(
            f"The run in {folder} cannot go on, since this is no longer what it was begun with: "
            f"{'; '.join(changed[:3])}. Put it back as it was, or give another --out to begin anew."
        ) from None


def _told(name: str, was: object, now: object) -> str:
    short = all(isinstance(value, str | float | int | None) for value in (was, now))
    return f"{name} (was {was!r}, is {now!r})" if short else name
