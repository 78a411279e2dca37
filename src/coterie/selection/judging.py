"""Which of several partitions of the same rows is best, judged in a space that none of them made for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import entr
from sklearn.neighbors import NearestNeighbors

from coterie.criteria import log_likelihood, mean_cut, told_by_columns, told_by_neighbours

NEIGHBOURS = 15
APART = 0.01  # mean cut below which groups lie apart, and neighbours settle the question
EVENNESS = 0.25  # power by which uneven sizes count against a partition
EVENNESS_OF_TEXTS = 0.5  # the same for texts, where a crumb for each of a few words is told most surely
ROWS_A_NUMBER = 10  # rows of a cluster for each number of its mean and covariance, for likelihoods to be trusted


@dataclass(frozen=True)
class Judgement:
    """What speaks for a partition.

    Parameters
    ----------
    cut : float
        Mean over clusters of the share of neighbours in another cluster; lower is better.
    told : float
        Share of the information about a row's cluster that its neighbours' clusters tell, in [0, 1].
    likelihood : float
        Mean log density of the rows under a normal distribution a cluster, in nats.
    clusters : int
        Clusters that rows are in.
    evenness : float, default=1.0
        Entropy of the sizes over that of equal ones, in [0, 1].
    columns : float or None, default=None
        Share of the information about a row's cluster that its columns tell, in [0, 1]; None where rows are not like
        weights of words.

    Examples
    --------
    >>> from coterie.selection import Judgement
    >>> round(Judgement(cut=0.1, told=0.5, likelihood=-1.0, clusters=3).kept, 2)
    0.45
    """

    cut: float
    told: float
    likelihood: float
    clusters: int
    evenness: float = 1.0
    columns: float | None = None

    @property
    def kept(self) -> float:
        """What is told, times what is not cut: how well neighbours are kept together, in [0, 1]."""
        return self.told * (1 - self.cut)

    @property
    def worth(self) -> float:
        """What is kept, times a root of the evenness, in [0, 1].

        Crumbs cut off from one large cluster keep nearly all neighbours together and tell little. The root is a fourth
        one, so that groups that truly are of unlike sizes are worth more than a split of the largest.
        """
        return self.kept * self.evenness**EVENNESS

    def value(self, by: str) -> float:
        """Return what ranks it by a criterion: "neighbours", "likelihood" or "columns"."""
        if by == "columns" and self.columns is not None:
            return self.columns * self.evenness**EVENNESS_OF_TEXTS
        return self.likelihood if by == "likelihood" else self.worth


def judge_partitions(z: np.ndarray, partitions: Sequence[np.ndarray]) -> list[Judgement]:
    """Judge partitions of the same rows; no label is needed.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The rows, such as their principal components: no system's own code, since training draws the rows of a cluster
        together whether they belong there or not. Time grows with n * n.
    partitions : sequence of ndarray of shape (n,)
        Clusters, integers.

    Returns
    -------
    list of Judgement
        One for each.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.selection import judge_partitions
    >>> z = np.repeat([[0.0], [5.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    >>> [round(one.kept, 2) for one in judge_partitions(z, [np.arange(40) // 20, np.arange(40) % 2])]
    [1.0, 0.0]
    """
    z = np.asarray(z, dtype=np.float64)
    neighbours = find_neighbours(z - z.mean(0))  # nearest rows are found from products, which lose far ones
    return [judge_partition(z, labels, neighbours) for labels in partitions]


def find_neighbours(z: np.ndarray, near: int = NEIGHBOURS) -> np.ndarray:
    """Return the ``near`` nearest other rows of each row, shape (n, near) or, of fewer rows than that, (n, n - 1)."""
    near = min(near, len(z) - 1)
    if not near:
        return np.zeros((len(z), 0), dtype=np.int64)
    return NearestNeighbors(n_neighbors=near, algorithm="brute").fit(z).kneighbors()[1]


def judge_partition(
    z: np.ndarray, labels: np.ndarray, neighbours: np.ndarray, *, weights: csr_matrix | None = None
) -> Judgement:
    """Judge one partition, with the neighbours that :func:`find_neighbours` returned of the same rows.

    Rows that are like weights of words are given as such too, a sparse matrix of shape (n, D).
    """
    _, y, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    cut, told, columns = mean_cut(y, neighbours), _told(y, neighbours), None
    if weights is not None:
        columns = told_by_columns(weights, y, seed=0)  # the same halves for all partitions
    return Judgement(cut, told, log_likelihood(z, y), len(sizes), _evenness(sizes), columns)


def criterion(judgements: Sequence[Judgement], n_clusters: int, *, n: int, d: int) -> str:
    """Return by what partitions should be ranked.

    Of weights of words it is what they tell of clusters: in few components, which hold little of such rows, neighbours
    are often such by one word that both have. Else, where groups lie apart for some partition, so that it cuts hardly
    any neighbours from each other, or rows are too few for their dimensions, it is how well neighbours are kept
    together. Else groups touch: then there is a border to be placed, which a likelihood does better.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of :func:`judge_partitions` on the rows.
    n_clusters : int
        K that was asked for.
    n, d : int
        Rows and dimensions that were judged on.

    Returns
    -------
    {"neighbours", "likelihood", "columns"}
        The criterion.

    Examples
    --------
    >>> from coterie.selection import Judgement
    >>> from coterie.selection.judging import criterion
    >>> touching = [Judgement(cut=0.1, told=0.6, likelihood=-1.0, clusters=2)]
    >>> criterion(touching, 2, n=1000, d=2), criterion(touching, 2, n=50, d=9)
    ('likelihood', 'neighbours')
    """
    if any(one.columns is not None for one in judgements):
        return "columns"
    whole = [one.cut for one in judgements if one.clusters >= n_clusters] or [0.0]
    enough = n / n_clusters >= rows_needed(d)
    return "likelihood" if enough and min(whole) > APART else "neighbours"


def rows_needed(d: Any) -> Any:
    """Return how many rows of a cluster tell its mean and covariance.

    Parameters
    ----------
    d : int or ndarray
        Dimensions.

    Returns
    -------
    float or ndarray
        Ten for each number of them.

    Examples
    --------
    >>> from coterie.selection.judging import rows_needed
    >>> rows_needed(2)
    50.0
    """
    return ROWS_A_NUMBER * d * (d + 3) / 2


def ranked(judgements: Sequence[Judgement], n_clusters: int, *, by: str) -> list[int]:
    """Rank partitions, the best first; the more clusters are missing to those asked for, the later one comes.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of :func:`judge_partitions`.
    n_clusters : int
        K that was asked for.
    by : {"neighbours", "likelihood", "columns"}
        The criterion.

    Returns
    -------
    list of int
        Places in the sequence.

    Examples
    --------
    >>> from coterie.selection import Judgement, ranked
    >>> few = Judgement(cut=0.0, told=1.0, likelihood=0.0, clusters=1)
    >>> ranked([few, Judgement(cut=0.2, told=0.5, likelihood=-1.0, clusters=2)], 2, by="neighbours")
    [1, 0]
    """
    worth = [one.value(by) for one in judgements]
    missing = [max(n_clusters - one.clusters, 0) for one in judgements]
    return sorted(range(len(judgements)), key=lambda i: (missing[i], -worth[i]))


def _evenness(sizes: np.ndarray) -> float:
    return float(entr(sizes / sizes.sum()).sum() / np.log(len(sizes))) if len(sizes) > 1 else 1.0


def _told(labels: np.ndarray, neighbours: np.ndarray) -> float:
    entropy = float(entr(np.bincount(labels) / len(labels)).sum())
    return told_by_neighbours(labels, neighbours) / entropy if entropy > 0 else 0.0
