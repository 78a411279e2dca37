"""Two-dimensional maps of a code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coterie.errors import InputError
from coterie.umap import FEWEST, umap

MAX_ROWS = 5_000  # as many points as a page can show apart
_UMAP_STEPS = 100  # the layout no longer changes visibly after these
_PERPLEXITY = 30.0


def map2d(
    z: np.ndarray, *, method: str = "umap", seed: int = 0, max_rows: int = MAX_ROWS
) -> tuple[np.ndarray, np.ndarray]:
    """Lay the rows of a code out in the plane.

    The default takes 2 to 4 s for 5,000 rows on two cores; "tsne" about ten times that, "pca" none to speak of. A code
    of one or two dimensions is shown as it is, and fewer than 17 rows through "pca". The global random
    state is left alone.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    method : {"umap", "tsne", "pca"}, default="umap"
        How rows are laid out. "umap" and "tsne" keep neighbours together and are not to be measured with a ruler; "pca"
        is the flattest shadow of the code.
    seed : int, default=0
        Seed of the sample and of the layout.
    max_rows : int, default=5000
        Number of rows shown; more than these are sampled at random.

    Returns
    -------
    map2d : ndarray of shape (m, 2)
        Places in the plane, float32, without units.
    rows : ndarray of shape (m,)
        The row numbers of the m = min(n, max_rows) points, int64, in random order so that points drawn later, on top,
        are of all clusters alike.

    Raises
    ------
    InputError
        If the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.report import map2d
    >>> places, rows = map2d(np.eye(4), method="pca")
    >>> places.shape, sorted(rows.tolist())
    ((4, 2), [0, 1, 2, 3])
    """
    if method not in _METHODS:
        raise InputError(f"The 'method' parameter of map2d must be one of {sorted(_METHODS)}. Got {method!r} instead.")
    rows = np.random.default_rng(seed).permutation(len(z))[:max_rows].astype(np.int64)
    chosen = np.asarray(z, dtype=np.float64)[rows]
    if chosen.shape[1] <= 2:
        places = np.pad(chosen, ((0, 0), (0, 2 - chosen.shape[1])))
    elif len(chosen) < FEWEST or not np.ptp(chosen, axis=0).any():
        places = _pca(chosen, seed)
    else:
        places = _METHODS[method](chosen, seed)
        if not np.isfinite(places).all():  # many equal rows can leave a neighbour graph without a layout
            places = _pca(chosen, seed)
    return places.astype(np.float32), rows


def _pca(z: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    kept = min(2, *z.shape)
    if not np.ptp(z, axis=0).any():
        return np.zeros((len(z), 2))
    return np.pad(PCA(kept, random_state=seed).fit_transform(z), ((0, 0), (0, 2 - kept)))


def _tsne(z: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(z) - 1) / 3)
    return TSNE(2, init="pca", perplexity=perplexity, random_state=seed).fit_transform(z)


def _umap(z: np.ndarray, seed: int) -> np.ndarray:
    if len(np.unique(z, axis=0)) < FEWEST:
        return _pca(z, seed)
    return umap(z, seed=seed, max_iter=_UMAP_STEPS)


_METHODS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"umap": _umap, "tsne": _tsne, "pca": _pca}
