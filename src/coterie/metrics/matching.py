"""Clusters matched one to one with classes: accuracy, confusion and per-class F."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from coterie.metrics._check import Crossing, cross


@dataclass(frozen=True)
class Match:
    """The one-to-one matching of clusters and classes that puts most rows in their class.

    Attributes
    ----------
    mapping : dict
        Class of each matched cluster; min(C, K) entries.
    confusion : numpy.ndarray of shape (C, K)
        Rows of each class (first axis) in each cluster (second axis), ordered as `classes` and `clusters`, so that
        matched pairs are on the diagonal.
    classes : numpy.ndarray of shape (C,)
        Classes: the matched ones in sorted order, then those without a cluster.
    clusters : numpy.ndarray of shape (K,)
        Clusters: the ones matched with `classes`, in their order, then those without a class.

    Examples
    --------
    >>> match([0, 0, 1], ["b", "b", "a"]).clusters.tolist()
    ['b', 'a']
    """

    mapping: dict[Any, Any]
    confusion: np.ndarray
    classes: np.ndarray
    clusters: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of rows whose cluster is matched with their class, 0 to 1."""
        return float(np.trace(self.confusion) / self.confusion.sum())


def match(y: ArrayLike, labels: ArrayLike) -> Match:
    """Match clusters with classes one to one so that as many rows as possible agree.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes: integers, strings, booleans or whole floats.
    labels : array-like of shape (n,)
        Cluster of each row, of the same kinds; -1 is a cluster like any other.

    Returns
    -------
    Match
        The matching and the confusion matrix ordered by it.

    Raises
    ------
    InputError
        If they are not one-dimensional, empty, of different length, or hold missing or fractional values.

    Notes
    -----
    With more clusters than classes, or fewer, the count matrix is padded with zeros to a square one: what is left over
    stays unmatched and its rows count as wrong. The best matching comes from the Hungarian method [1]_.

    References
    ----------
    .. [1] H. W. Kuhn. The Hungarian method for the assignment problem. Naval Research Logistics Quarterly 2, 1955.
       :doi:`10.1002/nav.3800020109`

    Examples
    --------
    >>> found = match(["cat", "cat", "dog", "dog"], [1, 1, 0, 2])
    >>> found.mapping
    {1: 'cat', 0: 'dog'}
    >>> found.confusion
    array([[2, 0, 0],
           [0, 1, 1]])
    >>> found.accuracy
    0.75
    """
    crossing = cross(y, labels)
    rows, columns = _assign(crossing)
    row_order, column_order = _first(rows, len(crossing.classes)), _first(columns, len(crossing.clusters))
    classes, clusters = crossing.classes[row_order], crossing.clusters[column_order]
    return Match(
        mapping=dict(zip(clusters.tolist()[: len(rows)], classes.tolist()[: len(rows)], strict=True)),
        confusion=crossing.counts[np.ix_(row_order, column_order)],
        classes=classes,
        clusters=clusters,
    )


def accuracy(y: ArrayLike, labels: ArrayLike) -> float:
    r"""Return the clustering accuracy: the share of rows on which clusters, matched one to one with classes, agree.

    .. math::
        \mathrm{ACC} = \max_{m} \tfrac1n \sum_i [\, y_i = m(c_i) \,]

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        Between 0 and 1. With K clusters and C classes, rows of what :func:`match` leaves unmatched count as wrong.

    Raises
    ------
    InputError
        As :func:`match`.

    Examples
    --------
    >>> accuracy(["cat", "cat", "dog", "dog"], [1, 1, 0, 2])
    0.75
    """
    crossing = cross(y, labels)
    rows, columns = _assign(crossing)
    return float(crossing.counts[rows, columns].sum() / len(crossing.y))


def per_class_f(y: ArrayLike, labels: ArrayLike) -> dict[Any, float]:
    r"""Return the F score of each class against the cluster it is matched with.

    .. math::
        F_c = \frac{2\, n_{c,m}}{n_c + n_m}

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    dict
        Value of each class, between 0 and 1, in sorted order; 0 for a class that :func:`match` leaves unmatched.

    Raises
    ------
    InputError
        As :func:`match`.

    Examples
    --------
    >>> per_class_f(["cat", "cat", "dog", "dog"], [1, 1, 0, 1])
    {'cat': 0.8, 'dog': 0.6666666666666666}
    """
    return {entry["class"]: entry["f"] for entry in per_class(y, labels)}


def per_class(y: ArrayLike, labels: ArrayLike) -> list[dict[str, Any]]:
    r"""Return precision, recall and F of each class against the cluster it is matched with.

    .. math::
        P_c = \frac{n_{c,m}}{n_m}, \quad R_c = \frac{n_{c,m}}{n_c}, \quad F_c = \frac{2\, n_{c,m}}{n_c + n_m}

    with :math:`n_{c,m}` the rows of class c in its cluster m.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    list of dict
        One for each class, in sorted order: ``class``, ``cluster`` (None where :func:`match` leaves it unmatched),
        ``rows``, ``precision``, ``recall`` and ``f``, all three 0 without a cluster.

    Raises
    ------
    InputError
        As :func:`match`.

    Examples
    --------
    >>> report = per_class(["cat", "cat", "dog", "dog"], [1, 1, 0, 1])
    >>> [(entry["class"], entry["cluster"], round(entry["precision"], 2), entry["recall"]) for entry in report]
    [('cat', 1, 0.67, 1.0), ('dog', 0, 1.0, 0.5)]
    """
    crossing = cross(y, labels)
    counts, clusters = crossing.counts, crossing.clusters.tolist()
    in_class, in_cluster = counts.sum(1).tolist(), counts.sum(0).tolist()
    paired = dict(zip(*(side.tolist() for side in _assign(crossing)), strict=True))
    found = []
    for c, name in enumerate(crossing.classes.tolist()):
        m = paired.get(c)
        both, size = (0, 1) if m is None else (int(counts[c, m]), in_cluster[m])
        found.append(
            {
                "class": name,
                "cluster": None if m is None else clusters[m],
                "rows": in_class[c],
                "precision": both / size,
                "recall": both / in_class[c],
                "f": 0.0 if m is None else 2 * both / (in_class[c] + size),
            }
        )
    return found


def _assign(crossing: Crossing) -> tuple[np.ndarray, np.ndarray]:
    """Return the matched positions in classes (sorted) and clusters, min(C, K) of each."""
    return linear_sum_assignment(crossing.counts, maximize=True)


def _first(chosen: np.ndarray, size: int) -> np.ndarray:
    """Return the positions 0 to size - 1 with the chosen ones in front."""
    return np.concatenate([chosen, np.setdiff1d(np.arange(size), chosen)])
