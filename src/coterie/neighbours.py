"""The graph of each row's nearest neighbours, exact, with memory in proportion to the rows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

CHAIN = 4  # rows in a chain of nearest neighbours, about
BLOCK = 4096  # rows whose differences to their neighbours are held at a time


def neighbours(z: np.ndarray, n_neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest other rows, exactly.

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
    import faiss  # loading it takes a moment

    z = np.ascontiguousarray(z, dtype=np.float32)
    n, k = len(z), min(n_neighbours, len(z) - 1)
    _, found = faiss.knn(z, z, k + 1)
    # A row comes first among its own neighbours, unless it has doubles: then it may be anywhere or be missing.
    own = found == np.arange(n)[:, None]
    own[:, -1] |= ~own.any(1)
    nearest = found[~own].reshape(n, k)
    squared = np.empty((n, k))
    for start in range(0, n, BLOCK):  # faiss expands the square, which loses the small distances
        part = slice(start, start + BLOCK)
        for m in range(k):
            squared[part, m] = np.square(z[part] - z[nearest[part, m]], dtype=np.float64).sum(1)
    return nearest, squared


def distances_to_neighbour(x: np.ndarray, *, seed: int, number: int = 10, sample: int = 10_000) -> np.ndarray:
    """Return the distance of each row to one of its nearest among a sample of the rows.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Rows.
    seed : int
        Seed of the sample.
    number : int, default=10
        Which neighbour; the farthest where there are fewer.
    sample : int, default=10_000
        Rows in it, at most.

    Returns
    -------
    ndarray of shape (n,)
        Distances.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.neighbours import distances_to_neighbour
    >>> distances_to_neighbour(np.array([[0.0], [1.0], [3.0]]), seed=0, number=1).tolist()
    [1.0, 1.0, 2.0]
    """
    drawn = np.random.default_rng(seed).permutation(len(x))[:sample]
    own = np.zeros(len(x), dtype=int)
    own[drawn] = 1  # a row of the sample is its own first neighbour
    nearest = NearestNeighbors(n_neighbors=min(number + 1, len(drawn))).fit(x[drawn])
    distances = nearest.kneighbors(x)[0]
    return distances[np.arange(len(x)), np.minimum(number - 1 + own, distances.shape[1] - 1)]


def affinity_graph(nearest: np.ndarray, squared: np.ndarray, width: float = 1.0) -> csr_matrix:
    r"""Return :math:`W_{ij} = \exp(-d_{ij}^2 / \sigma^2)` on the edges to nearest neighbours.

    Parameters
    ----------
    nearest, squared : ndarray of shape (n, k)
        Each row's neighbours and the squared distances to them.
    width : float, default=1.0
        sigma^2 over the mean squared length of an edge.

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
    sigma2 = width * squared.mean() if k else 0.0
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
