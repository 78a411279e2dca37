"""Agglomerative clustering on the neighbour graph of a code, with memory in proportion to the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix

Step = tuple[int, int, float]  # the cluster that takes in another, that one, their affinity


@dataclass(frozen=True)
class Tree:
    """A partition, and the merges of the last clusters down to a single one.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each row, int64, 0 .. K - 1 in the order of each cluster's first row.
    leaves : ndarray of shape (n,)
        Cluster of each row when the record of merges begins, int64, 0 .. L - 1 in the order of each one's first row.
    merges : ndarray of shape (L - 1, 4)
        The merges as SciPy's dendrogram takes them, float64: the two clusters, the number of the merge (1, 2, ...),
        the leaves in their union. Clusters below L are leaves, L + i is what merge i made. The first L - K lead to
        ``labels``.
    affinities : ndarray of shape (L - 1,)
        Affinity of the two clusters of each merge, float64; 0 where no edge joined them any more.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.agglomeration import agglomerate
    >>> from coterie.neighbours import affinity_graph, neighbours
    >>> z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> agglomerate(z, affinity_graph(*neighbours(z, 1)), np.arange(4), n_clusters=2).merges[-1]
    array([4., 5., 3., 4.])
    """

    labels: np.ndarray
    leaves: np.ndarray
    merges: np.ndarray
    affinities: np.ndarray


def agglomerate(
    z: np.ndarray,
    w: csr_matrix,
    labels: np.ndarray,
    *,
    n_clusters: int,
    n_near: int = 5,
    least_share: float = 0.1,
    n_leaves: int = 100,
) -> Tree:
    r"""Merge clusters by graph degree linkage [1]_ and by how far the best partner stands out among the next [2]_.

    The affinity of two clusters on a graph with edges W is

    .. math::
        A(a, b) = \tfrac{1}{|a|^2} \sum_{j \in b} \Big(\sum_{i \in a} W_{ij}\Big) \Big(\sum_{i \in a} W_{ji}\Big)
            + \tfrac{1}{|b|^2} \sum_{j \in a} \Big(\sum_{i \in b} W_{ij}\Big) \Big(\sum_{i \in b} W_{ji}\Big),

    and the cluster merges with its nearest one for which
    :math:`A_1 + \sum_{k=2}^{K_c} (A_1 - A_k) / (K_c - 1)` is largest, with :math:`A_k` the k-th largest affinity of
    that cluster to another.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows or codes.
    w : csr_matrix of shape (n, n)
        W, the graph of their neighbours.
    labels : ndarray of shape (n,)
        Clusters to begin with, 0 and up, none empty; at least K.
    n_clusters : int
        K, 1 <= K <= n.
    n_near : int, default=5
        K_c, the partners looked at.
    least_share : float, default=0.1
        Rows that count as a cluster of their own, over n / K; 0 counts all.
    n_leaves : int, default=100
        L, the number of clusters from which on merges are recorded; K if that is more.

    Returns
    -------
    Tree
        Exactly K clusters, none empty, and the merges of the last L.

    Notes
    -----
    Clusters that no edge joins have affinity 0. Where none are joined any more, those with the nearest means merge
    (average linkage).

    A few outliers that hardly an edge enters have next to no affinity to anything, and would stay a cluster to the end
    while two large ones merge. So merging stops when K clusters of a sufficient size are left, if it ever had as many;
    those that are smaller then join the cluster that is nearest to them, the smallest first.

    References
    ----------
    .. [1] W. Zhang, X. Wang, D. Zhao, X. Tang. Graph degree linkage: agglomerative clustering on a directed graph.
       ECCV 2012.
    .. [2] J. Yang, D. Parikh, D. Batra. Joint unsupervised learning of deep representations and image clusters.
       CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.agglomeration import agglomerate
    >>> from coterie.neighbours import affinity_graph, neighbours
    >>> z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> agglomerate(z, affinity_graph(*neighbours(z, 1)), np.arange(4), n_clusters=2).labels
    array([0, 0, 1, 1])
    """
    labels = _in_order(labels)
    n_leaves = max(n_clusters, min(n_leaves, int(labels.max()) + 1))
    least = least_share * len(labels) / n_clusters
    steps = list(_merge_all(_Clusters(w, labels, n_near), z))
    level = _level(labels, steps, n_clusters=n_clusters, least=least)
    if level > n_clusters:
        steps = list(_merge_all(_Clusters(w, labels, n_near), z, level=level, n_clusters=n_clusters))
    return _as_tree(labels, steps, n_clusters=n_clusters, n_leaves=n_leaves)


class _Clusters:
    """Clusters that merge, with all that a merge changes kept up to date: each merge touches only the clusters nearby.

    ``sums[a]`` holds the rows j that an edge joins with a, and both sums of edges as a complex number: edges from a to
    j are its real part, edges from j to a its imaginary part. ``reach[a][b]`` is the sum over j in b of the products of
    both, and ``near[a][b]`` the affinity A(a, b).
    """

    def __init__(self, w: csr_matrix, labels: np.ndarray, n_near: int) -> None:
        k = int(labels.max()) + 1
        member = csr_matrix((np.ones(len(labels)), labels, np.arange(len(labels) + 1)), (len(labels), k))
        sums = ((w.T + 1j * w) @ member).tocsc()  # (n, k)
        sums.sort_indices()
        products = sums.copy()
        products.data = sums.data.real * sums.data.imag
        self.n_near = n_near
        self.cluster = labels.copy()
        self.sizes = np.bincount(labels, minlength=k)
        self.rows = np.split(np.argsort(labels, kind="stable"), np.cumsum(self.sizes)[:-1])
        cuts = sums.indptr[1:-1]
        self.sums = list(zip(np.split(sums.indices, cuts), np.split(sums.data, cuts), strict=True))
        self.reach: list[dict[int, float]] = [{} for _ in range(k)]
        self.near: list[dict[int, float]] = [{} for _ in range(k)]
        reach = (member.T @ products).tocoo()  # (k, k)
        for b, a, reached in zip(reach.row.tolist(), reach.col.tolist(), reach.data.tolist(), strict=True):
            if a != b and reached > 0:
                self.reach[a][b] = reached
                share = reached / float(self.sizes[a]) ** 2
                self.near[a][b] = self.near[b][a] = self.near[a].get(b, 0.0) + share
        self.scores = np.array([self._score(a) for a in range(k)])

    def best(self) -> tuple[int, int, float]:
        """Return the two clusters to merge, the larger first, and their affinity; 0 if no edge joins any two."""
        a = int(self.scores.argmax())
        if self.scores[a] <= 0:
            return a, a, 0.0
        b = max(self.near[a], key=self.near[a].__getitem__)
        return (a, b, self.near[a][b]) if self.sizes[a] >= self.sizes[b] else (b, a, self.near[a][b])

    def merge(self, a: int, b: int) -> None:
        """Let a take in b."""
        self.cluster[self.rows[b]] = a
        self.rows[a] = np.concatenate([self.rows[a], self.rows[b]])
        self.sizes[a], self.sizes[b] = len(self.rows[a]), 0
        self.sums[a] = _add(self.sums[a], self.sums[b])
        touched = (self.near[a].keys() | self.near[b].keys()) - {a, b}
        self.reach[a] = self._reached(a)
        self.reach[b], self.near[a], self.near[b] = {}, {}, {}
        for c in touched | self.reach[a].keys():  # a row with an edge from a and one to b joins them anew
            self._join(c, a, b)
        self.scores[a], self.scores[b] = self._score(a), -1.0

    def _join(self, c: int, a: int, b: int) -> None:
        """Bring c up to date with the union of a and b, which is now called a."""
        back = self.reach[c].pop(a, 0.0) + self.reach[c].pop(b, 0.0)
        self.near[c].pop(b, None)
        if back > 0:
            self.reach[c][a] = back
        affinity = self.reach[a].get(c, 0.0) / float(self.sizes[a]) ** 2 + back / float(self.sizes[c]) ** 2
        self.near[a][c] = self.near[c][a] = affinity
        self.scores[c] = self._score(c)

    def _reached(self, a: int) -> dict[int, float]:
        rows, sums = self.sums[a]
        products = np.real(sums) * np.imag(sums)
        some = products > 0
        clusters, place = np.unique(self.cluster[rows[some]], return_inverse=True)
        reached = dict(zip(clusters.tolist(), np.bincount(place, products[some]).tolist(), strict=True))
        reached.pop(a, None)
        return reached

    def _score(self, a: int) -> float:
        """Return A_1 and how far it stands out among the K_c largest; clusters that nothing joins have affinity 0."""
        largest = sorted(self.near[a].values(), reverse=True)[: self.n_near]
        if not largest or self.n_near == 1:
            return sum(largest)
        return 2 * largest[0] - sum(largest[1:]) / (self.n_near - 1)


def _add(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Add two sparse vectors given as ascending places and values."""
    places = np.concatenate([a[0], b[0]])
    order = np.argsort(places, kind="stable")
    places, first = np.unique(places[order], return_index=True)
    if not len(places):
        return a
    return places, np.add.reduceat(np.concatenate([a[1], b[1]])[order], first)


