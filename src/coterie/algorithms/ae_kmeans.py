"""An autoencoder, then k-means on its code: what every deep clustering has to beat."""

from __future__ import annotations

from typing import ClassVar

import torch

from coterie.algorithms.deep import DeepClusterer
from coterie.nn import Nearest
from coterie.settings import hyperparameters
from coterie.starts import make_start
from coterie.training import Fit, encode


@hyperparameters
class AEKMeans(DeepClusterer):
    r"""Autoencoder, then k-means on the code.

    .. math::
        \min_{f, g} \tfrac{1}{nD} \sum_i \|x_i - g(f(x_i))\|^2, \quad \text{then} \quad
        \min_{\mu} \sum_i \min_k \|z_i - \mu_k\|^2

    Parameters
    ----------
    {shared}

    Attributes
    ----------
    {fitted}

    Notes
    -----
    ``train`` is not used, and ``start="auto"`` is "kmeans". With "mixture" or "manifold" the clusters are those nearest
    to that start's centres. The probabilities are those of round Gaussians of one width around the centres, whose hard
    limit k-means is.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AEKMeans, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = AEKMeans(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, random_state=0).fit(X)
    >>> model.cluster_centers_.shape
    (2, 2)
    """

    title: ClassVar[str] = "Autoencoder, then k-means on the code"
    auto_start: ClassVar[str | None] = "kmeans"  # this baseline's name says which

    def make_head(self, code_size: int) -> Nearest:
        """Return round Gaussians of one width around K centres."""
        return Nearest(self.n_clusters, code_size)

    def finish(self, fit: Fit) -> None:
        """Cluster the code."""
        z = encode(fit.model.encode, fit.source, fit.runtime.device)
        centers = make_start(
            fit.settings["start"], z.numpy(), self.n_clusters, seed=fit.streams.integer("start")
        ).centers
        fit.model.head.fill_from(z, torch.from_numpy(centers))
