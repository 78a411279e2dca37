"""Joint unsupervised learning: clusters merge on the codes, and the codes learn from the clusters."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from coterie.agglomeration import agglomerate
from coterie.algorithms import joining, members, recipes
from coterie.algorithms.base import Clusterer
from coterie.algorithms.defaults import augmentation, halving_conv, steps_for
from coterie.checks import FLAG, POSITIVE, Rule, integer, number
from coterie.data import DataSpec
from coterie.neighbours import CHAIN, affinity_graph, chains, neighbours
from coterie.nn import MLP, Model, Nearest, UnitLength, make_autoencoder, triplet_loss
from coterie.settings import hyperparameters
from coterie.training import Batch, Fit, Phase, Schedule, Turn, codes, encode


@hyperparameters
class JULE(Clusterer):
    r"""Joint unsupervised learning of codes and clusters [1]_.

    From many small clusters, chains of nearest neighbours among the rows, agglomeration
    (:func:`coterie.agglomeration.agglomerate`) merges a share :math:`\eta` at a time. In between, an encoder that puts
    codes on the unit sphere learns the present clusters y, and the next merges are made on the neighbours of its codes:

    .. math::
        L = \operatorname{mean}_{(i, j, k)}
            \max(0, \; \gamma \|z_i - z_j\|^2 - \|z_i - z_k\|^2 + m), \quad y_j = y_i, \; y_k \ne y_i

    where j is a random row of i's cluster and k runs over the batch's rows of other clusters, except clusters that
    would still merge with i's before the last are left. These last ones, once learned, are found anew from chains of
    the learned codes. Of images they are more than K, and are joined where augmentation turns the rows of one into
    those of another (:mod:`coterie.algorithms.joining`).

    Parameters
    ----------
    {common}
    code_size : int, default=160
        d, the number of entries of the code; a pair of modules as ``network`` brings its own.
    network : {"auto", "mlp", "conv"}, MLP, Conv or pair of nn.Module, default="auto"
        Of these the encoder. "auto" is ``MLP(hidden=(500, 500))`` for vectors; for images, convolutions with batch norm
        that halve the side while it stays at least 4, up to the last three of 16, 32 and 64 channels.
    {augment}
    train : "auto" or Schedule, default="auto"
        Training after each merging. "auto" is 150 m^0.36 steps of AdamW up to 3e-3, m as in ``algorithms.defaults``.
    n_neighbors : int, default=20
        K_s, the neighbours of a row on the graph; >= 1.
    n_near : int, default=5
        K_c, the partners of a cluster that are compared when it is to merge; >= 1.
    least_share : float, default=0.1
        Rows, over n / K, below which one of the last clusters goes to its nearest, if there are enough; in [0, 1).
    eta : float, default=0.9
        Share of the present clusters that are merged away before the next training; in (0, 1).
    gamma : float, default=1.0
        Weight of the distance to a row of the same cluster; positive, unitless.
    margin : float, default=0.2
        m, by how much squared distances to other clusters should be larger; positive, in units of the sphere's radius.
    spare : bool, default=True
        Whether clusters that the present graph would merge, or at last would be joined, are not pushed apart.
    reclusters : int, default=2
        How often the last clusters are found anew from chains of the learned codes, and learned; >= 0.
    finer : int or "auto", default="auto"
        How many more than K are left to be joined, if rows are augmented; >= 0. "auto" is 0.3 K for images, else 0.

    Attributes
    ----------
    {found}
    transductive_labels_ : ndarray of shape (n,)
        Where the last merging put each row, int64; ``labels_`` is what the centres make of the codes learned from it.
    merges_ : ndarray of shape (L - 1, 4)
        The last merges, of L clusters (100, or those to be joined) down to one, as SciPy's ``dendrogram`` takes them.
    merge_affinities_ : ndarray of shape (L - 1,)
        Affinity of the two of each merge, or lift of each joining; more in :class:`coterie.agglomeration.Tree`.
    leaves_ : ndarray of shape (n,)
        Which of the L clusters each row was in, int64.

    Notes
    -----
    The paper trains 20 epochs on clean images after each merging, with SGD, a wider network, and triplets of 20 random
    negatives from the nearest clusters; ``from_recipe("paper")`` has what are parameters here. Further: (a) a row is
    compared with all of the batch, and the mean is over triplets whose loss is not zero; (b) clusters that will merge
    are spared, and a few outliers are none; (c) the last clusters are learned too, and found anew twice, in the paper's
    "RC" once; (d) the K_c partners count down to the end, in the authors' code to 100 clusters; (e) rows belong to the
    nearest of K mean codes; (f) of images the last merges are joins. Graphs are exact and of all rows, so that time
    grows with their square: of more than 100,000 fit it to a sample, and ``predict`` the others.

    References
    ----------
    .. [1] J. Yang, D. Parikh, D. Batra. Joint unsupervised learning of deep representations and image clusters.
       CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import JULE, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 30, axis=0) + np.random.default_rng(0).normal(0, 0.05, (60, 2))
    >>> short = Schedule(steps=10, batch_size=20)
    >>> model = JULE(2, code_size=4, network=MLP(hidden=(8,)), train=short, random_state=0).fit(X)
    >>> len(set(model.labels_[:30])), len(set(model.labels_[30:])), model.merges_.shape[1]
    (1, 1, 4)
    """

    code_size: int = 160
    network: Any = "auto"
    augment: Any = "auto"
    train: Any = "auto"
    n_neighbors: int = 20
    n_near: int = 5
    least_share: float = 0.1
    eta: float = 0.9
    gamma: float = 1.0
    margin: float = 0.2
    spare: bool = True
    reclusters: int = 2
    finer: Any = "auto"

    title: ClassVar[str] = "Joint Unsupervised Learning (Yang 2016)"
    rules: ClassVar[dict[str, Rule]] = {
        **dict.fromkeys(("n_neighbors", "n_near"), integer(1)),
        "least_share": number(0, below=1),
        "eta": number(above=0, below=1),
        **dict.fromkeys(("gamma", "margin"), POSITIVE),
        "spare": FLAG,
        "reclusters": integer(0),
        "finer": integer(0).or_word("auto"),
    }
    decodes: ClassVar[bool] = False
    extras: ClassVar[tuple[str, ...]] = ("transductive_labels", "merges", "merge_affinities", "leaves")
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.JULE

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the encoder and the training that "auto" means here."""
        train, K = Schedule(steps=steps_for(150, n_rows, 0.36), learning_rate=3e-3, warmup=0.2), self.n_clusters
        network = halving_conv(spec, (16, 32, 64)) if spec.kind == "images" else MLP(hidden=(500, 500))
        finer = math.ceil(0.3 * K) if spec.kind == "images" and augmentation(self.augment, images=True) else 0
        return {"network": network, "train": train, "finer": finer}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return an encoder onto the unit sphere and K centres."""
        encoder, _, d = make_autoencoder(settings["network"], spec, self.code_size)
        return Model(nn.Sequential(encoder, UnitLength()), None, Nearest(self.n_clusters, d))

    def plan(self, fit: Fit) -> Phase | None:
        """Return another merging and training until few clusters are left, found anew often enough, and joined."""
        clusters, times = fit.memory.get("clusters"), int(fit.memory.get("reclustered", torch.tensor(0)))
        left = math.inf if clusters is None else int(clusters.max()) + 1
        if left == self.n_clusters and times >= self.reclusters:
            return None
        name = "merge" if left > self._last(fit) else "recluster" if times < self.reclusters else "join"
        return fit.make_phase(name, Turn("terms", ("encoder",), fit.settings["train"]))

    def _last(self, fit: Fit) -> int:
        """Return how many clusters the graph is merged down to."""
        return min(self.n_clusters + (fit.settings["finer"] if fit.augment else 0), len(fit.source))

    def phases(self, fit: Fit) -> list[Phase]:
        """Return about as many phases as there will be; how many clusters the merging begins with, only rows tell."""
        left = len(fit.source) / CHAIN / self._last(fit)
        names = ["merge"] * max(1, math.ceil(math.log(left) / -math.log1p(-self.eta))) + ["recluster"] * self.reclusters
        names += ["join"] * (self._last(fit) > self.n_clusters)
        return [fit.make_phase(name, Turn("terms", ("encoder",), fit.settings["train"])) for name in names]

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Merge clusters on the graph of the present codes, at first on that of the rows; at last, join them."""
        begins, again = "clusters" not in fit.memory, phase.name == "recluster"
        z = encode(nn.Flatten() if begins else fit.model.encode, fit.source, fit.runtime.device).numpy()
        nearest, squared = neighbours(z, self.n_neighbors)
        graph, rules = affinity_graph(nearest, squared), {"n_near": self.n_near, "least_share": self.least_share}
        if phase.name == "join":
            tree = joining.join_and_merge(fit, z, graph, n_clusters=self.n_clusters, **rules)
        else:
            K = self._last(fit)
            labels = chains(nearest, K) if begins or again else fit.memory["clusters"].numpy()
            left = int(labels.max()) + 1
            k = K if again else max(K, min(round((1 - self.eta) * left), left - 1))  # at least one is merged away
            tree = agglomerate(z, graph, labels, n_clusters=k, **rules)
        groups = tree.labels
        if self.spare and phase.name == "merge":
            groups = agglomerate(z, graph, groups, n_clusters=self._last(fit), **rules).labels
        elif self.spare:
            groups = joining.to_be_joined(fit, z, groups, n_clusters=self.n_clusters)
        fit.memory["reclustered"] = fit.memory.get("reclustered", torch.tensor(0)) + int(again)
        members.remember(fit, tree, groups=groups)

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the triplet loss of the rows, each with a partner, and the rows of other clusters in the batch."""
        others = fit.extra_batch(members.partners(fit, batch.index), stream=1)
        z = fit.model.encode(torch.cat([batch.view, others.view]))  # (2b, d)
        y = fit.memory["groups"][batch.index]
        apart = (y[:, None] != y.repeat(2)).to(z.device)  # (b, 2b)
        return {"triplet": triplet_loss(*z.chunk(2), others=z, apart=apart, gamma=self.gamma, margin=self.margin)}

    def finish(self, fit: Fit) -> None:
        """Put a centre on the mean code of each cluster, so that new rows have a cluster too."""
        z, y = codes(fit), fit.memory["clusters"]
        fit.model.head.fill_from(z, joining.means(z, y))
        fit.memory["transductive_labels"] = y