def _merge_all(state: _Clusters, z: np.ndarray, *, level: int = 0, n_clusters: int = 1) -> Iterator[Step]:
    """Merge until one cluster is left, but from ``level`` to K clusters the smallest first."""
    left = len(state.sizes)
    while left > 1:
        a, b, affinity = _smallest(state, z) if n_clusters < left <= level else state.best()
        if a == b:
            break
        state.merge(a, b)
        left -= 1
        yield a, b, affinity
    yield from ((a, b, 0.0) for a, b in _by_means(state, z))


def _smallest(state: _Clusters, z: np.ndarray) -> Step:
    """Return the nearest cluster to the smallest one, that one, and their affinity."""
    alive = np.flatnonzero(state.sizes)
    b = int(alive[state.sizes[alive].argmin()])
    if state.near[b]:
        a = max(state.near[b], key=state.near[b].__getitem__)
        return a, b, state.near[b][a]
    others = alive[alive != b]
    means = np.stack([z[state.rows[a]].mean(0, dtype=np.float64) for a in (b, *others)])
    return int(others[np.square(means[1:] - means[0]).sum(1).argmin()]), b, 0.0


def _level(labels: np.ndarray, steps: list[Step], *, n_clusters: int, least: float) -> int:
    """Return the fewest clusters among which K have sufficient rows; K if they never do."""
    sizes = np.bincount(labels)
    large = int((sizes >= least).sum())
    level = n_clusters
    for i, (a, b, _) in enumerate(steps):
        if large >= n_clusters:
            level = len(sizes) - i
        large -= int(sizes[a] >= least) + int(sizes[b] >= least) - int(sizes[a] + sizes[b] >= least)
        sizes[a] += sizes[b]
    return level


