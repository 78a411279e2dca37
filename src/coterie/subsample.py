"""Some of many rows, for what would take too long on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from coterie.data import Source


def sample_rows(n: int, most: int, seed: int) -> np.ndarray:
    """Draw row numbers without repetition.

    Parameters
    ----------
    n : int
        Rows there are.
    most : int
        Rows to draw.
    seed : int
        Seed.

    Returns
    -------
    ndarray of shape (min(n, most),)
        Row numbers, ascending.

    Examples
    --------
    >>> from coterie.subsample import sample_rows
    >>> sample_rows(3, 5, seed=0).tolist()
    [0, 1, 2]
    """
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def sample_source(source: Source, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of a source without repetition.

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
    >>> from coterie.subsample import sample_source
    >>> from coterie.data import make_source
    >>> sample_source(make_source([[0.0], [1.0], [2.0]], scaling="none"), 5, 0)[1].ravel().tolist()
    [0.0, 1.0, 2.0]
    """
    rows = sample_rows(len(source), most, seed)
    return rows, source.take(torch.from_numpy(rows)).flatten(1).numpy()
