"""Principal components of sampled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.decomposition import PCA

from coterie.mixtures import sample_rows

if TYPE_CHECKING:
    from coterie.data import Source

COMPONENTS = 50  # entries of the linear code in which rows are compared where no network is to be trusted


def sampled(source: Source, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows.

    Parameters
    ----------
    source : Source
        The rows.
    most : int
        How many at most.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    rows : ndarray of shape (m,)
        Their numbers, rising.
    x : ndarray of shape (m, D)
        Their scaled values, float32.

    Examples
    --------
    >>> from coterie.components import sampled
    >>> from coterie.data import make_source
    >>> sampled(make_source([[0.0], [1.0], [2.0]], scaling="none"), 5, 0)[1].ravel().tolist()
    [0.0, 1.0, 2.0]
    """
    rows = sample_rows(len(source), most, seed)
    return rows, source.take(torch.from_numpy(rows)).flatten(1).numpy()


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
