"""Which rows to label next: doubtful, typical of many others, and unlike those that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.inputs import open_source, pick_seed
from coterie.checks import whole
from coterie.data.knowledge import check_known
from coterie.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import Source

SAMPLE = 3_000  # rows that stand for all of them
LEAST = 30  # rows of each cluster among these, where it has as many
REACH = 0.35  # of the rows that each label has to speak for: how far it is thought to reach
DOUBT = 1.0  # how much more a row counts that is as doubtful as the mean


class Suggests:
    """Gives every system ``suggest``."""

    def suggest(
        self,
        n: int,
        X: ArrayLike | Source,
        *,
        known: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        random_state: Any = 0,
    ) -> np.ndarray:
        """Return the rows whose labels would tell most.

        Parameters
        ----------
        n : int
            How many; >= 1. Fewer come back where there are no more. Beyond 3,000 they come by doubt alone.
        X : array-like or Source
            Rows of the shape that was fitted.
        known : array-like of int of shape (rows,) or None, default=None
            Labels that are known already, -1 where unknown; those that the fit learned from are not remembered. Rows
            near known ones tell little.
        exclude : array-like of bool of shape (rows,) or None, default=None
            Rows that are not to be suggested, such as those that nobody could tell.
        random_state : int, RandomState or None, default=0
            Seed of the sample that stands for the rows, where these are many.

        Returns
        -------
        ndarray of shape (n,)
            Numbers of rows, the most useful first, int64.

        Raises
        ------
        InputError
            If the rows do not fit, or a parameter breaks its rule.
        """
        check_is_fitted(self)
        system = cast("Clusterer", self)
        source = open_source(system, X, reset=False)
        z = system._encode(source)
        assigned = system.edits_.assign(system._assign(z), z)
        told = {"labels": assigned.labels, "sure": assigned.confidence(system.calibration_)}
        return suggest_rows(n, z.numpy(), **told, known=known, exclude=exclude, random_state=random_state)


def suggest_rows(
    n: int,
    z: np.ndarray,
    *,
    labels: np.ndarray,
    sure: np.ndarray,
    known: ArrayLike | None = None,
    exclude: ArrayLike | None = None,
    random_state: Any = 0,
) -> np.ndarray:
    r"""Return the rows whose labels would tell most, from codes and clusters alone.

    A label speaks for the rows around it. Row by row, the one is taken that adds most to what is spoken for:

    .. math::
        \max_S \sum_i w_i \max_{s \in S} e^{-\|z_i - z_s\|^2 / \sigma^2}, \quad
        w_i \propto 1 + \frac{1 - c_i}{\overline{1 - c}}

    over the rows S that are known or taken, where :math:`c_i` is how sure the cluster of row i is and :math:`\sigma`
    the median distance to the neighbour that is as far off as a third of the rows that each label has to speak for. So
    rows amid many others are taken, then doubtful ones, none near another, and no outliers. While clusters have no row
    that is known or taken, the largest of them is next, and only its own rows count, equally.

    Parameters
    ----------
    n : int
        How many; >= 1.
    z : ndarray of shape (rows, d)
        Codes.
    labels : ndarray of shape (rows,)
        Clusters.
    sure : ndarray of shape (rows,)
        How sure they are, in [0, 1].
    known : array-like of int of shape (rows,) or None, default=None
        Labels that are known already, -1 where unknown.
    exclude : array-like of bool of shape (rows,) or None, default=None
        Rows that are not to be suggested; what is near them tells little too.
    random_state : int, RandomState or None, default=0
        Seed of the sample of 3,000 rows that stands for more, beside up to 30 of each cluster and n that may be
        suggested.

    Returns
    -------
    ndarray of shape (min(n, rows left),)
        Numbers of rows, int64.

    Raises
    ------
    InputError
        If a parameter breaks its rule.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.suggesting import suggest_rows
    >>> z = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0]])
    >>> suggest_rows(2, z, labels=np.array([0, 0, 0, 1, 1, 1]), sure=np.ones(6)).tolist()
    [1, 4]
    """
    if not whole(n, 1):
        raise InputError(f"The 'n' of suggest() must be an integer >= 1. Got {n!r} instead.")
    labelled = _known(known, len(z))
    closed = labelled | _mask(exclude, len(z))
    useful = min(n, SAMPLE)  # rows beyond these come by doubt alone
    rows = _sample(useful, labels, closed, rng=np.random.default_rng(pick_seed(random_state)))
    code = np.asarray(z, np.float32) - np.asarray(z, np.float32).mean(0)
    squared = _squared(code[rows], code[rows])
    width = _width(squared, int(n) + int(labelled.sum()))
    near = np.exp(-squared / width)  # (m, m)
    spoken = _spoken(code[rows], code[closed], width)
    doubt = 1 - np.asarray(sure, np.float32)[rows]
    weights = 1 + DOUBT * doubt / doubt.mean() if doubt.mean() > 0 else np.ones_like(doubt)
    sizes = np.bincount(labels)
    waiting = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] and not labelled[labels == k].any()]
    free, taken = ~closed[rows], list[int]()
    for k in waiting:
        if len(taken) == useful:
            break
        heard = labels[rows] == k
        one, spoken = _take(1, heard.astype(np.float32), near=near, spoken=spoken, free=free & heard)
        taken += one
    free[taken] = False
    taken += _take(useful - len(taken), weights, near=near, spoken=spoken, free=free)[0]
    useful_rows = rows[taken]
    left = np.setdiff1d(np.flatnonzero(~closed), useful_rows)
    doubtful = left[np.argsort(np.asarray(sure)[left], kind="stable")]
    return np.concatenate([useful_rows, doubtful])[:n].astype(np.int64)


def _take(
    n: int, weights: np.ndarray, *, near: np.ndarray, spoken: np.ndarray, free: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Return up to n of the free rows, each of which adds most to what is spoken for, and what then is.

    What a row would add only falls as others are taken, so that a figure from before bounds it: rows are looked at
    again from the highest bound on, until one keeps its figure (Minoux, 1978).
    """
    could, taken = np.flatnonzero(free), []
    gains = weights @ np.maximum(near[:, could] - spoken[:, None], 0)
    for _ in range(min(n, len(could))):
        while True:
            best = int(gains.argmax())
            now = float(weights @ np.maximum(near[could[best]] - spoken, 0))
            if now >= gains[best]:
                break
            gains[best] = now
        gains[best] = -np.inf
        taken.append(int(could[best]))
        spoken = np.maximum(spoken, near[could[best]])
    return taken, spoken


