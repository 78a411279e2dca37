"""From an estimator's parameters to a checked fit: rules, identity, first weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from coterie.checks import require, whole
from coterie.data import Augment, DataSpec, Source
from coterie.errors import InputError
from coterie.nn import MLP, Conv, Model
from coterie.persistence import encode_value
from coterie.starts import STARTS
from coterie.training import Runtime, Schedule, Streams

if TYPE_CHECKING:
    from coterie.algorithms.base import DeepClusterer

NETWORKS = ("auto", "mlp", "conv")


def check_parameters(estimator: DeepClusterer, source: Source) -> None:
    """Raise an InputError for the first parameter that breaks its rule.

    Parameters
    ----------
    estimator : DeepClusterer
        Its parameters as the user set them.
    source : Source
        The rows, checked.

    Raises
    ------
    InputError
        Naming the parameter, the rule and the value.
    """
    e, owner = estimator, type(estimator).__name__
    network = isinstance(e.network, MLP | Conv) or _is_pair(e.network) or e.network in NETWORKS
    rules = [
        ("n_clusters", whole(e.n_clusters, 1), "an integer >= 1"),
        ("code_size", whole(e.code_size, 1), "an integer >= 1"),
        ("network", network, f"one of {NETWORKS}, MLP, Conv or a pair of nn.Module"),
        ("start", e.start == "auto" or e.start in STARTS, f"'auto' or one of {', '.join(STARTS)}"),
        ("augment", e.augment is None or isinstance(e.augment, str | Augment), "'auto', 'none', Augment or str"),
        ("pretrain", e.pretrain == "auto" or isinstance(e.pretrain, Schedule), "'auto' or a Schedule"),
        ("train", e.train == "auto" or isinstance(e.train, Schedule), "'auto' or a Schedule"),
    ]
    require(owner, e, rules)
    for name in ("pretrain", "train"):
        if isinstance(schedule := getattr(e, name), Schedule):
            schedule.check(name)
    if e.n_clusters > len(source):
        raise InputError(
            f"The 'n_clusters' parameter of {owner} must be at most the number of rows. "
            f"Got n_clusters={e.n_clusters} and n_samples={len(source)} instead."
        )
    e.check()


def identify(estimator: DeepClusterer, source: Source, runtime: Runtime, *, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what makes this fit this fit: a checkpoint of another one must not be gone on with.

    Parameters
    ----------
    estimator : DeepClusterer
        The system.
    source : Source
        The rows.
    runtime : Runtime
        The precision.
    settings : dict
        Parameters with "auto" resolved, so that another version's defaults make another fit.

    Returns
    -------
    dict
        JSON-able.
    """
    return {
        "system": type(estimator).__name__,
        "parameters": {name: _identity(value) for name, value in settings.items()},
        "rows": source.fingerprint(),
        "precision": runtime.precision,
        "torch": torch.__version__,
    }


def build(estimator: DeepClusterer, spec: DataSpec, *, settings: dict[str, Any], streams: Streams) -> Model:
    """Make the model, with first weights from the fit's own stream; shapes follow from parameters and data alone.

    Parameters
    ----------
    estimator : DeepClusterer
        The system.
    spec : DataSpec
        Shape of a row.
    settings : dict
        Parameters with "auto" resolved.
    streams : Streams
        Random numbers; the global state is left alone.

    Returns
    -------
    Model
        Encoder, decoder and head, on the processor.

    Raises
    ------
    InputError
        If the network does not fit the rows.
    """
    network = settings["network"]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.integer("weights"))  # torch.manual_seed would seed GPUs too
        if isinstance(network, tuple):
            encoder, decoder = copy.deepcopy(network)
        else:
            encoder, decoder = network.build(spec, estimator.code_size)
        return Model(encoder, decoder, estimator.make_head(_code_size(encoder, decoder, spec)))


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and [isinstance(m, nn.Module) for m in value] == [True, True]


def _identity(value: object) -> object:
    if isinstance(value, np.random.RandomState):
        return "RandomState"  # what it draws is not what it drew; the checkpoint has the seed
    try:
        return encode_value(value)
    except TypeError:
        return repr(value)  # a user's own modules: their layers tell them apart


def _code_size(encoder: nn.Module, decoder: nn.Module, spec: DataSpec) -> int:
    """Return d, after checking that the pair fits the rows and each other."""
    try:
        with torch.no_grad():
            # As in use: batch norm must not take the zeros for rows.
            z = encoder.eval()(torch.zeros(2, *spec.shape))
            x = decoder.eval()(z)
    except RuntimeError as error:
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes and back. "
            f"Got a network that fails on them: {str(error).splitlines()[0]}"
        ) from None
    if z.ndim != 2 or x.shape[1:] != torch.Size(spec.shape):
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes of shape (d,) and back. "
            f"Got codes of shape {tuple(z.shape[1:])} and reconstructions of shape {tuple(x.shape[1:])} instead."
        )
    return z.shape[1]
