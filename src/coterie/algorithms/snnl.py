"""An autoencoder whose layers learn from labels which rows belong together, then k-means on its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from coterie.algorithms import recipes
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.defaults import schedules
from coterie.algorithms.numbering import classes_of_clusters, follow_classes, kept_to_classes
from coterie.checks import POSITIVE, Rule, integer, number, one_of
from coterie.data.knowledge import UNKNOWN
from coterie.errors import DataWarning, InputError, warn
from coterie.nn import DISTANCES, RECONSTRUCTIONS, Model, Nearest, make_autoencoder, stages_of, walk
from coterie.nn import soft_nearest_neighbor_loss as snnl
from coterie.nn import supervised_contrastive_loss as supcon
from coterie.settings import hyperparameters
from coterie.starts import make_start
from coterie.training import Batch, Fit, Phase, Turn, codes
from coterie.training.drawing import with_company

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.data import DataSpec, Source
    from coterie.data.knowledge import Knowledge

POWER = 0.55  # of the annealed temperature
# Of squared Euclidean distances. With far less each row sees its nearest one alone, which pulls no class together; it
# was chosen among 1 to 100 on 20,000 rows of EMNIST, and did no harm on MNIST and Letter (one seed each, from 100 on)
# where all labels are known, nor with 1,000 of MNIST-10k; with 100, the annealed one was .01 better.
WARM = 10.0
LONGER = 2  # times as many steps as an autoencoder alone has: labels are learned longer (EMNIST, seed 100)
SHARP = 0.1  # of the supervised contrastive loss, as published
LEAST = 8  # rows of a batch: two pairs, which can be of two classes, and as many without a label


@hyperparameters
class SNNLKMeans(DeepClusterer):
    r"""Autoencoder with the soft nearest neighbour loss [1]_ [2]_, then k-means on the code. It reads LABELS.

    .. math::
        L = \mathrm{BCE}(x, g(f(x))) + \alpha \sum_{l} \mathrm{SNNL}(h^l; T), \quad
        \mathrm{SNNL}(h; T) = -\frac1b \sum_i \log
        \frac{\sum_{j \ne i, y_j = y_i} \exp(-D_{ij} / T)}{\sum_{j \ne i} \exp(-D_{ij} / T)}

    ``fit(X, y)`` takes the class of each row, -1 where it is not known. All rows train the reconstruction, a mean over
    rows and values; rows without a label enter neither sum of the SNNL, but are counted in b, so that a few labels do
    not outweigh all rows. l runs over EVERY hidden layer: the output of each of the encoder's layers after its
    activation, the last of which is the code, and of each of the decoder's but the last, which is the reconstruction;
    seven in d-500-500-2000-c-2000-500-500-d. Figures of this system do not compare with those of systems that read no
    labels, and only those on held-out rows say anything.

    Parameters
    ----------
    {common}
    code_size : int or "auto", default="auto"
        d, the number of entries of the code; "auto" is the larger of 10 and K.
    {network}
    reconstruction : {"auto", "mse", "bce"}, default="auto"
        Squared error, or cross entropy; "auto" is the latter for rows that are scaled to [0, 1] and for images that
        ``scaling="auto"`` finds there.
    {training}
    alpha : float, default=100.0
        Weight of the summed SNNL beside the reconstruction; >= 0.
    temperature : float or {"auto", "annealed"}, default="auto"
        T, in units of D; positive. "annealed" is :math:`(1 + e)^{-0.55}` with e the passes over the rows so far, as it
        was published. "auto" is 10 with Euclidean distances, whose unit the layers choose themselves, "annealed" with
        the cosine, and 0.1 for "supcon".
    distance : {"cosine", "euclidean"}, default="euclidean"
        D: one minus the cosine, or the squared Euclidean distance, of two rows in one layer.
    loss : {"snnl", "supcon"}, default="snnl"
        What the labels train: the above, or the supervised contrastive loss [3]_ of the code alone.

    Attributes
    ----------
    {fitted}
    known_ : ndarray of shape (n,) or None
        Labels that were read, int64, -1 for rows without one; None if none was.

    Notes
    -----
    Half of a batch has labels, in pairs of one class: more where more of all rows have one, and fewer where there are
    not as many, so that none of these comes twice. The only row of a class counts as one without a label there. Of a
    module that is no ``nn.Sequential`` only the output is seen. Where K classes are known and k-means is the start, its
    centres are those of a k-means that keeps labelled rows with their classes, if that costs less (Basu 2002): with all
    labels, the classes' means. ``labels_`` are the nearest centres. Labels number the clusters: each that is matched to
    a class has its number, where all are below K, else its place among those classes, sorted, and ``cluster_names_``
    has the classes' numbers. Without labels it is an autoencoder with k-means. There is no pretraining unless asked
    for, and ``train`` has twice its steps. ``from_recipe("paper")`` has the published network and schedule, with the
    cosine. The loss does not ask for one cluster a class: what it leaves in several, k-means cannot join.

    References
    ----------
    .. [1] A. F. Agarap, A. P. Azcarraga. Improving k-means clustering performance with disentangled internal
       representations. IJCNN 2020. arXiv:2006.04535.
    .. [2] N. Frosst, N. Papernot, G. Hinton. Analyzing and improving representations with the soft nearest neighbor
       loss. ICML 2019.
    .. [3] P. Khosla et al. Supervised contrastive learning. NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import MLP, Schedule, SNNLKMeans
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> y = np.array([1, 1, *[-1] * 36, 0, 0])
    >>> short = Schedule(steps=40, batch_size=20)
    >>> model = SNNLKMeans(n_clusters=2, network=MLP(hidden=(8,)), train=short, random_state=0).fit(X, y)
    >>> model.predict(X[[2, 37]]).tolist()
    [1, 0]
    """

    code_size: Any = "auto"
    reconstruction: str = "auto"
    alpha: float = 100.0
    temperature: float | str = "auto"
    distance: str = "euclidean"
    loss: str = "snnl"

    knows: ClassVar[bool] = True
    reads_y: ClassVar[bool] = True
    one_a_class: ClassVar[bool] = False
    title: ClassVar[str] = "Soft nearest neighbour loss, then k-means on the code (Agarap 2020); reads labels"
    auto_start: ClassVar[str | None] = "kmeans"
    rules: ClassVar[dict[str, Rule]] = {
        "code_size": integer(1).or_word("auto"),
        "reconstruction": one_of(RECONSTRUCTIONS).or_word("auto"),
        "alpha": number(0),
        "temperature": POSITIVE.or_word("annealed").or_word("auto"),
        "distance": one_of(DISTANCES),
        "loss": one_of(("snnl", "supcon")),
    }
    extras: ClassVar[tuple[str, ...]] = ("pretrained_code", "known")
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.SNNL

    def fit(
        self, X: ArrayLike | Source, y: ArrayLike | None = None, *, known: ArrayLike | None = None, **pairs: ArrayLike
    ) -> Self:
        """Learn code and clusters from rows and the labels of some of them.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows: array of any numeric dtype, tensor or data frame.
        y, known : array-like of shape (n,) or None, default=None
            Class of each row, a whole number >= 0, or -1 where it is not known; by one of both names.
        **pairs : array-like
            ``must_link`` and ``cannot_link``, which other systems take; here they are refused.

        Returns
        -------
        SNNLKMeans
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter, the rows or the labels break a rule; before any training.
        """
        if known is not None and y is not None and not np.array_equal(known, y):
            raise InputError("fit(X, y, known=...) of SNNLKMeans takes labels by one name: y and known differ.")
        return super().fit(X, known=known if y is None else _as_classes(y), **pairs)

    def _learn(self, source: Source, knowledge: Knowledge) -> None:
        """Warn where labels teach nothing or share clusters, and train."""
        _warn_of_labels(knowledge.labels[knowledge.labels > UNKNOWN], self.n_clusters)
        super()._learn(source, knowledge)
        if knowledge.n_classes > self.n_clusters:  # numbers of clusters are not those of classes
            held = knowledge.labels > UNKNOWN
            found = classes_of_clusters(knowledge.labels[held], self.labels_[held], self.n_clusters)
            self.name_classes([str(c) if c > UNKNOWN else "" for c in found.tolist()])

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return a code with room for K directions, cross entropy where it can be, and no pretraining."""
        pretrain = schedules(spec, n_rows, round_start=True)["pretrain"]
        return {
            "code_size": max(10, self.n_clusters),
            "reconstruction": "bce" if spec.is_in_unit(self.scaling) else "mse",
            "temperature": SHARP if self.loss == "supcon" else "annealed" if self.distance == "cosine" else WARM,
            "pretrain": None,
            "train": pretrain.set_params(steps=LONGER * pretrain.steps, batch_size=256),
        }

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return an autoencoder, and centres for its code."""
        encoder, decoder, d = make_autoencoder(settings["network"], spec, settings["code_size"])
        return Model(encoder, decoder, Nearest(settings["n_clusters"], d), reconstruction=settings["reconstruction"])

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, where it is asked for, and the training of all layers."""
        turn = Turn("terms", ("encoder", "decoder"), fit.settings["train"])
        sampler = "balanced" if "known" in fit.memory else "shuffle"
        b = fit.settings["train"].batch_size
        if sampler == "balanced" and b < min(LEAST, len(fit.source)):
            raise InputError(f"With labels the batch_size of SNNLKMeans' train must be >= {LEAST}. Got {b} instead.")
        if sampler == "balanced":
            fit.memory["taught"] = with_company(fit.memory["known"])
        return [*self.pretrainings(fit), fit.make_phase("disentangle", turn, sampler=sampler)]

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        there = walk(stages_of(fit.model.encoder), batch.view)
        back = walk(stages_of(fit.model.decoder), there[-1])
        terms = {"reconstruction": RECONSTRUCTIONS[fit.model.reconstruction](back[-1], batch.wanted)}
        if "known" not in fit.memory:
            return terms
        y, T = fit.memory["taught"][batch.index].to(batch.x.device), self._T(fit)
        weight = self.alpha * (y >= 0).float().mean()  # the losses are means over the rows with a label
        if self.loss == "supcon":
            return terms | {"supcon": weight * supcon(there[-1], y, temperature=T)}
        return terms | {"snnl": weight * snnl([*there, *back[:-1]], y, temperature=T, distance=self.distance)}

    def _T(self, fit: Fit) -> float:
        """Return the temperature of the present step."""
        T, per_epoch = fit.settings["temperature"], max(1, len(fit.source) // fit.settings["train"].batch_size)
        return (1 + fit.clock.step // per_epoch) ** -POWER if T == "annealed" else T

    def finish(self, fit: Fit) -> None:
        """Cluster the code by k-means, and number its clusters."""
        z = codes(fit)
        start, seed = fit.settings["start"], fit.streams.integer("start")
        centers = make_start(start, z.numpy(), self.n_clusters, seed=seed).centers
        if "known" in fit.memory:
            y = fit.memory["known"].numpy()
            centers = kept_to_classes(z.numpy(), y, centers) if start == "kmeans" else centers
            nearest = pairwise_distances_argmin(z.numpy()[y >= 0], centers)
            centers = centers[follow_classes(y[y >= 0], nearest, self.n_clusters)]
        fit.model.head.fill_from(z, torch.from_numpy(centers))


def _as_classes(y: Any) -> Any:
    """Return booleans as 0 and 1, as a classifier has them, and all else as it is; those of known= may be a mask."""
    try:
        given = np.asanyarray(y)
    except (TypeError, ValueError):
        return y  # which is refused where labels are checked
    return given.astype(np.int64) if given.dtype.kind == "b" else y


def _warn_of_labels(labels: np.ndarray, K: int) -> None:
    """Warn where classes share clusters, or teach nothing."""
    if not len(labels):
        warn("No row has a label, so SNNLKMeans is an autoencoder with k-means.", DataWarning)
        return
    sizes = np.unique(labels, return_counts=True)[1]
    if len(sizes) > K:
        message = f"{len(sizes)} classes are known, but there are {K} clusters: some share one."
        warn(message, DataWarning)
    elif labels.max() >= K:
        message = f"Classes are numbered up to {labels.max()}, but clusters up to {K - 1}: see cluster_names_."
        warn(message, DataWarning)
    if sizes.max() == 1:
        message = "No class has two labelled rows: the code learned nothing from them; they number and place clusters."
        warn(message, DataWarning)
