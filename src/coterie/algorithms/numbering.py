"""Numbers for clusters that follow the numbers of classes."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


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
    counts = np.zeros((len(classes), n_clusters), dtype=np.int64)
    np.add.at(counts, (codes, labels), 1)
    matched, clusters = linear_sum_assignment(counts, maximize=True)
    places = classes[matched] if classes[-1] < n_clusters else np.arange(len(matched))
    order = np.full(n_clusters, -1)
    order[places] = clusters
    order[order < 0] = np.setdiff1d(np.arange(n_clusters), clusters)
    return order
