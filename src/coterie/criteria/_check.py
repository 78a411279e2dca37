"""Checks that the criteria share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coterie.errors import InputError


def check_labels(labels: ArrayLike) -> np.ndarray:
    """Return labels as an integer array of shape (n,), or raise an InputError.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    numpy.ndarray
        The labels, of an integer dtype.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iub":
        raise InputError(
            f"labels must be a non-empty one-dimensional integer array, got shape {array.shape} of {array.dtype}."
        )
    return array.astype(np.int64)


def check_code(z: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return a code and the labels of its rows as arrays, or raise an InputError.

    Parameters
    ----------
    z : array-like of shape (n, d)
        The code, finite.
    labels : array-like of shape (n,)
        Cluster of each row.

    Returns
    -------
    tuple of numpy.ndarray
        The code and the labels.
    """
    code, known = np.asarray(z), check_labels(labels)
    if code.ndim != 2 or code.shape[1] == 0 or code.dtype.kind not in "fiub":
        raise InputError(f"z must be a two-dimensional array of numbers, got shape {code.shape} of {code.dtype}.")
    if len(code) != len(known):
        raise InputError(f"z and labels must have the same length, got {len(code)} and {len(known)}.")
    if not np.isfinite(code).all():
        raise InputError("z must be finite, got NaN or infinity.")
    return code, known
