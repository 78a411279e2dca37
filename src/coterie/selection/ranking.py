"""Fitted candidates, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from coterie.components import fit_components, sampled
from coterie.selection.candidates import Trial
from coterie.selection.judging import criterion, judge_partitions, ranked

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.data import Source

JUDGED = 6_000  # rows that partitions are judged on
CODED = ("dec", "n2d")  # candidates with a code from before clustering
SETTLED = 0.98  # kept by a simple method: a network could hardly do better


def rank_models(
    models: Mapping[str, Clusterer], source: Source, *, n_clusters: int, seed: int
) -> tuple[list[Trial], str]:
    """Judge candidates without labels.

    Parameters
    ----------
    models : mapping of str to Clusterer
        Fitted, by name.
    source : Source
        The rows that they were fitted on.
    n_clusters : int
        K that was asked for.
    seed : int
        Seed of the sample.

    Returns
    -------
    trials : list of Trial
        The best first.
    criterion : {"neighbours", "likelihood"}
        What decided.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import rank_models
    >>> source = make_source([[0.0], [0.1], [5.0], [5.1]])
    >>> models = {f"{k}": KMeans(n_clusters=k, random_state=0).fit(source) for k in (1, 2)}
    >>> [trial.name for trial in rank_models(models, source, n_clusters=2, seed=0)[0]]
    ['2', '1']
    """
    rows, x = sampled(source, JUDGED, seed)
    z = fit_components(x, seed).transform(x)
    found = [model.labels_[rows] for model in models.values()]
    judgements = judge_partitions(z, found)
    by = criterion(judgements, n_clusters, n=len(rows), d=z.shape[1])
    coded = next((m.pretrained_code_ for name, m in models.items() if name in CODED), None)
    if coded is not None and by == "neighbours":
        judgements = judge_partitions(coded[rows], found)
    trials = [Trial(*each) for each in zip(models, models.values(), judgements, strict=True)]
    return [trials[i] for i in ranked(judgements, n_clusters, by=by)], by


def is_settled(models: Mapping[str, Clusterer], source: Source, *, n_clusters: int, seed: int) -> bool:
    """Return whether a simple method keeps neighbours together so well that no network could do much better.

    Parameters
    ----------
    models : mapping of str to Clusterer
        Simple methods, fitted.
    source : Source
        The rows.
    n_clusters : int
        K that was asked for.
    seed : int
        Seed of the sample.

    Returns
    -------
    bool
        True from 0.98 on.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data import make_source
    >>> from coterie.selection.ranking import is_settled
    >>> source = make_source([[0.1 * i + 9 * (i > 20)] for i in range(40)])
    >>> is_settled({"kmeans": KMeans(n_clusters=2, random_state=0).fit(source)}, source, n_clusters=2, seed=0)
    True
    """
    best = rank_models(models, source, n_clusters=n_clusters, seed=seed)[0][0].judgement
    return best.clusters >= n_clusters and best.kept >= SETTLED
