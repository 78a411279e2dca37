"""Partitions of the same rows, whose clusters have whatever numbers, made comparable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from coterie.errors import InputError

_SHOWN = 5  # shapes that a message lists


def align(labels: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Give clusters the numbers they have in another partition, so that as many rows as possible have the same.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Clusters, integers >= 0.
    reference : array-like of shape (n,)
        Clusters of the same rows, integers >= 0.

    Returns
    -------
    ndarray of shape (n,)
        The partition of ``labels``, int64. Clusters that share no row with a counterpart come after the largest number
        of both.

    Raises
    ------
    InputError
        If they are not of the same rows.

    Examples
    --------
    >>> from coterie.matching import align
    >>> align([2, 2, 0, 0, 1], [0, 0, 1, 1, 1]).tolist()
    [0, 0, 1, 1, 3]
    """
    return align_all([labels], reference)[0]


def share_alike(labels: ArrayLike, reference: ArrayLike) -> float:
    """Return the share of the rows that two partitions put into the same cluster, when clusters are matched.

    Parameters
    ----------
    labels, reference : array-like of shape (n,)
        Clusters of the same rows, integers >= 0.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        If they are not of the same rows.

    Examples
    --------
    >>> from coterie.matching import share_alike
    >>> share_alike([2, 2, 0, 1], [0, 0, 1, 1])
    0.75
    """
    return float((align(labels, reference) == np.asarray(reference)).mean())


def align_all(partitions: Sequence[ArrayLike], reference: ArrayLike) -> list[np.ndarray]:
    """Give the clusters of several partitions the numbers of a reference, and common numbers to what it has not.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters, integers >= 0.
    reference : array-like of shape (n,)
        Clusters of the same rows, integers >= 0.

    Returns
    -------
    list of ndarray of shape (n,)
        Int64. A cluster without a counterpart in the reference takes the number of the cluster in an earlier partition
        with which it shares most rows, or a new number if there is none. Where two clusters share as many rows with one
        of the reference, the earlier partitions decide in the same way.

    Raises
    ------
    InputError
        If they are not of the same rows.

    Examples
    --------
    >>> from coterie.matching import align_all
    >>> [found.tolist() for found in align_all([[0, 0, 1, 2], [2, 2, 1, 0]], [0, 0, 0, 0])]
    [[0, 0, 3, 4], [0, 0, 3, 4]]
    """
    known = check_partitions([reference, *partitions])
    first, found = known[0], list[np.ndarray]()
    ahead = len(first) * len(known) + 1  # no number of rows shared with others outweighs one shared with the reference
    for labels in known[1:]:
        mine, place = np.unique(labels, return_inverse=True)
        numbers = np.unique(np.concatenate([first, *found]))
        shared = np.zeros((len(mine), len(numbers)), dtype=np.int64)
        for other, weight in ((first, ahead), *((each, 1) for each in found)):
            np.add.at(shared, (place, np.searchsorted(numbers, other)), weight)
        found.append(_numbered(shared, numbers, new=max(numbers.max(), mine.max()) + 1)[place])
    return found


def _numbered(shared: np.ndarray, numbers: np.ndarray, *, new: int) -> np.ndarray:
    """Return the numbers of clusters by what they share with those that have one; new ones where it is nothing."""
    rows, columns = linear_sum_assignment(shared, maximize=True)
    matched = shared[rows, columns] > 0
    number = np.full(len(shared), -1, dtype=np.int64)
    number[rows[matched]] = numbers[columns[matched]]
    number[number < 0] = new + np.arange((number < 0).sum())
    return number


def unanimous(partitions: Sequence[ArrayLike]) -> np.ndarray:
    """Return the cluster of each row that all partitions put into the same one.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters, integers >= 0; at least one partition.

    Returns
    -------
    ndarray of shape (n,)
        In the first partition's numbers, to which the others are matched; int64, -1 where they differ.

    Raises
    ------
    InputError
        If there are none, or they are not of the same rows.

    Examples
    --------
    >>> from coterie.matching import unanimous
    >>> unanimous([[0, 0, 1, 1], [5, 5, 2, 5]]).tolist()
    [0, 0, 1, -1]
    """
    first, *others = check_partitions(partitions)
    same = [align(other, first) == first for other in others]
    return np.where(np.all(same, axis=0), first, -1)


def check_partitions(partitions: Sequence[ArrayLike], *, least: int = 0) -> list[np.ndarray]:
    """Return partitions after checking them.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters of the same n rows.
    least : int, default=0
        The smallest number that may be there; -1 lets rows have no cluster.

    Returns
    -------
    list of ndarray of shape (n,)
        Int64.

    Raises
    ------
    InputError
        If there are none, they are not of the same rows, or hold anything but such integers.

    Examples
    --------
    >>> from coterie.matching import check_partitions
    >>> check_partitions([[0, 1]])
    [array([0, 1])]
    """
    known = [np.asarray(labels) for labels in partitions]
    shapes = [labels.shape for labels in known]
    if not known or len(set(shapes)) > 1 or known[0].ndim != 1 or not len(known[0]):
        some = ", ".join(map(str, shapes[:_SHOWN])) + (", ..." if len(shapes) > _SHOWN else "")
        raise InputError(f"Partitions must have a cluster for each of the same rows, shape (n,). Got shapes [{some}].")
    if any(labels.dtype.kind not in "iu" or labels.min() < least for labels in known):
        raise InputError(f"The clusters of a partition must be integers >= {least}.")
    return [labels.astype(np.int64) for labels in known]
