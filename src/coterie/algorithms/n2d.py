"""N2D: an autoencoder, a map of its code by a manifold learner, a Gaussian mixture on the map."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from coterie.algorithms import gathering, recipes
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.defaults import LARGEST_DENSE, are_many, is_dense, schedules
from coterie.checks import Rule, integer, one_of, require, whole
from coterie.data import DataSpec
from coterie.manifolds import MANIFOLDS, make_map
from coterie.mixtures import fit_mixture
from coterie.nn import Conv, FullGaussians, LandmarkMap, MappedModel, make_autoencoder
from coterie.settings import hyperparameters
from coterie.starts import SAMPLE, best_told
from coterie.subsample import sample_rows
from coterie.training import Fit, Phase, apply_batched, encode

BEGINNINGS = 20  # of the mixture, shared by the maps
Drawn = tuple[Tensor, Tensor, GaussianMixture]  # landmarks' codes, their places, the mixture there

TSNE_SIZE = 3  # dimensions of a map that the Barnes-Hut approximation can fill
WIDEST = 10  # dimensions of a map chosen by "auto": covariances of more would have too few landmarks


@hyperparameters
class N2D(DeepClusterer):
    r"""(Not too) deep clustering [1]_.

    An autoencoder learns codes :math:`c = f(x)` by reconstruction alone. A manifold learner lays m of them, the
    landmarks, out on a map; every row's place u is a weighted geometric median of those of its nearest landmarks; and a
    mixture with full covariances on the map gives the clusters:

    .. math::
        u(c) = \arg\min_u \sum_j w_j \|u - u_j\|, \quad w_j = \max(1 / \|c - c_j\| - 1 / R(c), 0), \quad
        q_{ik} \propto \pi_k \, N(u(c_i); \mu_k, \Sigma_k)

    with R the distance to the 21st landmark. A landmark keeps its own place. The median keeps a row on the island of
    most of its neighbours, where a mean would set it between two.

    Parameters
    ----------
    {shared}
    manifold : {"umap", "tsne", "isomap"}, default="umap"
        The manifold learner (:func:`coterie.manifolds.make_map`).
    map_size : int or "auto", default="auto"
        Dimensions of the map: what ``transform`` gives. "auto" is 2 for t-SNE, which takes at most 3, else K held
        between 2 and 10, and at most ``code_size``.
    n_neighbors : int, default=20
        Neighbours of a row in the graph of UMAP and Isomap; >= 2.
    landmarks : int, default=10000
        Most rows that are laid out; a larger set is sampled. At least K. Isomap holds the square of it in distances.
    n_maps : int, default=3
        Maps that are drawn, each from a sample and a seed of its own. That one is kept on whose partition a row's
        neighbours in the code tell most about its cluster; no label is needed. >= 1.
    gather : "auto", "none", Schedule or None, default="auto"
        Training between pretraining and the map that gathers rows around small clusters, as in :class:`coterie.DEC`.
    gather_rounds : int, default=4
        How often that is done, each time around clusters found anew; >= 1.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    ``train`` is not used, and ``start`` only to gather. The paper has no way to the map for new rows under t-SNE and
    Isomap and uses UMAP's own transform; here all three are continued from landmarks, so that ``labels_`` is what
    ``predict`` returns and ``inverse_transform`` can go back: from places to codes in the same way, and on through the
    decoder. The paper lays out all rows at once, and draws one map. By default the autoencoder learns from augmented
    images, for fewer steps than the paper's 1,000 epochs, which ``from_recipe("paper")`` has, but, few small images
    apart, twice those of other systems, and on few larger images with twice the channels; many rows are gathered, which
    the decoder does not follow. The paper's size of the code is K. Codes with fewer than 17 distinct values have no
    manifold: their principal components are the map.

    References
    ----------
    .. [1] R. McConville, R. Santos-Rodriguez, R. J. Piechocki, I. Craddock. N2D: (not too) deep clustering via
       clustering the local manifold of an autoencoded embedding. ICPR 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import MLP, N2D, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = N2D(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, random_state=0).fit(X)
    >>> len(set(model.labels_[:20])), len(set(model.labels_[20:])), model.transform(X).shape
    (1, 1, (40, 2))
    """

    manifold: str = "umap"
    map_size: int | str = "auto"
    n_neighbors: int = 20
    landmarks: int = 10_000
    n_maps: int = 3
    gather: Any = "auto"
    gather_rounds: int = 4

    title: ClassVar[str] = "N2D: a mixture on a map of the code (McConville 2019)"
    rules: ClassVar[dict[str, Rule]] = {
        "manifold": one_of(MANIFOLDS),
        "map_size": integer(1).or_word("auto"),
        "n_neighbors": integer(2),
        "n_maps": integer(1),
    }
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.N2D

    def check(self) -> None:
        """Raise an InputError if the map is too large for t-SNE, or has too few landmarks."""
        rules = {"landmarks": Rule(lambda m: whole(m, self.n_clusters), "an integer >= n_clusters")}
        if self.manifold == "tsne":
            size = Rule(lambda v: v == "auto" or v <= TSNE_SIZE, f"'auto' or an integer from 1 to {TSNE_SIZE}")
            rules["map_size"] = size
        require(type(self).__name__, self, rules)

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the size of the map; where others' is short, twice their pretraining; more channels for few images."""
        images, many, dense = spec.kind == "images", are_many(spec, n_rows), is_dense(spec, n_rows)
        pretrain = schedules(spec, n_rows, round_start=True)["pretrain"]
        longer = 1 if dense and not many else 2
        own = {
            "map_size": 2 if self.manifold == "tsne" else min(max(self.n_clusters, 2), WIDEST, self.code_size),
            "pretrain": pretrain.set_params(steps=longer * pretrain.steps),
        }
        if images and not dense and math.prod(spec.shape) <= LARGEST_DENSE:
            own["network"] = Conv(channels=(32, 64, 128), decoder=(500, 500))
        return own

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> MappedModel:
        """Return an autoencoder, a map of its code without landmarks yet, and a mixture on the map."""
        encoder, decoder, d = make_autoencoder(settings["network"], spec, self.code_size)
        size = settings["map_size"]
        head = FullGaussians(settings["n_clusters"], size)
        code_map = LandmarkMap(d, size)
        return MappedModel(encoder, decoder, head, code_map=code_map, reconstruction=settings["reconstruction"])

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, and gathering where it is asked for."""
        return [*self.pretrainings(fit), *gathering.phases(fit, self.gather_rounds)]

    def finish(self, fit: Fit) -> None:
        """Draw the maps, fit a mixture on each, and keep the best told one."""
        assert isinstance(fit.model, MappedModel)
        c = encode(fit.model.encoder, fit.source, fit.runtime.device)  # (n, d)
        fit.memory.setdefault("pretrained_code", c)
        drawn = [self._draw(c, fit, number) for number in range(self.n_maps)]
        kept = 0
        if self.n_maps > 1:
            rows = sample_rows(len(c), SAMPLE, fit.streams.integer("judge"))
            found = [_clusters(fit.model, c[rows], one) for one in drawn]
            kept = best_told(c[rows].numpy(), found)
        _fill(fit.model, drawn[kept])

    def _draw(self, c: Tensor, fit: Fit, number: int) -> Drawn:
        """Return distinct codes, their places on a map, and the mixture of all sampled rows there."""
        seed = fit.streams.integer("map", number)
        rows = sample_rows(len(c), self.landmarks, seed)
        codes, place = np.unique(c[rows].numpy(), axis=0, return_inverse=True)
        size = fit.settings["map_size"]
        u = make_map(self.manifold, codes, size, n_neighbors=self.n_neighbors, seed=seed)  # (m, map_size)
        beginnings = math.ceil(BEGINNINGS / self.n_maps)
        mixture = fit_mixture(u[place.reshape(-1)], self.n_clusters, seed=seed, n_init=beginnings)
        return torch.from_numpy(codes), torch.from_numpy(u), mixture


def _fill(model: MappedModel, drawn: Drawn) -> None:
    codes, places, mixture = drawn
    model.map.fill(codes, places)
    parts = (mixture.means_, mixture.precisions_cholesky_, mixture.weights_)
    mu, whitening, shares = (torch.from_numpy(part) for part in parts)
    model.head.fill(mu, whitening=whitening, shares=shares)


def _clusters(model: MappedModel, c: Tensor, drawn: Drawn) -> np.ndarray:
    """Return the clusters of codes (n, d) by one of the maps."""
    _fill(model, drawn)
    device = model.map.codes.device
    return apply_batched(lambda part: model.head(model.map(part.to(device))), c).argmax(1).numpy()
