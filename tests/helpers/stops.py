"""Fits that are stopped, as a person at the keyboard stops them."""

from __future__ import annotations

import os
import signal

from coterie.training import Callback, Fit, Phase


class StopAt(Callback):
    """Interrupts as Ctrl-C does, at a step of the whole fit or, if it is named, of a phase."""

    def __init__(self, step: int, phase: str | None = None) -> None:
        self.step, self.phase = step, phase

    def on_step(self, fit: Fit, phase: Phase) -> None:
        now = fit.clock.total if self.phase is None else fit.clock.step
        if now == self.step and self.phase in (None, phase.name):
            os.kill(os.getpid(), signal.SIGINT)
