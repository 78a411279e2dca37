"""How well a mixture of normal distributions, one a cluster, describes the code."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cholesky, solve_triangular
from scipy.special import logsumexp

from coterie.criteria._check import check_code
from coterie.errors import InputError
from coterie.subsample import sample_rows

_WIDEST = 1e100  # deviation whose square, summed over rows, is a float still
_WIDE = 2048  # columns beyond which covariances would be most of a machine's memory
_FLOOR = 1e-6  # least variance, as a share of the mean variance of a column


def log_likelihood(z: ArrayLike, labels: ArrayLike) -> float:
    r"""Return the mean log density of the rows under the normal mixture that the partition fits.

    .. math::
        \ell = \tfrac1n \sum_i \log \sum_k \pi_k\, \mathcal N(z_i;\, \mu_k, \Sigma_k), \quad
        \Sigma_k = \frac{S_k + \nu W}{n_k + \nu} + \epsilon I

    Parameters
    ----------
    z : array-like of shape (n, d)
        The code, finite.
    labels : array-like of shape (n,)
        Cluster of each row, integers; the numbers themselves do not matter.

    Returns
    -------
    float
        In nats per row, higher is better, finite. It depends on the unit of `z`: compare partitions of one code only.

    Raises
    ------
    InputError
        If `z` and `labels` are not such arrays of the same length, or `z` is wider than can be squared.

    Notes
    -----
    Weights are the shares of the clusters, means their means, :math:`S_k` their scatter matrices. So that a cluster of
    few rows does not get an unbounded density, its covariance is drawn towards the pooled covariance within clusters,
    :math:`W`, as if that had been seen on :math:`\nu = d + 2` more rows, in the manner of [1]_; :math:`\epsilon` is a
    millionth of the mean variance of the columns of `z`. Of a code with more than 2,048 columns as many rows are looked
    at, sampled from more.

    References
    ----------
    .. [1] C. Fraley, A. E. Raftery. Bayesian regularization for normal mixture estimation and model-based clustering.
       Journal of Classification 24, 2007. :doi:`10.1007/s00357-007-0004-5`

    Examples
    --------
    >>> z = [[0.0], [1.0], [10.0], [11.0]]
    >>> log_likelihood(z, [0, 0, 1, 1]) > log_likelihood(z, [0, 1, 0, 1])
    True
    """
    code, known = check_code(z, labels)
    if code.shape[1] > _WIDE:
        rows = sample_rows(len(code), _WIDE, seed=0)
        code, known = code[rows], known[rows]
    code = np.asarray(code, dtype=np.float64)
    code = code - code.mean(0)  # keeps digits when the code lies far from 0
    if np.abs(code).max() > _WIDEST:
        raise InputError(f"z must lie within {_WIDEST:g} of its mean, got {np.abs(code).max():g}.")
    n, d = code.shape
    variance = float(np.square(code).mean())
    floor = _FLOOR * (variance if variance > 0 else 1.0)  # a code of equal rows has no unit of its own
    if d > _WIDE:
        code = _rotated(code)
    ridge = floor * np.eye(code.shape[1])
    members = [np.flatnonzero(known == cluster) for cluster in np.unique(known)]
    means = [code[rows].mean(0) for rows in members]
    scatters = [_scatter(code[rows] - mean) for rows, mean in zip(members, means, strict=True)]
    pooled, prior = sum(scatters) / n, d + 2
    densities = [
        np.log(len(rows) / n) + _log_normal(code - mean, (scatter + prior * pooled) / (len(rows) + prior) + ridge)
        for rows, mean, scatter in zip(members, means, scatters, strict=True)
    ]
    # Where a rotated code has no columns, no row deviates and the floor is all the variance there is.
    beyond = 0.5 * (d - code.shape[1]) * np.log(2 * np.pi * floor)
    return float(np.mean(logsumexp(densities, axis=0)) - beyond)


def _rotated(code: np.ndarray) -> np.ndarray:
    """Return n centred rows in the at most n directions that they differ in, shape (n, n); distances stay."""
    values, vectors = np.linalg.eigh(code @ code.T)
    return vectors * np.sqrt(values.clip(0))


def _scatter(deviations: np.ndarray) -> np.ndarray:
    """Return the sum of outer products of rows, shape (d, d)."""
    return deviations.T @ deviations


def _log_normal(deviations: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the log density of each row's deviation from the mean, shape (n,)."""
    root = cholesky(covariance, lower=True)
    scaled = solve_triangular(root, deviations.T, lower=True)  # (d, n)
    log_determinant = 2 * np.log(np.diag(root)).sum()
    return -0.5 * (np.square(scaled).sum(0) + log_determinant + len(covariance) * np.log(2 * np.pi))
