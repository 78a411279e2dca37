"""Systems whose clustering begins from a start, and may begin again from others."""

from __future__ import annotations

from typing import ClassVar

from coterie.algorithms import reruns, warming
from coterie.algorithms.deep import DeepClusterer
from coterie.checks import Rule, integer
from coterie.settings import hyperparameters
from coterie.training import Fit, Phase


@hyperparameters
class RestartedClusterer(DeepClusterer):
    """A system that trains clusters ``n_init`` times in one pretrained code, and keeps the best; DEC is one.

    Its ``phases`` end with ``clusterings``.

    Parameters
    ----------
    {shared}
    {n_init}

    Attributes
    ----------
    {fitted}
    """

    n_init: int = 1

    rules: ClassVar[dict[str, Rule]] = {"n_init": integer(1)}
    outcome: ClassVar[tuple[str, ...]] = ()  # what a run leaves in the fit's memory, beside the model

    def clusterings(self, fit: Fit) -> list[Phase]:
        """Return the phases that train encoder and head, as often as asked for."""
        return [self.clustering(fit)] * self._runs(fit)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before clustering again, go back to the code of the first time."""
        if phase.name == "cluster" and self._runs(fit) > 1:
            reruns.begin(fit, self.outcome)
        super().enter(fit, phase)

    def finish(self, fit: Fit) -> None:
        """Of several runs, keep the best."""
        reruns.end(fit, self.outcome)

    def _runs(self, fit: Fit) -> int:
        return 1 if warming.is_under_way(fit) else self.n_init  # the last fit's clusters are one start
