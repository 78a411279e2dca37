"""Whether clusters that one half of the rows shows are found again in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from coterie.mixtures import fit_mixture
from coterie.umap import FEWEST, umap

ROWS = 5_000  # of a half, at most
HALVINGS = 2
NEIGHBOURS = 10  # of the other half, that vote
BEGINNINGS = 3  # of a mixture
MAP_SIZE, MIN_DIST, LAYOUT = 5, 0.1, 150  # of the maps


def replication(z: np.ndarray, numbers: Iterable[int], *, seed: int) -> dict[int, float]:
    r"""Return for each number of clusters how well those of one half of the rows are found again in the other.

    Both halves are partitioned by themselves on a UMAP map, in two ways: by Ward's agglomeration, whose partitions into
    all numbers are cuts of one tree, and by a mixture, which follows unlike widths but may join two groups and halve a
    third. What either finds again is there, so that the better counts. Rows of the second half get the clusters of the
    first from their neighbours there. What is returned is the mean of two figures: the adjusted Rand index of the
    partition and the prediction, which speaks of all rows; and the prediction strength [1]_, which speaks of the
    weakest cluster,

    .. math::
        \min_{1 \le k \le K} \frac{1}{n_k (n_k - 1)} \sum_{i \ne i' \in A_k} [\hat y_i = \hat y_{i'}],

    with :math:`A_k` the clusters of the second half and :math:`\hat y` the predictions. A group that is torn at a place
    of chance is torn elsewhere in the other half.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code, finite.
    numbers : iterable of int
        Numbers of clusters, each >= 2.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    dict of int to float
        At most 1, the mean of two halvings; 0 for more clusters than a half can show. Empty if the rows are too few
        for maps.

    References
    ----------
    .. [1] R. Tibshirani, G. Walther. Cluster validation by prediction strength. Journal of Computational and Graphical
       Statistics 14, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import replication
    >>> z = np.random.default_rng(0).normal(size=(600, 2)) + np.repeat([[0, 0], [30, 0], [0, 30]], 200, axis=0)
    >>> found = replication(z, [2, 3, 4], seed=0)
    >>> max(found, key=found.get)
    3
    """
    numbers = list(numbers)
    halvings = halve(z, numbers, seed=seed)
    return best_of_ways(replicated(halvings), numbers) if halvings else {}


@dataclass(frozen=True)
class Halving:
    """Two halves of the rows, each divided by itself into several numbers of clusters, in several ways.

    Parameters
    ----------
    rows : pair of ndarray of shape (m,)
        Which rows they are.
    halves : pair of ndarray of shape (m, d)
        These rows, float64.
    found : dict of (int, int) to triple of ndarray of shape (m,)
        For a number of clusters and a way: the clusters of the first half, those of the second, and those of the first
        for the rows of the second, as their neighbours there tell.
    """

    rows: tuple[np.ndarray, np.ndarray]
    halves: tuple[np.ndarray, np.ndarray]
    found: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def halve(z: np.ndarray, numbers: Sequence[int], *, seed: int, unmapped: bool = False) -> list[Halving]:
    """Divide halves of the rows, each by itself, and predict the clusters of one from those of the other.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code, finite.
    numbers : sequence of int
        Numbers of clusters, each >= 2.
    seed : int
        Seed; the global random state is left alone.
    unmapped : bool, default=False
        Whether to divide the rows as they are too, by agglomeration: on a map, groups that no neighbours join lie where
        chance put them, and so do those that are put together.

    Returns
    -------
    list of Halving
        Two; none if the rows are too few for maps.
    """
    rng, halvings = np.random.default_rng(seed), []
    for _ in range(HALVINGS):
        order = rng.permutation(len(z))
        size = min(len(z) // 2, ROWS)
        rows = order[:size], order[size : 2 * size]
        first, second = (np.asarray(z[half], dtype=np.float64) for half in rows)
        if min(len(np.unique(half.astype(np.float32), axis=0)) for half in (first, second)) < FEWEST:
            return []
        seeds = rng.integers(2**31, size=2).tolist()
        maps = [_map(half, s) for half, s in zip((first, second), seeds, strict=True)]
        voters = NearestNeighbors(n_neighbors=min(NEIGHBOURS, size)).fit(first).kneighbors(second)[1]
        possible, found = [k for k in numbers if k < size], {}
        ways = [(way, maps) for way in _WAYS] + ([(_agglomerated, [first, second])] if unmapped else [])
        for i, (way, shown) in enumerate(ways):
            divided = (way(half, possible, s) for half, s in zip(shown, seeds, strict=True))
            for k, a, b in zip(possible, *divided, strict=True):
                votes = np.stack([(a[voters] == j).sum(1) for j in range(k)], axis=1).argmax(1)
                found[k, i] = a, b, votes
        halvings.append(Halving(rows, (first, second), found))
    return halvings


def replicated(halvings: Sequence[Halving]) -> dict[tuple[int, int], float]:
    """Return how well clusters, by their number and the way, are found again in the other half."""
    figures = {}
    for k, way in halvings[0].found:
        found = [halving.found[k, way][1:] for halving in halvings]
        each = [(weakest(b, votes, k) + adjusted_rand_score(b, votes)) / 2 for b, votes in found]
        figures[k, way] = sum(each) / len(each)
    return figures


def best_of_ways(figures: dict[tuple[int, int], float], numbers: Iterable[int]) -> dict[int, float]:
    """Return the best of the ways for each number of clusters; 0 for more than a half can show."""
    return {k: max((value for key, value in figures.items() if key[0] == k), default=0.0) for k in numbers}


def divisions(z: np.ndarray, *, seed: int) -> Callable[[int], np.ndarray]:
    """Return a function from a number of clusters to a partition of rows into as many, by the agglomeration.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        As many rows as a half may have, finite.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    callable
        From K to an ndarray of shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria.replication import divisions
    >>> z = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0, 0], [30, 0]], 100, axis=0)
    >>> np.bincount(divisions(z, seed=0)(2)).tolist()
    [100, 100]
    """
    tree = linkage(_map(np.asarray(z, dtype=np.float64), seed), "ward")
    return lambda k: cut_tree(tree, k)[:, 0]


def weakest(clusters: np.ndarray, predicted: np.ndarray, n_clusters: int) -> float:
    """Return the least share, over clusters, of pairs of its rows that are predicted to be together.

    Parameters
    ----------
    clusters, predicted : ndarray of shape (n,)
        Two partitions of the same rows.
    n_clusters : int
        K; a cluster that is empty or of one row has share 0.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria.replication import weakest
    >>> weakest(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0]), 2)
    0.3333333333333333
    """
    table = np.zeros((n_clusters, int(predicted.max()) + 1))
    np.add.at(table, (clusters, predicted), 1)
    n = table.sum(1)
    pairs = n * (n - 1)
    together = (table * (table - 1)).sum(1)
    return float(np.divide(together, pairs, out=np.zeros(n_clusters), where=pairs > 0).min())


def _agglomerated(half: np.ndarray, numbers: Sequence[int], _seed: int) -> Sequence[np.ndarray]:
    """Return the partition of rows, on a map or as they are, into each number of clusters."""
    return list(cut_tree(linkage(half, "ward"), numbers).T)


def _mixed(flat: np.ndarray, numbers: Sequence[int], seed: int) -> Sequence[np.ndarray]:
    """Return the partition of rows into each number of clusters by a mixture."""
    return [fit_mixture(flat, k, seed=seed, n_init=BEGINNINGS).predict(flat) for k in numbers]


_WAYS = (_agglomerated, _mixed)


def _map(half: np.ndarray, seed: int) -> np.ndarray:
    size = min(MAP_SIZE, half.shape[1])
    return umap(half, seed=seed, n_components=size, min_dist=MIN_DIST, max_iter=LAYOUT)
