"""Candidates are fitted one after the other, within the time there is, and what is done is kept."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.linalg import LinAlgError

from coterie.algorithms import Clusterer, load
from coterie.algorithms.knowing import fit_arguments
from coterie.criteria import find_groups
from coterie.criteria.gaps import is_parted
from coterie.data import Source
from coterie.deadlines import OutOfTimeError
from coterie.errors import CollapseWarning, DataWarning, NonFiniteLossError, OtherFitError, warn
from coterie.selection.candidates import DEEP, NOT_NEEDED, OUT_OF_TIME, SIMPLE, Trial, make_candidate
from coterie.selection.keeping import Notes
from coterie.selection.labelled import agreement_with, number_by_class, ranked_by_labels
from coterie.selection.ranking import Space, is_settled, judge_beside, judged_in, make_space, rank_models
from coterie.selection.time_limit import time_limit
from coterie.training import part_of

if TYPE_CHECKING:
    from coterie.data.knowledge import Knowledge

logger = logging.getLogger(__name__)
MODEL = "model"  # folder of a candidate that is done, within that of its checkpoint


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
        if self.kept_folder(name) is None and name not in self.notes.left_out:
            if self.models and time.monotonic() > self.until:
                self.notes.left_out[name] = OUT_OF_TIME
            elif self._is_enough(name):
                self.notes.left_out[name] = NOT_NEEDED

        def fitted() -> Clusterer:
            model = make_candidate(name, self.n_clusters, seed=self.notes.seed)
            number_by_class(model.fit(self.source, **fit_arguments(model, self.knowledge)), self.knowledge)
            return model

        model = self.fit_or_load(name, fitted)
        if model is not None:
            self.models[name] = model

    @cached_property
    def space(self) -> Space:
        """Return where the candidates are judged."""
        return make_space(self.source, n_clusters=self.n_clusters, seed=self.notes.seed)

    def judge(self, model: Clusterer, *, name: str, by: str) -> Trial:
        """Return a further system as the candidates were judged: by neighbours or likelihood, and by what is known."""
        judgement = judge_beside(model, self.models, self.space, by=by)
        return Trial(name, model, judgement, agreement_with(model, self.knowledge))

    def ranked(self) -> tuple[list[Trial], str]:
        """Return what was tried, the best first, and by what that was decided."""
        trials, by = rank_models(self.models, self.space, n_clusters=self.n_clusters)
        return ranked_by_labels(trials, self.knowledge), by

    def has_groups(self, labels: np.ndarray) -> bool:
        """Return whether a dip is seen between any two neighbours among clusters, or groups lie apart.

        Both are looked for where the candidates are judged. Between a large cluster and a small one no dip is seen.
        """
        space, seed = judged_in(self.models, self.space, "neighbours"), self.notes.seed
        if int(labels.max()) == 0 or is_parted(space.z, labels[space.rows], seed=seed):
            return True
        return find_groups(space.z, seed=seed).n > 1

    def kept_folder(self, name: str) -> Path | None:
        """Return the model folder that an earlier process left of a candidate; None if there is none."""
        kept = None if self.folder is None else self.folder / name / MODEL
        return kept if kept is not None and kept.is_dir() else None

    def fit_or_load(self, name: str, fitted: Callable[[], Clusterer]) -> Clusterer | None:
        """Do a fit, or take what an earlier process kept of it.

        Parameters
        ----------
        name : str
            What it is kept as.
        fitted : callable
            Does it, and returns the system.

        Returns
        -------
        Clusterer or None
            Kept for a later process; None, with the reason noted, if it came to nothing.
        """
        if kept := self.kept_folder(name):
            return load(kept)
        if name in self.notes.left_out:
            return None
        try:
            with self.limits(name, self.until if self.models else np.inf):
                model = fitted()
        except OutOfTimeError:
            self.notes.left_out[name] = OUT_OF_TIME
            return None
        except (NonFiniteLossError, LinAlgError, ValueError) as error:
            # What was begun in other arithmetic is no candidate that failed: the rest would not be comparable either.
            elsewhere = isinstance(error, OtherFitError) and not error.differs.keys().isdisjoint(("precision", "torch"))
            if elsewhere or not self.models:
                raise
            self.notes.left_out[name] = f"failed: {error}"
            return None
        if self.folder is not None:
            model.save(self.folder / name / MODEL)
        logger.info("%s took %.1f s", name, model.fit_seconds_)
        return model

    def fit_or_load_optional(self, name: str, fitted: Callable[[], Clusterer]) -> Clusterer | None:
        """Fit, or load, a model that is no candidate; None if that failed, which is not told among those left out.

        Parameters
        ----------
        name : str
            What it is kept as.
        fitted : callable
            Does it, and returns the system.

        Returns
        -------
        Clusterer or None
            As :meth:`fit_or_load` has it.
        """
        model = self.fit_or_load(name, fitted)
        reason = self.notes.left_out.pop(name, OUT_OF_TIME)
        if model is None and reason != OUT_OF_TIME:
            warn(f"{name} {reason}; the choice stands without it.", DataWarning)
        return model

    def _is_enough(self, name: str) -> bool:
        """Return whether a further candidate could hardly do better than what is there."""
        if not self.models or (name in SIMPLE and not self.sparing):
            return False
        if self.knowledge and (name in SIMPLE or DEEP[name].knows):
            return False  # labels tell simple methods apart, and may teach a network more
        return is_settled(self.models, self.space, n_clusters=self.n_clusters)

    @contextmanager
    def limits(self, name: str, until: float) -> Iterator[None]:
        """Give a fit its checkpoint folder and its deadline.

        Parameters
        ----------
        name : str
            Of the folder.
        until : float
            The deadline, a moment of ``time.monotonic``.
        """
        advice = f"Stopped amid {name}. Within coterie.config_context(checkpoint=...) a choice can go on."
        with part_of(self.folder, name, advice), time_limit(until), warnings.catch_warnings():
            warnings.simplefilter("ignore", CollapseWarning)  # a candidate that collapses loses, and says so there
            warnings.simplefilter("ignore", DataWarning)  # how much of what is known is kept is told of the best
            yield
