"""What stands behind the best candidate: a second run, and a network that learned what both agree on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.base import clone

from coterie.algorithms import SelfLabel
from coterie.algorithms.knowing import fit_arguments
from coterie.data import Source
from coterie.deadlines import OutOfTimeError
from coterie.matching import align, share_alike
from coterie.selection.candidates import DEEP, SIMPLE, TAUGHT
from coterie.selection.labelled import agreement_with

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.selection.candidates import Trial
    from coterie.selection.trying import Trying

AGAIN = ", again"  # ends the name of a second fit
ALIKE = 0.95  # of the rows on which another network must agree with the best to be heard


class Second(NamedTuple):
    """What says how sure the best candidate is.

    Parameters
    ----------
    name : str
        Another candidate, or "..., again" for a second fit of the best.
    labels : ndarray of shape (n,)
        Its clusters, in the numbers of the best where they have a counterpart there.
    seconds : float, default=0.0
        What it took where it was fitted for this; 0 of a candidate.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.selection.backing import Second
    >>> Second("jule", np.array([0, 1])).seconds
    0.0
    """

    name: str
    labels: np.ndarray
    seconds: float = 0.0

    @property
    def is_refit(self) -> bool:
        """Whether it is a second fit of the best, no other candidate."""
        return self.name.endswith(AGAIN)


def second_run(trying: Trying, trials: Sequence[Trial]) -> Second | None:
    """Return another network that agrees with the best, or else a second fit of the best.

    Parameters
    ----------
    trying : Trying
        The candidates.
    trials : sequence of Trial
        As they were ranked, the best first.

    Returns
    -------
    Second or None
        A second fit of a network has another seed; any other method, whose fits hardly differ, sees only half of the
        rows. None if it failed, the time does not suffice for one, or the rows do not suffice for half of them.
    """
    first, near = trials[0], alike(trials)
    if near:
        return Second(near[0].name, align(near[0].model.labels_, first.model.labels_))
    name = f"second-{first.name}"
    if trying.kept_folder(name) is None and time.monotonic() + first.model.fit_seconds_ > trying.until:
        return None
    source, seed = trying.source, trying.notes.seed
    part, n = source, len(source)
    if first.name in SIMPLE:
        if n < 2 * trying.n_clusters:
            return None
        rows = np.sort(np.random.default_rng(seed).permutation(n)[: (n + 1) // 2])
        part = Source(source.raw(rows), source.spec)

    def fitted() -> Clusterer:
        model = clone(first.model).set_params(random_state=(seed + 1) % 2**32)
        return model.fit(part, **fit_arguments(model, trying.knowledge))

    model = trying.fit_or_load_optional(name, fitted)
    if model is None:
        return None
    try:
        with trying.limits(name, trying.until):
            labels = model.predict(source)
    except OutOfTimeError:
        return None
    return Second(first.name + AGAIN, align(labels, first.model.labels_), model.fit_seconds_)


def pupil(trying: Trying, trials: Sequence[Trial], second: Second | None, *, by: str) -> Trial | None:
    """Let a further network of images learn what the best, a network too, and others agree on.

    Parameters
    ----------
    trying : Trying
        The candidates.
    trials : sequence of Trial
        As they were ranked, the best first.
    second : Second or None
        What says how sure the best is.
    by : {"neighbours", "likelihood", "columns"}
        What decided among the candidates.

    Returns
    -------
    Trial or None
        Taught by the best and all networks that agree with it or, where there are none, its second fit. None where
        there is neither, it failed, the time is up, it lost a cluster, or it keeps less of what is known than the best.
    """
    best, near = trials[0], alike(trials)
    found = [trial.model.labels_ for trial in near] or ([] if second is None else [second.labels])
    is_whole = best.name in DEEP and best.judgement.clusters == trying.n_clusters
    if not found or not is_whole or trying.source.spec.kind != "images":
        return None

    def fitted() -> Clusterer:
        knowledge = trying.knowledge
        known = knowledge.labels if knowledge.n_known else None
        learner = SelfLabel(trying.n_clusters, random_state=trying.notes.seed)
        learner.fit_to(trying.source, [best.model.labels_, *found], known=known)
        learner.n_known_, learner.n_pairs_ = knowledge.n_known, knowledge.n_pairs
        others = sum(trial.model.fit_seconds_ for trial in near) if near or second is None else second.seconds
        learner.fit_seconds_ += best.model.fit_seconds_ + others
        return learner

    model = trying.fit_or_load(TAUGHT, fitted)
    if model is None:
        return None
    if len(np.unique(model.labels_)) < trying.n_clusters:
        trying.notes.left_out[TAUGHT] = "failed: it lost a cluster"
        return None
    if (agreement_with(model, trying.knowledge) or 0.0) < (best.agreement or 0.0):
        trying.notes.left_out[TAUGHT] = "keeps less of what is known"
        return None
    return trying.judge(model, name=TAUGHT, by=by)


def alike(trials: Sequence[Trial]) -> list[Trial]:
    """Return the networks that agree with the best, a network itself, on nineteen rows of twenty.

    Parameters
    ----------
    trials : sequence of Trial
        As they were ranked, the best first.

    Returns
    -------
    list of Trial
        Empty where the best is no network.
    """
    best, *others = trials
    if best.name not in DEEP:
        return []
    labels = best.model.labels_
    networks = [other for other in others if other.name in DEEP]
    return [other for other in networks if share_alike(other.model.labels_, labels) >= ALIKE]
