"""The one place where known classes and cluster labels are checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coterie.errors import InputError


@dataclass(frozen=True)
class Crossing:
    """Two labelings of the same rows as numbers, and how often each pair occurs."""

    classes: np.ndarray  # (C,) the distinct values of y, sorted
    clusters: np.ndarray  # (K,) the distinct labels, sorted
    y: np.ndarray  # (n,) positions in classes
    labels: np.ndarray  # (n,) positions in clusters

    @property
    def counts(self) -> np.ndarray:
        """Rows of each class in each cluster, shape (C, K)."""
        shape = (len(self.classes), len(self.clusters))
        pairs = np.ravel_multi_index((self.y, self.labels), shape)
        return np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape)


def cross(y: ArrayLike, labels: ArrayLike) -> Crossing:
    """Check two labelings of the same rows and number their values.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes: integers, strings, booleans or whole floats.
    labels : array-like of shape (n,)
        Cluster of each row, of the same kinds; -1 is a cluster like any other.

    Returns
    -------
    Crossing
        The numbered labelings.

    Raises
    ------
    InputError
        If they are not one-dimensional, empty, of different length, or hold missing or fractional values.
    """
    classes, y_codes = _number(y, "y")
    clusters, label_codes = _number(labels, "labels")
    if len(y_codes) != len(label_codes):
        raise InputError(f"y and labels must have the same length, got {len(y_codes)} and {len(label_codes)}.")
    return Crossing(classes, clusters, y_codes, label_codes)


def _number(values: ArrayLike, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted distinct values and the position of each row's value among them."""
    if np.ma.is_masked(values):
        raise InputError(f"{name} contains masked entries: fill or drop them.")
    array = np.asarray(values)
    if isinstance(values, list | tuple) and array.dtype.kind in "US":  # NumPy has made text of whatever is among it
        array = np.array(values, dtype=object)
    if array.dtype.kind == "T":
        array = array.astype(object)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} must be a non-empty one-dimensional array, got shape {array.shape}.")
    if array.dtype.kind == "f":
        fractional = np.flatnonzero(~np.isfinite(array) | (np.floor(array) != array))
        if fractional.size:
            row = int(fractional[0])
            raise InputError(f"{name} must hold whole numbers or names, got {array[row]} at row {row}.")
    elif array.dtype.kind == "O":
        _refuse_missing(array, name)
    elif array.dtype.kind not in "iubUS":
        raise InputError(f"{name} must hold whole numbers or names, got {array.dtype}.")
    try:
        distinct, codes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise InputError(f"{name} must hold values of one kind, got a mixture: {error}.") from error
    return distinct, codes.reshape(-1)


def _refuse_missing(array: np.ndarray, name: str) -> None:
    """Raise if an object array holds None, NaN or another missing value, which equal nothing, not even themselves."""
    for row, value in enumerate(array):
        whole = isinstance(value, float | np.floating) and float(value).is_integer()
        if not whole and not isinstance(value, (str, bytes, bool, int, np.integer, np.bool_)):
            raise InputError(f"{name} must hold whole numbers or names, got {value!r} at row {row}.")
