"""Principal components of sampled rows."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from coterie.criteria.contrasts import SPARSE

COMPONENTS = 50  # entries of the linear code in which rows are compared where no network is to be trusted
COLUMNS = 2 * COMPONENTS  # that weights of words have at least: in fewer the components hold most of the rows


def fit_components(x: np.ndarray, seed: int, size: int = COMPONENTS) -> PCA:
    """Find the directions of most variance.

    Parameters
    ----------
    x : ndarray of shape (m, D)
        Rows.
    seed : int
        Seed, for wide rows, whose directions are approximated.
    size : int, default=50
        Components at most; there are no more than rows or columns.

    Returns
    -------
    PCA
        Fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.components import fit_components
    >>> fit_components(np.eye(3), seed=0).components_.shape
    (3, 3)
    """
    with np.errstate(invalid="ignore"):  # shares of the variance where there is none
        return PCA(min(size, *x.shape), random_state=seed % 2**32).fit(x)


def are_weights(x: np.ndarray, *, kind: str) -> bool:
    """Return whether rows are such as weights of the words of texts, TF-IDF or frequencies.

    Parameters
    ----------
    x : ndarray of shape (m, D)
        Scaled rows.
    kind : {"vectors", "images"}
        What they are; images are never such.

    Returns
    -------
    bool
        True for 100 columns or more, of whose values none is negative and nine in ten are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.components import are_weights
    >>> are_weights(np.eye(200), kind="vectors"), are_weights(np.eye(3), kind="vectors")
    (True, False)
    """
    wide = kind != "images" and x.shape[1] >= COLUMNS
    return wide and bool((x >= 0).all()) and float((x == 0).mean()) >= SPARSE
