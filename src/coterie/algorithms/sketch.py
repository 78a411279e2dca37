"""A code to count groups in: an autoencoder, and rows gathered around small clusters, whatever their number."""

from __future__ import annotations

from typing import Any

from coterie.algorithms import gathering
from coterie.algorithms.deep import DeepClusterer
from coterie.nn import Nearest
from coterie.settings import hyperparameters
from coterie.training import Fit, Phase


@hyperparameters
class Sketch(DeepClusterer):
    """What the systems have before they know of clusters; it has none of its own, and is never saved.

    Parameters
    ----------
    {shared}
    gather : "auto", "none", Schedule or None, default="auto"
        Training that gathers the rows, as in :class:`coterie.DEC`; around four small clusters for each of n_clusters,
        which is no guess at their number.

    Attributes
    ----------
    {fitted}
    """

    n_clusters: Any = 10
    gather: Any = "auto"

    def make_head(self, code_size: int) -> Nearest:
        """Return a head that is never filled."""
        return Nearest(self.n_clusters, code_size)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, and one round of gathering where it is worth its time."""
        return [*self.pretrainings(fit), *gathering.phases(fit, 1)]
