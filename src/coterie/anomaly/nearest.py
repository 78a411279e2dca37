"""Distances to the nearest of the training rows that were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coterie.familiarity import EQUAL
from coterie.neighbours import search

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer

SAME = 1e-4  # relative difference up to which two numbers of a row are one within rounding


def nearest(
    z: np.ndarray, known: np.ndarray, k: int, *, told_by: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest known rows of each row and how far they are.

    A row that equals a known one is taken for it, and is none of its own neighbours: so a row has the same score while
    it is fitted and later. Known rows that equal each other are neighbours: what came k times beside was not strange.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    known : ndarray of shape (m, d)
        Rows to look among.
    k : int
        Neighbours a row, >= 1; no more than m - 1 are found, and one where m is 1.
    told_by : tuple of ndarray of shape (n,) and of shape (m,), or None, default=None
        A number of each row and of each known one: those at one place are equal only if they have the same; None takes
        them for equal.

    Returns
    -------
    index : ndarray of shape (n, min(k, max(m - 1, 1)))
        Numbers of the known rows, nearest first, int64.
    distance : ndarray of the same shape
        Float64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.anomaly.nearest import nearest
    >>> known = np.array([[0.0], [1.0], [3.0]])
    >>> nearest(np.array([[1.0], [2.9]]), known, 1)[0].ravel().tolist()
    [0, 2]
    """
    m, wanted = len(known), min(k, max(len(known) - 1, 1))
    index, squared = search(z, known, min(wanted + 1, m))
    distance = np.sqrt(squared)
    # The place of a row among others may change the last bits of its code: an equal one is one within rounding.
    least = EQUAL * float(np.sqrt(known.var(0, dtype=np.float64).sum()))
    equal = distance <= least
    if told_by is not None:
        of_rows, of_known = told_by
        equal &= np.isclose(of_known[index], of_rows[:, None], rtol=SAME, atol=0)
    own = np.where(equal.any(1) & (m > 1), equal.argmax(1), wanted)  # the place to leave out; else the last
    others = np.arange(wanted) + (np.arange(wanted) >= own[:, None])
    return np.take_along_axis(index, others, axis=1), np.take_along_axis(distance, others, axis=1)


def check_codes(kept: dict[str, np.ndarray], model: Clusterer, *, also: tuple[str, ...] = ()) -> None:
    """Raise a ValueError if arrays out of a file are not codes, with a number for each under other names.

    Parameters
    ----------
    kept : dict of str to ndarray
        The arrays.
    model : Clusterer
        Whose codes they should be.
    also : tuple of str, default=()
        Names of the arrays that have one number for each code.

    Raises
    ------
    ValueError
        Saying what is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.anomaly.nearest import check_codes
    >>> check_codes({"codes": np.zeros((3, 1))}, KMeans(n_clusters=1).fit([[0.0], [1.0]]))
    """
    codes = kept.get("codes", np.empty(0))
    shape = (len(codes), model.cluster_centers_.shape[1])
    if set(kept) != {"codes", *also} or not len(codes) or codes.shape != shape:
        raise ValueError("it holds no codes of its model")
    if any(kept[name].shape != (len(codes),) for name in also) or not all(np.isfinite(x).all() for x in kept.values()):
        raise ValueError("what it holds beside its codes does not go with them")
