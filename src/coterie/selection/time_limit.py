"""An end for fits, between the steps of a network as well as amid a numerical library."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coterie.config import config_context, get_config
from coterie.deadlines import OutOfTimeError, deadline
from coterie.training import Callback

if TYPE_CHECKING:
    from coterie.training import Fit, Phase


@contextmanager
def time_limit(at: float) -> Iterator[None]:
    """End what is fitted within when the time is up: by the alarm and, where there is none, after a step of training.

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
        When the time is up.

    Examples
    --------
    >>> import math
    >>> from coterie.selection.time_limit import time_limit
    >>> with time_limit(math.inf):
    ...     sum(range(10))
    45
    """
    with config_context(callbacks=(*get_config().callbacks, _Clock(at))), deadline(at):
        yield


class _Clock(Callback):
    """Ends training when the time is up."""

    def __init__(self, at: float) -> None:
        self.at = at

    def on_step(self, fit: Fit, phase: Phase) -> None:
        """Look at the clock."""
        if time.monotonic() > self.at:
            raise OutOfTimeError
