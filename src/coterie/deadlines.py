"""An end for work that knows no clock of its own."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LONGEST = 1e8  # seconds that an alarm is set to at most, about three years; systems take no more than so much
AGAIN = 1.0  # seconds after which the alarm rings once more, should the first have gone unheard


class OutOfTimeError(Exception):
    """The budget is spent; what has been done so far must do."""


@contextmanager
def deadline(at: float) -> Iterator[None]:
    """End what is done within, wherever it is, when the time is up.

    It rests on the alarm signal. Where there is none, outside the main thread, or where the alarm is set already,
    nothing is ended.

    Parameters
    ----------
    at : float
        The moment, in seconds of ``time.monotonic``; infinity never comes.

    Yields
    ------
    None
        While there is time.

    Raises
    ------
    OutOfTimeError
        When the time is up, from within a numerical library as soon as it returns to Python, and not amid an import.

    Examples
    --------
    >>> import time
    >>> from coterie.deadlines import deadline
    >>> with deadline(time.monotonic() + 60):
    ...     sum(range(10))
    45
    """
    if math.isinf(at) or not _has_free_alarm():
        yield
        return

    def ring(_number: int, frame: FrameType | None) -> None:
        if not _is_importing(frame):  # a module that is half there stays so; the alarm rings again
            raise OutOfTimeError

    left = at - time.monotonic()
    if left <= 0:
        raise OutOfTimeError
    before = signal.signal(signal.SIGALRM, ring)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, min(left, LONGEST), AGAIN)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:  # once more, should it ring just before it was turned off
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether a frame is called, however deep, from within an import."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


def _has_free_alarm() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    # A handler that is not Python's could not be put back.
    return signal.getitimer(signal.ITIMER_REAL)[0] == 0 and signal.getsignal(signal.SIGALRM) is not None
