"""Maps of a code to few dimensions, on which what is connected lies together."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.manifold import TSNE, Isomap

from coterie.umap import FEWEST, global_state_kept, umap

LAYOUT = 200  # steps of UMAP's layout
PERPLEXITY = 30.0  # t-SNE's effective number of neighbours
FLATTENED = 1e-4  # standard deviation of t-SNE's first places, its authors' choice


def make_map(kind: str, z: np.ndarray, size: int, *, n_neighbors: int, seed: int) -> np.ndarray:
    """Give distinct codes their places on a map.

    Parameters
    ----------
    kind : {"umap", "tsne", "isomap"}
        "umap": UMAP with minimal distance 0. "tsne": t-SNE by the Barnes-Hut approximation, at most 3 dimensions.
        "isomap": distances along the neighbour graph, by classical scaling.
    z : ndarray of shape (m, d)
        Codes, all different.
    size : int
        Dimensions of the map.
    n_neighbors : int
        Neighbours in the graph of UMAP and Isomap; at most m - 2 are taken.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    ndarray of shape (m, size)
        Places, float64. Too few codes for a neighbour graph keep their principal components instead. A map has at most
        d dimensions, with zeros beyond, since UMAP and t-SNE begin from principal components.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.manifolds import make_map
    >>> make_map("isomap", np.random.default_rng(0).normal(size=(60, 5)), 2, n_neighbors=10, seed=0).shape
    (60, 2)
    """
    if len(z) < FEWEST:
        return principal(z, size)
    places = MANIFOLDS[kind](z, min(size, *z.shape), n_neighbors=min(n_neighbors, len(z) - 2), seed=seed)
    return np.pad(places.astype(np.float64), ((0, 0), (0, size - places.shape[1])))


def principal(z: np.ndarray, size: int) -> np.ndarray:
    """Return the first principal components of the rows, zeros beyond their number.

    Parameters
    ----------
    z : ndarray of shape (m, d)
        Rows.
    size : int
        Number of components.

    Returns
    -------
    ndarray of shape (m, size)
        The rows in the directions of largest variance, float64.

    Examples
    --------
    >>> from coterie.manifolds import principal
    >>> abs(principal(np.array([[0.0, 1.0], [0.0, 5.0]]), 3)).tolist()
    [[2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    """
    centred = np.asarray(z, dtype=np.float64) - np.mean(z, axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(size, len(lengths))
    return np.pad(left[:, :kept] * lengths[:kept], ((0, 0), (0, size - kept)))


def _umap(z: np.ndarray, size: int, *, n_neighbors: int, seed: int) -> np.ndarray:
    return umap(z, seed=seed, n_components=size, min_dist=0.0, max_iter=LAYOUT, n_neighbors=n_neighbors)


def _tsne(z: np.ndarray, size: int, *, n_neighbors: int, seed: int) -> np.ndarray:
    first = principal(z, size)
    first *= FLATTENED / first[:, 0].std()
    perplexity = min(PERPLEXITY, (len(z) - 1) / 3)
    return TSNE(size, perplexity=perplexity, init=first.astype(np.float32), random_state=seed).fit_transform(z)


def _isomap(z: np.ndarray, size: int, *, n_neighbors: int, seed: int) -> np.ndarray:
    # scikit-learn joins a graph in several pieces by their nearest pairs, and warns that this takes time. Its solver of
    # eigenvalues begins with a vector from the global random state, and has no parameter for another.
    with global_state_kept(), warnings.catch_warnings():
        np.random.seed(seed % 2**32)  # noqa: NPY002
        warnings.simplefilter("ignore")
        return Isomap(n_neighbors=n_neighbors, n_components=size).fit_transform(z)


MANIFOLDS: dict[str, Callable[..., np.ndarray]] = {"umap": _umap, "tsne": _tsne, "isomap": _isomap}
