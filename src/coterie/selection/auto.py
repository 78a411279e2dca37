"""Which system: several are fitted, judged without labels, and the best answers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.answering import AnswersByBest
from coterie.algorithms.building import SHARED, check_parameters
from coterie.algorithms.inputs import open_source, pick_seed, undone_on_error
from coterie.algorithms.knowing import check_knowledge, warn_of_broken
from coterie.checks import FLAG, POSITIVE, Rule, require
from coterie.config import get_config
from coterie.criteria import Calibration
from coterie.data import Source
from coterie.errors import CollapseWarning, warn
from coterie.matching import align
from coterie.selection.agreement import consensus
from coterie.selection.backing import Second, pupil, second_run
from coterie.selection.candidates import CANDIDATES, DEEP, TAUGHT, make_candidate, names_for
from coterie.selection.counting import count_in_time
from coterie.selection.keeping import Notes, identity_of
from coterie.selection.learnable import best_learned
from coterie.selection.losing import reasons_lost
from coterie.selection.reasons import NOT_PARTED, reason
from coterie.selection.trying import Trying
from coterie.settings import hyperparameters
from coterie.training import collapse_of, make_runtime

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.data.knowledge import Knowledge

TRYING = 0.9  # of a time budget; the rest is for judging what was tried


@hyperparameters
class Auto(AnswersByBest, ClusterMixin, TransformerMixin, BaseEstimator):
    """Fit the systems that suit the data, judge them without labels, and answer with the best.

    Parameters
    ----------
    n_clusters : int, "auto" or (int, int), default="auto"
        K, the number of clusters; "auto", or the best within a range, is decided without labels
        (:func:`coterie.algorithms.counting.count`).
    candidates : "auto" or sequence of str, default="auto"
        Of "kmeans", "mixture", "spectral", "ward", "hdbscan", "manifold", "dec", "jule" and "n2d". "auto" is all but
        the last, "dec" and "jule" from 1,000 rows of 8 values on, "jule" of images only; with labels or pairs "dec" in
        any case.
    time_budget : float or None, default=None
        Seconds after which no candidate is begun, and what is under way is given up; they come in the order above. The
        first is finished in any case. A tenth is kept for judging. Counting may take half of the rest; if that is too
        little, another quarter, if that is 15 seconds or more, goes to dividing a sample of the raw rows; failing that,
        only gaps between groups are looked for. Outside the main thread, where no alarm rings, only networks look at
        the clock. None is no limit.
    confidence : bool, default=True
        Calibrate how sure each row is against what a second, independent run says: another network among the candidates
        that agrees with the best, or else the best, fitted once more. Where a network is the best, the others that were
        tried say so too.
    self_label : bool, default=True
        Where the best is a network of images, let another one learn what it and other networks that agree with it, or
        else its second fit, have in common, and answer in its place (:class:`coterie.SelfLabel`).
    image_shape : tuple of int or None, default=None
        (H, W) or (H, W, C) of images that come as flat rows.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How raw values become the network's (:func:`coterie.data.make_source`).
    random_state : int, RandomState or None, default=None
        Seed of everything random. An int gives the same labels again, unless a budget ends the trials.

    Attributes
    ----------
    best_ : Clusterer
        The system that answers, fitted; ``save``, ``predict``, ``merge`` and the rest are its own.
    best_name_ : str
        Which candidate it is, or "selflabel".
    trials_ : list of Trial
        The candidates that were fitted, the best first; before them the network that learned from them, if one did.
    left_out_ : dict of str to str
        The others, with the reason: "out of time", "failed: ..." or "not needed", where a further one could hardly be
        better: the best keeps neighbours together almost perfectly, two others agree with it on 99 rows of 100 or, once
        a network was tried, another one agrees with it on 97. Simple methods that were asked for by name are all
        fitted, networks may be left out. "counting" stands here too where time ran out for it, and "selflabel" where it
        came to nothing.
    n_known_, n_pairs_ : int
        Known labels and pairs that were used.
    criterion_ : {"neighbours", "likelihood", "columns"}
        What decided (:func:`coterie.selection.ranked`).
    count_ : Count or None
        How the number of clusters was found, where it was left open.
    consensus_ : Consensus
        What the trials have in common, in the order of ``trials_``; a second fit of the best is the last.
    confidence_ : ndarray of shape (n,)
        How sure the cluster of each row is as it was fitted, in [0, 1]: the probability that an independent run agrees,
        where it was calibrated (:class:`coterie.criteria.Calibration`), else the largest soft assignment.
    second_name_ : str or None
        Which run said how sure the rows are: the name of another network that agrees with the best on nineteen rows of
        twenty, or else a second fit of the best, such as "dec, again".
    second_labels_ : ndarray of shape (n,) or None
        Clusters that this run found, numbered as in ``labels_`` where they have a counterpart there.
    labels_ : ndarray of shape (n,)
        Cluster of each row, int64; the same as ``predict`` of those rows.
    cluster_names_ : list of str or None
        Names of the clusters, None for those without.
    cluster_centers_ : ndarray of shape (K, d)
        Centres in the code of the best.
    fit_seconds_ : float
        Time of the whole.
    n_features_in_ : int
        Values in a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.

    Notes
    -----
    Candidates are judged where none has drawn clusters together: on principal components of the rows or, once DEC or
    N2D was tried, in the code of its autoencoder before it knew of clusters, which learned what does not matter in
    images from their augmentation. A second fit has another seed; where the best is no network, whose runs hardly
    differ, it sees only half of the rows. Networks of images that differ from the first are compared with it by how
    well another one learns their clusters (:func:`coterie.selection.learnable.best_learned`).

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Auto
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0, 0], [20, 0]], 100, axis=0)
    >>> model = Auto(random_state=0).fit(X)
    >>> len(set(model.labels_)), bool(model.confidence_.min() > 0.9)
    (2, True)
    """

    n_clusters: Any = "auto"
    candidates: Any = "auto"
    time_budget: float | None = None
    confidence: bool = True
    self_label: bool = True
    image_shape: tuple[int, ...] | None = None
    scaling: str = "auto"
    random_state: Any = None

    title: ClassVar[str] = "Several systems, judged without labels; the best answers"
    rules: ClassVar[dict[str, Rule]] = {
        "n_clusters": SHARED["n_clusters"],
        "candidates": Rule(
            lambda given: (
                (isinstance(given, str) and given == "auto")
                or (isinstance(given, list | tuple) and len(given) > 0 and all(each in CANDIDATES for each in given))
            ),
            f"'auto' or a list of some of {', '.join(CANDIDATES)}",
        ),
        "time_budget": POSITIVE.or_word(None),
        "confidence": FLAG,
        "self_label": FLAG,
    }

    @undone_on_error
    def fit(
        self,
        X: ArrayLike | Source,
        y: object = None,
        *,
        known: ArrayLike | None = None,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
    ) -> Self:
        """Fit the candidates and choose.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows: array of any numeric dtype, tensor or data frame.
        y : ignored
            Present for scikit-learn.
        known : array-like of int of shape (n,) or None, default=None
            Class of each row, -1 where unknown. DEC learns from it, other candidates' clusters are matched with it; of
            those that agree with known rows as well as the best does, the choice is that without labels.
        must_link, cannot_link : array-like of int of shape (m, 2) or None, default=None
            Numbers of two rows that belong together, or apart; used in the same way.

        Returns
        -------
        Auto
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter or the rows break a rule; before any training.
        """
        began = time.monotonic()
        source = open_source(self, X, reset=True)
        knowledge = self.check_with(source, known=known, must_link=must_link, cannot_link=cannot_link)
        identity = identity_of(self, source) | knowledge.identity()
        notes = Notes(self._folder(), identity, seed=pick_seed(self.random_state) % 2**32)
        began -= notes.spent
        until = began + (TRYING * self.time_budget if self.time_budget is not None else np.inf)
        notes.write(time.monotonic() - began)
        self.count_ = count_in_time(self.n_clusters, source, notes=notes, knowledge=knowledge, began=began, until=until)
        k = self.count_.n if self.count_ is not None else int(self.n_clusters)
        sparing = self.candidates == "auto"
        trying = Trying(source, notes, knowledge, n_clusters=k, folder=self._folder(), until=until, sparing=sparing)
        for name in self._names(source, knowledge, n_clusters=k):
            try:
                trying.fit(name)
            finally:  # a candidate that is stopped has taken its time too
                notes.write(time.monotonic() - began)
        self.left_out_, self.n_known_, self.n_pairs_ = notes.left_out, knowledge.n_known, knowledge.n_pairs
        self._settle(trying)
        warn_of_broken(knowledge, self.labels_)
        self.fit_seconds_ = time.monotonic() - began
        notes.write(self.fit_seconds_)
        return self

    def check_with(self, source: Source, **told: Any) -> Knowledge:
        """Raise an InputError for what breaks its rule, or does not go with the rows; return what is known of them."""
        owner = type(self).__name__
        require(owner, self, self.rules)
        make_runtime(get_config())
        check_parameters(make_candidate("kmeans", self.n_clusters, seed=0), source, owner=owner)
        return check_knowledge(make_candidate("dec", self.n_clusters, seed=0), len(source), owner=owner, **told)

    def transform(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the best system's codes, shape (n, d)."""
        # Defined here, as scikit-learn wraps for set_output what a transformer's own class defines.
        check_is_fitted(self)
        return self.best_.transform(X)

    def why(self) -> str:
        """Return in words what was chosen, why, and how sure that is."""
        check_is_fitted(self)
        name, found = self.second_name_, self.second_labels_
        said = reason(
            self.trials_,
            self.criterion_,
            labels=self.best_.edits_.fitted,
            second=None if name is None or found is None else Second(name, found),
            n_known=self.n_known_,
            n_pairs=self.n_pairs_,
            left_out=self.left_out_,
            count=self.count_,
        )
        return said if self._parted else f"{said} {NOT_PARTED}"

    def why_not(self) -> dict[str, str]:
        """Return for each candidate that was fitted and not chosen why, in words; ``left_out_`` has the others."""
        check_is_fitted(self)
        return reasons_lost(self.trials_, self.criterion_, n_told=self.n_known_ + self.n_pairs_)

    def _names(self, source: Source, knowledge: Knowledge, *, n_clusters: int) -> list[str]:
        """Return the candidates in the order in which they are tried."""
        return names_for(
            self.candidates,
            n_rows=len(source),
            n_values=source.spec.n_features_in,
            n_clusters=n_clusters,
            images=source.spec.kind == "images",
            known=bool(knowledge),
        )

    def _settle(self, trying: Trying) -> None:
        """Choose among what was tried, let a further network learn from it, and find out how sure the rows are."""
        trials, self.criterion_ = trying.ranked()
        self.trials_ = best_learned(trying, trials)
        second = second_run(trying, self.trials_) if self.confidence else None
        taught = pupil(trying, self.trials_, second, by=self.criterion_) if self.self_label else None
        self.trials_ = [*([] if taught is None else [taught]), *self.trials_]
        self.best_, self.best_name_ = self.trials_[0].model, self.trials_[0].name
        apart = self.count_ is not None and self.count_.parted > 1
        # Between groups of texts no dip is to be seen in few components.
        self._parted = apart or self.criterion_ == "columns" or trying.has_groups(self.best_.labels_)
        # What learned from known labels may have numbered its clusters anew.
        self.second_labels_ = None if second is None else align(second.labels, self.labels_)
        self.second_name_ = None if second is None else second.name
        found = {trial.name: trial.model.labels_ for trial in self.trials_}
        if second is not None:
            found.setdefault(second.name, second.labels)
        self.consensus_ = consensus([*found.values()])
        if self.second_labels_ is not None:
            log_q = self.best_._log_q(trying.source).double().log_softmax(1)
            self.best_.calibration_ = Calibration.learned(log_q.numpy(), self._confirmed(self.second_labels_))
        self.confidence_ = self.best_.predict_confidence(trying.source)
        if hasattr(self, "feature_names_in_"):  # which candidates, given a source, need not know of images
            self.best_.feature_names_in_ = self.feature_names_in_
        if said := collapse_of(self.labels_, trying.n_clusters):
            warn(f"{said}. Try another K.", CollapseWarning)

    def _confirmed(self, second: np.ndarray) -> np.ndarray:
        """Return the share of runs that confirm each row: the second one and, beside a network, the others tried."""
        is_network = self.best_name_ in (*DEEP, TAUGHT)
        others = [trial for trial in self.trials_[1:] if trial.name in DEEP and trial.name != self.second_name_]
        runs = [second, *(align(trial.model.labels_, self.labels_) for trial in others if is_network)]
        return np.mean([run == self.labels_ for run in runs], axis=0)

    def _folder(self) -> Path | None:
        return None if (folder := get_config().checkpoint) is None else Path(folder)
