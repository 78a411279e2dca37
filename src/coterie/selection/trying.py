"""Candidates are fitted one after the other, within the time there is, and what is done is kept."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.linalg import LinAlgError
from sklearn.base import clone

from coterie.algorithms import Clusterer, load
from coterie.config import config_context, get_config
from coterie.data import Source
from coterie.deadlines import OutOfTimeError, deadline
from coterie.errors import CollapseWarning, DataWarning, Interrupted, NonFiniteLossError
from coterie.matching import align
from coterie.selection.candidates import DEEP, SIMPLE, Deadline, make_candidate
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
        kept = None if self.folder is None else self.folder / name / MODEL
        if kept is not None and kept.is_dir():
            self.models[name] = load(kept)
            return
        if name in self.notes.left_out:
            return
        if self.models and time.monotonic() > self.until:
            self.notes.left_out[name] = OUT_OF_TIME
            return
        if self._is_enough(name):
            self.notes.left_out[name] = NOT_NEEDED
            return
        try:
            with self._within(name, self.until if self.models else np.inf):
                model = make_candidate(name, self.n_clusters, seed=self.notes.seed)
                number_by_class(model.fit(self.source, **told_to(model, self.knowledge)), self.knowledge)
        except OutOfTimeError:
            self.notes.left_out[name] = OUT_OF_TIME
            return
        except (NonFiniteLossError, LinAlgError, ValueError) as error:
            if not self.models:
                raise
            self.notes.left_out[name] = f"failed: {error}"
            return
        if kept is not None:
            model.save(kept)
        logger.info("%s took %.1f s", name, model.fit_seconds_)
        self.models[name] = model

    @cached_property
    def space(self) -> Space:
        """Return where the candidates are judged."""
        return make_space(self.source, n_clusters=self.n_clusters, seed=self.notes.seed)

    def ranked(self) -> tuple[list[Trial], str]:
        """Return what was tried, the best first, and by what that was decided."""
        trials, by = rank_models(self.models, self.space, n_clusters=self.n_clusters)
        return ranked_by_labels(trials, self.knowledge), by

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
