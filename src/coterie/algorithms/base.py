"""The estimator that every system is: fit, predict, transform, save."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms import defaults, knowing, shared_docs, warming
from coterie.algorithms.building import build, check_parameters, identify, is_open
from coterie.algorithms.counting import Count, fit_counted
from coterie.algorithms.editing import Editing
from coterie.algorithms.inputs import open_source, pick_seed, undone_on_error
from coterie.algorithms.insight import Describes
from coterie.algorithms.reading import Reading
from coterie.algorithms.suggesting import Suggests
from coterie.algorithms.system import System
from coterie.config import get_config
from coterie.criteria import Calibration
from coterie.data import Source
from coterie.errors import InputError
from coterie.familiarity import Familiarity
from coterie.settings import hyperparameters, snapshot
from coterie.training import Checkpointer, CollapseWatch, Fit, Streams, make_callbacks, make_runtime, train

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.data.knowledge import Knowledge


@hyperparameters
class Clusterer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Reading, Describes, Editing, Suggests, System
):
    """What every system is to its user; see DEC for one that can be used.

    Parameters
    ----------
    {common}

    Attributes
    ----------
    {found}

    Examples
    --------
    >>> from coterie import DEC
    >>> from coterie.algorithms import Clusterer
    >>> issubclass(DEC, Clusterer)
    True
    """

    n_clusters: Any = 8
    image_shape: tuple[int, ...] | None = None
    scaling: str = "auto"
    random_state: Any = None

    title: ClassVar[str] = ""
    recipes: ClassVar[dict[str, dict[str, Any]]] = {}
    # What of a fit's memory becomes attributes with "_" added; "…labels" hold clusters, "prior" has an entry for each.
    extras: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Fill the shared parts into the docstring."""
        super().__init_subclass__(**kwargs)
        if cls.__doc__:
            cls.__doc__ = shared_docs.fill(cls.__doc__)

    @classmethod
    def from_recipe(cls, name: str, **overrides: Any) -> Self:
        """Return an estimator with published settings.

        Parameters
        ----------
        name : str
            One of ``recipes``.
        **overrides : object
            Parameters that differ from the recipe, such as ``n_clusters``.

        Returns
        -------
        Clusterer
            An ordinary estimator; ``get_params`` shows the settings.

        Raises
        ------
        InputError
            If there is no such recipe.
        """
        if name not in cls.recipes:
            known = ", ".join(sorted(cls.recipes)) or "none"
            raise InputError(f"{cls.__name__} has no recipe {name!r}; it has: {known}.")
        return cls(**copy.deepcopy(cls.recipes[name]) | overrides)

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
        """Learn code and clusters.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows: array of any numeric dtype, tensor or data frame.
        y : ignored
            Present for scikit-learn; only :class:`coterie.SNNLKMeans` reads labels there.
        known : array-like of int of shape (n,) or None, default=None
            Class of each row, -1 where unknown, for the systems that can use a few: DEC, IDEC, SelfLabel and
            SNNLKMeans. Cluster c is class c; in SNNLKMeans where all classes are below K.
        must_link, cannot_link : array-like of int of shape (m, 2) or None, default=None
            Numbers of two rows that belong together, or apart, for the same systems but the last.

        Returns
        -------
        Clusterer
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter, the rows or what is known of them break a rule; before any training.
        NonFiniteLossError
            If training diverges.
        Interrupted
            On Ctrl-C, after what is done was saved.
        """
        began = time.perf_counter()
        source = open_source(self, X, reset=not warming.is_warm(self))
        check_parameters(self, source)
        told: dict[str, Any] = {"known": known, "must_link": must_link, "cannot_link": cannot_link}
        knowledge = knowing.check_knowledge(self, len(source), **told)
        if is_open(self.n_clusters):
            self._adopt(fit_counted(self, source, knowledge=knowledge))
            # The fit within counts what an earlier process did too.
            self.fit_seconds_ = max(time.perf_counter() - began, self.fit_seconds_)
            return self
        self._learn(source, knowledge)
        return self

    def fit_predict(self, X: ArrayLike | Source, y: object = None, **known: Any) -> np.ndarray:
        """Fit, and return ``labels_``, shape (n,); takes what :meth:`fit` takes."""
        return self.fit(X, y, **known).labels_

    def _learn(self, source: Source, knowledge: Knowledge) -> None:
        """Train, once all is checked and K is a number."""
        began = time.perf_counter()
        config = get_config()
        runtime = make_runtime(config)
        settings = warming.settle(self, defaults.resolve(self, source))
        identity = identify(self, source, runtime, settings=settings) | knowledge.identity() | warming.identity(self)
        checkpointer = Checkpointer(config.checkpoint, config.checkpoint_every, identity)
        saved = checkpointer.read()
        streams = Streams(saved.seed if saved else pick_seed(self.random_state))
        model = build(self, source.spec, settings=settings, streams=streams)
        fit = Fit(model, source, streams, runtime, settings.get("augment"), settings)
        knowing.remember(fit, knowledge)
        warming.begin(self, fit)
        runtime.prepare(fit.model)
        watch = CollapseWatch(self.n_clusters)
        train(self, fit, checkpointer=checkpointer, callbacks=[watch, *make_callbacks(config)], saved=saved)
        runtime.release(fit.model)
        self.n_known_, self.n_pairs_ = knowledge.n_known, knowledge.n_pairs
        self._publish(fit)
        knowing.warn_of_broken(knowledge, self.labels_)
        watch.at_end(fit, self.labels_)
        self.fit_seconds_ = time.perf_counter() - began + (saved.seconds if saved else 0.0)

    def predict(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the cluster of each row.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            Clusters, int64.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        return self._clusters(X).labels

    def predict_proba(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the soft assignment of each row.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n, K)
            Probabilities; each row sums to one.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        return self._log_q(X).double().softmax(1).float().numpy()

    def transform(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the code of each row.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n, d)
            Codes, float32.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        check_is_fitted(self)
        return self._encode(open_source(self, X, reset=False)).numpy()

    def save(self, folder: str | Path) -> None:
        """Write the fitted model: ``config.json``, ``weights.safetensors`` and a manifest with checksums.

        Parameters
        ----------
        folder : path
            Where; a model folder that is there is replaced in one step.

        Raises
        ------
        InputError
            If the folder holds something else.
        """
        from coterie.algorithms.modelfiles import save

        save(self, folder)

    def summary(self) -> str:
        """Return a table of the network's layers, their names, shapes and parameter counts, a line for each."""
        check_is_fitted(self)
        return self.network_summary_

    def _publish(self, fit: Fit) -> None:
        self.model_ = fit.model
        self.spec_ = fit.source.spec
        self.settings_ = fit.settings
        self.history_ = fit.history
        self.seed_ = fit.streams.seed
        self.n_iter_ = fit.clock.total
        self.order_: np.ndarray | None = None
        self.count_: Count | None = None
        self.calibration_: Calibration | None = None
        for name in self.extras:
            kept = fit.memory.get(name)
            setattr(self, f"{name}_", None if kept is None else kept.numpy())
        self._set_fitted_labels(self._assign(self._encode(fit.source)).argmax(1).numpy())
        self.familiarity_ = Familiarity.of(fit.source, seed=fit.streams.integer("familiarity"))
        self._fitted_params = snapshot(self)

    def _adopt(self, other: Clusterer) -> None:
        """Take what another one was fitted with, though not its parameters."""
        for name, value in vars(other).items():
            if name.endswith("_"):
                setattr(self, name, value)
        self._fitted_params = snapshot(self)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that codes are float32 whatever the rows are."""
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.cluster_centers_.shape[1]


Clusterer.__doc__ = shared_docs.fill(Clusterer.__doc__ or "")  # __init_subclass__ only sees what is below
