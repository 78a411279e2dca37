"""Which rows of a cluster are worth showing."""

from __future__ import annotations

import numpy as np

EXAMPLES = 12


def choose_examples(z: np.ndarray, labels: np.ndarray, q: np.ndarray) -> dict[str, np.ndarray]:
    """Choose the most typical and the most doubtful rows of each cluster.

    Typical rows are both sure and central: the sum of a row's rank by confidence and its rank by distance to the
    cluster's mean code decides, because confidences alone are often tied at 1. Doubtful rows have the smallest lead of
    the best over the second-best cluster; among equals the one farther from the mean goes first.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    labels : ndarray of shape (n,)
        Clusters.
    q : ndarray of shape (n, K)
        Soft assignments.

    Returns
    -------
    dict of str to ndarray
        ``typical_rows``, ``doubtful_rows`` (K, 12) int64, -1 where a cluster has fewer rows; ``doubtful_next`` (K, 12)
        int32, the second-best cluster, -1 if there is none; ``doubtful_margin`` (K, 12) float32.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.report.examples import choose_examples
    >>> q = np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> chosen = choose_examples(np.array([[0.0], [1.0]]), np.array([0, 0]), q)
    >>> chosen["doubtful_rows"][0, :2].tolist(), chosen["doubtful_next"][0, :2].tolist()
    ([1, 0], [1, 1])
    """
    n_clusters = q.shape[1]
    shape = (n_clusters, EXAMPLES)
    typical, doubtful = np.full(shape, -1, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
    after, margins = np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=np.float32)
    for k in range(n_clusters):
        rows = np.flatnonzero(labels == k)
        if not len(rows):
            continue
        distance = np.linalg.norm(z[rows] - z[rows].mean(0), axis=1)
        margin, second = _lead(q[rows], k)
        best = rows[np.argsort(_ranks(-q[rows, k]) + _ranks(distance), kind="stable")[:EXAMPLES]]
        worst = np.lexsort((-distance, margin))[:EXAMPLES]
        typical[k, : len(best)] = best
        doubtful[k, : len(worst)] = rows[worst]
        after[k, : len(worst)], margins[k, : len(worst)] = second[worst], margin[worst]
    return {"typical_rows": typical, "doubtful_rows": doubtful, "doubtful_next": after, "doubtful_margin": margins}


def _lead(q: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """By how much cluster k leads, and over which."""
    if q.shape[1] == 1:
        return q[:, 0], np.full(len(q), -1)
    others = q.copy()
    others[:, k] = -np.inf
    second = others.argmax(1)
    return q[:, k] - others[np.arange(len(q)), second], second


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, 0 for the smallest, equal values sharing one rank."""
    return np.unique(values, return_inverse=True)[1]
