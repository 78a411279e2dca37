"""Labels that training may read, of some of the rows or of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coterie.errors import InputError


def check_known(labels: ArrayLike, n: int) -> np.ndarray:
    """Return labels after checking them.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Whole numbers: the class of each row, >= 0, or -1 where it is not known.
    n : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n,)
        A copy, int64.

    Raises
    ------
    InputError
        If they are no such numbers, are not as many as the rows, or none is known.

    Examples
    --------
    >>> from coterie.data.known import check_known
    >>> check_known([0, -1, 2], 3)
    array([ 0, -1,  2])
    """
    y = np.asarray(labels)
    if y.shape != (n,):
        raise InputError(f"Known labels must be one for each of the {n} rows, shape ({n},). Got {y.shape} instead.")
    whole = y.dtype.kind in "bui" or (y.dtype.kind == "f" and np.isfinite(y).all() and bool((y == np.rint(y)).all()))
    if not whole:
        raise InputError(
            "Known labels must be whole numbers, -1 where a row has none (numpy.unique with return_inverse numbers "
            f"names). Got {y.dtype} instead."
        )
    y = y.astype(np.int64)
    if (y < -1).any():
        raise InputError(f"Known labels must be >= 0, or -1 where a row has none. Got {y.min()} instead.")
    if (y < 0).all():
        raise InputError("Known labels must have one row at least that is not -1.")
    return y
