"""Separation, sizes and decidedness of a partition."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr
from sklearn.metrics import silhouette_samples

from coterie.criteria._check import check_code, check_labels
from coterie.criteria.likelihood import log_likelihood
from coterie.errors import InputError


def silhouette(z: ArrayLike, labels: ArrayLike, *, sample: int = 2000, random_state: int = 0) -> float:
    """Return the mean silhouette [1]_ of a random sample of rows: how much closer they lie to their own cluster.

    Parameters
    ----------
    z : array-like of shape (n, d)
        The code, finite; Euclidean distances in it are what is judged.
    labels : array-like of shape (n,)
        Cluster of each row, integers.
    sample : int, default=2000
        Rows to draw, at least 2; all of them if there are no more. Time and memory grow with its square.
    random_state : int, default=0
        Seed of the draw.

    Returns
    -------
    float
        Between -1 and 1, higher is better; 0 where it is undefined, with a single cluster in the sample.

    Raises
    ------
    InputError
        If `z` and `labels` are not such arrays of the same length, or `sample` is below 2.

    Notes
    -----
    Values are comparable within one code only: training that shrinks clusters raises the silhouette of right and wrong
    ones alike.

    References
    ----------
    .. [1] P. J. Rousseeuw. Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
       Journal of Computational and Applied Mathematics 20, 1987. :doi:`10.1016/0377-0427(87)90125-7`

    Examples
    --------
    >>> round(silhouette([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 3)
    0.9
    """
    code, known = check_code(z, labels)
    if sample < 2:
        raise InputError(f"sample must be at least 2, got {sample}.")
    if len(code) > sample:
        rows = np.random.default_rng(random_state).choice(len(code), sample, replace=False)
        code, known = code[rows], known[rows]
    known = np.unique(known, return_inverse=True)[1]
    clusters = known.max() + 1
    # scikit-learn refuses these two; a row that is a cluster of its own has silhouette 0 by definition.
    if clusters in (1, len(known)):
        return 0.0
    # Distances are had from products, which lose them where rows lie far from 0.
    code = code.astype(np.float64) - code.mean(0, dtype=np.float64)
    return float(np.mean(silhouette_samples(code, known)))


def sizes(labels: ArrayLike, n_clusters: int) -> np.ndarray:
    """Return the number of rows in each cluster.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster of each row, integers from 0 to `n_clusters` - 1.
    n_clusters : int
        K, at least 1.

    Returns
    -------
    numpy.ndarray of shape (K,)
        Counts, int64; 0 for an empty cluster.

    Raises
    ------
    InputError
        If a label is out of range or `labels` is not a one-dimensional integer array.

    Examples
    --------
    >>> sizes([0, 2, 2], 4).tolist()
    [1, 0, 2, 0]
    """
    known = check_labels(labels)
    if known.min() < 0 or known.max() >= n_clusters:
        raise InputError(f"labels must be from 0 to {n_clusters - 1}, got {known.min()} to {known.max()}.")
    return np.bincount(known, minlength=n_clusters).astype(np.int64)


def assignment_entropy(q: ArrayLike) -> float:
    r"""Return how undecided soft assignments are, on average over rows.

    .. math::
        H = -\frac{1}{n \log K} \sum_{ik} q_{ik} \log q_{ik}

    Parameters
    ----------
    q : array-like of shape (n, K)
        Probability of each cluster for each row; rows sum to 1.

    Returns
    -------
    float
        Between 0 (every row belongs to one cluster) and 1 (every row belongs to all alike); 0 for K = 1.

    Raises
    ------
    InputError
        If `q` is not two-dimensional, or its rows are not probabilities.

    Examples
    --------
    >>> assignment_entropy([[1.0, 0.0], [0.5, 0.5]])
    0.5
    """
    probabilities = np.asarray(q)
    if probabilities.ndim != 2 or probabilities.size == 0 or probabilities.dtype.kind not in "fiub":
        shape, kind = probabilities.shape, probabilities.dtype
        raise InputError(f"q must be a non-empty two-dimensional array of numbers, got shape {shape} of {kind}.")
    sums = probabilities.sum(1, dtype=np.float64)
    if not (probabilities.min() >= 0 and np.allclose(sums, 1, rtol=0, atol=1e-3)):
        raise InputError("q must hold probabilities: values of 0 or more whose sum over each row is 1.")
    n_clusters = probabilities.shape[1]
    if n_clusters == 1:
        return 0.0
    return float(entr(probabilities).sum(dtype=np.float64) / (len(probabilities) * np.log(n_clusters)))


def judge(z: ArrayLike, q: ArrayLike | None, labels: ArrayLike) -> dict[str, float]:
    """Return all criteria of a partition.

    Parameters
    ----------
    z : array-like of shape (n, d)
        The code, finite.
    q : array-like of shape (n, K) or None
        Probability of each cluster for each row. None stands for hard assignments, whose entropy is 0.
    labels : array-like of shape (n,)
        Cluster of each row, integers.

    Returns
    -------
    dict of float
        Keys silhouette, entropy and log_likelihood; all finite.

    Raises
    ------
    InputError
        If the arrays are not as described.

    Examples
    --------
    >>> judged = judge([[0.0], [1.0], [10.0], [11.0]], None, [0, 0, 1, 1])
    >>> {name: round(value, 2) for name, value in judged.items()}
    {'silhouette': 0.9, 'entropy': 0.0, 'log_likelihood': -1.42}
    """
    judged = {
        "silhouette": silhouette(z, labels),
        "entropy": 0.0 if q is None else assignment_entropy(q),
        "log_likelihood": log_likelihood(z, labels),
    }
    n, n_judged = len(np.asarray(labels)), len(np.asarray(labels if q is None else q))
    if n_judged != n:
        raise InputError(f"q and labels must have the same length, got {n_judged} and {n}.")
    return judged
