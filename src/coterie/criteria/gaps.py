"""How many groups lie apart: small clusters, joined wherever no gap lies between them."""

from __future__ import annotations

from dataclasses import dataclass

import diptest
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

COMPONENTS = 10  # principal components that gaps are looked for in
ROWS_OF_SMALL = 40  # rows that a small cluster has on average: fewer give the test little to see
MOST_SMALL = 200
TESTABLE = 16  # rows of a small cluster that the test needs
NEAR = 8  # small clusters that each is compared with: its nearest
FITTED = 20_000  # rows that the small clusters are found on
COMPARED = 400  # rows of a pair of small clusters that are tested
DRAWS = 3  # of those rows; the median speaks
LEVEL = 1e-3  # p-value of the dip test below which two small clusters lie apart
FEWEST = 10  # rows below which a group does not count
SHARE = 0.003  # of the rows, likewise
DIPPED = 0.01  # p-value of the dip test below which neighbouring clusters, found by other means, are two
SEEN = 2_000  # rows of two of these that are tested


@dataclass(frozen=True)
class Groups:
    """Groups that lie apart.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Group of each row, int64, the largest first; rows of groups too small to count are with the nearest one.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import find_groups
    >>> z = np.random.default_rng(0).normal(size=(400, 2)) + np.repeat([[0, 0], [20, 0]], 200, axis=0)
    >>> find_groups(z, seed=0).n
    2
    """

    labels: np.ndarray

    @property
    def n(self) -> int:
        """Number of groups, >= 1."""
        return int(self.labels.max()) + 1


