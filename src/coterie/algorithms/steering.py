"""Starts that follow what is known of a few rows: clusters named, classes spread over neighbours, pairs kept."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix, diags
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from coterie.data.knowledge import UNKNOWN
from coterie.mixtures import means_of
from coterie.neighbours import affinity_graph, neighbours
from coterie.starts import SAMPLE, Start, as_start, kmeans
from coterie.subsample import sample_rows

NEIGHBOURS = 15
FOLLOWED = 10  # mapped neighbours that rows outside the sample follow
PULL, ROUNDS = 0.95, 50  # of spreading: share that comes from neighbours, and repetitions
SWEEPS = 20  # of k-means with pairs, at most


def number_clusters(start: Start, z: np.ndarray, known: np.ndarray) -> Start:
    """Return a start with its clusters so numbered that most known rows are in the cluster of their class.

    Parameters
    ----------
    start : Start
        K clusters.
    z : ndarray of shape (n, d)
        The code.
    known : ndarray of shape (n,)
        Classes below K, -1 where unknown.

    Returns
    -------
    Start
        The same partition. Clusters beyond the classes have the numbers that no known row has.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import number_clusters
    >>> from coterie.starts import make_start
    >>> z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> number_clusters(make_start("kmeans", z, 2, seed=0), z, np.array([1, -1, -1, -1])).labels.tolist()
    [1, 1, 0, 0]
    """
    rows, K = np.flatnonzero(known >= 0), len(start.centers)
    squared = cdist(z[rows], start.centers, "sqeuclidean") / start.spread**2  # (m, K)
    near = 1 / (1 + squared)
    # A row's cluster counts one; how near it is to the others decides where rows of two classes share a cluster.
    votes = np.eye(K)[start.labels[rows]] + near / near.sum(1, keepdims=True)
    by_class = np.zeros((K, K))
    np.add.at(by_class, known[rows], votes)
    by_class /= np.maximum(np.bincount(known[rows], minlength=K), 1)[:, None]
    number = np.empty(K, dtype=np.int64)
    classes, clusters = linear_sum_assignment(by_class, maximize=True)
    number[clusters] = classes
    return Start(start.centers[np.argsort(number)], number[start.labels], start.spread)


def propagate(z: np.ndarray, known: np.ndarray, clusters: np.ndarray, *, seed: int) -> np.ndarray:
    r"""Spread known classes over the graph of nearest neighbours in the code [1]_, as far as clusters let them.

    .. math::
        F \leftarrow a S F + (1 - a) Y, \quad
        y_i = \arg\max_c \frac{f_{ic}}{\sum_{c'} f_{ic'}} \, P(c \mid k_i), \quad
        P(c \mid k) \propto \frac{n_{ck} + [c = k]}{n_c + 1}

    with S the normalised graph, Y the known classes, each of weight one in all, and :math:`n_{ck}` the known rows of
    class c in cluster k. Where known rows are in the clusters of their classes, clusters stay; where those of a cluster
    are of several classes, their neighbours tell. It is done on a sample that holds the known rows; other rows follow
    their neighbours in it.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    known : ndarray of shape (n,)
        Classes, -1 where unknown.
    clusters : ndarray of shape (n,)
        Clusters, numbered by class as :func:`number_clusters` does. Those with another number may hold a class that
        nobody named, and keep their rows.
    seed : int
        Seed of the sample.

    Returns
    -------
    ndarray of shape (n,)
        Class or cluster of each row; of a known one its own.

    References
    ----------
    .. [1] D. Zhou, O. Bousquet, T. N. Lal, J. Weston, B. Schölkopf. Learning with local and global consistency.
       NIPS 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import propagate
    >>> z = np.repeat([[0.0], [9.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> known = np.full(40, -1)
    >>> known[[3, 7, 28, 33]] = 0, 0, 1, 1
    >>> propagate(z, known, np.arange(40) % 2, seed=0).tolist() == [0] * 20 + [1] * 20
    True
    """
    K = int(max(known.max(), clusters.max())) + 1
    rows = np.union1d(sample_rows(len(z), SAMPLE, seed), np.flatnonzero(known >= 0))
    flow = _flow(_normalised(z[rows]), known[rows], K)
    found = (flow * _shares(known, clusters, K)[clusters[rows]]).argmax(1)
    if len(rows) < len(z):
        theirs = KNeighborsClassifier(FOLLOWED, algorithm="brute").fit(z[rows], found).predict(z)
        theirs[rows] = found
        found = theirs
    found = np.where(np.isin(clusters, known), found, clusters)
    return np.where(known >= 0, known, found)


def keep_pairs(start: Start, z: np.ndarray, *, groups: np.ndarray, apart: np.ndarray, seed: int) -> Start:
    """Return the start, or one that breaks fewer pairs if k-means on the groups of must-links finds it.

    Parameters
    ----------
    start : Start
        K clusters.
    z : ndarray of shape (n, d)
        The code.
    groups : ndarray of shape (n,)
        Rows of one number belong together; -1 is a row alone.
    apart : ndarray of shape (m, 2)
        Rows that do not.
    seed : int
        Seed of k-means.

    Returns
    -------
    Start
        The partition that breaks the smallest share of pairs, of several the tightest; the start itself where none
        breaks less. Rows of a group are then in the cluster of most of them.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import keep_pairs
    >>> from coterie.starts import make_start
    >>> z = np.array([[0.0, 0], [0, 1], [9, 0], [9, 1]])
    >>> start = make_start("kmeans", z, 2, seed=0)
    >>> groups, apart = np.array([0, 1, 0, 1]), np.array([[0, 1]])
    >>> lower, upper, *far = keep_pairs(start, z, groups=groups, apart=apart, seed=0).labels
    >>> far == [lower, upper], bool(lower != upper)
    (True, True)
    """
    K = len(start.centers)
    found = [start.labels, _sweep(z, start.labels, K, groups=groups, apart=apart)]
    n_groups = int(groups.max(initial=UNKNOWN)) + 1
    if n_groups >= K:
        middles = means_of(z[groups >= 0], groups[groups >= 0], n_groups)
        first = means_of(middles, kmeans(middles, K, seed=seed, n_init=10), K)
        found.append(_sweep(z, _nearest(z, first), K, groups=groups, apart=apart))
    broken = [_broken(labels, groups, apart) for labels in found]
    cost = [(share, _inertia(z, labels, K)) for share, labels in zip(broken, found, strict=True)]
    best = 0 if broken[0] == min(broken) else min(range(len(found)), key=lambda i: cost[i])
    former = start.centers if best < 2 else None  # the third has numbers of its own
    return as_start(z, gather_groups(found[best], groups, K), K, former=former)


def _normalised(z: np.ndarray) -> csr_matrix:
    W = affinity_graph(*neighbours(z, NEIGHBOURS))
    W = W.maximum(W.T)
    scale = diags(1 / np.sqrt(np.maximum(W.sum(1).A1, np.finfo(float).tiny)))
    return (scale @ W @ scale).tocsr()


def _shares(known: np.ndarray, clusters: np.ndarray, K: int) -> np.ndarray:
    """Return P, (cluster, class)."""
    held = known >= 0
    both = np.eye(K)  # (class, cluster)
    np.add.at(both, (known[held], clusters[held]), 1)
    both /= both.sum(1, keepdims=True)
    return (both / both.sum(0)).T  # each class counts itself in its own cluster, so no sum is 0


def _flow(S: csr_matrix, y: np.ndarray, K: int) -> np.ndarray:
    """Return how much of what reaches a row comes from each class, (n, K)."""
    rows = np.flatnonzero(y >= 0)
    Y = np.zeros((len(y), K))
    Y[rows, y[rows]] = 1
    Y /= np.maximum(Y.sum(0), 1)
    F = Y
    for _ in range(ROUNDS):
        F = PULL * (S @ F) + (1 - PULL) * Y
    # What nothing reaches, as no known row is near, is left to the clusters.
    F += np.finfo(float).tiny * K
    return F / F.sum(1, keepdims=True)


def _sweep(z: np.ndarray, labels: np.ndarray, K: int, *, groups: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return the clusters of k-means in which groups move as one and leave what a row of theirs is kept apart from.

    A row alone is a group of one. A cannot-link of two rows is one of all rows of their groups; each that is broken
    costs as much as a row's mean squared distance from its centre. Groups with such links move one after the other:
    all at once, the two of a pair would leave together and come back together.
    """
    group = np.where(groups >= 0, groups, int(groups.max(initial=UNKNOWN)) + 1 + np.arange(len(z)))
    group = np.unique(group, return_inverse=True)[1]
    size = np.bincount(group)
    rivals = _rivals(group[apart], len(size))
    bound = np.fromiter(rivals, np.int64)
    there = np.empty(len(size), dtype=np.int64)  # cluster of each group
    there[group] = gather_groups(labels, groups, K)
    for _ in range(SWEEPS):
        squared = cdist(z, means_of(z, there[group], K), "sqeuclidean")  # (n, K)
        far, before = squared.min(1).mean(), there
        cost = np.zeros((len(size), K))
        np.add.at(cost, group, squared)
        there = cost.argmin(1)
        there[bound] = before[bound]
        for one, others in rivals.items():
            broken = np.bincount(there[others], weights=size[others], minlength=K)
            there[one] = (cost[one] + far * size[one] * broken).argmin()
        if (there == before).all():
            break
    return there[group]


def _rivals(pairs: np.ndarray, n_groups: int) -> dict[int, np.ndarray]:
    """Return which others each group is kept apart from, only of those that are."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    linked = csr_matrix((np.ones(len(both)), tuple(both.T)), shape=(n_groups, n_groups))
    linked.sum_duplicates()
    return {one: linked.indices[linked.indptr[one] : linked.indptr[one + 1]] for one in np.unique(both).tolist()}


def _inertia(z: np.ndarray, labels: np.ndarray, K: int) -> float:
    return float(np.square(z - means_of(z, labels, K)[labels]).sum())


def _nearest(z: np.ndarray, centers: np.ndarray) -> np.ndarray:
    return cdist(z, centers, "sqeuclidean").argmin(1)


def gather_groups(labels: np.ndarray, groups: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return clusters with each group in the one that most of its rows are in.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Clusters.
    groups : ndarray of shape (n,)
        Rows of one number belong together; -1 is a row alone.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (n,)
        Clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import gather_groups
    >>> gather_groups(np.array([0, 1, 1, 0]), np.array([0, 0, 0, -1]), 2).tolist()
    [1, 1, 1, 0]
    """
    rows = np.flatnonzero(groups >= 0)
    if not len(rows):
        return labels
    counts = np.zeros((int(groups.max()) + 1, n_clusters))
    np.add.at(counts, (groups[rows], labels[rows]), 1)
    labels = labels.copy()
    labels[rows] = counts.argmax(1)[groups[rows]]
    return labels


def _broken(labels: np.ndarray, groups: np.ndarray, apart: np.ndarray) -> float:
    """Return the share of must-linked rows outside their group's cluster, plus that of cannot-links within one."""
    held = groups >= 0
    outside = (labels != gather_groups(labels, groups, int(labels.max()) + 1))[held].mean() if held.any() else 0.0
    return float(outside) + (float((labels[apart[:, 0]] == labels[apart[:, 1]]).mean()) if len(apart) else 0.0)
