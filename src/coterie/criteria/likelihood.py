"""How well a mixture of normal distributions, one a cluster, describes the code."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cholesky, solve_triangular

from coterie.criteria._check import check_code
from coterie.errors import InputError
from coterie.subsample import sample_rows

_WIDEST = 1e100  # deviation whose square, summed over rows, is a float still
_WIDE = 2048  # columns beyond which covariances would be most of a machine's memory
_BLOCK = 4_096  # rows whose deviations are formed at once
_WORK = 4e12  # multiplications and additions, about a minute of two cores, that all densities may take
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
    at, sampled from more. The mean is over a sample of the rows where all would take more than 4e12 operations, as
    those of 500 clusters of half a million rows with 768 columns would.

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
    code = np.subtract(code, code.mean(0, dtype=np.float64), dtype=np.float64)  # keeps digits when it lies far from 0
    widest = max(code.max(), -code.min())
    if widest > _WIDEST:
        raise InputError(f"z must lie within {_WIDEST:g} of its mean, got {widest:g}.")
    n, d = code.shape
    variance = float(np.mean([np.square(column).mean() for column in code.T]))
    floor = _FLOOR * (variance if variance > 0 else 1.0)  # a code of equal rows has no unit of its own
    if d > _WIDE:
        code = _rotated(code)
    ridge = floor * np.eye(code.shape[1])
    members = [np.flatnonzero(known == cluster) for cluster in np.unique(known)]
    pooled, prior = sum(_scatter(code[rows]) for rows in members) / n, d + 2
    affordable = max(_BLOCK, int(_WORK / (len(members) * d * d)))
    asked = code if n <= affordable else code[sample_rows(n, affordable, seed=0)]
    density = np.full(len(asked), -np.inf)
    for rows in members:
        covariance = (_scatter(code[rows]) + prior * pooled) / (len(rows) + prior) + ridge
        own = np.log(len(rows) / n) + _log_normal(asked, code[rows].mean(0), covariance)
        np.logaddexp(density, own, out=density)  # one after the other, since n x K of them may be too many
    # Where a rotated code has no columns, no row deviates and the floor is all the variance there is.
    beyond = 0.5 * (d - code.shape[1]) * np.log(2 * np.pi * floor)
    return float(density.mean() - beyond)


def _rotated(code: np.ndarray) -> np.ndarray:
    """Return n centred rows in the at most n directions that they differ in, shape (n, n); distances stay."""
    values, vectors = np.linalg.eigh(code @ code.T)
    return vectors * np.sqrt(values.clip(0))


def _scatter(rows: np.ndarray) -> np.ndarray:
    """Return the sum of outer products of the rows' deviations from their mean, shape (d, d)."""
    deviations = rows - rows.mean(0)
    return deviations.T @ deviations


def _log_normal(rows: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the log density of each row, shape (n,)."""
    root = cholesky(covariance, lower=True)
    squares = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        scaled = solve_triangular(root, (rows[start : start + _BLOCK] - mean).T, lower=True)  # (d, block)
        squares[start : start + _BLOCK] = np.square(scaled).sum(0)
    log_determinant = 2 * np.log(np.diag(root)).sum()
    return -0.5 * (squares + log_determinant + len(covariance) * np.log(2 * np.pi))