def _spoken(code: np.ndarray, closed: np.ndarray, width: float) -> np.ndarray:
    """Return how far rows are spoken for, shape (m,), by those that are known or left out."""
    spoken = np.zeros(len(code), dtype=np.float32)
    for start in range(0, len(closed), SAMPLE):
        spoken = np.maximum(spoken, np.exp(-_squared(code, closed[start : start + SAMPLE]) / width).max(1))
    return spoken


def _width(squared: np.ndarray, labels: int) -> float:
    """Return sigma^2: the median squared distance to the neighbour at the end of a label's reach."""
    m = len(squared)
    place = min(max(int(REACH * m / labels), 2), m - 1)
    far = float(np.median(np.partition(squared, place, axis=1)[:, place]))
    return far or float(squared.mean()) or 1.0  # codes may have many doubles, or be all the same


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T, 0)


def _sample(n: int, labels: np.ndarray, closed: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return rows that stand for all, rising: drawn at random, and some of each cluster that may be suggested."""
    if len(labels) <= SAMPLE:
        return np.arange(len(labels))
    order = rng.permutation(len(labels))
    open_ = order[~closed[order]]
    clusters = np.unique(labels)
    least = max(1, min(LEAST, SAMPLE // len(clusters)))  # of many clusters a few each: all are compared with all
    parts = [open_[labels[open_] == k][:least] for k in clusters]
    return np.unique(np.concatenate([order[:SAMPLE], open_[:n], *parts]))


def _known(known: ArrayLike | None, n: int) -> np.ndarray:
    """Return which rows have a label."""
    if known is None:
        return np.zeros(n, dtype=bool)
    return check_known(known, n, none=True) >= 0


def _mask(exclude: ArrayLike | None, n: int) -> np.ndarray:
    if exclude is None:
        return np.zeros(n, dtype=bool)
    given = np.asarray(exclude)
    if given.shape != (n,) or given.dtype.kind != "b":
        raise InputError(
            f"The 'exclude' of suggest() must be {n} booleans, one a row. "
            f"Got {given.dtype} of shape {given.shape} instead."
        )
    return given
