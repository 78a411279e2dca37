"""Which of several partitions of images a network learns best: groups that are there can be told in new rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from coterie.algorithms import SelfLabel
from coterie.data import Source
from coterie.matching import share_alike
from coterie.selection.backing import ALIKE
from coterie.selection.candidates import DEEP

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.selection.candidates import Trial
    from coterie.selection.trying import Trying

HALF = "half-{}"  # folder of what learned a candidate's clusters on half of the rows
CLEARLY = 0.01  # by which another must be learned better than the best so far to come before it


def best_learned(trying: Trying, trials: Sequence[Trial]) -> list[Trial]:
    """Put that network of images first whose clusters another network clearly learns best, where networks differ.

    The best and each network that agrees with it on fewer than nineteen rows of twenty are compared: a further network
    learns the clusters of half of the rows (:class:`coterie.SelfLabel`) and predicts those of the other half. A style
    that was cut off from its kind is told less surely than a kind, and all are judged by a network that none has made.

    Parameters
    ----------
    trying : Trying
        The candidates.
    trials : sequence of Trial
        As they were ranked, the best first.

    Returns
    -------
    list of Trial
        In the same order but for the first, with ``learned`` where it was found out. As they were where clusters are
        missing, the rows are no images, something is known of them, or the time is up.
    """
    best, *others = trials
    networks = [one for one in others if one.name in DEEP and _is_whole(one, trying)]
    rivals = [one for one in networks if share_alike(one.model.labels_, best.model.labels_) < ALIKE]
    images = trying.source.spec.kind == "images" and len(trying.source) >= 2 * trying.n_clusters
    if not rivals or not _is_whole(best, trying) or not images or trying.knowledge:
        return list(trials)
    learned: dict[str, float] = {}
    for left, one in zip(range(len(rivals), -1, -1), (best, *rivals), strict=True):
        began = time.monotonic()
        found = _learned(trying, one)
        now = time.monotonic()
        if found is None or now + left * (now - began) + best.model.fit_seconds_ * bool(left) > trying.until:
            return list(trials)  # what time there is goes to a second run
        learned[one.name] = found
    told = [replace(one, learned=learned.get(one.name)) for one in trials]
    first = max(told, key=lambda one: learned.get(one.name, 0.0))
    if learned[first.name] <= learned[best.name] + CLEARLY:
        return told
    return [first, *(one for one in told if one is not first)]


def _learned(trying: Trying, trial: Trial) -> float | None:
    """Return the normalised mutual information of clusters and what was predicted of them; None if time ran out."""
    source, seed = trying.source, trying.notes.seed
    order = np.random.default_rng(seed).permutation(len(source))
    seen, new = (np.sort(part) for part in np.array_split(order, 2))
    y, name = trial.model.labels_, HALF.format(trial.name)

    def fitted() -> Clusterer:
        part = Source(source.raw(seen), source.spec)
        return SelfLabel(trying.n_clusters, random_state=seed).fit_to(part, [y[seen]])

    model = trying.fit_or_load_optional(name, fitted)
    if model is None:
        return None
    return float(normalized_mutual_info_score(y[new], model.predict(Source(source.raw(new), source.spec))))


def _is_whole(trial: Trial, trying: Trying) -> bool:
    return trial.judgement.clusters == trying.n_clusters
