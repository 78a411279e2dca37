"""An autoencoder, then k-means on its code: what every deep clustering has to beat."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from coterie.algorithms import recipes
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.inputs import open_source, undone_on_error
from coterie.errors import InputError
from coterie.familiarity import Familiarity
from coterie.nn import Model, Nearest
from coterie.settings import hyperparameters
from coterie.starts import make_start
from coterie.training import Fit, Streams, codes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.data import Source


@hyperparameters
class AEKMeans(DeepClusterer):
    r"""Autoencoder, then k-means on the code.

    .. math::
        \min_{f, g} \tfrac{1}{nD} \sum_i \|x_i - g(f(x_i))\|^2, \quad \text{then} \quad
        \min_{\mu} \sum_i \min_k \|z_i - \mu_k\|^2

    with D the number of values in a row; ``reconstruction="bce"`` puts the cross entropy in the square's place.

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
    limit k-means is. ``from_recipe("tutorial")`` is a small convolutional autoencoder [1]_, which its author
    trains on 60,000 digits and then clusters 10,000 others by, here with :meth:`recluster`.

    References
    ----------
    .. [1] S. I. Serengil. Convolutional autoencoder: clustering images with neural networks. 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AEKMeans, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = AEKMeans(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, random_state=0).fit(X)
    >>> model.cluster_centers_.shape
    (2, 2)
    >>> model.recluster(X[::2]).labels_.shape
    (20,)
    """

    title: ClassVar[str] = "Autoencoder, then k-means on the code"
    auto_start: ClassVar[str | None] = "kmeans"  # this baseline's name says which
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.AE_KMEANS

    def make_head(self, code_size: int) -> Nearest:
        """Return round Gaussians of one width around K centres."""
        return Nearest(self.n_clusters, code_size)

    def finish(self, fit: Fit) -> None:
        """Cluster the code."""
        z = codes(fit)
        self._cluster(fit.model, z, fit.settings, seed=fit.streams.integer("start"))

    @undone_on_error
    def recluster(self, X: ArrayLike | Source) -> Self:
        """Cluster other rows by the same code: the encoder is kept, the centres are found anew.

        Parameters
        ----------
        X : array-like or Source
            At least K rows of the shape that was fitted, such as rows held out from the fit.

        Returns
        -------
        AEKMeans
            Self; ``labels_``, ``cluster_centers_`` and ``familiarity_`` are those of these rows, and what else was of
            the rows of the fit is None. The same seed gives the same clusters.

        Raises
        ------
        InputError
            If the rows do not fit, or are fewer than the clusters.
        """
        check_is_fitted(self)
        source = open_source(self, X, reset=False)
        if len(source) < self.settings_["n_clusters"]:
            raise InputError(
                f"At least as many rows as clusters are needed. Got {len(source)} rows and "
                f"n_clusters={self.settings_['n_clusters']} instead."
            )
        z = self._encode(source)
        self.model_ = copy.deepcopy(self.model_)  # what was made from this system keeps its clusters
        self._cluster(self.model_, z, self.settings_, seed=Streams(self.seed_).integer("start"))
        self._set_fitted_labels(self._assign(z).argmax(1).numpy())
        self.familiarity_ = Familiarity.of(source, seed=Streams(self.seed_).integer("familiarity"))
        self.count_ = self.calibration_ = self.pretrained_code_ = None  # which were of the rows of the fit
        return self

    def _cluster(self, model: Model, z: Tensor, settings: dict[str, Any], *, seed: int) -> None:
        start = make_start(settings["start"], z.numpy(), settings["n_clusters"], seed=seed)
        model.head.fill_from(z, torch.from_numpy(start.centers))