def _by_means(state: _Clusters, z: np.ndarray) -> Iterator[tuple[int, int]]:
    alive = np.flatnonzero(state.sizes).tolist()
    if len(alive) > 1:
        means = np.stack([z[state.rows[a]].mean(0, dtype=np.float64) for a in alive])
        for a, b, *_ in linkage(means, "average"):
            alive.append(alive[int(a)])
            yield alive[int(a)], alive[int(b)]


def _as_tree(labels: np.ndarray, steps: list[Step], *, n_clusters: int, n_leaves: int) -> Tree:
    """Cut the merges at K clusters and at L; number the clusters from there on as SciPy does."""
    n_start = len(steps) + 1
    leaves = _apply(labels, steps[: n_start - n_leaves])
    last = steps[n_start - n_leaves :]
    # The cluster that took in another keeps its number; in the record each merge makes a new one.
    name = dict(zip(*np.unique(leaves, return_index=True), strict=True))
    leaf_labels = _in_order(leaves)
    name = {int(a): int(leaf_labels[i]) for a, i in name.items()}
    held = dict.fromkeys(range(n_leaves), 1)
    merges = np.zeros((len(last), 4))
    for i, (a, b, _) in enumerate(last):
        new = n_leaves + i
        held[new] = held[name[a]] + held[name[b]]
        merges[i] = *sorted((name[a], name[b])), i + 1, held[new]
        name[a] = new
    affinities = np.array([affinity for _, _, affinity in last])
    return Tree(_in_order(_apply(labels, steps[: n_start - n_clusters])), leaf_labels, merges, affinities)


def _apply(labels: np.ndarray, steps: list[Step]) -> np.ndarray:
    """Return the clusters after some merges, each under the number of the one that took in the others."""
    into = np.arange(labels.max() + 1)
    for a, b, _ in reversed(steps):  # the last first: where a went after it took in b, b goes too
        into[b] = into[a]
    return into[labels]


def _in_order(labels: np.ndarray) -> np.ndarray:
    """Return clusters numbered 0, 1, ... in the order of their first rows."""
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place]
