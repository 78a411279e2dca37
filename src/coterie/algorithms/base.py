"""The estimator that every system is: fit, predict, transform, save."""

from __future__ import annotations

import copy
import logging
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from coterie.algorithms import defaults
from coterie.algorithms.inputs import open_source, pick_seed
from coterie.checks import require, whole
from coterie.config import get_config
from coterie.data import Augment, DataSpec, Source
from coterie.errors import CollapseWarning, InputError
from coterie.nn import MLP, Conv, Model, mse, summarise_network
from coterie.persistence import encode_value, register
from coterie.settings import hyperparameters
from coterie.starts import STARTS, Start, make_start
from coterie.training import (
    Batch,
    Checkpointer,
    Fit,
    Phase,
    Runtime,
    Schedule,
    Streams,
    Turn,
    apply_batched,
    assignments,
    encode,
    make_callbacks,
    make_runtime,
    train,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

logger = logging.getLogger(__name__)

register("Augment")(Augment)

SHARED_PARAMETERS = """n_clusters : int, default=8
        K, the number of clusters; 1 <= K <= n.
    code_size : int, default=10
        d, the number of entries of the code; a pair of modules as ``network`` brings its own.
    network : {"auto", "mlp", "conv"}, MLP, Conv or pair of nn.Module, default="auto"
        The autoencoder. "auto" follows :mod:`coterie.algorithms.defaults`. A pair ``(encoder, decoder)`` maps
        (b, \\*shape) to (b, d) and back; it is copied, never changed.
    image_shape : tuple of int or None, default=None
        (H, W) or (H, W, C) of images that come as flat rows.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How raw values become the network's: "unit" maps the type's or the set's range to [0, 1], "standard" gives
        each column mean 0 and variance 1; "auto" chooses by dtype and range (:func:`coterie.data.make_source`).
    augment : "auto", "none", Augment or str, default="auto"
        Random changes that a row's cluster should not depend on, such as "shift-rotate".
    start : {"auto", "kmeans", "mixture", "manifold"}, default="auto"
        The first partition of the code (:func:`coterie.starts.make_start`).
    pretrain : "auto" or Schedule, default="auto"
        Training of the autoencoder.
    train : "auto" or Schedule, default="auto"
        Training of the clusters.
    random_state : int, RandomState or None, default=None
        Seed of everything random. An int gives the same labels again on one machine."""

FITTED_ATTRIBUTES = """labels_ : ndarray of shape (n,)
        Cluster of each row, int64; the same as ``predict`` of those rows.
    cluster_centers_ : ndarray of shape (K, d)
        Centres in the code, float32.
    history_ : list of dict
        Records of the training: phase, step, seconds, each term's mean over the steps since the last record, the
        learning rate, and at refreshes the share of rows that changed cluster.
    spec_ : DataSpec
        Shape and scaling of a row.
    settings_ : dict
        Every parameter with "auto" resolved.
    model_ : nn.Module
        The trained encoder, decoder and head.
    network_summary_ : str
        Layers, shapes and parameter counts.
    pretrained_code_ : ndarray of shape (n, d) or None
        The code before the clusters were trained, which k-means serves as a baseline on.
    seed_ : int
        The seed that was used.
    n_iter_ : int
        Optimiser steps taken.
    fit_seconds_ : float
        Time of the fit, over all processes that worked on it.
    n_features_in_ : int
        Values in a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any."""


@hyperparameters
class DeepClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """What every system shares; see DEC for one that can be used.

    A system overrides ``make_head``, ``phases``, ``terms``, ``target`` and, where it needs them, ``enter``, ``refresh``,
    ``finish`` or the whole ``plan``.

    Parameters
    ----------
    {shared}

    Attributes
    ----------
    {fitted}
    """

    n_clusters: int = 8
    code_size: int = 10
    network: Any = "auto"
    image_shape: tuple[int, ...] | None = None
    scaling: str = "auto"
    augment: Any = "auto"
    start: str = "auto"
    pretrain: Any = "auto"
    train: Any = "auto"
    random_state: Any = None

    title: ClassVar[str] = ""
    recipes: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - Python's own signature
        """Fill the shared parts into the docstring."""
        super().__init_subclass__(**kwargs)
        if cls.__doc__:
            cls.__doc__ = cls.__doc__.replace("{shared}", SHARED_PARAMETERS).replace("{fitted}", FITTED_ATTRIBUTES)

    @classmethod
    def from_recipe(cls, name: str, **overrides: Any) -> Self:  # noqa: ANN401 - the class's own parameters
        """Return an estimator with published settings.

        Parameters
        ----------
        name : str
            One of ``recipes``.
        **overrides : object
            Parameters that differ from the recipe, such as ``n_clusters``.

        Returns
        -------
        DeepClusterer
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

    # ------------------------------------------------------------------ scikit-learn's manners

    def fit(self, X: ArrayLike | Source, y: object = None) -> Self:
        """Learn code and clusters.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows: array of any numeric dtype, tensor or data frame.
        y : ignored
            Present for scikit-learn.

        Returns
        -------
        DeepClusterer
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter or the rows break a rule; before any training.
        NonFiniteLossError
            If training diverges.
        Interrupted
            On Ctrl-C, after the state was saved.
        """
        began = time.perf_counter()
        source = open_source(self, X, reset=True)
        self._check(source)
        config = get_config()
        runtime = make_runtime(config)
        checkpointer = Checkpointer(config.checkpoint, config.checkpoint_every, self._identity(source, runtime))
        saved = checkpointer.read()
        streams = Streams(saved.seed if saved and self.random_state is None else pick_seed(self.random_state))
        settings = defaults.resolve(self, source)
        model = self._build(source.spec, settings, streams)
        fit = Fit(model, source, streams, runtime, settings["augment"], settings)
        runtime.prepare(fit.model)
        train(self, fit, checkpointer=checkpointer, callbacks=make_callbacks(config, self.n_clusters), saved=saved)
        fit.model.eval()
        self.finish(fit)
        self._publish(fit)
        self.fit_seconds_ = max(time.perf_counter() - began, fit.clock.seconds)
        return self

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
        return self._log_q(X).argmax(1).numpy()

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

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return what the decoder makes of codes.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Codes.

        Returns
        -------
        ndarray of shape (n, ...)
            Rows in the layout and units of the fitted data.

        Raises
        ------
        InputError
            If the codes are not of size d.
        """
        check_is_fitted(self)
        z = torch.as_tensor(np.asarray(X, dtype=np.float32))
        d = self.cluster_centers_.shape[1]
        if z.ndim != 2 or z.shape[1] != d:  # noqa: PLR2004 - rows and entries
            raise InputError(f"Codes must have shape (n, {d}). Got {tuple(z.shape)} instead.")
        device = next(self.model_.parameters()).device
        return self.spec_.to_raw(apply_batched(lambda c: self.model_.decode(c.to(device)), z))

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
        from coterie.algorithms.modelfiles import save  # noqa: PLC0415 - it imports the systems

        save(self, folder)

    def summary(self) -> str:
        """Return the network's layers, shapes and parameter counts.

        Returns
        -------
        str
            A table, a line for each layer.
        """
        check_is_fitted(self)
        return self.network_summary_

    # ------------------------------------------------------------------ what a system overrides

    def make_head(self, code_size: int) -> nn.Module:
        """Return the module from codes (b, d) to log q (b, K), with a ``centers`` of shape (K, d)."""
        raise NotImplementedError

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the head on a start's clusters."""
        fit.model.head.fill(torch.from_numpy(start.centers))

    def target(self, q: Tensor) -> Tensor:
        """Return what training pulls q towards, shape (n, K), from the soft assignments of all rows."""
        raise NotImplementedError

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise an InputError if one of the system's own parameters breaks its rule."""

    def pretrain_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the error of reconstructing clean rows from augmented ones: the code need not hold what moved."""
        return {"reconstruction": mse(fit.model.decode(fit.model.encode(batch.view)), batch.x)}

    def plan(self, fit: Fit) -> Phase | None:
        """Return the next of ``phases``, None after the last."""
        phases = self.phases(fit)
        return phases[fit.clock.phase] if fit.clock.phase < len(phases) else None

    def phases(self, fit: Fit) -> list[Phase]:
        """Return all phases: pretraining only, unless a system has more."""
        return [self.pretraining(fit)]

    def pretraining(self, fit: Fit) -> Phase:
        """Return the phase that trains the autoencoder by reconstruction."""
        schedule: Schedule = fit.settings["pretrain"]
        turn = Turn("pretrain_terms", ("encoder", "decoder"), schedule)
        return Phase("pretrain", (turn,), schedule.n_steps(len(fit.source)), schedule.batch_size)

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains encoder and head together."""
        schedule: Schedule = fit.settings["train"]
        turn = Turn("terms", self.trained(), schedule)
        return Phase(
            "cluster",
            (turn,),
            schedule.n_steps(len(fit.source)),
            schedule.batch_size,
            refresh_every=fit.settings["update_interval"],
            tolerance=fit.settings["tol"],
            least_steps=fit.settings["warmup"],
        )

    def trained(self) -> tuple[str, ...]:
        """Return the parts of the model that clustering changes."""
        return ("encoder", "head")

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before clustering, keep the pretrained code and put the head on the start's centres."""
        if phase.name != "cluster":
            return
        z = encode(fit.model.encode, fit.source, fit.runtime.device)
        fit.memory.setdefault("pretrained_code", z)
        start = make_start(fit.settings["start"], z.numpy(), self.n_clusters, seed=fit.streams.integer("start"))
        self.fill_head(fit, start)
        fit.memory["labels"] = torch.from_numpy(start.labels)
        fit.memory["target"] = nn.functional.one_hot(fit.memory["labels"], self.n_clusters).float()

    def refresh(self, fit: Fit) -> Tensor:
        """Recompute the target from all rows, once the start has been learned; return their clusters."""
        log_q = assignments(fit)
        if fit.clock.step >= fit.settings["warmup"]:
            fit.memory["target"] = self.target(log_q.exp())
        return log_q.argmax(1)

    def finish(self, fit: Fit) -> None:
        """Do what remains after training, such as k-means on the code."""

    # ------------------------------------------------------------------ the rest

    def _check(self, source: Source) -> None:
        networks = ("auto", "mlp", "conv")
        own = isinstance(self.network, MLP | Conv) or (
            isinstance(self.network, list | tuple) and [isinstance(m, nn.Module) for m in self.network] == [True, True]
        )
        rules = [
            ("n_clusters", whole(self.n_clusters, 1), "an integer >= 1"),
            ("code_size", whole(self.code_size, 1), "an integer >= 1"),
            ("network", own or self.network in networks, f"one of {networks}, MLP, Conv or a pair of nn.Module"),
            ("start", self.start == "auto" or self.start in STARTS, f"'auto' or one of {', '.join(STARTS)}"),
            ("augment", self.augment is None or isinstance(self.augment, str | Augment), "'auto', 'none', Augment or str"),
            *((name, _is_schedule(getattr(self, name)), "'auto' or a Schedule") for name in ("pretrain", "train")),
        ]
        require(type(self).__name__, self, rules)
        for name in ("pretrain", "train"):
            if isinstance(schedule := getattr(self, name), Schedule):
                schedule.check(name)
        if self.n_clusters > len(source):
            raise InputError(
                f"The 'n_clusters' parameter of {type(self).__name__} must be at most the number of rows. "
                f"Got n_clusters={self.n_clusters} and n_samples={len(source)} instead."
            )
        self.check()

    def _identity(self, source: Source, runtime: Runtime) -> dict[str, Any]:
        return {
            "system": type(self).__name__,
            "parameters": {name: _identify(value) for name, value in self.get_params(deep=False).items()},
            "rows": source.fingerprint(),
            "precision": runtime.precision,
            "torch": torch.__version__,
        }

    def _build(self, spec: DataSpec, settings: dict[str, Any], streams: Streams) -> Model:
        """Make the model with first weights from the fit's own stream; shapes follow from parameters and data."""
        network = settings["network"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(streams.integer("weights"))
            encoder, decoder = (
                copy.deepcopy(network) if isinstance(network, tuple) else network.build(spec, self.code_size)
            )
            code_size = _code_size(encoder, decoder, spec)
            return Model(encoder, decoder, self.make_head(code_size))

    def _publish(self, fit: Fit) -> None:
        self.model_ = fit.model
        self.spec_ = fit.source.spec
        self.settings_ = fit.settings
        self.history_ = fit.history
        self.seed_ = fit.streams.seed
        self.n_iter_ = fit.clock.total
        code = fit.memory.get("pretrained_code")
        self.pretrained_code_ = None if code is None else code.numpy()
        self._describe()
        self.labels_ = self._assign(self._encode(fit.source)).argmax(1).numpy()
        empty = self.n_clusters - len(np.unique(self.labels_))
        if empty:
            warnings.warn(
                f"{empty} of {self.n_clusters} clusters ended without rows. Try fewer clusters, another start=, "
                "or longer pretraining.",
                CollapseWarning,
                stacklevel=3,
            )

    def _describe(self) -> None:
        self.cluster_centers_ = self.model_.head.centers.detach().cpu().numpy().copy()
        self.network_summary_ = summarise_network(self.model_, self.spec_.shape)

    def _log_q(self, X: ArrayLike | Source) -> Tensor:
        check_is_fitted(self)
        return self._assign(self._encode(open_source(self, X, reset=False)))

    def _encode(self, source: Source) -> Tensor:
        return encode(self.model_.encode, source, next(self.model_.parameters()).device)

    def _assign(self, z: Tensor) -> Tensor:
        device = next(self.model_.parameters()).device
        return apply_batched(lambda c: self.model_.head(c.to(device)), z)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that codes are float32 whatever the rows are."""
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.cluster_centers_.shape[1]


def _is_schedule(value: object) -> bool:
    return value == "auto" or isinstance(value, Schedule)


def _identify(value: object) -> object:
    try:
        return encode_value(value)
    except TypeError:
        return repr(value)  # a user's own modules: their layers tell them apart


def _code_size(encoder: nn.Module, decoder: nn.Module, spec: DataSpec) -> int:
    """Return d, after checking that the pair fits the rows and each other."""
    try:
        with torch.no_grad():
            z = encoder(torch.zeros(2, *spec.shape))
            x = decoder(z)
    except RuntimeError as error:
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes and back. "
            f"Got a network that fails on them: {str(error).splitlines()[0]}"
        ) from None
    if z.ndim != 2 or x.shape[1:] != torch.Size(spec.shape):  # noqa: PLR2004 - rows and entries
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes of shape (d,) and back. "
            f"Got codes of shape {tuple(z.shape[1:])} and reconstructions of shape {tuple(x.shape[1:])} instead."
        )
    return z.shape[1]
