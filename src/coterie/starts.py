"""First partitions of a code, made without labels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from coterie.criteria import told_by_neighbours
from coterie.mixtures import fit_mixture, means_of, mixture_from
from coterie.subsample import sample_rows
from coterie.umap import FEWEST, NEIGHBOURS, umap

VOTES = 1 << 25  # numbers that are kept at once while rows follow their neighbours
SAMPLE = 10_000  # rows on which a mixture or a manifold is first fitted
LAYOUT = 100  # steps of a map's layout; twice as many find the same groups
MAPS = 3  # maps among which the best partition is looked for


@dataclass(frozen=True)
class Start:
    """A first partition.

    Parameters
    ----------
    centers : ndarray of shape (K, d)
        Mean code of each cluster, float32.
    labels : ndarray of shape (n,)
        Cluster of each row, int64.
    spread : float
        Root of the mean squared distance of a row to its centre, in the code's units; 1 if all rows are on it.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import Start
    >>> Start(centers=np.zeros((1, 2), np.float32), labels=np.zeros(3, np.int64), spread=1.0).centers.shape
    (1, 2)
    """

    centers: np.ndarray
    labels: np.ndarray
    spread: float


def make_start(kind: str, z: np.ndarray, n_clusters: int, *, seed: int, n_init: int = 20) -> Start:
    """Partition a code.

    Parameters
    ----------
    kind : {"kmeans", "mixture", "manifold"}
        "kmeans": Lloyd's algorithm. "mixture": Gaussians with full covariances. "manifold": a mixture on
        a UMAP map of a sample.
    z : ndarray of shape (n, d)
        The code.
    n_clusters : int
        K, 1 <= K <= n.
    seed : int
        Seed of the start; the global random state is left alone.
    n_init : int, default=20
        Beginnings of k-means or of the mixture, of which the best by inertia or likelihood is taken.

    Returns
    -------
    Start
        Exactly K centres; fewer distinct rows than K give repeated centres.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import make_start
    >>> start = make_start("kmeans", np.array([[0.0], [0.1], [5.0], [5.1]]), 2, seed=0)
    >>> np.sort(start.centers, axis=0)
    array([[0.05],
           [5.05]], dtype=float32)
    """
    z = np.ascontiguousarray(z, dtype=np.float64)
    if n_clusters == 1:
        return as_start(z, np.zeros(len(z), dtype=np.int64), 1)
    return as_start(z, STARTS[kind](z, n_clusters, seed=seed, n_init=n_init), n_clusters)


def kmeans(z: np.ndarray, n_clusters: int, *, seed: int, n_init: int) -> np.ndarray:
    """Return the labels of k-means, best of its beginnings by inertia.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    n_clusters : int
        K.
    seed, n_init : int
        Seed, and number of beginnings.

    Returns
    -------
    ndarray of shape (n,)
        Clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import kmeans
    >>> labels = kmeans(np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None], 2, seed=0, n_init=2)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters
        return KMeans(n_clusters, n_init=n_init, random_state=seed).fit_predict(z)


def mixture(z: np.ndarray, n_clusters: int, *, seed: int, n_init: int) -> np.ndarray:
    """Return the labels of a Gaussian mixture with full covariances, the likeliest of its beginnings on a sample.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    n_clusters : int
        K.
    seed, n_init : int
        Seed, and number of beginnings.

    Returns
    -------
    ndarray of shape (n,)
        Clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import mixture
    >>> labels = mixture(np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None], 2, seed=0, n_init=2)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """
    sample = z[sample_rows(len(z), 2 * SAMPLE, seed)]
    first = fit_mixture(sample, n_clusters, seed=seed, n_init=n_init)
    return mixture_from(z, first.predict(z), n_clusters).predict(z)


