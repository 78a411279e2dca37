"""The estimator that every outlier score is: fit, score, flag, save."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms import Clusterer
from coterie.algorithms.answering import AnswersByBest
from coterie.algorithms.inputs import open_source, pick_seed, undone_on_error
from coterie.anomaly import shared_docs
from coterie.checks import Rule, number, require
from coterie.data import Source
from coterie.errors import InputError
from coterie.familiarity import EXPECTED
from coterie.neighbours import MOST_ROWS
from coterie.settings import hyperparameters
from coterie.subsample import sample_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CONTAMINATION = number(above=0, up_to=0.5).or_word("auto")


@hyperparameters
class OutlierDetector(OutlierMixin, BaseEstimator):
    """What every outlier score is to its user; see NeighbourOutlier for one that can be used.

    A score overrides ``learn`` and ``strangeness``.

    Parameters
    ----------
    {detector}

    Attributes
    ----------
    {found}

    Examples
    --------
    >>> from coterie.anomaly import LatentIsolationForest, OutlierDetector
    >>> issubclass(LatentIsolationForest, OutlierDetector)
    True
    """

    model: Any = None
    n_clusters: Any = 8
    contamination: Any = "auto"
    image_shape: tuple[int, ...] | None = None
    scaling: str = "auto"
    random_state: Any = None

    title: ClassVar[str] = ""
    unit: ClassVar[str] = ""  # of the strangeness, in words
    rules: ClassVar[dict[str, Rule]] = {}
    inside: ClassVar[type[Clusterer]]  # what is fitted where no model is given

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Fill the shared parts into the docstring."""
        super().__init_subclass__(**kwargs)
        if cls.__doc__:
            cls.__doc__ = shared_docs.fill(cls.__doc__)

    @undone_on_error
    def fit(self, X: ArrayLike | Source, y: object = None) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            The training rows, from which alone the threshold comes. With a fitted ``model``, rows of its shape, best
            those that it was fitted on.
        y : ignored
            Present for scikit-learn.

        Returns
        -------
        OutlierDetector
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter or the rows break a rule.
        """
        require(type(self).__name__, self, {"contamination": CONTAMINATION, **self.rules})
        seed = pick_seed(self.random_state)
        model = self._system(X, seed)
        self.check_model(model)
        self.model_, self.seed_ = model, seed
        self.n_features_in_ = model.n_features_in_
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = model.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.note_params()
        source = open_source(model, X, reset=False)
        self.kept_ = self.learn(source, seed)
        self.train_scores_ = -self.strangeness(source)
        self.offset_ = self.offset_for(self.contamination)
        return self

    def score_samples(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how usual each row is.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            The lower, the stranger, as everywhere in scikit-learn; float64.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        check_is_fitted(self)
        return -self.strangeness(open_source(self.model_, X, reset=False))

    def decision_function(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how far each row is on the usual side of the threshold.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            ``score_samples(X) - offset_``: negative for outliers.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike | Source) -> np.ndarray:
        """Return which rows are outliers.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            -1 for outliers, 1 for the rest, int64.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def offset_for(self, contamination: float | str) -> float:
        """Return the threshold that a share of the training rows lies below.

        Parameters
        ----------
        contamination : float or "auto"
            The share, in (0, 0.5]; "auto" is one row in a hundred.

        Returns
        -------
        float
            What ``offset_`` would be.

        Raises
        ------
        InputError
            If the share is none.
        """
        check_is_fitted(self)
        if not CONTAMINATION.holds(contamination):
            raise InputError(
                f"The 'contamination' parameter of {type(self).__name__} must be {CONTAMINATION.words}. "
                f"Got {contamination!r} instead."
            )
        share = EXPECTED if contamination == "auto" else float(contamination)
        return float(np.percentile(self.train_scores_, 100 * share))

    def save(self, folder: str | Path) -> None:
        """Write the fitted detector with its model: JSON, safetensors and a manifest with checksums, never pickle.

        Parameters
        ----------
        folder : path
            Where; a detector's folder that is there is replaced in one step.

        Raises
        ------
        InputError
            If the folder holds something else.
        """
        from coterie.anomaly.modelfiles import save

        save(self, folder)

    def note_params(self) -> None:
        """Keep the parameters but for the model, which ``model_`` is: scores are of these, whatever is set later."""
        self._fitted_params = {name: value for name, value in self.get_params(deep=False).items() if name != "model"}

    def check_model(self, model: Clusterer) -> None:
        """Raise an InputError if the score cannot be had of this model."""

    def learn(self, source: Source, seed: int) -> dict[str, np.ndarray]:
        """Return what is kept of training rows, as arrays by name; ``model_`` is there already."""
        raise NotImplementedError

    def strangeness(self, source: Source) -> np.ndarray:
        """Return the score of each row, shape (n,), float64: the larger, the stranger."""
        raise NotImplementedError

    def check_kept(self, kept: dict[str, np.ndarray], model: Clusterer) -> None:
        """Raise a ValueError if arrays out of a file are not what ``learn`` would return."""
        raise NotImplementedError

    def _system(self, X: ArrayLike | Source, seed: int) -> Clusterer:
        """Return a fitted system: the one given, as it is now, or one that is fitted here."""
        model: Any = self.model
        if model is None:
            own = {"n_clusters": self.n_clusters, "image_shape": self.image_shape, "scaling": self.scaling}
            inside = self.inside(**own, random_state=seed)
            return inside.fit(_some_of(inside, X, seed) if _count(X) > MOST_ROWS else X)
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        if not isinstance(model, Clusterer | AnswersByBest):
            raise InputError(
                f"The 'model' parameter of {type(self).__name__} must be None or one of coterie's systems. "
                f"Got {model!r} instead."
            )
        try:
            check_is_fitted(model)
        except NotFittedError:
            if isinstance(model, Clusterer):
                self.check_model(model)  # what never could be used is not trained first
            model = clone(model)
            if model.random_state is None:
                model.set_params(random_state=seed)
            model.fit(X)
        # What is merged or split later is not followed: a score belongs to the clusters that it was learned with.
        return copy.copy(model.best_ if isinstance(model, AnswersByBest) else model)


def _count(X: Any) -> int:
    try:
        return len(X)
    except TypeError:  # of what is refused where it is read, or has no rows yet
        return 0


def _some_of(model: Clusterer, X: ArrayLike | Source, seed: int) -> Source:
    """Return a sample of rows, scaled as all of them are."""
    source = open_source(model, X, reset=True)
    return Source(source.raw(sample_rows(len(source), MOST_ROWS, seed)), source.spec)


OutlierDetector.__doc__ = shared_docs.fill(OutlierDetector.__doc__ or "")  # __init_subclass__ sees what is below only
