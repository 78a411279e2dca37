"""The first few steps of a fit, on a few rows: whatever the fit would refuse is refused before a folder is made."""

from __future__ import annotations

import copy
import math
import time
import warnings
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from coterie.algorithms import SelfLabel
from coterie.algorithms.building import check_parameters, is_open
from coterie.algorithms.counting import RANGE
from coterie.algorithms.defaults import resolve
from coterie.algorithms.knowing import check_knowledge, remember
from coterie.algorithms.teaching import MACHINE, appoint, names_for
from coterie.algorithms.warming import settle
from coterie.config import config_context
from coterie.data import Source
from coterie.errors import CollapseWarning, DataWarning, Interrupted
from coterie.selection import Auto
from coterie.training import Callback

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.data.knowledge import Knowledge
    from coterie.training import Fit, Phase

_STEPS = 6
_SECONDS = 1.0
_ROWS = 2048


def rehearse(estimator: Clusterer | Auto, source: Source, known: np.ndarray | None = None) -> float:
    """Take the first steps of a fit and throw them away.

    Parameters
    ----------
    estimator : Clusterer or Auto
        With its parameters; not changed.
    source : Source
        The rows.
    known : ndarray of shape (n,) or None, default=None
        Known classes, which are checked and planned for; the steps are taken without.

    Returns
    -------
    float
        Seconds that the optimiser steps of the whole fit will take, roughly; 0 for a choice among systems.

    Raises
    ------
    CoterieError
        What the fit itself would raise: a parameter that breaks its rule, a network that does not fit the rows.
    """
    if isinstance(estimator, Auto):
        estimator.check_with(source, known=known)
        return 0.0  # how many systems there will be time for is not known
    check_parameters(estimator, source)
    knowledge = check_knowledge(estimator, len(source), known=known)
    fewest = estimator.n_clusters
    if is_open(fewest):
        fewest, most = RANGE if isinstance(estimator.n_clusters, str) else estimator.n_clusters
        estimator = clone(estimator).set_params(n_clusters=min(most, len(source)))
    planner = estimator  # as the fit has it: training that is chosen for a user may be longer where classes are known
    chosen = {k: v for k, v in settle(estimator, resolve(estimator, source)).items() if k != "random_state"}
    # The few rows are fitted as the many will be: what "auto" stands for depends on how many there are.
    estimator = copy.copy(estimator).set_params(**chosen)  # which has what a warm fit goes on from, where clones do not
    few = Source(source.raw(slice(0, max(_ROWS, int(estimator.n_clusters)))), source.spec)
    begin, teachers, times = estimator.fit, [], 1
    if isinstance(estimator, SelfLabel):  # whose teachers take most of the time
        asked = clone(estimator).set_params(n_clusters=max(fewest, knowledge.n_different))
        names = names_for(asked, source, knowledge)  # which may ask for more labels the more clusters there are
        teachers, times = appoint(names, estimator), 1 + (MACHINE in names)
        begin = partial(estimator.fit_to, partitions=[np.arange(len(few)) % int(estimator.n_clusters)])
    timer = _Timer(planner, source, knowledge)
    quietly: dict[str, Any] = {"progress": False, "compile": False, "callbacks": (timer,), "checkpoint_every": math.inf}
    with TemporaryDirectory() as folder, config_context(checkpoint=folder, **quietly), warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # which the fit itself will give
        warnings.simplefilter("ignore", CollapseWarning)  # a few steps find no clusters yet
        try:
            begin(few)
        except _Enough:
            pass
        except Interrupted:
            raise KeyboardInterrupt from None  # there is nothing to go on with yet
    return times * timer.expected + sum(rehearse(each, source, known if each.knows else None) for each in teachers)


class _Enough(Exception):
    """Ends a rehearsal."""


class _Timer(Callback):
    """Measures steps, foresees how many there will be, and stops the fit."""

    def __init__(self, planner: Clusterer, source: Source, knowledge: Knowledge) -> None:
        self.planner, self.source, self.knowledge = planner, source, knowledge
        self.expected = 0.0
        self._planned, self._times = 0, [time.perf_counter()]

    def on_phase(self, fit: Fit, phase: Phase) -> None:
        """Begin to measure, with the whole fit planned, which may be refused."""
        whole = replace(fit, source=self.source, memory=dict(fit.memory))
        remember(whole, self.knowledge)
        self._planned = sum(_turns(later) * later.steps for later in self.planner.phases(whole))
        self._times = [time.perf_counter()]

    def on_step(self, fit: Fit, phase: Phase) -> None:
        """Measure, and stop when enough is known."""
        self._times.append(time.perf_counter())
        spent = self._times[-1] - self._times[0]
        if len(self._times) <= _STEPS and spent < _SECONDS:
            return
        each = [after - before for before, after in zip(self._times, self._times[1:], strict=False)]
        # The fastest: the first step also warms caches up, and other processes may be in the way of any.
        self.expected = min(each) / _turns(phase) * self._planned
        raise _Enough


def _turns(phase: Phase) -> int:
    return sum(turn.repeat for turn in phase.turns)
