"""How far partitions of the same rows agree; no class is known to any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from coterie.errors import InputError


@dataclass(frozen=True)
class Consensus:
    """What several partitions of the same rows have in common.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each row by the most votes, int64, numbered as in the central partition.
    support : ndarray of shape (n,)
        Share of the partitions that put the row there, in (0, 1].
    aligned : ndarray of shape (r, n)
        The partitions, numbered as the central one, int64.
    central : int
        Which partition agrees best with the others.
    agreement : ndarray of shape (r, r)
        Adjusted Rand index of each two.

    Examples
    --------
    >>> from coterie.selection import consensus
    >>> found = consensus([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 1]])
    >>> found.labels.tolist(), found.support.round(2).tolist()
    ([0, 0, 1, 1], [1.0, 0.67, 1.0, 1.0])
    """

    labels: np.ndarray
    support: np.ndarray
    aligned: np.ndarray
    central: int
    agreement: np.ndarray

    @property
    def stability(self) -> np.ndarray:
        """Mean support of the rows of each cluster, shape (K,); 0 of one that no row is in."""
        sizes = np.bincount(self.labels)
        return np.bincount(self.labels, weights=self.support) / np.maximum(sizes, 1)


def agreement(partitions: Sequence[ArrayLike]) -> np.ndarray:
    """Return the adjusted Rand index of each two partitions.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters of the same n rows, in whatever numbers.

    Returns
    -------
    ndarray of shape (r, r)
        1 for the same groups, about 0 for groups that have nothing to do with each other; ones on the diagonal.

    Raises
    ------
    InputError
        If there are none, or they are not of the same rows.

    Examples
    --------
    >>> from coterie.selection import agreement
    >>> agreement([[0, 0, 1, 1], [5, 5, 2, 2]]).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    known = _checked(partitions)
    found = np.eye(len(known))
    for i in range(len(known)):
        for j in range(i):
            found[i, j] = found[j, i] = adjusted_rand_score(known[i], known[j])
    return found


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
    >>> from coterie.selection import align
    >>> align([2, 2, 0, 0, 1], [0, 0, 1, 1, 1]).tolist()
    [0, 0, 1, 1, 3]
    """
    labels, reference = _checked([labels, reference])
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


def consensus(partitions: Sequence[ArrayLike]) -> Consensus:
    """Let partitions of the same rows vote.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters, integers >= 0, in whatever numbers; at least one partition.

    Returns
    -------
    Consensus
        All are numbered as the one that agrees best with the others; of as many votes the smaller number wins.

    Raises
    ------
    InputError
        If there are none, or they are not of the same rows.

    Examples
    --------
    >>> from coterie.selection import consensus
    >>> consensus([[0, 0, 1, 1], [1, 1, 0, 0]]).stability.tolist()
    [1.0, 1.0]
    """
    known, found = _checked(partitions), agreement(partitions)
    central = int(found.sum(1).argmax())
    aligned = np.stack([align(labels, known[central]) for labels in known])
    return Consensus(*vote(aligned), aligned, central, found)


def vote(aligned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of each row by the most votes, and the share of the partitions that put it there.

    Parameters
    ----------
    aligned : ndarray of shape (r, n)
        Partitions whose clusters are numbered alike.

    Returns
    -------
    labels : ndarray of shape (n,)
        Int64; of as many votes the smaller number.
    support : ndarray of shape (n,)
        In (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.selection.agreement import vote
    >>> vote(np.array([[0, 1], [0, 0], [0, 1]]))[0].tolist()
    [0, 1]
    """
    votes = np.zeros((aligned.shape[1], int(aligned.max()) + 1), dtype=np.int64)
    for labels in aligned:
        votes[np.arange(len(labels)), labels] += 1
    return votes.argmax(1), votes.max(1) / len(aligned)


def _checked(partitions: Sequence[ArrayLike]) -> list[np.ndarray]:
    known = [np.asarray(labels) for labels in partitions]
    shapes = [labels.shape for labels in known]
    if not known or len(set(shapes)) > 1 or known[0].ndim != 1 or not len(known[0]):
        raise InputError(f"Partitions must have a cluster for each of the same rows, shape (n,). Got shapes {shapes}.")
    if any(labels.dtype.kind not in "iu" or labels.min() < 0 for labels in known):
        raise InputError("The clusters of a partition must be integers >= 0.")
    return [labels.astype(np.int64) for labels in known]
