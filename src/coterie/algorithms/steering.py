"""Starts that follow what is known of a few rows: clusters named, classes spread over neighbours, pairs kept."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix, diags
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from coterie.data.knowledge import UNKNOWN
from coterie.mixtures import means_of, sample_rows
from coterie.neighbours import affinity_graph, neighbours
from coterie.starts import SAMPLE, Start, as_start, kmeans

NEIGHBOURS = 15
FOLLOWED = 10  # mapped neighbours that rows outside the sample follow
PULL, ROUNDS = 0.95, 50  # of spreading: share that comes from neighbours, and repetitions
FOLDS = 5  # parts of the known rows that are left out in turn
SWEEPS = 20  # of k-means with pairs, at most


def named(start: Start, z: np.ndarray, known: np.ndarray) -> Start:
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
    >>> from coterie.algorithms.steering import named
    >>> from coterie.starts import make_start
    >>> z = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> named(make_start("kmeans", z, 2, seed=0), z, np.array([1, -1, -1, -1])).labels.tolist()
    [1, 1, 0, 0]
    """
    rows, K = np.flatnonzero(known >= 0), len(start.centers)
    squared = np.square(z[rows, None] - start.centers).sum(2) / start.spread**2  # (m, K)
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


def spread(z: np.ndarray, known: np.ndarray, *, seed: int) -> tuple[np.ndarray, float]:
    r"""Spread known classes over the graph of nearest neighbours in the code [1]_.

    .. math:: F \leftarrow a S F + (1 - a) Y

    with S the normalised graph and Y the known classes, each of weight one in all. It is done on a sample that holds
    the known rows; other rows follow their neighbours in it.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    known : ndarray of shape (n,)
        Classes, -1 where unknown.
    seed : int
        Seed of the sample and of the folds.

    Returns
    -------
    labels : ndarray of shape (n,)
        Class of each row.
    agreement : float
        Share of the known rows that get their class while they are left out, a fifth of them at a time.

    References
    ----------
    .. [1] D. Zhou, O. Bousquet, T. N. Lal, J. Weston, B. Schölkopf. Learning with local and global consistency.
       NIPS 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import spread
    >>> z = np.repeat([[0.0], [9.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> known = np.full(40, -1)
    >>> known[[3, 7, 28, 33]] = 0, 0, 1, 1
    >>> labels, agreement = spread(z, known, seed=0)
    >>> bool((labels == np.arange(40) // 20).all()), agreement
    (True, 1.0)
    """
    rows = np.union1d(sample_rows(len(z), SAMPLE, seed), np.flatnonzero(known >= 0))
    y, S = known[rows], _normalised(z[rows])
    labels = _flow(S, y)
    held = np.flatnonzero(y >= 0)
    fold = np.random.default_rng(seed).permutation(len(held)) % FOLDS
    right = [_flow(S, _without(y, held[fold == f]))[held[fold == f]] == y[held[fold == f]] for f in range(FOLDS)]
    if len(rows) < len(z):
        labels = KNeighborsClassifier(FOLLOWED, algorithm="brute").fit(z[rows], labels).predict(z)
    return labels, float(np.concatenate(right).mean())


def paired(start: Start, z: np.ndarray, *, groups: np.ndarray, apart: np.ndarray, seed: int) -> Start:
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
        The partition that breaks the smallest share of pairs; the start itself where none is better. Rows of a group
        are then in the cluster of most of them.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.steering import paired
    >>> from coterie.starts import make_start
    >>> z = np.array([[0.0, 0], [0, 1], [9, 0], [9, 1]])
    >>> start = make_start("kmeans", z, 2, seed=0)
    >>> paired(start, z, groups=np.array([0, 1, 0, 1]), apart=np.array([[0, 1]]), seed=0).labels.tolist()
    [0, 1, 0, 1]
    """
    K = len(start.centers)
    found = [start.labels, _sweep(z, start.labels, K, groups=groups, apart=apart)]
    n_groups = int(groups.max(initial=UNKNOWN)) + 1
    if n_groups >= K:
        middles = means_of(z[groups >= 0], groups[groups >= 0], n_groups)
        first = means_of(middles, kmeans(middles, K, seed=seed, n_init=10), K)
        found.append(_sweep(z, _nearest(z, first), K, groups=groups, apart=apart))
    broken = [_broken(labels, groups, apart) for labels in found]
    best = found[int(np.argmin(broken))]
    return as_start(z, _together(best, groups, K), K)


def _normalised(z: np.ndarray) -> csr_matrix:
    W = affinity_graph(*neighbours(z, NEIGHBOURS))
    W = W.maximum(W.T)
    scale = diags(1 / np.sqrt(np.maximum(W.sum(1).A1, np.finfo(float).tiny)))
    return (scale @ W @ scale).tocsr()


def _flow(S: csr_matrix, y: np.ndarray) -> np.ndarray:
    """Return the class of each row that most of the weight reaches it from."""
    rows = np.flatnonzero(y >= 0)
    Y = np.zeros((len(y), int(y.max(initial=0)) + 1))
    Y[rows, y[rows]] = 1
    Y /= np.maximum(Y.sum(0), 1)
    F = Y
    for _ in range(ROUNDS):
        F = PULL * (S @ F) + (1 - PULL) * Y
    return F.argmax(1)


def _without(y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    y = y.copy()
    y[rows] = UNKNOWN
    return y


def _sweep(z: np.ndarray, labels: np.ndarray, K: int, *, groups: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return the clusters of k-means in which groups move as one and a row leaves what it is kept apart from."""
    for _ in range(SWEEPS):
        squared = cdist(z, means_of(z, labels, K), "sqeuclidean")  # (n, K)
        held = groups >= 0
        if held.any():
            squared[held] = means_of(squared[held], groups[held], int(groups.max()) + 1)[groups[held]]
        cost = squared.copy()
        far = squared.min(1).mean()
        for i, j in ((0, 1), (1, 0)):
            np.add.at(cost, (apart[:, i], labels[apart[:, j]]), far)
        now = _together(cost.argmin(1), groups, K)
        if (now == labels).all():
            break
        labels = now
    return labels


def _nearest(z: np.ndarray, centers: np.ndarray) -> np.ndarray:
    return cdist(z, centers, "sqeuclidean").argmin(1)


def _together(labels: np.ndarray, groups: np.ndarray, K: int) -> np.ndarray:
    """Return clusters with each group in the one that most of its rows are in."""
    rows = np.flatnonzero(groups >= 0)
    if not len(rows):
        return labels
    counts = np.zeros((int(groups.max()) + 1, K))
    np.add.at(counts, (groups[rows], labels[rows]), 1)
    labels = labels.copy()
    labels[rows] = counts.argmax(1)[groups[rows]]
    return labels


def _broken(labels: np.ndarray, groups: np.ndarray, apart: np.ndarray) -> float:
    """Return the share of must-linked rows outside their group's cluster, plus that of cannot-links within one."""
    held = groups >= 0
    outside = (labels != _together(labels, groups, int(labels.max()) + 1))[held].mean() if held.any() else 0.0
    return float(outside) + (float((labels[apart[:, 0]] == labels[apart[:, 1]]).mean()) if len(apart) else 0.0)
