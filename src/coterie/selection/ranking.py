"""Fitted candidates, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from coterie.components import are_weights, fit_components
from coterie.matching import share_alike
from coterie.selection.candidates import DEEP, Trial
from coterie.selection.judging import NEIGHBOURS, criterion, find_neighbours, judge_partition, ranked, rows_needed
from coterie.subsample import sample_source

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.data import Source
    from coterie.selection.judging import Judgement

JUDGED = 6_000  # rows that partitions are judged on
CODED = ("dec", "n2d")  # candidates with a code from before clustering
SETTLED = 0.98  # worth of one candidate: another could hardly do better
AGREED = 0.97  # of the rows, by the best and another after a network was tried: a further one would say the same
UNEVEN = 0.9  # of what is kept, worth of sizes so unlike that all who agree may have cut off the same crumbs
NEAR = 0.02  # worth less than the best: too little a difference to decide by itself
AGREED_BY_THREE = 0.99  # of the rows, by the best and two others, of which none need be a network
FEWEST = 2  # neighbours; no more than half of a cluster's rows, or all are everyone's
FEW_ROWS = 1_000  # below which a row's neighbours are too far away to tell much
MOST_SPREAD = 0.7  # of the rows' variance that few components must hold for a likelihood in them to be trusted


@dataclass(frozen=True, eq=False)
class Space:
    """Where partitions are judged: principal components, or a code, of some of the rows.

    Each partition is judged once, as candidates are compared anew whenever there is one more.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Numbers of the rows.
    z : ndarray of shape (m, d)
        Their components.
    near : int, default=15
        How many neighbours of each row are looked at.
    weights : sparse matrix of shape (m, D) or None, default=None
        The rows themselves, where they are like weights of words.

    Examples
    --------
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import make_space
    >>> make_space(make_source([[0.0], [0.1], [5.0], [5.1]]), n_clusters=2, seed=0).z.shape
    (4, 1)
    """

    rows: np.ndarray
    z: np.ndarray
    near: int = NEIGHBOURS
    weights: csr_matrix | None = field(default=None, repr=False)
    _judged: dict[int, tuple[np.ndarray, Judgement]] = field(default_factory=dict, repr=False)  # by the array's id
    _coded: dict[int, tuple[np.ndarray, Space]] = field(default_factory=dict, repr=False)

    @cached_property
    def neighbours(self) -> np.ndarray:
        """Numbers of the nearest of these rows to each, shape (m, near)."""
        return find_neighbours(self.z, self.near)

    def judge(self, labels: np.ndarray) -> Judgement:
        """Judge a partition of all rows, shape (n,), among which are all of its clusters."""
        if id(labels) not in self._judged:
            judgement = judge_partition(self.z, labels[self.rows], self.neighbours, weights=self.weights)
            self._judged[id(labels)] = (labels, replace(judgement, clusters=len(np.unique(labels))))
        return self._judged[id(labels)][1]

    def coded(self, code: np.ndarray) -> Space:
        """Return the same rows in a code of all rows, shape (n, d)."""
        if id(code) not in self._coded:
            self._coded[id(code)] = (code, Space(self.rows, code[self.rows], self.near))
        return self._coded[id(code)][1]


def make_space(source: Source, *, n_clusters: int, seed: int) -> Space:
    """Return the space that partitions of rows are judged in.

    Parameters
    ----------
    source : Source
        The rows.
    n_clusters : int
        K that was asked for.
    seed : int
        Seed of the sample.

    Returns
    -------
    Space
        Of 6,000 rows at most; of few rows in as many components as a cluster's shape can be told in.
    """
    rows, x = sample_source(source, JUDGED, seed)
    components = fit_components(x, seed)
    z = components.transform(x)
    if len(rows) < FEW_ROWS:
        z = z[:, : _affordable(len(rows) / n_clusters, np.cumsum(components.explained_variance_ratio_))]
    near = min(NEIGHBOURS, max(FEWEST, len(rows) // (2 * n_clusters)))
    return Space(rows, z, near, csr_matrix(x) if are_weights(x, kind=source.spec.kind) else None)


def rank_models(models: Mapping[str, Clusterer], space: Space, *, n_clusters: int) -> tuple[list[Trial], str]:
    """Judge candidates without labels.

    Of those that keep neighbours together about as well as the best does, the first is the one that the others of them
    agree with most: what several methods find is less likely to be one method's whim.

    Parameters
    ----------
    models : mapping of str to Clusterer
        Fitted, by name.
    space : Space
        Of the rows that they were fitted on.
    n_clusters : int
        K that was asked for.

    Returns
    -------
    trials : list of Trial
        The best first.
    criterion : {"neighbours", "likelihood", "columns"}
        What decided.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import make_space, rank_models
    >>> source = make_source([[0.0], [0.1], [5.0], [5.1]])
    >>> models = {f"{k}": KMeans(n_clusters=k, random_state=0).fit(source) for k in (1, 2)}
    >>> [trial.name for trial in rank_models(models, make_space(source, n_clusters=2, seed=0), n_clusters=2)[0]]
    ['2', '1']
    """
    judgements = [space.judge(model.labels_) for model in models.values()]
    by = criterion(judgements, n_clusters, n=len(space.rows), d=space.z.shape[1])
    judgements = [judged_in(models, space, by).judge(model.labels_) for model in models.values()]
    trials = [Trial(*each) for each in zip(models, models.values(), judgements, strict=True)]
    trials = [trials[i] for i in ranked(judgements, n_clusters, by=by)]
    return (_backed_first(trials, n_clusters) if by == "neighbours" else trials), by


def judge_beside(model: Clusterer, models: Mapping[str, Clusterer], space: Space, *, by: str) -> Judgement:
    """Judge a further system where fitted candidates were judged.

    Parameters
    ----------
    model : Clusterer
        Fitted to the same rows.
    models : mapping of str to Clusterer
        The candidates, by name.
    space : Space
        Of the rows.
    by : {"neighbours", "likelihood", "columns"}
        What decided among the candidates.

    Returns
    -------
    Judgement
        Of its partition.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import judge_beside, make_space
    >>> source = make_source([[0.0], [0.1], [5.0], [5.1]])
    >>> model = KMeans(n_clusters=2, random_state=0).fit(source)
    >>> judge_beside(model, {}, make_space(source, n_clusters=2, seed=0), by="neighbours").clusters
    2
    """
    return judged_in(models, space, by).judge(model.labels_)


def is_settled(models: Mapping[str, Clusterer], space: Space, *, n_clusters: int) -> bool:
    """Return whether a further candidate could hardly do better than the best so far.

    Parameters
    ----------
    models : mapping of str to Clusterer
        Candidates, fitted.
    space : Space
        Of their rows.
    n_clusters : int
        K that was asked for.

    Returns
    -------
    bool
        True if the best keeps neighbours together to 0.98, its sizes considered and rows being no texts, agrees with
        two others on 0.99 of the rows or, once a network was tried, with another on 0.97. False where sizes are so
        unlike that this takes a tenth of what it keeps: others may have cut off the same crumbs.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import is_settled, make_space
    >>> source = make_source([[0.1 * i + 9 * (i > 20)] for i in range(40)])
    >>> space = make_space(source, n_clusters=2, seed=0)
    >>> is_settled({"kmeans": KMeans(n_clusters=2, random_state=0).fit(source)}, space, n_clusters=2)
    True
    """
    (best, *others), by = rank_models(models, space, n_clusters=n_clusters)
    one = best.judgement
    if one.clusters < n_clusters or one.worth < UNEVEN * one.kept:
        return False
    if one.worth >= SETTLED and by != "columns":
        return True
    labels = best.model.labels_
    shared = sorted((share_alike(other.model.labels_, labels) for other in others), reverse=True)
    by_three = len(shared) > 1 and shared[1] >= AGREED_BY_THREE
    return by_three or (bool(set(models) & set(DEEP)) and max(shared, default=0.0) >= AGREED)


def judged_in(models: Mapping[str, Clusterer], space: Space, by: str) -> Space:
    """Return where partitions are judged: in a code from before clustering where there is one.

    Parameters
    ----------
    models : mapping of str to Clusterer
        Fitted candidates, by name.
    space : Space
        The rows' principal components.
    by : {"neighbours", "likelihood", "columns"}
        What decides; only neighbours are looked for in a code.

    Returns
    -------
    Space
        Of the same rows.
    """
    code = next((m.pretrained_code_ for name, m in models.items() if name in CODED), None)
    return space if code is None or by != "neighbours" else space.coded(code)


def _backed_first(trials: list[Trial], n_clusters: int) -> list[Trial]:
    """Put that one first which the others that are about as good agree with most; of two, neither is."""
    least = trials[0].judgement.worth - NEAR
    near = [trial for trial in trials if trial.judgement.worth >= least and trial.judgement.clusters >= n_clusters]
    found = [trial.model.labels_ for trial in near]
    shares = [[share_alike(other, labels) for other in found] for labels in found]
    # Agreement is the same both ways but for ties in the matching of clusters.
    first = near[int(np.argmax(np.sum(shares, axis=1)))] if len(near) > 2 else trials[0]
    return [first, *(trial for trial in trials if trial is not first)]


def _affordable(rows_of_cluster: float, held: np.ndarray) -> int:
    """Return how many components a covariance can be told in, if those hold most of the spread, else all."""
    d = np.arange(1, len(held) + 1)
    enough = np.flatnonzero(rows_of_cluster >= rows_needed(d))
    return int(enough[-1]) + 1 if len(enough) and held[enough[-1]] >= MOST_SPREAD else len(held)
