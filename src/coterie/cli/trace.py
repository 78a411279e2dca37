"""The clusters of all rows at each refresh, for the report's curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from coterie.training import Callback

if TYPE_CHECKING:
    import numpy as np

    from coterie.algorithms import Clusterer
    from coterie.training import Fit

_LABELS, _STEPS = "trace.labels", "trace.steps"


class LabelTrace(Callback):
    """Remembers the clusters at each refresh within the fit's own memory.

    So they are in every checkpoint, and a resumed fit has exactly those of the steps that it does not take again.
    """

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.labels: list[np.ndarray] = []

    def on_refresh(self, fit: Fit, labels: np.ndarray) -> None:
        """Add the clusters."""
        small = torch.uint8 if labels.max(initial=0) < 256 else torch.int32
        for name, new in ((_LABELS, torch.from_numpy(labels).to(small)), (_STEPS, torch.tensor(fit.clock.total))):
            before = [fit.memory[name]] if name in fit.memory else []
            fit.memory[name] = torch.cat([*before, new[None]])

    def on_end(self, fit: Fit) -> None:
        """Keep what was remembered: ``steps``, and ``labels`` of shape (n,) for each."""
        self.steps, self.labels = [], []  # not those of another fit within this one, such as of a teacher
        if _STEPS in fit.memory:
            self.steps, self.labels = fit.memory[_STEPS].tolist(), list(fit.memory[_LABELS].numpy())

    def until(self, estimator: Clusterer) -> tuple[list[int], list[np.ndarray]]:
        """Return steps and clusters up to the end of the fit, at which there may have been no refresh."""
        if self.steps and self.steps[-1] >= estimator.n_iter_:
            return self.steps, self.labels
        return [*self.steps, estimator.n_iter_], [*self.labels, estimator.labels_]
