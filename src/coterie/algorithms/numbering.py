"""Clusters beside known classes: k-means begun from them as well, and numbers that follow theirs."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin_min


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
        Its own number, where all classes are below K; else the class that it is matched with, -1 for none.
    """
    classes, codes = np.unique(y, return_inverse=True)
    if classes[-1] < n_clusters:
        return np.arange(n_clusters)
    matched, clusters = _matched(codes, labels, (len(classes), n_clusters))
    found = np.full(n_clusters, -1)
    found[clusters] = classes[matched]
    return found


def begun_from_classes(z: np.ndarray, y: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the centres of k-means begun from the classes' means, if their inertia is less than that of others.

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
    """
    classes = np.unique(y[y >= 0])
    if len(classes) != len(centers):
        return centers
    means = np.stack([z[y == c].mean(0) for c in classes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct codes than clusters
        lloyd = KMeans(len(means), init=means, n_init=1, random_state=0).fit(z)
    inertia = np.square(pairwise_distances_argmin_min(z, centers)[1]).sum()
    return lloyd.cluster_centers_.astype(np.float32) if lloyd.inertia_ < inertia else centers


def _matched(codes: np.ndarray, labels: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and the clusters they are matched with, one to one, so that most rows agree."""
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (codes, labels), 1)
    return linear_sum_assignment(counts, maximize=True)
