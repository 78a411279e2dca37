"""Groups within groups: what two halves of the rows show alike, with a valley between any two neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import diptest
import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from coterie.criteria.replication import Halving, best_of_ways, halve, replicated

SHOWN = 0.85  # replication that a division needs
VALLEY = 0.05  # dip that any two neighbours of it need, a share of their rows; within a digit .03 is usual
NUMBERS_WITHIN = range(2, 6)  # of groups that are looked for within a group; these may have groups within in turn
SEEN = 1_000  # rows of each of two neighbours in a half, at most
LEAST = 50  # and at least: of fewer, uniform rows have as deep a dip by chance
FEWEST = 4 * LEAST  # rows that are divided


@dataclass(frozen=True)
class Nested:
    """Groups, and those within them.

    Parameters
    ----------
    within : tuple of int
        How many groups there are within each of the first division; (1,) where there is none.
    replication : dict of int to float
        How well each number of clusters that was tried first is found again in another half, by one way more than
        :func:`coterie.criteria.replication` has; empty if the rows were too few.

    Examples
    --------
    >>> from coterie.criteria import Nested
    >>> Nested((3, 1, 3), {2: 0.6, 3: 0.95}).n
    7
    """

    within: tuple[int, ...]
    replication: dict[int, float]

    @property
    def n(self) -> int:
        """Number of groups in all, >= 1."""
        return sum(self.within)


def nested_groups(z: np.ndarray, numbers: Iterable[int], *, seed: int) -> Nested:
    """Divide the rows wherever two halves of them show the same groups, and each group again likewise.

    The division is that which is best found again in the other half (:func:`coterie.criteria.replication`) of those
    that have a valley between any two neighbouring clusters: along the direction that best tells one half's clusters
    apart, Hartigans' dip of the other half's rows is deep. Groups that are alike in pairs are so found one level after
    another; a group of which no division has a valley is whole, however often it is halved alike.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code, finite.
    numbers : iterable of int
        Numbers of clusters that are tried first, each >= 2; within a group, 2 to 5 are.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    Nested
        One group where the rows hang together or are too few.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import nested_groups
    >>> far_and_near = np.array([[0, 0], [0, 8], [60, 0], [60, 8]])
    >>> z = np.random.default_rng(0).normal(size=(600, 2)) + np.repeat(far_and_near, 150, axis=0)
    >>> nested_groups(z, [2], seed=0).n
    4
    """
    numbers = list(numbers)
    halvings = halve(z, numbers, seed=seed, unmapped=True) if len(z) >= FEWEST else []
    if not halvings:
        return Nested((1,), {})
    figures = replicated(halvings)
    groups = divided(halvings, figures, seed=seed)
    within = tuple(nested_groups(z[rows], NUMBERS_WITHIN, seed=seed).n for rows in groups)
    return Nested(within or (1,), best_of_ways(figures, numbers))


def divided(halvings: Sequence[Halving], figures: dict[tuple[int, int], float], *, seed: int) -> list[np.ndarray]:
    """Return the rows of each group of the division that is found again best, of those with valleys; none if none is.

    Parameters
    ----------
    halvings : sequence of Halving
        Of the same rows.
    figures : dict of (int, int) to float
        How well their clusters, by their number and the way, are found again.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    list of ndarray
        Row numbers, as the first halving divides them.
    """
    for key in sorted(figures, key=lambda key: (-figures[key], -key[0])):
        if figures[key] < SHOWN:
            break
        valleys = [valley(halving, key, seed=seed) for halving in halvings]
        if min(valleys) > 0 and np.mean(valleys) >= VALLEY:  # 0 is a cluster that a halving lacks
            return _groups(halvings[0], key)
    return []


def valley(halving: Halving, key: tuple[int, int], *, seed: int) -> float:
    """Return the least dip between neighbouring clusters of a division, in the half that it was not learned on.

    Clusters there are those that rows of the first half vote for.

    Parameters
    ----------
    halving : Halving
        Two halves of the rows.
    key : (int, int)
        Number of clusters and way of the division.
    seed : int
        Seed; the global random state is left alone.

    Returns
    -------
    float
        Hartigans' dip, in [0, 1/4]; 0 where a cluster has fewer than fifty rows in either half. Neighbours are those
        whose centres a minimum spanning tree joins; of two, as many rows are seen.
    """
    (first, second), (a, _, votes), k = halving.halves, halving.found[key], key[0]
    if min(np.bincount(labels, minlength=k).min() for labels in (a, votes)) < LEAST:
        return 0.0
    rng = np.random.default_rng(seed)
    centers = np.stack([first[a == j].mean(0) for j in range(k)])
    dips = []
    between = squareform(pdist(centers) + np.finfo(float).tiny)  # 0 would be no edge
    for i, j in zip(*minimum_spanning_tree(between).nonzero(), strict=True):
        of_two = (a == i) | (a == j)
        told = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(first[of_two], a[of_two] == i)
        rows = _as_many(np.flatnonzero(votes == i), np.flatnonzero(votes == j), rng)
        dips.append(diptest.dipstat(second[rows] @ told.coef_[0]))
    return float(min(dips))


def _as_many(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return as many of both: a few rows beside many would be a tail."""
    each = min(len(a), len(b), SEEN)
    return np.concatenate([rng.permutation(a)[:each], rng.permutation(b)[:each]])


def _groups(halving: Halving, key: tuple[int, int]) -> list[np.ndarray]:
    """Return the rows of each cluster, in both halves."""
    a, _, votes = halving.found[key]
    first, second = halving.rows
    return [np.concatenate([first[a == k], second[votes == k]]) for k in range(key[0])]
