"""Clusters beside known classes: k-means that keeps to them, and numbers that follow theirs."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import pairwise_distances_argmin, pairwise_distances_argmin_min

from coterie.mixtures import means_of

LLOYD = 300  # steps of constrained k-means, at most


def follow_classes(y: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the order in which clusters have the numbers of their classes.

    Clusters and classes are matched one to one so that most rows agree. A matched cluster has its class's number where
    all classes are below K, else the class's place among the sorted matched ones; the other clusters have the numbers
    that are left, in order.

    Parameters
    ----------
    y : ndarray of shape (l,)
        Classes of rows, >= 0.
    labels : ndarray of shape (l,)
        Their clusters, 0 .. K - 1.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (K,)
        The present number of the cluster that is to be number 0, 1, ....
    """
    classes, codes = np.unique(y, return_inverse=True)
    matched, clusters = _matched(codes, labels, (len(classes), n_clusters))
    places = classes[matched] if classes[-1] < n_clusters else np.arange(len(matched))
    order = np.full(n_clusters, -1)
    order[places] = clusters
    order[order < 0] = np.setdiff1d(np.arange(n_clusters), clusters)
    return order


def classes_of_clusters(y: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the class that each cluster stands for, where clusters are numbered as :func:`follow_classes` has it.

    Parameters
    ----------
    y : ndarray of shape (l,)
        Classes of rows, >= 0.
    labels : ndarray of shape (l,)
        Their clusters, 0 .. K - 1.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (K,)
        Its own number, where all classes are below K; else the class that it is matched with, -1 where that is none, or
        none of whose rows it has.
    """
    classes, codes = np.unique(y, return_inverse=True)
    if classes[-1] < n_clusters:
        return np.arange(n_clusters)
    matched, clusters = _matched(codes, labels, (len(classes), n_clusters))
    found = np.full(n_clusters, -1)
    held = [bool(((codes == c) & (labels == k)).any()) for c, k in zip(matched, clusters, strict=True)]
    found[clusters[held]] = classes[matched[held]]
    return found


def kept_to_classes(z: np.ndarray, y: np.ndarray, centers: np.ndarray) -> np.ndarray:
    r"""Return the centres of a k-means whose labelled rows stay with their classes, if that costs less than others.

    Constrained k-means [1]_ begins with the classes' means, and only rows without a label go where it is nearest. Cost
    is the sum of squared distances to the centre of a row's class where that is known, else to the nearest centre.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Codes.
    y : ndarray of shape (n,)
        Classes, -1 where not known.
    centers : ndarray of shape (K, d)
        The others; they stay where not exactly K classes are known.

    Returns
    -------
    ndarray of shape (K, d)
        Float32.

    References
    ----------
    .. [1] S. Basu, A. Banerjee, R. J. Mooney. Semi-supervised clustering by seeding. ICML 2002.
    """
    known = y >= 0
    classes, codes = np.unique(y[known], return_inverse=True)
    if len(classes) != len(centers):
        return centers
    labels, free = np.full(len(z), -1), np.flatnonzero(~known)
    labels[known] = codes
    means = means_of(z[known], codes, len(classes)).astype(np.float32)
    for _ in range(LLOYD if len(free) else 0):
        near = pairwise_distances_argmin(z[free], means)
        if np.array_equal(near, labels[free]):
            break
        labels[free] = near
        means = means_of(z, labels, len(classes)).astype(np.float32)
    others = centers[follow_classes(codes, pairwise_distances_argmin(z[known], centers), len(centers))]
    costs = [_cost(z, y=codes, known=known, centers=found) for found in (means, others)]
    return means if costs[0] < costs[1] else centers


def _cost(z: np.ndarray, *, y: np.ndarray, known: np.ndarray, centers: np.ndarray) -> float:
    """Return the sum of squared distances to the centres of rows' classes, or to the nearest where none is known."""
    squared = np.square(z[known] - centers[y]).sum()
    if not known.all():
        squared += np.square(pairwise_distances_argmin_min(z[~known], centers)[1]).sum()
    return float(squared)


def _matched(codes: np.ndarray, labels: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and the clusters they are matched with, one to one, so that most rows agree."""
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (codes, labels), 1)
    return linear_sum_assignment(counts, maximize=True)
