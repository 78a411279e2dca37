"""What a user knows of a few rows, classes and pairs, and what follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from coterie.errors import InputError

LARGEST = 2**53  # number of a class: a float64 holds every whole number up to here
UNKNOWN = -1


def check_known(labels: ArrayLike, n: int, *, none: bool = False) -> np.ndarray:
    """Return labels after checking them.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Whole numbers: the class of each row, >= 0, or -1 where it is not known.
    n : int
        Number of rows.
    none : bool, default=False
        Whether none need be known.

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
    >>> from coterie.data.knowledge import check_known
    >>> check_known([0, -1, 2], 3)
    array([ 0, -1,  2])
    """
    y = _as_array(labels, "Known labels", f"one for each of the {n} rows")
    if y.shape != (n,):
        raise InputError(f"Known labels must be one for each of the {n} rows, shape ({n},). Got {y.shape} instead.")
    y = _without_objects(y)
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise InputError("Known labels must be -1 where a row has none. Got NaN instead.")
    whole = y.dtype.kind in "ui" or (y.dtype.kind == "f" and np.isfinite(y).all() and bool((y == np.rint(y)).all()))
    if not whole:
        raise InputError(
            "Unknown label type: known labels must be whole numbers, -1 where a row has none (numpy.unique with "
            f"return_inverse numbers names). Got {y.dtype} instead."
        )
    if len(y):
        _check_range(y.min().item(), y.max().item())
    y = y.astype(np.int64)
    if not none and (y < 0).all():
        raise InputError("Known labels must have one row at least that is not -1.")
    return y


def check_pairs(pairs: Any, n: int, name: str) -> np.ndarray:
    """Check pairs of row numbers.

    Parameters
    ----------
    pairs : array-like of shape (m, 2) or None
        Numbers of two different rows each.
    n : int
        Number of rows.
    name : {"must_link", "cannot_link"}
        What messages call them.

    Returns
    -------
    ndarray of shape (m, 2)
        int64; of shape (0, 2) for None.

    Raises
    ------
    InputError
        If they are not pairs of integers in [0, n), or a row is paired with itself.

    Examples
    --------
    >>> from coterie.data.knowledge import check_pairs
    >>> check_pairs([(0, 2)], 3, "must_link")
    array([[0, 2]])
    """
    if pairs is None:
        return np.empty((0, 2), dtype=np.int64)
    array = _as_array(pairs, name, "pairs of row numbers")
    if array.shape[:1] == (0,):
        return np.empty((0, 2), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise InputError(
            f"{name} must be pairs of row numbers, integers of shape (m, 2). "
            f"Got {array.dtype} of shape {array.shape} instead."
        )
    wrong = (array < 0) | (array >= n)
    if wrong.any():
        raise InputError(f"{name} must hold row numbers from 0 to {n - 1}. Got {array[wrong][0]} instead.")
    alike = array[:, 0] == array[:, 1]
    if alike.any():
        raise InputError(f"{name} must pair different rows. Got row {array[alike][0, 0]} with itself instead.")
    return array.astype(np.int64)


def _without_objects(y: np.ndarray) -> np.ndarray:
    """Return whole numbers of a frame with columns of several kinds as such; other labels as they are."""
    if y.dtype.kind != "O":
        return y
    missing = [value for value in y.tolist() if value is None or str(value) in ("nan", "<NA>", "NaT")]
    if missing:  # no comparison: pandas' NA has no truth value
        raise InputError(f"Known labels must be -1 where a row has none. Got {missing[0]} instead.")
    if not all(isinstance(value, Integral) and not isinstance(value, bool) for value in y.tolist()):
        return y
    if len(y):
        _check_range(min(y), max(y))
    return y.astype(np.int64)


def _check_range(smallest: float, largest: float) -> None:
    if smallest < UNKNOWN:
        raise InputError(f"Known labels must be >= 0, or -1 where a row has none. Got {smallest} instead.")
    if largest > LARGEST:
        raise InputError(f"Known labels must be at most {LARGEST:,}, since they are numbers of classes. Got {largest}.")


def _as_array(given: Any, what: str, rule: str) -> np.ndarray:
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise InputError(f"{what} must be {rule}. Got masked entries.")
    try:
        return np.asarray(list(given) if isinstance(given, Iterator | Set) else given)
    except (ValueError, TypeError) as error:
        raise InputError(f"{what} must be {rule}: {str(error).rstrip('.')}.") from error


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Checked labels and pairs, and what follows from them.

    Parameters
    ----------
    known : ndarray of shape (n,)
        Known classes, -1 where unknown, as they were given.
    labels : ndarray of shape (n,)
        The same, passed on to rows that belong together with a known one.
    groups : ndarray of shape (n,)
        Number of the group that a row belongs to by must-links, however many steps away; -1 for a row without any.
    together, apart : ndarray of shape (m, 2)
        Pairs, as they were given.

    Examples
    --------
    >>> from coterie.data.knowledge import make_knowledge
    >>> make_knowledge(4, known=[0, -1, 1, -1], must_link=[(0, 1)]).labels
    array([ 0,  0,  1, -1])
    """

    known: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    together: np.ndarray
    apart: np.ndarray

    @property
    def n_known(self) -> int:
        """Number of labels that were given."""
        return int((self.known >= 0).sum())

    @property
    def n_pairs(self) -> int:
        """Number of pairs that were given, of both kinds."""
        return len(self.together) + len(self.apart)

    @property
    def n_classes(self) -> int:
        """Number of clusters that the classes need: their numbers go from 0 to one less."""
        return int(self.labels.max(initial=UNKNOWN)) + 1

    @property
    def n_different(self) -> int:
        """Number of classes that are known, whatever their numbers."""
        return len(np.unique(self.labels[self.labels > UNKNOWN]))

    def __bool__(self) -> bool:
        return self.n_known + self.n_pairs > 0

    def given(self) -> dict[str, np.ndarray]:
        """Return what ``fit`` was given, by parameter; nothing of what is empty."""
        parts = {"must_link": self.together, "cannot_link": self.apart}
        return ({"known": self.known} if self.n_known else {}) | {
            name: part for name, part in parts.items() if len(part)
        }

    def identity(self) -> dict[str, str]:
        """Return a digest that tells this knowledge from any other; nothing where nothing is known."""
        if not self:
            return {}
        digest = hashlib.sha256()
        for part in (self.known, self.together, self.apart):
            digest.update(f"{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        return {"known": digest.hexdigest()[:32]}


def make_knowledge(
    n: int, *, known: Any = None, must_link: Any = None, cannot_link: Any = None, none: bool = False
) -> Knowledge:
    """Check what is known of rows, and draw the conclusions.

    Parameters
    ----------
    n : int
        Number of rows.
    known : array-like of shape (n,) or None, default=None
        See :func:`check_known`.
    must_link, cannot_link : array-like of shape (m, 2) or None, default=None
        See :func:`check_pairs`.
    none : bool, default=False
        Whether ``known`` may be given though none is known.

    Returns
    -------
    Knowledge
        Of all rows.

    Raises
    ------
    InputError
        If a part breaks its rule, or the parts contradict each other: must-links lead from a row to one that a
        cannot-link keeps apart from it, or to a row of another known class; or a cannot-link joins rows of one class.

    Examples
    --------
    >>> from coterie.data.knowledge import make_knowledge
    >>> make_knowledge(3, must_link=[(0, 1), (1, 2)], cannot_link=[(0, 2)])
    Traceback (most recent call last):
    ...
    coterie.errors.InputError: must_link and cannot_link contradict each other: rows 0 and 2 belong together and apart.
    """
    given = np.full(n, UNKNOWN, dtype=np.int64) if known is None else check_known(known, n, none=none)
    together, apart = check_pairs(must_link, n, "must_link"), check_pairs(cannot_link, n, "cannot_link")
    groups = _groups(together, n)
    labels = _passed_on(given, groups)
    same = (groups[apart[:, 0]] == groups[apart[:, 1]]) & (groups[apart[:, 0]] >= 0)
    if same.any():
        i, j = apart[same][0]
        raise InputError(
            f"must_link and cannot_link contradict each other: rows {i} and {j} belong together and apart."
        )
    same = (labels[apart[:, 0]] == labels[apart[:, 1]]) & (labels[apart[:, 0]] >= 0)
    if same.any():
        i, j = apart[same][0]
        raise InputError(f"cannot_link keeps rows {i} and {j} apart, but both are known to be of class {labels[i]}.")
    return Knowledge(given, labels, groups, together, apart)


def _groups(together: np.ndarray, n: int) -> np.ndarray:
    """Return the connected parts of the must-links, numbered from 0; -1 for rows without any."""
    if not len(together):
        return np.full(n, UNKNOWN, dtype=np.int64)
    links = coo_matrix((np.ones(len(together)), together.T), (n, n))
    found = connected_components(links, directed=False)[1].astype(np.int64)
    alone = np.ones(n, dtype=bool)
    alone[together.ravel()] = False
    groups = np.unique(found[~alone], return_inverse=True)[1].ravel()
    labels = np.full(n, UNKNOWN, dtype=np.int64)
    labels[~alone] = groups
    return labels


def _passed_on(given: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the labels, with those of a group's known rows for all of its rows."""
    rows = np.flatnonzero((given >= 0) & (groups >= 0))
    named = np.full(int(groups.max(initial=UNKNOWN)) + 1, UNKNOWN, dtype=np.int64)
    named[groups[rows]] = given[rows]
    wrong = rows[named[groups[rows]] != given[rows]]
    if len(wrong):
        i = wrong[0]
        raise InputError(
            f"must_link and known contradict each other: row {i} is of class {given[i]} and belongs together "
            f"with a row of class {named[groups[i]]}."
        )
    return np.where(given < 0, np.append(named, UNKNOWN)[groups], given)
