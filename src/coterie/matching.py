"""Partitions of the same rows, whose clusters have whatever numbers, made comparable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from coterie.errors import InputError


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
    labels, reference = check_partitions([labels, reference])
    mine, place = np.unique(labels, return_inverse=True)
    theirs, at = np.unique(reference, return_inverse=True)
    shared = np.zeros((len(mine), len(theirs)), dtype=np.int64)
    np.add.at(shared, (place, at), 1)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    matched = shared[rows, columns] > 0
    rows, columns = rows[matched], columns[matched]
    number = np.full(len(mine), -1, dtype=np.int64)
    number[rows] = theirs[columns]
    left = number < 0
    number[left] = max(mine.max(), theirs.max()) + 1 + np.arange(left.sum())
    return number[place]


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


def check_partitions(partitions: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Return partitions after checking them.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters of the same n rows.

    Returns
    -------
    list of ndarray of shape (n,)
        Int64.

    Raises
    ------
    InputError
        If there are none, they are not of the same rows, or hold anything but integers >= 0.

    Examples
    --------
    >>> from coterie.matching import check_partitions
    >>> check_partitions([[0, 1]])
    [array([0, 1])]
    """
    known = [np.asarray(labels) for labels in partitions]
    shapes = [labels.shape for labels in known]
    if not known or len(set(shapes)) > 1 or known[0].ndim != 1 or not len(known[0]):
        raise InputError(f"Partitions must have a cluster for each of the same rows, shape (n,). Got shapes {shapes}.")
    if any(labels.dtype.kind not in "iu" or labels.min() < 0 for labels in known):
        raise InputError("The clusters of a partition must be integers >= 0.")
    return [labels.astype(np.int64) for labels in known]