def manifold(z: np.ndarray, n_clusters: int, *, seed: int, n_init: int) -> np.ndarray:
    """Return the labels of a mixture on a UMAP map of a sample; other rows follow their neighbours in the code.

    The map pulls apart what is dense and connected, which a mixture of the code itself often merges or splits. Maps
    differ with the sample and by chance, and so do the partitions found on them: of several the one is taken in which a
    row's cluster tells most about the clusters of its neighbours in the code (mutual information). Unlike the share of
    neighbours in one cluster, this does not favour large clusters.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    n_clusters : int
        K.
    seed : int
        Seed.
    n_init : int
        Beginnings of the mixture, shared by up to three maps; of a map's beginnings the likeliest is taken.

    Returns
    -------
    ndarray of shape (n,)
        Clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import manifold
    >>> z = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0.0, 0.0], [9.0, 9.0]], 100, axis=0)
    >>> labels = manifold(z, 2, seed=0, n_init=2)
    >>> len(set(labels[:100])), len(set(labels[100:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """
    maps = min(n_init, MAPS)
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(maps)]
    drawn = [_on_a_map(z, n_clusters, seed=s, n_init=math.ceil(n_init / maps)) for s in seeds]
    best = 0
    if maps > 1:
        judged = sample_rows(len(z), SAMPLE, seed)
        best = best_told(z[judged], [_follow(z, one, judged) for one in drawn])
    return _follow(z, drawn[best], np.arange(len(z)))


def best_told(z: np.ndarray, found: list[np.ndarray]) -> int:
    """Return which partition a row's neighbours tell most about, by mutual information; no label is needed.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Codes; n * n distances are formed.
    found : list of ndarray of shape (n,)
        Partitions of them.

    Returns
    -------
    int
        Place in the list.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import best_told
    >>> z = np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> best_told(z, [np.arange(40) % 2, np.arange(40) // 20])
    1
    """
    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(z) - 1), algorithm="brute")
    neighbours = nearest.fit(z).kneighbors()[1]
    return int(np.argmax([told_by_neighbours(labels, neighbours) for labels in found]))


def _on_a_map(z: np.ndarray, n_clusters: int, *, seed: int, n_init: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the mapped rows and their clusters."""
    rows = sample_rows(len(z), SAMPLE, seed)
    if len(np.unique(z[rows].astype(np.float32), axis=0)) < FEWEST:  # a handful of places has no manifold
        return np.arange(len(z)), kmeans(z, n_clusters, seed=seed, n_init=n_init)
    flat = umap(z[rows], seed=seed, n_components=10, min_dist=0.0, max_iter=LAYOUT)
    return rows, fit_mixture(flat, n_clusters, seed=seed, n_init=n_init).predict(flat)


def _follow(z: np.ndarray, known: tuple[np.ndarray, np.ndarray], asked: np.ndarray) -> np.ndarray:
    """Return clusters of the rows asked for: their own, or those of most of their neighbours that have one."""
    rows, labels = known
    if len(rows) == len(z):
        return labels[asked]
    nearest = KNeighborsClassifier(10, algorithm="brute").fit(z[rows], labels)
    block = max(1, VOTES // (int(labels.max()) + 1))  # it keeps a number for each row and cluster
    return np.concatenate([nearest.predict(z[asked[i : i + block]]) for i in range(0, len(asked), block)])


STARTS: dict[str, Callable[..., np.ndarray]] = {"kmeans": kmeans, "mixture": mixture, "manifold": manifold}


def as_start(z: np.ndarray, labels: np.ndarray, n_clusters: int, *, former: np.ndarray | None = None) -> Start:
    """Return a partition with its centres and spread.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code.
    labels : ndarray of shape (n,)
        Cluster of each row, in [0, K).
    n_clusters : int
        K.
    former : ndarray of shape (K, d) or None, default=None
        Centres that there were before.

    Returns
    -------
    Start
        The centre of an empty cluster is its former one, or the mean of all rows if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.starts import as_start
    >>> as_start(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]), 2).centers.tolist()
    [[1.0], [5.0]]
    """
    centers = means_of(z, labels, n_clusters)
    if former is not None:
        empty = np.bincount(labels, minlength=n_clusters) == 0
        centers[empty] = former[empty]
    spread = float(np.sqrt(((z - centers[labels]) ** 2).sum(1).mean()))
    return Start(centers.astype(np.float32), labels.astype(np.int64), spread if spread > 0 else 1.0)