def find_groups(z: np.ndarray, *, seed: int) -> Groups:
    """Find the groups of a code between which there are gaps, and so how many there are.

    K-means makes small clusters. Two that are near each other are joined if their rows, seen along the line between
    their centres, have one peak: Hartigans' dip test [1]_ does not reject it. What hangs together is a group [2]_. On
    noise, uniform or normal, all hang together; groups may have any shape; groups that touch are one.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code, finite.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    Groups
        At least one.

    References
    ----------
    .. [1] J. A. Hartigan, P. M. Hartigan. The dip test of unimodality. Annals of Statistics 13, 1985.
    .. [2] G. Vardakas, A. Kalogeratos, A. Likas. UniForCE: the unimodality forest method for clustering and estimation
       of the number of clusters. 2023. arXiv:2312.11323

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import find_groups
    >>> find_groups(np.random.default_rng(0).uniform(size=(1000, 3)), seed=0).n
    1
    """
    z = _principal(np.ascontiguousarray(z, dtype=np.float64))
    rng = np.random.default_rng(seed)
    m = int(np.clip(len(z) // ROWS_OF_SMALL, 1, MOST_SMALL))
    small = _small_clusters(z, m, rng)
    m = int(small.max()) + 1
    centers = np.stack([z[small == k].mean(0) for k in range(m)])
    distance = np.square(centers[:, None] - centers[None]).sum(2)
    np.fill_diagonal(distance, np.inf)
    pairs = {(min(i, j), max(i, j)) for i in range(m) for j in np.argsort(distance[i])[: min(NEAR, m - 1)].tolist()}
    joined = [(i, j) for i, j in sorted(pairs) if not _lie_apart(z[small == i], z[small == j], rng)]
    group = _joined(m, joined)
    return Groups(_without_specks(group, small, distance)[small])


def is_parted(z: np.ndarray, labels: np.ndarray, *, seed: int) -> bool:
    """Return whether two neighbours among clusters have two peaks between them, though they may touch.

    A long cloud is divided at the same places whichever half of it is looked at; but there is no dip at these.
    Neighbours are those whose centres a minimum spanning tree joins.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code, finite.
    labels : ndarray of shape (n,)
        Clusters.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    bool
        Whether Hartigans' dip test rejects one peak for any two neighbours; True also where fewer than two clusters
        have the ten rows that a test needs.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria.gaps import is_parted
    >>> cloud = np.random.default_rng(0).normal(size=(400, 1))
    >>> is_parted(cloud, cloud[:, 0] > 0, seed=0), is_parted(cloud + 4 * (cloud > 0), cloud[:, 0] > 0, seed=0)
    (False, True)
    """
    z, rng = _principal(np.ascontiguousarray(z, dtype=np.float64)), np.random.default_rng(seed)
    clusters = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    clusters = [rows for rows in clusters if len(rows) >= FEWEST]
    if len(clusters) < 2:
        return True
    centers = np.stack([z[rows].mean(0) for rows in clusters])
    tree = minimum_spanning_tree(squareform(pdist(centers)))
    for i, j in zip(*tree.nonzero(), strict=True):
        rows = rng.permutation(np.concatenate([clusters[i], clusters[j]]))[:SEEN]
        if diptest.diptest(z[rows] @ (centers[j] - centers[i]))[1] < DIPPED:
            return True
    return False


def _principal(z: np.ndarray) -> np.ndarray:
    """Return the first principal components: in many dimensions k-means of noise finds lines with gaps on them."""
    size = min(COMPONENTS, len(z))
    return z if z.shape[1] <= COMPONENTS else PCA(size, svd_solver="full").fit_transform(z)


def _small_clusters(z: np.ndarray, m: int, rng: np.random.Generator) -> np.ndarray:
    fitted = z if len(z) <= FITTED else z[rng.permutation(len(z))[:FITTED]]
    m = min(m, len(np.unique(fitted, axis=0)))
    found = _kmeans(fitted, m, rng)
    small, centers = found.predict(z).astype(np.int64), found.cluster_centers_
    enough = np.bincount(small, minlength=m) >= TESTABLE
    if enough.any():  # between the others and their neighbours a gap could not be told from chance
        lost = np.flatnonzero(~enough[small])
        apart = np.square(centers[small[lost]][:, None] - centers[enough][None]).sum(2)
        small[lost] = np.flatnonzero(enough)[apart.argmin(1)]
    # One that straddles a gap would join two groups: it is halved until none does.
    waiting = list(range(m))
    while waiting:
        k = waiting.pop()
        rows = np.flatnonzero(small == k)
        if len(rows) < 2 * FEWEST or not np.ptp(z[rows], axis=0).any():
            continue
        half = _kmeans(z[rows], 2, rng).labels_ == 1
        if _lie_apart(z[rows[~half]], z[rows[half]], rng):
            small[rows[half]] = m
            waiting += [k, m]
            m += 1
    return np.unique(small, return_inverse=True)[1].astype(np.int64)


def _kmeans(z: np.ndarray, k: int, rng: np.random.Generator) -> KMeans:
    return KMeans(k, n_init=1, random_state=int(rng.integers(2**31))).fit(z)  # pyright: ignore[reportArgumentType]


def _lie_apart(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> bool:
    """Return whether there is a gap between two small clusters, seen along the line between their centres."""
    each = min(len(a), len(b), COMPARED)  # as many of both: a few beside many would be a tail
    if each < 2:
        return False  # nothing to see
    line = b.mean(0) - a.mean(0)
    a, b = a @ line, b @ line
    drawn = [np.concatenate([rng.permutation(a)[:each], rng.permutation(b)[:each]]) for _ in range(DRAWS)]
    return float(np.median([diptest.diptest(x)[1] for x in drawn])) < LEVEL


def _joined(m: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    i, j = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return connected_components(coo_matrix((np.ones(len(i)), (i, j)), (m, m)), directed=False)[1]


def _without_specks(group: np.ndarray, small: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return the groups of the small clusters, numbered by size; those too small to count go with the nearest."""
    size_of_small = np.bincount(small)
    sizes = np.bincount(group, weights=size_of_small)
    counts = sizes >= min(max(FEWEST, SHARE * len(small)), sizes.max())
    kept = np.flatnonzero(counts[group])
    for k in np.flatnonzero(~counts[group]):
        group[k] = group[kept[distance[k, kept].argmin()]]
    order = np.argsort(-np.bincount(group, weights=size_of_small), kind="stable")
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[group]
