"""How well a partition keeps neighbours together: a judgement in a space that no method made for itself."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mutual_info_score


def mean_cut(labels: np.ndarray, nearest: np.ndarray) -> float:
    r"""Return the mean over clusters of the share of neighbours that are in another cluster.

    .. math::
        \tfrac1K \sum_k \operatorname{mean}_{i : y_i = k} \operatorname{mean}_{j \in N(i)} [y_j \ne k]

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each row, integers.
    nearest : ndarray of shape (n, m)
        Numbers of each row's nearest other rows.

    Returns
    -------
    float
        In [0, 1]; lower is better. It is not lower for a partition into even sizes than for one into uneven ones.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import mean_cut
    >>> nearest = np.array([[1], [0], [3], [2]])
    >>> mean_cut(np.array([0, 0, 1, 1]), nearest), mean_cut(np.array([0, 1, 0, 1]), nearest)
    (0.0, 1.0)
    """
    if not nearest.shape[1]:
        return 0.0
    leaving = (labels[nearest] != labels[:, None]).mean(1)
    return float(np.mean([leaving[labels == k].mean() for k in np.unique(labels)]))


def told_by_neighbours(labels: np.ndarray, nearest: np.ndarray) -> float:
    """Return the mutual information, in nats, between rows' clusters and those of their neighbours.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each row, integers.
    nearest : ndarray of shape (n, m)
        Numbers of each row's nearest other rows.

    Returns
    -------
    float
        At least 0. Unlike the share of neighbours in one cluster, it does not favour large clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import told_by_neighbours
    >>> round(told_by_neighbours(np.array([0, 0, 1, 1]), np.array([[1], [0], [3], [2]])), 3)
    0.693
    """
    return float(mutual_info_score(np.repeat(labels, nearest.shape[1]), labels[nearest].ravel()))
