"""Principal components of sampled rows."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

COMPONENTS = 50  # entries of the linear code in which rows are compared where no network is to be trusted


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
