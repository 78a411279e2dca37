"""Ctrl-C: a fit stops between two steps, when what is done was saved."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coterie.errors import Interrupted
from coterie.training.checkpoints import FILE, Checkpointer

if TYPE_CHECKING:
    from types import FrameType

    from coterie.training.state import Fit


@contextmanager
def interruptions(fit: Fit, checkpointer: Checkpointer) -> Iterator[threading.Event]:
    """Turn Ctrl-C into an event that is looked at between steps.

    A second Ctrl-C interrupts at once, and so does the first before any step is done: then there is nothing to save.
    Systems without steps, such as k-means, are never further.

    Parameters
    ----------
    fit : Fit
        The fit.
    checkpointer : Checkpointer
        Where its state is saved.

    Yields
    ------
    threading.Event
        Set by Ctrl-C.

    Raises
    ------
    Interrupted
        Before the first step; says how to go on, if there is a checkpoint folder.
    """
    event = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield event  # only the main thread receives signals; what is not Python's could not be put back
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        if not fit.clock.total:
            raise Interrupted("Stopped before the first step." + _how_to_go_on(checkpointer.path))
        event.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def stop_if(interrupted: threading.Event, checkpointer: Checkpointer, fit: Fit) -> None:
    """Save and raise, if Ctrl-C was pressed.

    Parameters
    ----------
    interrupted : Event
        Of :func:`interruptions`.
    checkpointer : Checkpointer
        Where the state is saved; a folder of its own is made where there is none.
    fit : Fit
        The fit.

    Raises
    ------
    Interrupted
        Says how to go on.
    """
    if not interrupted.is_set():
        return
    if checkpointer.path is None:
        checkpointer.path = Path(tempfile.mkdtemp(prefix="coterie-stopped-")) / FILE
    checkpointer.save(fit)
    phase = fit.phase
    where = f"at step {fit.clock.step} of {phase.steps} of '{phase.name}'" if phase else "between two phases"
    raise Interrupted(f"Stopped {where}; nothing is lost." + _how_to_go_on(checkpointer.path))


def _how_to_go_on(path: Path | None) -> str:
    if path is None:
        return ""
    return f" To go on, call the same fit within coterie.config_context(checkpoint={str(path.parent)!r})."
