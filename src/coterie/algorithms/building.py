"""From an estimator's parameters to a checked fit: rules, identity, first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from coterie._alone import GLOBAL_STATE
from coterie.checks import Rule, integer, number, one_of, require, whole
from coterie.data import Augment, DataSpec, Source
from coterie.errors import InputError
from coterie.nn import GAN, MLP, NETWORKS, RECONSTRUCTIONS, Conv, Model, PooledConv
from coterie.persistence import encode_value
from coterie.starts import STARTS
from coterie.training import Layerwise, Runtime, Schedule, Streams

if TYPE_CHECKING:
    from coterie.algorithms.base import Clusterer

WORDS = ("auto", *NETWORKS)


def check_parameters(estimator: Clusterer, source: Source, *, owner: str | None = None) -> None:
    """Raise an InputError for the first parameter that breaks its rule.

    Parameters
    ----------
    estimator : Clusterer
        Its parameters as the user set them.
    source : Source
        The rows, checked.
    owner : str or None, default=None
        Whose parameters messages say they are; None is the estimator's class.

    Raises
    ------
    InputError
        Naming the parameter, the rule and the value.
    """
    e, owner = estimator, owner or type(estimator).__name__
    given = e.get_params(deep=False)
    rules = dict(SHARED)
    for base in reversed(type(e).__mro__):
        rules |= vars(base).get("rules", {})
    require(owner, e, {name: rule for name, rule in rules.items() if name in given})
    for name, value in given.items():
        if isinstance(value, Schedule | GAN):
            value.check(name)
    k: Any = e.n_clusters
    fewest = k[0] if isinstance(k, list | tuple) else 1 if is_open(k) else k
    if fewest > len(source):
        raise InputError(
            f"The 'n_clusters' parameter of {owner} must be at most the number of rows. "
            f"Got n_clusters={k} and n_samples={len(source)} instead."
        )
    if is_open(k):  # with any number that may come of it, what goes with the number must hold
        e = clone(estimator).set_params(n_clusters=1)
    if given.get("reconstruction") == "bce" and not _within_unit(source):
        raise InputError(
            f"The 'reconstruction' parameter of {owner} may be 'bce' only where rows are scaled into [0, 1]. Got rows "
            f"with scaling={source.spec.scaling!r} that are not; scaling='unit' brings them there."
        )
    e.check()


def is_open(n_clusters: object) -> bool:
    """Return whether a number of clusters is still to be found: "auto", or a range."""
    return not whole(n_clusters, 1)


def identify(estimator: Clusterer, source: Source, runtime: Runtime, *, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what makes this fit this fit: a checkpoint of another one must not be gone on with.

    Parameters
    ----------
    estimator : Clusterer
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
        "rows": source.fingerprint,
        "precision": runtime.precision,
        "torch": torch.__version__,
    }


def build(estimator: Clusterer, spec: DataSpec, *, settings: dict[str, Any], streams: Streams) -> Model:
    """Make the model, with first weights from the fit's own stream; shapes follow from parameters and data alone.

    Parameters
    ----------
    estimator : Clusterer
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
    with GLOBAL_STATE, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.integer("weights"))  # torch.manual_seed would seed GPUs too
        return estimator.make_model(spec, settings)


def as_plain(value: object) -> object:
    """Return an array, series or tensor as a list, anything else as it is.

    Parameters
    ----------
    value : object
        A parameter; those that take arrays take lists too.

    Returns
    -------
    object
        What can be stored.
    """
    return np.asarray(value).tolist() if hasattr(value, "__array__") and not isinstance(value, type) else value


def _within_unit(source: Source) -> bool:
    if source.spec.scaling == "unit":
        return True
    parts = (source.take(block) for block in source.blocks())
    return all(bool(((part >= 0) & (part <= 1)).all()) for part in parts)


def _is_asked_for(k: object) -> bool:
    if isinstance(k, list | tuple):
        return len(k) == 2 and all(whole(bound, 1) for bound in k) and k[0] <= k[1]
    return isinstance(k, str) and k == "auto"


def _is_network(value: object) -> bool:
    pair = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(m, nn.Module) for m in value)
    return pair or isinstance(value, MLP | Conv | PooledConv) or (isinstance(value, str) and value in WORDS)


def _is_schedule(value: object) -> bool:
    return type(value) is Schedule or (isinstance(value, str) and value == "auto")


def _is_pretraining(value: object) -> bool:
    return value is None or isinstance(value, Layerwise) or value == "none" or _is_schedule(value)


SHARED: dict[str, Rule] = {
    "n_clusters": Rule(lambda k: whole(k, 1) or _is_asked_for(k), "an integer >= 1, 'auto' or a range such as (2, 20)"),
    "code_size": integer(1),
    "network": Rule(_is_network, f"one of {WORDS}, MLP, Conv, PooledConv or a pair of nn.Module"),
    "reconstruction": one_of(RECONSTRUCTIONS),
    "start": one_of(STARTS).or_word("auto"),
    "augment": Rule(lambda v: v is None or isinstance(v, str | Augment), "'auto', 'none', Augment or str"),
    "pretrain": Rule(_is_pretraining, "'auto', 'none', a Schedule or a Layerwise"),
    "train": Rule(_is_schedule, "'auto' or a Schedule"),
    "gather": Rule(lambda v: v is None or v == "none" or _is_schedule(v), "'auto', 'none' or a Schedule"),
    "gather_rounds": integer(1),
    "update_interval": integer(1),
    "hold": number(0, up_to=1),
    "warmup": integer(0).or_word("auto"),
    "tol": number(0, below=1).or_word(None),
}  # of the parameters that systems share


def _identity(value: object) -> object:
    if isinstance(value, np.random.RandomState):
        return "RandomState"  # what it draws is not what it drew; the checkpoint has the seed
    try:
        return encode_value(as_plain(value))
    except TypeError:
        # A user's own modules: their layers tell them apart. First weights do not, which another process draws anew:
        # what was trained so far counts for more than where it began.
        return repr(value)
