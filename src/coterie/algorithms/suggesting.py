"""Which rows to label next: typical of many others, unlike those that are known, and doubtful by what these teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.classifying import margins, places
from coterie.algorithms.inputs import open_source, pick_seed
from coterie.checks import whole
from coterie.data.knowledge import check_known
from coterie.errors import InputError
from coterie.matching import check_partitions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import Source

SAMPLE = 3_000  # rows that stand for all of them
LEAST = 30  # rows of each cluster among these, where it has as many
REACH = 0.35  # of the rows that each label has to speak for: how far it is thought to reach
DOUBT = 0.3  # margin at which a row counts 1 / e of those that lie on a border
WIDER = 8  # the sample has this many times n of the most doubtful rows


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

        They are looked for among the principal components of the rows, which no clustering has drawn together. Ask
        for some, label them, and ask again with these known: once there are four times as many labels as classes or
        clusters, whichever are more, what they teach says where the next are wanted.

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
            Seed of the samples that stand for the rows, where these are many.

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
        z, seed = system._encode(source), pick_seed(random_state) % 2**32
        assigned = system.edits_.assign(system._assign(z), z)
        told = {"labels": assigned.labels, "sure": assigned.confidence(system.calibration_)}
        rows = places(source, seed)
        return suggest_rows(n, rows, **told, known=known, exclude=exclude, random_state=seed)


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
    r"""Return the rows whose labels would tell most, from places and clusters alone.

    A label speaks for the rows around it. Row by row, the one is taken that adds most to what is spoken for,

    .. math::
        \max_S \sum_i w_i \max_{s \in S} e^{-\|z_i - z_s\|^2 / \sigma^2},

    over the rows S that are known or taken, where :math:`\sigma` is the median distance to the neighbour that is as far
    off as a third of the rows that each label has to speak for: so rows amid many others are taken, none near another,
    and no outliers. While clusters have no row that is known or taken, the largest of them is next, and only its own
    rows count. All rows count alike, :math:`w_i = 1`, until there are four times as many labels as classes or clusters,
    whichever are more. Then a support vector machine learns from them, and a row counts by its doubt,
    :math:`w_i = e^{-\max(m_i, 0) / 0.3}`, with :math:`m_i` its distance from the nearest border of its class, in
    margins: so rows between classes are taken where many rows around them are in doubt and none is known. Of many rows
    the sum has a sample, in which the most doubtful ones are more than their share.

    Parameters
    ----------
    n : int
        How many; >= 1.
    z : ndarray of shape (rows, d)
        Places, such as principal components.
    labels : ndarray of shape (rows,)
        Clusters.
    sure : ndarray of shape (rows,)
        How sure they are, in [0, 1]; while labels are few, by this the rows come that are left when 3,000 are taken.
    known : array-like of int of shape (rows,) or None, default=None
        Labels that are known already, -1 where unknown.
    exclude : array-like of bool of shape (rows,) or None, default=None
        Rows that are not to be suggested; what is near them tells little too.
    random_state : int, RandomState or None, default=0
        Seed of the 3,000 rows that stand for more, beside up to 30 of each cluster and the 8 n that count most.

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
    labels, sure = check_partitions([labels])[0], np.asarray(sure, dtype=np.float64)
    if not len(z) == len(labels) == len(sure):
        raise InputError(
            "Places, clusters and how sure they are must be of the same rows. "
            f"Got {len(z)}, {len(labels)} and {len(sure)} instead."
        )
    labels = np.unique(labels, return_inverse=True)[1]  # numbers as large as dates take no memory
    n, y = int(n), _known(known, len(z))
    closed = (y >= 0) | _mask(exclude, len(z))
    rng = np.random.default_rng(pick_seed(random_state))
    z = np.asarray(z, np.float32) - np.asarray(z, np.float32).mean(0)
    waiting = _waiting(labels, y, closed=closed)
    margin = margins(z, y, n_clusters=int(labels.max()) + 1, rng=rng)
    weights = np.ones(len(z), np.float32) if margin is None else _doubt(margin)
    taken = _useful(n, z, weights, labels=labels, waiting=waiting, closed=closed, n_known=int((y >= 0).sum()), rng=rng)
    left = np.setdiff1d(np.flatnonzero(~closed), taken)
    order = sure if margin is None else margin
    doubtful = left[np.argsort(order[left], kind="stable")]
    return np.concatenate([np.array(taken, dtype=np.int64), doubtful])[:n].astype(np.int64)


def _doubt(margin: np.ndarray) -> np.ndarray:
    """Return how much each row counts: the more, the nearer another class is; 1 where none beats all others."""
    return np.exp(-np.maximum(margin, 0) / DOUBT).astype(np.float32)


def _useful(
    n: int,
    z: np.ndarray,
    weights: np.ndarray,
    *,
    labels: np.ndarray,
    waiting: list[int],
    closed: np.ndarray,
    n_known: int,
    rng: np.random.Generator,
) -> list[int]:
    """Return rows that speak for as many others as they can: of the clusters that wait for their first, then of all."""
    useful = min(n, SAMPLE)
    rows = _sample(useful, weights, labels=labels, closed=closed, rng=rng)
    squared = _squared(z[rows], z[rows])
    width = _width(squared, n + n_known)
    near = np.exp(-squared / width)  # (m, m)
    spoken = _spoken(z[rows], z[closed], width)
    free, taken = ~closed[rows], list[int]()
    for k in waiting[:useful]:
        heard = labels[rows] == k
        one, spoken = _take(1, heard.astype(np.float32), near=near, spoken=spoken, free=free & heard)
        taken += one
    free[taken] = False
    taken += _take(useful - len(taken), weights[rows], near=near, spoken=spoken, free=free)[0]
    return rows[taken].tolist()


def _waiting(labels: np.ndarray, y: np.ndarray, *, closed: np.ndarray) -> list[int]:
    """Return the clusters of which no row is known and one can be asked for, the largest first."""
    sizes, free = np.bincount(labels), np.bincount(labels[~closed], minlength=labels.max() + 1)
    known = np.bincount(labels[y >= 0], minlength=labels.max() + 1)
    return [k for k in np.argsort(-sizes, kind="stable").tolist() if free[k] and not known[k]]


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
            if not now < gains[best]:
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


def _sample(
    n: int, weights: np.ndarray, *, labels: np.ndarray, closed: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return rows that stand for all, rising: some at random, those that count most, and some of each cluster."""
    if len(labels) <= SAMPLE:
        return np.arange(len(labels))
    order = rng.permutation(len(labels))
    open_ = order[~closed[order]]
    clusters = np.unique(labels)
    least = max(1, min(LEAST, SAMPLE // len(clusters)))  # of many clusters a few each: all are compared with all
    parts = [open_[labels[open_] == k][:least] for k in clusters]
    most = open_[np.argsort(-weights[open_], kind="stable")][: min(WIDER * n, SAMPLE)]
    return np.unique(np.concatenate([order[:SAMPLE], most, *parts]))


def _known(known: ArrayLike | None, n: int) -> np.ndarray:
    """Return the label of each row, -1 where it has none."""
    return np.full(n, -1) if known is None else check_known(known, n, none=True)


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
