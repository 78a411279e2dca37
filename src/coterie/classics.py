"""Classic methods of scikit-learn's on a code of moderate size, by one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, SpectralClustering

from coterie.starts import kmeans, manifold, mixture

BEGINNINGS = 6
NEIGHBOURS = 10  # in the graph of spectral clustering
SMALLEST = 0.1  # of n / K: rows below which HDBSCAN sees no group


def partition(method: str, z: np.ndarray, n_clusters: int, *, seed: int) -> np.ndarray:
    """Partition a code by a classic method.

    Parameters
    ----------
    method : {"mixture", "kmeans", "spectral", "ward", "hdbscan", "manifold"}
        Which.
    z : ndarray of shape (n, d)
        The code; "spectral" and "ward" need memory in proportion to n * n.
    n_clusters : int
        K, 1 <= K <= n.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    ndarray of shape (n,)
        Clusters, int64; -1 for rows that HDBSCAN takes for noise, or that are in none of its K largest groups.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.classics import partition
    >>> partition("ward", np.array([[0.0], [0.1], [5.0]]), 2, seed=0).tolist()
    [0, 0, 1]
    """
    if n_clusters == 1:
        return np.zeros(len(z), dtype=np.int64)
    return METHODS[method](z, n_clusters, seed).astype(np.int64)


def _mixture(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    return mixture(z, k, seed=seed, n_init=BEGINNINGS)


def _kmeans(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    return kmeans(z, k, seed=seed, n_init=BEGINNINGS)


def _manifold(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    return manifold(z, k, seed=seed, n_init=BEGINNINGS)


def _ward(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    return AgglomerativeClustering(k).fit_predict(z)


def _spectral(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    if len(z) <= max(2 * NEIGHBOURS, k + 1):  # a graph of so few rows is a single clump
        return _ward(z, k, seed)
    graph = {"affinity": "nearest_neighbors", "n_neighbors": NEIGHBOURS, "random_state": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a graph in several pieces is welcome: they are clusters
        return SpectralClustering(k, **graph, assign_labels="cluster_qr").fit_predict(z)


def _hdbscan(z: np.ndarray, k: int, seed: int) -> np.ndarray:
    least = min(max(2, round(SMALLEST * len(z) / k)), len(z))
    found = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(z)
    if not (found >= 0).any():
        return np.zeros(len(z), dtype=np.int64)
    sizes = np.bincount(found[found >= 0])
    number = np.full(len(sizes) + 1, -1)  # the last entry is that of noise, which is -1
    largest = np.argsort(-sizes, kind="stable")[:k]
    number[largest] = np.arange(len(largest))
    return number[found]


METHODS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "mixture": _mixture,
    "kmeans": _kmeans,
    "spectral": _spectral,
    "ward": _ward,
    "hdbscan": _hdbscan,
    "manifold": _manifold,
}
