"""A classic method on the principal components of the rows: no network, and often as good as one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional

from coterie.algorithms.base import Clusterer
from coterie.checks import Rule, integer, one_of, require, whole
from coterie.classics import METHODS, partition
from coterie.components import COMPONENTS, are_weights, fit_components
from coterie.data import DataSpec
from coterie.mixtures import means_of
from coterie.nn import Model, Votes
from coterie.settings import hyperparameters
from coterie.subsample import sample_source
from coterie.training import Fit, Phase, codes


@hyperparameters
class Shallow(Clusterer):
    r"""A classic method on the principal components of the scaled rows.

    The code is :math:`z = V^\top (x - \bar x)` with the directions :math:`V` of most variance. The method partitions up
    to m rows, the landmarks, by their codes; every row goes with its nearest landmarks, weighed by how near they are.
    Of rows like weights of words, that is without negative values and with nine zeros in ten of 100 columns or more, it
    sees the direction of :math:`V^\top x` alone, as is usual for texts [2]_, whose lengths say nothing.

    Parameters
    ----------
    {common}
    method : {"mixture", "kmeans", "spectral", "ward", "hdbscan", "manifold"}, default="mixture"
        A Gaussian mixture with full covariances; k-means; spectral clustering of the neighbour graph; agglomeration by
        Ward's criterion; HDBSCAN, whose K largest groups are kept; a mixture on a UMAP map.
    n_components : int, default=50
        Entries of the code, >= 1; at most the columns. Beyond the number of landmarks they are 0.
    landmarks : int, default=10000
        Most rows that are partitioned; a larger set is sampled. At least K.

    Attributes
    ----------
    {found}

    Notes
    -----
    The methods are scikit-learn's [1]_, the map TorchDR's. ``labels_`` is what the vote says, as for ``predict``; a
    landmark keeps its own cluster. What HDBSCAN takes for noise follows its neighbours; where it finds fewer than K
    groups, the clusters that are missing stay empty.

    References
    ----------
    .. [1] F. Pedregosa et al. Scikit-learn: machine learning in Python. JMLR 2011.
    .. [2] S. Deerwester et al. Indexing by latent semantic analysis. Journal of the American Society for Information
       Science 41, 1990.

    Examples
    --------
    >>> from coterie import Shallow
    >>> labels = Shallow(n_clusters=2, method="ward").fit_predict([[0.0], [0.1], [5.0], [5.1]])
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    method: str = "mixture"
    n_components: int = COMPONENTS
    landmarks: int = 10_000

    title: ClassVar[str] = "A classic method on principal components"
    rules: ClassVar[dict[str, Rule]] = {
        "method": one_of(METHODS),
        "n_components": integer(1),
    }

    def check(self) -> None:
        """Raise an InputError if there are fewer landmarks than clusters."""
        rule = Rule(lambda m: whole(m, self.n_clusters), "an integer >= n_clusters")
        require(type(self).__name__, self, {"landmarks": rule})

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return a model whose code is linear in the row."""
        d, size = spec.n_features_in, min(self.n_components, spec.n_features_in)
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(d, size))
        decoder = nn.Sequential(nn.Linear(size, d), nn.Unflatten(1, spec.shape))
        return Model(encoder, decoder, Votes(self.n_clusters, size))

    def phases(self, fit: Fit) -> list[Phase]:
        """Return no phase: there is nothing to learn by steps."""
        return []

    def finish(self, fit: Fit) -> None:
        """Find the directions, and partition the landmarks."""
        seed, k = fit.streams.integer("start"), self.n_clusters
        rows, x = sample_source(fit.source, self.landmarks, seed)
        _project(fit.model, fit_components(x, seed, self.n_components))
        z = codes(fit)[rows]  # what predict will see, to the last bit
        seen = z.double()
        if are_weights(x, kind=fit.source.spec.kind):
            seen = functional.normalize(seen - fit.model.encoder[1].bias.detach())
        labels = partition(self.method, seen.numpy(), k, seed=seed)
        known = labels >= 0
        centers = torch.from_numpy(means_of(z.numpy()[known], labels[known], k)).float()
        unlike, first = np.unique(z.numpy()[known], axis=0, return_index=True)
        fit.model.head.fill(torch.from_numpy(unlike), torch.from_numpy(labels[known][first]), centers)


def _project(model: Model, pca: PCA) -> None:
    """Make encoder and decoder those of principal components, of which there may be fewer than entries of the code."""
    directions, mean = (torch.from_numpy(part).float() for part in (pca.components_, pca.mean_))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.encoder[1].weight[: len(directions)] = directions
        model.encoder[1].bias[: len(directions)] = -directions @ mean
        model.decoder[0].weight[:, : len(directions)] = directions.T
        model.decoder[0].bias.copy_(mean)
