"""Joint unsupervised learning: clusters merge on the codes, and the codes learn from the clusters."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from coterie.agglomeration import Tree, agglomerate
from coterie.algorithms.base import Clusterer
from coterie.checks import require, whole, within
from coterie.data import DataSpec
from coterie.neighbours import affinity_graph, chains, neighbours
from coterie.nn import MLP, Conv, Model, Nearest, make_autoencoder, triplet_loss
from coterie.settings import hyperparameters
from coterie.training import Batch, Fit, Phase, Schedule, Turn, apply_batched, encode

CHAIN = 4  # rows in a chain of nearest neighbours, about


@hyperparameters
class JULE(Clusterer):
    r"""Joint unsupervised learning of codes and clusters [1]_.

    From many small clusters, chains of nearest neighbours among the rows, agglomeration
    (:func:`coterie.agglomeration.agglomerate`) merges a share :math:`\eta` at a time. In between, an encoder that puts
    codes on the unit sphere learns the present clusters y, and the next merges are made on the neighbours of its codes:

    .. math::
        L = \operatorname{mean}_{(i, j, k)}
            \max(0, \; \gamma \|z_i - z_j\|^2 - \|z_i - z_k\|^2 + m), \quad y_j = y_i, \; y_k \ne y_i

    with j a random row of i's cluster and k the rows of other clusters in the batch, save those that the present graph
    would merge with it before K are left. When K clusters are left and learned, they are found anew from chains of the
    codes.

    Parameters
    ----------
    {common}
    code_size : int, default=160
        d, the number of entries of the code; a pair of modules as ``network`` brings its own.
    network : {"auto", "mlp", "conv"}, MLP, Conv or pair of nn.Module, default="auto"
        Of these autoencoders the encoder, its code brought to length 1. "auto" is, for vectors, ``MLP(hidden=(500,
        500))``; for images, halving convolutions with batch normalisation: one while the shorter side stays at least
        4, up to the last three of 16, 32 and 64 channels.
    augment : "auto", "none", Augment or str, default="auto"
        Random changes that a row's cluster should not depend on, made to all rows of a batch. "auto" is "shift-rotate"
        for images, "none" for vectors.
    train : "auto" or Schedule, default="auto"
        Training after each merging. "auto" is 150 m^0.36 steps of AdamW, one-cycle up to 3e-3, with m = n / 10,000 held
        between 0.1 and 10.
    n_neighbours : int, default=20
        K_s, the neighbours of a row on the graph; >= 1.
    n_near : int, default=5
        K_c, the partners of a cluster that are compared when it is to merge; >= 1.
    least_share : float, default=0.1
        Rows that a final cluster should have at least, over n / K; in [0, 1). Smaller ones join their nearest cluster,
        if there are K others.
    eta : float, default=0.9
        Share of the present clusters that are merged away before the next training; in (0, 1).
    gamma : float, default=1.0
        Weight of the distance to a row of the same cluster; positive, unitless.
    margin : float, default=0.2
        m, by how much squared distances to other clusters should be larger; positive, in units of the sphere's radius.
    n_negatives : int or None, default=None
        Rows of other clusters that each row is compared with, drawn at random; None compares with all of the batch.
    spare : bool, default=True
        Whether clusters that the present graph would merge before K are left are not pushed apart: parts of one dense
        group would be torn for good.
    reclusters : int, default=2
        How often the K clusters are found anew from chains of the learned codes, and learned; >= 0.

    Attributes
    ----------
    {found}
    transductive_labels_ : ndarray of shape (n,)
        Cluster of each row where the last merging put it, int64; ``labels_`` is what their centres make of the codes
        after the last training.
    agreement_ : ndarray of shape ()
        Share of the rows whose ``labels_`` are their ``transductive_labels_``.
    merges_ : ndarray of shape (L - 1, 4)
        The last merging from its last L clusters (at most 100, or K) down to one, as SciPy's ``dendrogram`` takes it,
        float64: the two that merge, the number of the merge (1, 2, ...) as their height, the leaves in their
        union. 0 to L - 1 are leaves, L + i is what merge i made, counted from 0. The first L - K merges lead to
        ``transductive_labels_``, the others show which clusters are close.
    merge_affinities_ : ndarray of shape (L - 1,)
        Affinity of the two at each merge, float64, unitless; 0 where no edge joined any two clusters.
    leaves_ : ndarray of shape (n,)
        Leaf of each row, int64.

    Notes
    -----
    The paper trains 20 epochs on clean images after each merging, with SGD, a wider network, and triplets drawn from
    the nearest clusters; ``from_recipe("paper")`` has its settings as far as they are parameters here. Further:

    - the mean is over triplets whose loss is not zero, of which few are left in the end;
    - clusters that will merge are spared (``spare``), and those of a few outliers do not count (``least_share``);
    - training also follows the last merging, and the K clusters are found anew and learned twice, where the paper's
      variant "RC" finds them anew once and is done;
    - the comparison with the K_c next partners counts down to the end, where the authors' code drops it below 100
      clusters;
    - neighbours are exact, and memory grows with n K_s and with the rows themselves in float32, never with n^2;
    - a new row belongs to the nearest of K centres, the mean codes of the clusters, and so do the fitted rows; the
      probabilities are those of round Gaussians of one width around the centres.

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
    >>> model = JULE(n_clusters=2, code_size=4, network=MLP(hidden=(8,)), train=short, random_state=0).fit(X)
    >>> len(set(model.labels_[:30])), len(set(model.labels_[30:])), model.merges_.shape[1]
    (1, 1, 4)
    """

    code_size: int = 160
    network: Any = "auto"
    augment: Any = "auto"
    train: Any = "auto"
    n_neighbours: int = 20
    n_near: int = 5
    least_share: float = 0.1
    eta: float = 0.9
    gamma: float = 1.0
    margin: float = 0.2
    n_negatives: int | None = None
    spare: bool = True
    reclusters: int = 2

    title: ClassVar[str] = "Joint Unsupervised Learning (Yang 2016)"
    decodes: ClassVar[bool] = False
    extras: ClassVar[tuple[str, ...]] = (
        "transductive_labels",
        "agreement",
        "merges",
        "merge_affinities",
        "leaves",
    )
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # The paper's settings for MNIST, where it leaves out the second pooling on the 10k part; its variant "RC".
        "paper": {
            "network": Conv(channels=(50, 50), kernels=(5, 5), strides=1, pool=2, batch_norm=True),
            "augment": "none",
            "train": Schedule(epochs=20, batch_size=100, optimiser="sgd", learning_rate=0.01, shape="constant"),
            "least_share": 0.0,
            "gamma": 2.0,
            "n_negatives": 20,
            "spare": False,
            "reclusters": 1,
        },
    }

    def check(self) -> None:
        """Raise an InputError if a parameter breaks its rule."""
        rules = [
            ("n_neighbours", whole(self.n_neighbours, 1), "an integer >= 1"),
            ("n_near", whole(self.n_near, 1), "an integer >= 1"),
            ("least_share", within(self.least_share, 0, 1), "a number in [0, 1)"),
            ("eta", within(self.eta, 0, 1) and self.eta > 0, "a number in (0, 1)"),
            ("gamma", within(self.gamma, 0) and self.gamma > 0, "a positive number"),
            ("margin", within(self.margin, 0) and self.margin > 0, "a positive number"),
            ("n_negatives", self.n_negatives is None or whole(self.n_negatives, 1), "None or an integer >= 1"),
            ("spare", isinstance(self.spare, bool), "True or False"),
            ("reclusters", whole(self.reclusters, 0), "an integer >= 0"),
        ]
        require(type(self).__name__, self, rules)

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the encoder and the training that "auto" means here."""
        m = min(max(n_rows / 10_000, 0.1), 10.0)
        train = Schedule(steps=round(15 * m**0.36) * 10, learning_rate=3e-3, warmup=0.2)
        if spec.kind != "images":
            return {"network": MLP(hidden=(500, 500)), "train": train}
        halvings = min(max(((min(spec.shape[1:]) - 1) // 3).bit_length() - 1, 1), 3)
        channels, kernels = (16, 32, 64)[-halvings:], (5, 5, 3)[-halvings:]
        return {"network": Conv(channels=channels, kernels=kernels, batch_norm=True), "train": train}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return an encoder onto the unit sphere and K centres."""
        encoder, _, d = make_autoencoder(settings["network"], spec, self.code_size)
        return Model(nn.Sequential(encoder, Unit()), None, Nearest(self.n_clusters, d))

    def plan(self, fit: Fit) -> Phase | None:
        """Return another merging and training until K clusters are left and found anew often enough."""
        clusters, times = fit.memory.get("clusters"), fit.memory.get("reclustered", torch.tensor(0))
        if clusters is None or int(clusters.max()) + 1 > self.n_clusters:
            name = "merge"
        elif int(times) < self.reclusters:
            name = "recluster"
        else:
            return None
        return self._training(fit, name)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return about as many phases as there will be; how many clusters the merging begins with, only rows tell."""
        left = len(fit.source) / CHAIN / self.n_clusters
        merges = max(1, math.ceil(math.log(left) / -math.log1p(-self.eta)))
        names = ["merge"] * merges + ["recluster"] * self.reclusters
        return [self._training(fit, name) for name in names]

    def _training(self, fit: Fit, name: str) -> Phase:
        schedule: Schedule = fit.settings["train"]
        turn = Turn("terms", ("encoder",), schedule)
        return Phase(name, (turn,), schedule.n_steps(len(fit.source)), schedule.batch_size)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Merge clusters on the graph of the present codes, at first on that of the rows."""
        begins = "clusters" not in fit.memory
        z = encode(nn.Flatten() if begins else fit.model.encode, fit.source, fit.runtime.device).numpy()
        nearest, squared = neighbours(z, self.n_neighbours)
        k, again = self.n_clusters, phase.name == "recluster"
        labels = chains(nearest, k) if begins or again else fit.memory["clusters"].numpy()
        if not again:
            left = int(labels.max()) + 1
            k = max(k, min(round((1 - self.eta) * left), left - 1))  # a small share of few clusters is one at least
        graph, rules = affinity_graph(nearest, squared), {"n_near": self.n_near, "least_share": self.least_share}
        tree = agglomerate(z, graph, labels, n_clusters=k, **rules)
        last = agglomerate(z, graph, tree.labels, n_clusters=self.n_clusters, **rules) if self.spare else tree
        fit.memory["groups"] = torch.from_numpy(last.labels)
        fit.memory["reclustered"] = fit.memory.get("reclustered", torch.tensor(0)) + int(again)
        self._remember(fit, tree)

    def _remember(self, fit: Fit, tree: Tree) -> None:
        for name in ("merges", "merge_affinities", "leaves"):
            fit.memory[name] = torch.from_numpy(getattr(tree, name.removeprefix("merge_")))
        sizes = np.bincount(tree.labels)
        fit.memory["clusters"] = torch.from_numpy(tree.labels)
        fit.memory["members"] = torch.from_numpy(np.argsort(tree.labels, kind="stable"))  # one cluster after the other
        fit.memory["sizes"] = torch.from_numpy(sizes)
        fit.memory["begins"] = torch.from_numpy(np.cumsum(sizes) - sizes)

    def partners(self, fit: Fit, index: Tensor) -> Tensor:
        """Return for each row a random one of its cluster, which may be itself."""
        y, clock = fit.memory["clusters"][index], fit.clock
        generator = fit.streams.generator("partners", clock.phase, clock.step)
        place = torch.rand(len(index), generator=generator, dtype=torch.float64) * fit.memory["sizes"][y]
        return fit.memory["members"][fit.memory["begins"][y] + place.long()]

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the triplet loss of the rows, each with a partner, and the rows of other clusters in the batch."""
        clock, b = fit.clock, len(batch.index)
        others = fit.batch(self.partners(fit, batch.index), clock.phase, clock.step, 0, 0, 1)
        z = fit.model.encode(torch.cat([batch.view, others.view]))  # (2b, d)
        y = fit.memory["groups"][batch.index]
        apart = y[:, None] != y.repeat(2)  # (b, 2b)
        if self.n_negatives is not None:
            key = torch.rand(b, 2 * b, generator=fit.streams.generator("negatives", clock.phase, clock.step))
            drawn = (key * apart).topk(min(self.n_negatives, 2 * b)).indices
            apart &= torch.zeros_like(apart).scatter(1, drawn, value=True)
        loss = triplet_loss(z[:b], z[b:], others=z, apart=apart.to(z.device), gamma=self.gamma, margin=self.margin)
        return {"triplet": loss}

    def finish(self, fit: Fit) -> None:
        """Put a centre on the mean code of each cluster, so that new rows have a cluster too."""
        z, y = encode(fit.model.encode, fit.source, fit.runtime.device), fit.memory["clusters"]
        centers = torch.stack([z[y == k].mean(0) for k in range(self.n_clusters)])
        fit.model.head.fill_from(z, centers)
        predicted = apply_batched(lambda c: fit.model.head(c.to(fit.runtime.device)), z).argmax(1)
        fit.memory["transductive_labels"] = y
        fit.memory["agreement"] = (predicted == y).double().mean()


class Unit(nn.Module):
    """Bring codes, shape (b, d), to length 1."""

    def forward(self, z: Tensor) -> Tensor:
        """Return z / |z|, shape (b, d), in float32."""
        return nn.functional.normalize(z.float(), dim=1)
