"""K-means on the rows: no network, and what every other system has to beat."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import torch
from sklearn.cluster import KMeans as Lloyd
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from coterie.algorithms.base import Clusterer
from coterie.checks import Rule, integer
from coterie.data import DataSpec
from coterie.nn import Model, Nearest
from coterie.settings import hyperparameters
from coterie.training import Fit, Phase, codes

BEGINNINGS = 20
WORK = 2e11  # n d K of all beginnings together: about a minute and a half of two cores, at fifty iterations each


@hyperparameters
class KMeans(Clusterer):
    r"""K-means on the scaled rows, with the reports and model files of every system.

    .. math::
        \min_{\mu} \sum_i \min_k \|x_i - \mu_k\|^2

    Parameters
    ----------
    {common}
    n_init : int or "auto", default="auto"
        Beginnings, of which the one with the least inertia is kept; >= 1. "auto" is 20, and fewer where n d K exceeds
        10^10, down to one above 10^11.

    Attributes
    ----------
    {found}

    Notes
    -----
    Lloyd's iterations are scikit-learn's [1]_. The code of a row is the scaled row itself. The probabilities are those
    of round Gaussians of one width around the centres, whose hard limit k-means is.

    References
    ----------
    .. [1] F. Pedregosa et al. Scikit-learn: machine learning in Python. JMLR 2011.

    Examples
    --------
    >>> from coterie import KMeans
    >>> KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]]).cluster_centers_.shape
    (2, 1)
    """

    n_init: Any = "auto"

    title: ClassVar[str] = "K-means on the rows, without a network"
    rules: ClassVar[dict[str, Rule]] = {"n_init": integer(1).or_word("auto")}

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the number of beginnings that "auto" means here."""
        return {"n_init": max(1, min(BEGINNINGS, int(WORK / (n_rows * spec.n_features_in * self.n_clusters))))}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return a model whose code is the row."""
        return Model(nn.Flatten(), nn.Unflatten(1, spec.shape), Nearest(self.n_clusters, spec.n_features_in))

    def phases(self, fit: Fit) -> list[Phase]:
        """Return no phase: there is nothing to learn by steps."""
        return []

    def finish(self, fit: Fit) -> None:
        """Cluster the rows."""
        x = codes(fit)
        # scikit-learn documents n_init as an integer too, but its stub files know only "auto".
        n_init: Any = fit.settings["n_init"]
        lloyd = Lloyd(self.n_clusters, n_init=n_init, random_state=fit.streams.integer("start"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters
            lloyd.fit(x.numpy())
        fit.model.head.fill_from(x, torch.from_numpy(lloyd.cluster_centers_))
