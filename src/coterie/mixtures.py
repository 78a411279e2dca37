"""Gaussian mixtures with full covariances on a sample or from a partition."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture


def fit_mixture(z: np.ndarray, n_clusters: int, *, seed: int, n_init: int) -> GaussianMixture:
    """Fit a Gaussian mixture with full covariances.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    n_clusters : int
        K, the number of components; K <= n.
    seed : int
        Seed.
    n_init : int
        Beginnings, of which the likeliest is kept.

    Returns
    -------
    GaussianMixture
        The fitted one of scikit-learn, its ridge in proportion to the rows' variance.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.mixtures import fit_mixture
    >>> z = np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> fit_mixture(z, 2, seed=0, n_init=2).weights_.round(2).tolist()
    [0.5, 0.5]
    """
    model = GaussianMixture(n_clusters, n_init=n_init, random_state=seed, reg_covar=_ridge(z))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(z)


def mixture_from(z: np.ndarray, labels: np.ndarray, n_clusters: int) -> GaussianMixture:
    """Fit a mixture that begins from a partition.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    labels : ndarray of shape (n,)
        The partition.
    n_clusters : int
        K, the number of components; those of empty clusters begin where all rows are.

    Returns
    -------
    GaussianMixture
        The fitted one of scikit-learn; component k began from cluster k.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.mixtures import mixture_from
    >>> z = np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> mixture_from(z, np.arange(40) // 20, 2).means_.round(1).ravel().tolist()
    [0.2, 5.8]
    """
    ridge = _ridge(z)
    means = means_of(z, labels, n_clusters)
    precisions, shares = [], []
    for k in range(n_clusters):
        rows = z[labels == k]
        spread = np.atleast_2d(np.cov(rows.T, bias=True) if len(rows) > 1 else np.cov(z.T))
        inverse = np.linalg.inv(spread + ridge * np.eye(z.shape[1]))
        precisions.append((inverse + inverse.T) / 2)  # which rounding leaves not quite symmetric, and is refused then
        shares.append(max(len(rows), 1))
    model = GaussianMixture(
        n_clusters,
        means_init=means,
        precisions_init=np.array(precisions),
        weights_init=np.array(shares) / sum(shares),
        reg_covar=ridge,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(z)


def means_of(z: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the mean row of each cluster, the mean of all for an empty one.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows.
    labels : ndarray of shape (n,)
        Their clusters.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (K, d)
        Means.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.mixtures import means_of
    >>> means_of(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]), 2).tolist()
    [[1.0], [5.0]]
    """
    means = np.tile(z.mean(0), (n_clusters, 1))
    for k in np.unique(labels):
        means[k] = z[labels == k].mean(0)
    return means


def _ridge(z: np.ndarray) -> float:
    # In the rows' own units, so that a code a hundred times smaller is clustered the same way.
    return 1e-5 * max(float(z.var(0).mean()), float(np.finfo(np.float32).tiny))
