"""K-means beside every result: on the raw rows, and on the code."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from coterie.errors import InputError

if TYPE_CHECKING:
    from coterie.data import Source

__all__ = ["Baseline", "code_kmeans", "raw_kmeans"]

_N_INIT = 20
_FEWEST_INITS = 3
_FEWEST_ROWS = 2000
# What a fit is assumed to cost. A clock would make the result depend on how busy the machine is; a count does not.
# One core of a 2020s server does 3 to 14 thousand million multiply-adds a second; images of digits take 20 to 60
# iterations.
_ITERATIONS = 50
_MULTIPLY_ADDS_PER_SECOND = 5e9
_BLOCK = 4096  # rows that are held as float32 beside the fitted ones


@dataclass(frozen=True)
class Baseline:
    """A k-means partition and what it took.

    Attributes
    ----------
    labels : numpy.ndarray of shape (n,)
        Cluster of every row, int64, also of rows that were not fitted.
    seconds : float
        Wall-clock time of fitting and assigning.
    rows_fitted : int
        Rows that the centres were fitted on; fewer than n where all would have cost too much.
    n_init : int
        Starts, of which the best was kept.
    centers : numpy.ndarray of shape (K, d)
        Centres in scaled units, float32.

    Examples
    --------
    >>> code_kmeans([[0.0], [0.1], [5.0]], 2, seed=0).rows_fitted
    3
    """

    labels: np.ndarray
    seconds: float
    rows_fitted: int
    n_init: int
    centers: np.ndarray


def raw_kmeans(source: Source, n_clusters: int, *, seed: int, budget_seconds: float = math.inf) -> Baseline:
    """Cluster the scaled rows as they are by k-means, without any network.

    Parameters
    ----------
    source : coterie.data.Source
        The rows; images are flattened.
    n_clusters : int
        K, at least 1 and at most the number of rows.
    seed : int
        Seed of the starts and of the sample.
    budget_seconds : float, default=inf
        About what the fit may cost. Where 20 starts on all rows would cost more, there are fewer starts, down to 3,
        then fewer rows: a random sample of at least 2,000.

    Returns
    -------
    Baseline
        With a label for every row.

    Raises
    ------
    InputError
        If `n_clusters` or `budget_seconds` is out of range.

    Notes
    -----
    The cost is counted, not timed (rows x features x K x 50 iterations at 5 thousand million multiply-adds a second),
    so that the same call gives the same labels on an idle and on a busy machine.

    Examples
    --------
    >>> from coterie.data import make_source
    >>> source = make_source(np.array([[0.0], [0.1], [0.9], [1.0]]))
    >>> found = raw_kmeans(source, 2, seed=0)
    >>> bool(found.labels[0] == found.labels[1] != found.labels[2]), found.rows_fitted
    (True, 4)
    """
    return _kmeans(source.take, len(source), n_clusters, seed=seed, budget_seconds=budget_seconds)


def code_kmeans(z: ArrayLike, n_clusters: int, *, seed: int, budget_seconds: float = math.inf) -> Baseline:
    """Cluster a code by k-means: with an autoencoder's code, the second baseline.

    Parameters
    ----------
    z : array-like of shape (n, d)
        The code, finite.
    n_clusters : int
        K, at least 1 and at most the number of rows.
    seed : int
        Seed of the starts and of the sample.
    budget_seconds : float, default=inf
        As in :func:`raw_kmeans`.

    Returns
    -------
    Baseline
        With a label for every row.

    Raises
    ------
    InputError
        If `z` is not two-dimensional and finite, or `n_clusters` or `budget_seconds` is out of range.

    Examples
    --------
    >>> found = code_kmeans([[0.0], [0.5], [5.0]], 2, seed=0)
    >>> sorted(found.centers.ravel().tolist()), found.n_init
    ([0.25, 5.0], 20)
    """
    code = torch.as_tensor(np.asarray(z, dtype=np.float32))
    if code.ndim != 2 or not torch.isfinite(code).all():
        raise InputError(f"z must be two-dimensional and finite, got shape {tuple(code.shape)}.")
    return _kmeans(code.__getitem__, len(code), n_clusters, seed=seed, budget_seconds=budget_seconds)


def _kmeans(
    take: Callable[[torch.Tensor | slice], torch.Tensor], n: int, n_clusters: int, *, seed: int, budget_seconds: float
) -> Baseline:
    """Fit on as many rows as the budget allows, and assign all."""
    if not 1 <= n_clusters <= n:
        raise InputError(f"n_clusters must be from 1 to the number of rows, {n}, got {n_clusters}.")
    if not budget_seconds >= 0:
        raise InputError(f"budget_seconds must be 0 or more, got {budget_seconds}.")
    started = time.perf_counter()
    features = take(slice(0, 1)).numel()
    n_init, rows = _plan(n, features, n_clusters, budget_seconds=budget_seconds)
    fitted = np.empty((rows, features), dtype=np.float32)
    chosen = np.random.default_rng(seed).permutation(n)[:rows] if rows < n else np.arange(n)
    for block in _blocks(rows):
        fitted[block] = _flat(take(torch.from_numpy(np.sort(chosen)[block])))
    # scikit-learn documents n_init as an integer too, but its stub files know only "auto".
    model = KMeans(n_clusters, n_init=n_init, random_state=seed, copy_x=False)  # pyright: ignore[reportArgumentType]
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: the empty clusters show in the baseline's sizes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(fitted)
    labels = np.concatenate([model.predict(_flat(take(block))) for block in _blocks(n)])
    return Baseline(
        labels=labels.astype(np.int64),
        seconds=time.perf_counter() - started,
        rows_fitted=rows,
        n_init=n_init,
        centers=model.cluster_centers_,
    )


def _plan(n: int, features: int, n_clusters: int, *, budget_seconds: float) -> tuple[int, int]:
    """Return how many starts and how many rows fit into the budget by count."""
    seconds = n * features * n_clusters * _ITERATIONS / _MULTIPLY_ADDS_PER_SECOND  # of one start on all rows
    affordable = budget_seconds / seconds
    if affordable >= _FEWEST_INITS:
        return math.floor(min(affordable, _N_INIT)), n
    rows = math.floor(n * affordable / _FEWEST_INITS)
    return _FEWEST_INITS, min(n, max(rows, _FEWEST_ROWS, 10 * n_clusters))


def _blocks(n: int) -> Iterator[slice]:
    """Cut n rows into slices."""
    return (slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK))


def _flat(rows: torch.Tensor) -> np.ndarray:
    """Return rows as a float32 matrix."""
    return rows.reshape(len(rows), -1).numpy()
