"""How far partitions of the same rows agree; no class is known to any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_rand_score

from coterie.matching import align_all, check_partitions


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
        return mean_support(self.labels, self.support, n_clusters=int(self.aligned[self.central].max()) + 1)


def mean_support(labels: np.ndarray, support: np.ndarray, *, n_clusters: int) -> np.ndarray:
    """Return the mean support of the rows of each cluster.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Clusters, 0 to K - 1.
    support : ndarray of shape (n,)
        Share of partitions that agree on each row.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (K,)
        In [0, 1]; 0 of a cluster that no row is in.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.selection.agreement import mean_support
    >>> mean_support(np.array([0, 0, 1]), np.array([1.0, 0.5, 1.0]), n_clusters=3).tolist()
    [0.75, 1.0, 0.0]
    """
    sizes = np.bincount(labels, minlength=n_clusters)
    return np.bincount(labels, weights=support, minlength=n_clusters) / np.maximum(sizes, 1)


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
    known = check_partitions(partitions)
    found = np.eye(len(known))
    for i in range(len(known)):
        for j in range(i):
            found[i, j] = found[j, i] = adjusted_rand_score(known[i], known[j])
    return found


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
    known, found = check_partitions(partitions), agreement(partitions)
    central = int(found.sum(1).argmax())
    aligned = np.stack(align_all(known, known[central]))
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
    clusters, places = np.unique(aligned, return_inverse=True)  # whose numbers may be as large as dates
    votes = np.zeros((aligned.shape[1], len(clusters)), dtype=np.int64)
    for place in places.reshape(aligned.shape):
        votes[np.arange(len(place)), place] += 1
    return clusters[votes.argmax(1)], votes.max(1) / len(aligned)
