"""What sets each cluster apart from the rest: means and shares of every column, here and elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["Contrast", "are_words", "contrast"]

SPARSE = 0.9  # share of zeros from which columns may be the words of texts
_WORDY, _FEWEST_WORDS = 0.9, 50
_WORD = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*")


@dataclass(frozen=True, eq=False)
class Contrast:
    r"""Clusters against the rest of the rows, column by column.

    The effect of cluster k on column j is the difference of two means in standard deviations of the whole column,

    .. math::
        e_{kj} = \frac{\bar x_{kj} - \bar x_{\neg k, j}}{s_j},

    which stays finite where a column is constant within each cluster.

    Attributes
    ----------
    counts : ndarray of shape (K,)
        Rows of each cluster.
    means : ndarray of float64 of shape (K, D)
        Mean of each cluster; NaN for an empty one.
    sd : ndarray of float64 of shape (D,)
        Standard deviation of each column over all rows.
    present : ndarray of float64 of shape (K, D)
        Share of a cluster's rows whose value is not 0; 0 for an empty cluster.
    low : float, default=0.0
        Smallest value.
    high : float, default=0.0
        Largest value.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import contrast
    >>> found = contrast([np.array([[0.0, 1.0], [2.0, 1.0], [7.0, 1.0]])], np.array([0, 0, 1]), 2)
    >>> found.means.round(6).tolist(), found.elsewhere.round(6).tolist()
    ([[1.0, 1.0], [7.0, 1.0]], [[7.0, 1.0], [1.0, 1.0]])
    >>> found.effects.round(2).tolist()
    [[-2.04, 0.0], [2.04, 0.0]]
    """

    counts: np.ndarray
    means: np.ndarray
    sd: np.ndarray
    present: np.ndarray
    low: float = 0.0
    high: float = 0.0

    @property
    def mean(self) -> np.ndarray:
        """Mean of all rows, shape (D,)."""
        return self._pooled(self.means)

    @cached_property
    def elsewhere(self) -> np.ndarray:
        """Mean of the rows outside each cluster, shape (K, D); NaN where there are none."""
        own = self.counts.astype(np.float64)[:, None]
        other = own.sum() - own
        known = np.where(own > 0, self.means, self.mean)
        # From the mean of all, not from sums: no digits are lost where a column lies far from 0.
        apart = np.divide(own, other, out=np.full_like(own, np.nan), where=other > 0)
        return self.mean + apart * (self.mean - known)

    @cached_property
    def present_elsewhere(self) -> np.ndarray:
        """Share of the rows outside each cluster whose value is not 0, shape (K, D); NaN where there are none."""
        own = self.counts[:, None]
        held, other = np.rint(own * self.present.astype(np.float64)), own.sum() - own  # whole rows: 0 stays 0
        return np.divide(held.sum(0) - held, other, out=np.full_like(held, np.nan), where=other > 0)

    @cached_property
    def effects(self) -> np.ndarray:
        """Standardised effects, shape (K, D); 0 for constant columns, and where there are no rows to compare."""
        apart = np.nan_to_num(self.means - self.elsewhere)
        return np.divide(apart, self.sd, out=np.zeros_like(apart), where=self.sd > 0)

    @property
    def zeros(self) -> float:
        """Share of the values that are 0."""
        return 1.0 - float(self._pooled(self.present).mean())

    def columns(self, k: int, names: Sequence[str], top: int) -> list[dict[str, Any]]:
        """Return the columns with the largest effects on cluster k, with means here and elsewhere; JSON-able."""
        effects = self.effects[k]
        order = [j for j in np.argsort(-np.abs(effects), kind="stable")[:top] if effects[j]]
        return self._named(order, names, mean=self.means[k], elsewhere=self.elsewhere[k], effect=effects)

    def words(self, k: int, names: Sequence[str], top: int) -> list[dict[str, Any]]:
        """Return the columns with the largest positive effects on cluster k, with shares of the rows; JSON-able."""
        effects = self.effects[k]
        order = [j for j in np.argsort(-effects, kind="stable")[:top] if effects[j] > 0]
        return self._named(order, names, share=self.present[k], elsewhere=self.present_elsewhere[k], effect=effects)

    def _named(self, order: Sequence[int], names: Sequence[str], **values: np.ndarray) -> list[dict[str, Any]]:
        return [
            {"column": int(j), "name": names[j], **{key: float(value[j]) for key, value in values.items()}}
            for j in order
        ]

    def _pooled(self, values: np.ndarray) -> np.ndarray:
        return (self.counts / self.counts.sum()) @ np.nan_to_num(values)


def contrast(blocks: Iterable[np.ndarray], labels: np.ndarray, n_clusters: int) -> Contrast:
    """Compare clusters with the rest in one pass over the rows.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (b, ...)
        The n rows in turn, a block at a time, in their own units.
    labels : ndarray of int of shape (n,)
        Cluster of each row, from 0 to K - 1.
    n_clusters : int
        K, counting empty clusters.

    Returns
    -------
    Contrast
        Of all D values of a row, in the order of its memory.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import contrast
    >>> contrast([np.zeros((2, 1)), np.ones((1, 1))], np.array([0, 0, 1]), 2).counts.tolist()
    [2, 1]
    """
    start, low, high = 0, np.inf, -np.inf
    origin = sums = present = squares = np.zeros(0)
    for block in blocks:
        rows = block.reshape(len(block), -1)
        if not start:
            origin = rows[0].astype(np.float64)  # sums are taken from here, so that large offsets cancel
            sums, present = np.zeros((2, n_clusters, origin.size))
            squares = np.zeros(origin.size)
        low, high = min(low, float(rows.min())), max(high, float(rows.max()))
        membership = np.zeros((n_clusters, len(rows)))
        membership[labels[start : start + len(rows)], np.arange(len(rows))] = 1
        present += membership @ (rows != 0)
        centred = rows.astype(np.float64) - origin
        sums += membership @ centred
        squares += np.square(centred, out=centred).sum(0)
        start += len(rows)
    counts = np.bincount(labels, minlength=n_clusters)
    own = counts[:, None].astype(np.float64)
    means = np.divide(sums, own, out=np.full_like(sums, np.nan), where=own > 0)
    spread = np.sqrt(np.maximum(squares / start - (sums.sum(0) / start) ** 2, 0))
    shares = np.divide(present, own, out=np.zeros_like(present), where=own > 0)
    return Contrast(counts, means + origin, spread, shares, low, high)


def are_words(names: Sequence[str] | None, *, zeros: float, low: float) -> bool:
    """Tell whether columns are the words of texts.

    Parameters
    ----------
    names : sequence of str or None
        Names of the columns.
    zeros : float
        Share of the values that are 0.
    low : float
        Smallest value.

    Returns
    -------
    bool
        True for 50 columns or more of which nine in ten are named by a single word, and which hold no negative and
        nine in ten zero values.

    Examples
    --------
    >>> from coterie.criteria import are_words
    >>> are_words(["ship", "sail", "port"] * 20, zeros=0.97, low=0.0), are_words(["height"], zeros=0.0, low=0.1)
    (True, False)
    """
    if names is None or len(names) < _FEWEST_WORDS or zeros < SPARSE or low < 0:
        return False
    return sum(_WORD.fullmatch(name) is not None for name in names) >= _WORDY * len(names)
