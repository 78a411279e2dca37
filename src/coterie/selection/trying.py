"""Candidates are fitted one after the other, within the time there is, and what is done is kept."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.linalg import LinAlgError
from sklearn.base import clone

from coterie.algorithms import Clusterer, SelfLabel, load
from coterie.config import config_context, get_config
from coterie.data import Source
from coterie.deadlines import OutOfTimeError, deadline
from coterie.errors import CollapseWarning, DataWarning, Interrupted, NonFiniteLossError
from coterie.matching import align
from coterie.selection.candidates import DEEP, SIMPLE, TAUGHT, Deadline, make_candidate
from coterie.selection.keeping import Notes
from coterie.selection.labelled import number_by_class, ranked_by_labels, told_to
from coterie.selection.ranking import Space, is_settled, make_space, rank_models

if TYPE_CHECKING:
    from coterie.data.knowledge import Knowledge
    from coterie.selection.candidates import Trial

logger = logging.getLogger(__name__)
MODEL = "model"  # folder of a candidate that is done, within that of its checkpoint
NOT_NEEDED = "not needed"
OUT_OF_TIME = "out of time"
NEAR = 0.95  # of the rows on which another network must agree with the best to be heard


class Second(NamedTuple):
    """What says how sure the best candidate is.

    Parameters
    ----------
    name : str
        Another candidate, or "..., again" for a second fit of the best.
    labels : ndarray of shape (n,)
        Its clusters, in the numbers of the best where they have a counterpart there.
    """

    name: str
    labels: np.ndarray


class Trying:
    """The candidates of one choice.

    Parameters
    ----------
    source : Source
        The rows.
    notes : Notes
        Seed, time spent and candidates left out.
    knowledge : Knowledge
        What is known of the rows.
    n_clusters : int
        K.
    folder : Path or None
        The checkpoint folder.
    until : float
        The moment, of ``time.monotonic``, when the time is up.
    sparing : bool, default=False
        Leave out simple methods too, not only networks, that can hardly do better than what is there.

    Attributes
    ----------
    models : dict of str to Clusterer
        The candidates that are fitted.

    Examples
    --------
    >>> import math
    >>> from coterie.data import make_source
    >>> from coterie.data.knowledge import make_knowledge
    >>> from coterie.selection.keeping import Notes
    >>> from coterie.selection.trying import Trying
    >>> source, nothing = make_source([[0.0], [0.1], [5.0], [5.1]]), make_knowledge(4)
    >>> trying = Trying(source, Notes(None, {}, seed=0), nothing, n_clusters=2, folder=None, until=math.inf)
    >>> trying.fit("kmeans")
    >>> list(trying.models)
    ['kmeans']
    """

    def __init__(
        self,
        source: Source,
        notes: Notes,
        knowledge: Knowledge,
        *,
        n_clusters: int,
        folder: Path | None,
        until: float,
        sparing: bool = False,
    ) -> None:
        self.source, self.notes, self.knowledge, self.n_clusters = source, notes, knowledge, n_clusters
        self.folder, self.until, self.sparing = folder, until, sparing
        self.models: dict[str, Clusterer] = {}

    def fit(self, name: str) -> None:
        """Fit a candidate, or take it as an earlier process left it, or note why not.

        Parameters
        ----------
        name : str
            The candidate; the first one has all the time there is.
        """
        if self._kept(name) is None and name not in self.notes.left_out:
            if self.models and time.monotonic() > self.until:
                self.notes.left_out[name] = OUT_OF_TIME
            elif self._is_enough(name):
                self.notes.left_out[name] = NOT_NEEDED

        def fitted() -> Clusterer:
            model = make_candidate(name, self.n_clusters, seed=self.notes.seed)
            number_by_class(model.fit(self.source, **told_to(model, self.knowledge)), self.knowledge)
            return model

        model = self._done(name, fitted)
        if model is not None:
            self.models[name] = model

    def teach(self, trials: Sequence[Trial], second: Second | None) -> Trial | None:
        """Return a further network of images that learned what others agree on, if the best is a network.

        Parameters
        ----------
        trials : sequence of Trial
            The best first.
        second : Second or None
            What says how sure the best is.

        Returns
        -------
        Trial or None
            Taught by the best, the other networks that agree with it on most rows or, where there are none, its second
            run. None where there is none either, a cluster was lost, or the time is up.
        """
        best = trials[0]
        alone = best.name not in DEEP or self.source.spec.kind != "images"
        if alone or best.judgement.clusters < self.n_clusters:
            return None
        labels = best.model.labels_
        near = self._near(trials)
        found = [trial.model.labels_ for trial in near] or ([] if second is None else [second.labels])
        if not found:
            return None

        def fitted() -> Clusterer:
            known = self.knowledge.labels if self.knowledge.n_known else None
            pupil = SelfLabel(self.n_clusters, random_state=self.notes.seed)
            pupil.fit_to(self.source, [labels, *found], known=known)
            pupil.n_known_, pupil.n_pairs_ = self.knowledge.n_known, self.knowledge.n_pairs
            pupil.fit_seconds_ += sum(trial.model.fit_seconds_ for trial in (best, *near))
            return pupil

        model = self._done(TAUGHT, fitted)
        if model is None or len(np.unique(model.labels_)) < self.n_clusters:
            return None
        judged = rank_models({**self.models, TAUGHT: model}, self.space, n_clusters=self.n_clusters)[0]
        return next(trial for trial in ranked_by_labels(judged, self.knowledge) if trial.name == TAUGHT)

    @cached_property
    def space(self) -> Space:
        """Return where the candidates are judged."""
        return make_space(self.source, n_clusters=self.n_clusters, seed=self.notes.seed)

    def ranked(self) -> tuple[list[Trial], str]:
        """Return what was tried, the best first, and by what that was decided."""
        trials, by = rank_models(self.models, self.space, n_clusters=self.n_clusters)
        return ranked_by_labels(trials, self.knowledge), by

    def second(self, trials: Sequence[Trial]) -> Second | None:
        """Return what says how sure the best is: another network that agrees with it, or an independent fit.

        Parameters
        ----------
        trials : sequence of Trial
            The best first.

        Returns
        -------
        Second or None
            None if the time does not suffice.
        """
        near = self._near(trials)
        if near:
            return Second(near[0].name, align(near[0].model.labels_, trials[0].model.labels_))
        labels = self.again(trials[0])
        return None if labels is None else Second(f"{trials[0].name}, again", labels)

    def again(self, first: Trial) -> np.ndarray | None:
        """Return what an independent fit of a candidate finds; None if the time does not suffice.

        Parameters
        ----------
        first : Trial
            The candidate.

        Returns
        -------
        ndarray of shape (n,) or None
            Clusters, in the first fit's numbers where they have a counterpart there. A network has another seed; any
            other method, whose fits hardly differ, sees only half of the rows.
        """
        if time.monotonic() + first.model.fit_seconds_ > self.until:
            return None
        part, n, labels = self.source, len(self.source), first.model.labels_
        if first.name in SIMPLE and n >= 2 * self.n_clusters:
            rows = np.sort(np.random.default_rng(self.notes.seed).permutation(n)[: (n + 1) // 2])
            part = Source(self.source.raw(rows), self.source.spec)
        model = clone(first.model).set_params(random_state=(self.notes.seed + 1) % 2**32)
        try:
            with self._within(f"second-{first.name}", self.until):
                return align(model.fit(part, **told_to(model, self.knowledge)).predict(self.source), labels)
        except OutOfTimeError:
            return None

    def _near(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the networks that agree with the best, a network itself, on nineteen rows of twenty."""
        best, *others = trials
        if best.name not in DEEP:
            return []
        labels = best.model.labels_
        return [each for each in others if each.name in DEEP and _share(each.model.labels_, labels) >= NEAR]

    def _kept(self, name: str) -> Path | None:
        """Return the model folder that an earlier process left of a candidate; None if there is none."""
        kept = None if self.folder is None else self.folder / name / MODEL
        return kept if kept is not None and kept.is_dir() else None

    def _done(self, name: str, fitted: Callable[[], Clusterer]) -> Clusterer | None:
        """Return what a fit gives, kept for a later process; None, with the reason noted, if it comes to nothing."""
        if kept := self._kept(name):
            return load(kept)
        if name in self.notes.left_out:
            return None
        try:
            with self._within(name, self.until if self.models else np.inf):
                model = fitted()
        except OutOfTimeError:
            self.notes.left_out[name] = OUT_OF_TIME
            return None
        except (NonFiniteLossError, LinAlgError, ValueError) as error:
            if not self.models:
                raise
            self.notes.left_out[name] = f"failed: {error}"
            return None
        if self.folder is not None:
            model.save(self.folder / name / MODEL)
        logger.info("%s took %.1f s", name, model.fit_seconds_)
        return model

    def _is_enough(self, name: str) -> bool:
        """Return whether a further candidate could hardly do better than what is there."""
        if not self.models or (name in SIMPLE and not self.sparing):
            return False
        if self.knowledge and (name in SIMPLE or DEEP[name].knows):
            return False  # labels tell simple methods apart, and may teach a network more
        return is_settled(self.models, self.space, n_clusters=self.n_clusters)

    @contextmanager
    def _within(self, name: str, until: float) -> Iterator[None]:
        """Give a fit its checkpoint folder and its deadline."""
        callbacks = (*get_config().callbacks, Deadline(until))
        checkpoint = None if self.folder is None else self.folder / name
        with warnings.catch_warnings(), config_context(checkpoint=checkpoint, callbacks=callbacks), deadline(until):
            warnings.simplefilter("ignore", CollapseWarning)  # a candidate that collapses loses, and says so there
            warnings.simplefilter("ignore", DataWarning)  # how much of what is known is kept is told of the best
            try:
                yield
            except Interrupted as error:
                if self.folder is None:  # what this candidate rescued is of no use to a choice
                    said = f"Stopped amid {name}. Within coterie.config_context(checkpoint=...) a choice can go on."
                else:  # the candidate's folder is within the choice's
                    said = str(error).replace(str(checkpoint), str(self.folder))
                raise Interrupted(said) from None


def _share(labels: np.ndarray, reference: np.ndarray) -> float:
    """Return on how many of the rows two partitions agree, in [0, 1]."""
    return float((align(labels, reference) == reference).mean())
