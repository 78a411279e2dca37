"""Nearest neighbours, by distances that are exact, and their graph, with memory in proportion to the rows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

CHAIN = 4  # rows in a chain of nearest neighbours, about
TENTH = 10  # the neighbour whose distance is a row's own scale
SPARE = 8  # candidates beyond those asked for, since the search rounds
BLOCK = 4096  # rows whose differences to one neighbour are held at a time
MOST_ROWS, MOST_VALUES = 100_000, 400_000_000  # up to which comparing all rows takes minutes, not hours


def may_compare_all(n_rows: int, n_values: int) -> bool:
    """Return whether every row can be compared with every other in reasonable time and memory.

    Parameters
    ----------
    n_rows, n_values : int
        Rows, and values in each.

    Returns
    -------
    bool
        For up to 100,000 rows that hold 400 million values in all.

    Examples
    --------
    >>> from coterie.neighbours import may_compare_all
    >>> may_compare_all(70_000, 784), may_compare_all(70_000, 12_288)
    (True, False)
    """
    return n_rows <= MOST_ROWS and n_rows * n_values <= MOST_VALUES


def neighbours(z: np.ndarray, n_neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest other rows.

    Distances are exact. The search itself is in float32, and may pass a row over where groups lie some thousand times
    as far apart as the rows within them.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    n_neighbours : int
        Neighbours a row; no more than n - 1 are found.

    Returns
    -------
    nearest : ndarray of shape (n, min(n_neighbours, n - 1))
        Numbers of the rows, nearest first, int64.
    squared : ndarray of the same shape
        Squared distances, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import neighbours
    >>> neighbours(np.array([[0.0], [1.0], [3.0]]), 1)[0].ravel().tolist()
    [1, 0, 1]
    """
    n, k = len(z), min(n_neighbours, len(z) - 1)
    found, squared = search(z, z, k + 1)
    # A row comes first among its own neighbours, unless it has doubles: then it may be anywhere or be missing.
    own = found == np.arange(n)[:, None]
    own[:, -1] |= ~own.any(1)
    return found[~own].reshape(n, k), squared[~own].reshape(n, k)


def search(z: np.ndarray, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest of some rows to each of others.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    among : ndarray of shape (m, d)
        Rows that are looked for.
    k : int
        How many a row, at most m.

    Returns
    -------
    found : ndarray of shape (n, k)
        Numbers of the rows, nearest first, int64; where two are as near, in no order that means anything.
    squared : ndarray of the same shape
        Squared distances, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import search
    >>> search(np.array([[1.1]]), np.array([[0.0], [1.0], [3.0]]), 2)[0].tolist()
    [[1, 0]]
    """
    import faiss  # loading it takes a moment

    # The search expands the square, which loses small distances far from the origin: so it is made about the middle,
    # for some candidates more than are asked for, and their distances are computed again.
    middle = among.mean(0, dtype=np.float64)
    own = among is z
    among = _about(among, middle)
    z = among if own else _about(z, middle)
    _, found = faiss.knn(z, among, min(k + SPARE, len(among)))
    squared = np.empty(found.shape)
    for start in range(0, len(z), BLOCK):
        part = slice(start, start + BLOCK)
        for j in range(found.shape[1]):
            squared[part, j] = np.square(np.subtract(z[part], among[found[part, j]], dtype=np.float64)).sum(1)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _about(rows: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return rows less the middle, computed in float64 and kept in float32, with no copy in float64."""
    return np.subtract(rows, middle, out=np.empty(rows.shape, np.float32), casting="same_kind")


def distances_to_neighbour(x: np.ndarray, *, seed: int, sample: int = 10_000) -> np.ndarray:
    """Return the distance of each row to the tenth nearest among a sample of the others.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Rows.
    seed : int
        Seed of the sample.
    sample : int, default=10_000
        Rows in it, at most.

    Returns
    -------
    ndarray of shape (n,)
        Distances; to the farthest where there are fewer.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import distances_to_neighbour
    >>> distances_to_neighbour(np.array([[0.0], [1.0], [3.0]]), seed=0).tolist()
    [3.0, 2.0, 3.0]
    """
    drawn = np.random.default_rng(seed).permutation(len(x))[:sample]
    own = np.zeros(len(x), dtype=int)
    own[drawn] = 1  # a row of the sample is its own first neighbour
    nearest = NearestNeighbors(n_neighbors=min(TENTH + 1, len(drawn))).fit(x[drawn])
    distances = nearest.kneighbors(x)[0]
    return distances[np.arange(len(x)), np.minimum(TENTH - 1 + own, distances.shape[1] - 1)]


def affinity_graph(nearest: np.ndarray, squared: np.ndarray) -> csr_matrix:
    r"""Return :math:`W_{ij} = \exp(-d_{ij}^2 / \sigma^2)` on the edges to nearest neighbours.

    sigma^2 is the mean squared length of an edge.

    Parameters
    ----------
    nearest, squared : ndarray of shape (n, k)
        Each row's neighbours and the squared distances to them.

    Returns
    -------
    csr_matrix of shape (n, n)
        W, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import affinity_graph
    >>> affinity_graph(np.array([[1], [0]]), np.array([[4.0], [4.0]])).toarray().round(3).tolist()
    [[0.0, 0.368], [0.368, 0.0]]
    """
    n, k = nearest.shape
    sigma2 = squared.mean() if k else 0.0
    w = np.exp(-squared / sigma2) if sigma2 > 0 else np.ones_like(squared)  # rows that are all alike are all close
    return csr_matrix((w.ravel(), nearest.ravel(), np.arange(0, n * k + 1, k) if k else np.zeros(n + 1, int)), (n, n))


def chains(nearest: np.ndarray, at_least: int = 1) -> np.ndarray:
    """Return the clusters that form when each row joins its nearest neighbour.

    Parameters
    ----------
    nearest : ndarray of shape (n, k)
        Each row's neighbours, nearest first.
    at_least : int, default=1
        Clusters that are needed; where the chains are fewer, each row is a cluster of its own.

    Returns
    -------
    ndarray of shape (n,)
        Clusters, int64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import chains
    >>> chains(np.array([[1], [0], [3], [2]])).tolist()
    [0, 0, 1, 1]
    """
    n, k = nearest.shape
    if not k:
        return np.arange(n)
    links = csr_matrix((np.ones(n), (np.arange(n), nearest[:, 0])), (n, n))
    found, labels = connected_components(links, directed=False)
    return labels.astype(np.int64) if found >= at_least else np.arange(n)
