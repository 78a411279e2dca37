"""Which system: several are fitted, judged without labels, and the best answers."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms import DEC, Clusterer, load
from coterie.algorithms.building import SHARED, check_parameters, is_open
from coterie.algorithms.counting import Count, count
from coterie.algorithms.inputs import open_source, pick_seed
from coterie.checks import POSITIVE, Rule, require
from coterie.config import config_context, get_config
from coterie.data import Source
from coterie.errors import CollapseWarning
from coterie.mixtures import sample_rows
from coterie.selection.agreement import consensus
from coterie.selection.candidates import CANDIDATES, SIMPLE, Deadline, OutOfTimeError, Trial, make_candidate, names_for
from coterie.selection.confidence import Calibration
from coterie.selection.judging import criterion, judge_partitions, ranked
from coterie.selection.reasons import reason
from coterie.settings import hyperparameters
from coterie.training import make_runtime

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

logger = logging.getLogger(__name__)
JUDGED = 6_000  # rows that partitions are judged on
COMPONENTS = 50  # principal components that they are judged in
MODEL = "model"  # folder of a candidate that is done, within that of its checkpoint
CODED = ("dec", "n2d")  # candidates with a code from before clustering
SETTLED = 0.98  # kept by a simple method: a network could hardly do better


@hyperparameters
class Auto(ClusterMixin, TransformerMixin, BaseEstimator):
    """Fit the systems that suit the data, judge them without labels, and answer with the best.

    Parameters
    ----------
    n_clusters : int, "auto" or (int, int), default="auto"
        K, the number of clusters; "auto", or the best within a range, is decided without labels
        (:func:`coterie.algorithms.counting.count`).
    candidates : "auto" or sequence of str, default="auto"
        Of "kmeans", "mixture", "spectral", "ward", "hdbscan", "manifold", "dec", "n2d" and "jule". "auto" is all of
        them, the last three from 1,000 rows on, the last of images only.
    time_budget : float or None, default=None
        Seconds that the whole may take; candidates come in the order above, and those for which there is no time are
        left out. None is no limit.
    confidence : bool, default=True
        Fit the best once more, independently, and calibrate how sure each row is against what the second run says.
    image_shape : tuple of int or None, default=None
        (H, W) or (H, W, C) of images that come as flat rows.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How raw values become the network's (:func:`coterie.data.make_source`).
    random_state : int, RandomState or None, default=None
        Seed of everything random. An int gives the same labels again, unless a budget ends the trials.

    Attributes
    ----------
    best_ : Clusterer
        The system that answers, fitted; ``save``, ``predict`` and the rest are its own.
    best_name_ : str
        Which candidate it is.
    trials_ : list of Trial
        The candidates that were fitted, the best first.
    left_out_ : dict of str to str
        The others, with the reason: "out of time", or "not needed" where a simple method can hardly be improved on.
    criterion_ : {"neighbours", "likelihood"}
        What decided (:func:`coterie.selection.ranked`).
    count_ : Count or None
        How the number of clusters was found, where it was left open.
    consensus_ : Consensus
        What the trials have in common, in the order of ``trials_``; the second run of the best is the last.
    calibration_ : Calibration or None
        From margins to probabilities; None without a second run.
    confidence_ : ndarray of shape (n,)
        How sure the cluster of each row is, in [0, 1]: the probability that an independent run agrees, where it was
        calibrated, else the largest soft assignment.
    second_labels_ : ndarray of shape (n,) or None
        Clusters that the second run found.
    labels_ : ndarray of shape (n,)
        Cluster of each row, int64; the same as ``predict`` of those rows.
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
    Candidates are judged where none has drawn clusters together: on principal components of the rows or, once a network
    was tried, in the code of its autoencoder before it knew of clusters, which learned what does not matter in images
    from their augmentation. The second run
    has another seed; where the best is no network, whose runs hardly differ, it also sees only half of the rows.

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
    image_shape: tuple[int, ...] | None = None
    scaling: str = "auto"
    random_state: Any = None

    title: ClassVar[str] = "Several systems, judged without labels; the best answers"
    rules: ClassVar[dict[str, Rule]] = {
        "n_clusters": SHARED["n_clusters"],
        "candidates": Rule(
            lambda given: (
                (isinstance(given, str) and given == "auto")
                or (isinstance(given, list | tuple) and len(given) > 0 and set(given) <= set(CANDIDATES))
            ),
            f"'auto' or a list of some of {', '.join(CANDIDATES)}",
        ),
        "time_budget": POSITIVE.or_word(None),
    }

    def fit(self, X: ArrayLike | Source, y: object = None) -> Self:
        """Fit the candidates and choose.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows: array of any numeric dtype, tensor or data frame.
        y : ignored
            Present for scikit-learn.

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
        until = began + (self.time_budget if self.time_budget is not None else np.inf)
        source, seed = open_source(self, X, reset=True), pick_seed(self.random_state)
        self.check_with(source)
        self.count_ = self._count(source, seed)
        k = self.count_.n if self.count_ is not None else int(self.n_clusters)
        models: dict[str, Clusterer] = {}
        self.left_out_ = {}
        for name in names_for(self.candidates, n_rows=len(source), n_clusters=k, images=source.spec.kind == "images"):
            if name not in SIMPLE and models and self._is_settled(self._ranked(models, source, k=k, seed=seed), k):
                self.left_out_[name] = "not needed"
            elif (model := self._fitted(name, source, k=k, seed=seed, until=until)) is not None:
                models[name] = model
            else:
                self.left_out_[name] = "out of time"
        self.trials_ = self._ranked(models, source, k=k, seed=seed)
        self.best_, self.best_name_ = self.trials_[0].model, self.trials_[0].name
        self.labels_, self.cluster_centers_ = self.best_.labels_, self.best_.cluster_centers_
        self.second_labels_ = self._second(source, seed=seed, until=until)
        found = [trial.model.labels_ for trial in self.trials_]
        self.consensus_ = consensus(found if self.second_labels_ is None else [*found, self.second_labels_])
        log_q = self._log_q(source)
        self.calibration_ = None if self.second_labels_ is None else Calibration.against(log_q, self.second_labels_)
        self.confidence_ = np.exp(log_q.max(1)) if self.calibration_ is None else self.calibration_(log_q)
        self.fit_seconds_ = time.monotonic() - began
        return self

    def check_with(self, source: Source) -> None:
        """Raise an InputError for the first parameter that breaks its rule, or does not go with the rows."""
        require(type(self).__name__, self, self.rules)
        make_runtime(get_config())
        if not is_open(self.n_clusters):
            check_parameters(make_candidate("kmeans", self.n_clusters, seed=0), source)

    def predict(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the cluster of each row by the best system, shape (n,)."""
        check_is_fitted(self)
        return self.best_.predict(X)

    def predict_proba(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the best system's soft assignments, shape (n, K)."""
        check_is_fitted(self)
        return self.best_.predict_proba(X)

    def predict_confidence(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how sure the cluster of each row is, shape (n,), as ``confidence_`` does of the fitted rows."""
        check_is_fitted(self)
        log_q = self._log_q(X)
        return np.exp(log_q.max(1)) if self.calibration_ is None else self.calibration_(log_q)

    def transform(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the best system's codes, shape (n, d)."""
        check_is_fitted(self)
        return self.best_.transform(X)

    def save(self, folder: str | Path) -> None:
        """Write the best system's model folder; :func:`coterie.load` gives that system."""
        check_is_fitted(self)
        self.best_.save(folder)

    def why(self) -> str:
        """Return in words what was chosen, why, and how sure that is."""
        check_is_fitted(self)
        return reason(self.trials_, self.criterion_, labels=self.labels_, second=self.second_labels_)

    def _count(self, source: Source, seed: int) -> Count | None:
        if not is_open(self.n_clusters):
            return None
        return count(DEC(n_clusters=self.n_clusters, random_state=seed), source, seed=seed)

    def _fitted(self, name: str, source: Source, *, k: int, seed: int, until: float) -> Clusterer | None:
        """Return a candidate, fitted now or by an earlier process; None if the time is up."""
        kept = self._folder(name)
        if kept is not None and (kept / MODEL).is_dir():
            return load(kept / MODEL)
        if name != "kmeans" and time.monotonic() > until:
            return None
        try:
            with self._within(name, until):
                model = make_candidate(name, k, seed=seed).fit(source)
        except OutOfTimeError:
            return None
        if kept is not None:
            model.save(kept / MODEL)
        logger.info("%s took %.1f s", name, model.fit_seconds_)
        return model

    def _ranked(self, models: dict[str, Clusterer], source: Source, *, k: int, seed: int) -> list[Trial]:
        """Judge what was fitted; the best first."""
        rows = np.sort(sample_rows(len(source), JUDGED, seed))
        x = source.take(torch.from_numpy(rows)).flatten(1).numpy()
        z = PCA(min(COMPONENTS, *x.shape), random_state=seed).fit_transform(x)
        found = [model.labels_[rows] for model in models.values()]
        judgements = judge_partitions(z, found)
        self.criterion_ = criterion(judgements, k, n=len(rows), d=z.shape[1])
        coded = next((m.pretrained_code_ for name, m in models.items() if name in CODED), None)
        if coded is not None and self.criterion_ == "neighbours":
            judgements = judge_partitions(coded[rows], found)
        order = ranked(judgements, k, by=self.criterion_)
        trials = [Trial(*each) for each in zip(models, models.values(), judgements, strict=True)]
        return [trials[i] for i in order]

    @staticmethod
    def _is_settled(trials: list[Trial], k: int) -> bool:
        """Return whether a simple method keeps neighbours together so well that no network could do much better."""
        best = trials[0].judgement
        return best.clusters >= k and best.kept >= SETTLED

    def _second(self, source: Source, *, seed: int, until: float) -> np.ndarray | None:
        """Return what an independent fit of the best system finds, or None where it is not asked for or out of time."""
        first = self.trials_[0]
        if not self.confidence or time.monotonic() + first.model.fit_seconds_ > until:
            return None
        part: Source | ArrayLike = source
        if first.name in SIMPLE and len(source) >= 2 * len(self.cluster_centers_):
            rows = np.sort(np.random.default_rng(seed).permutation(len(source))[: (len(source) + 1) // 2])
            part = Source(source.raw(rows), source.spec)
        again = clone(self.best_).set_params(random_state=(seed + 1) % 2**32)
        try:
            with self._within("second", until):
                return again.fit(part).predict(source)
        except OutOfTimeError:
            return None

    def _log_q(self, X: ArrayLike | Source) -> np.ndarray:
        return self.best_._log_q(X).double().log_softmax(1).numpy()

    def _folder(self, name: str) -> Path | None:
        folder = get_config().checkpoint
        return None if folder is None else Path(folder) / name

    @contextmanager
    def _within(self, name: str, until: float) -> Iterator[None]:
        """Give a fit its checkpoint folder and its deadline."""
        callbacks = (*get_config().callbacks, Deadline(until))
        with warnings.catch_warnings(), config_context(checkpoint=self._folder(name), callbacks=callbacks):
            warnings.simplefilter("ignore", CollapseWarning)  # a candidate that collapses loses, and says so there
            yield
