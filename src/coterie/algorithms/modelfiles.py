"""Fitted systems as model folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from coterie.algorithms.base import Clusterer
from coterie.algorithms.building import as_plain, build
from coterie.algorithms.counting import Count
from coterie.algorithms.edited import Edits
from coterie.criteria import Calibration
from coterie.data import DataSpec
from coterie.errors import InputError, ModelFileError
from coterie.familiarity import Familiarity
from coterie.nn import Model
from coterie.persistence import decode_value, encode_value, read_model, save_model
from coterie.settings import snapshot
from coterie.training import Streams, own_modes

# What foreign values run into.
UNFIT = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
_ADDED_LATER = {"n_known_": 0, "n_pairs_": 0}  # what models of earlier versions do not have
_SCALARS = (*_ADDED_LATER, "seed_", "n_iter_", "fit_seconds_", "n_features_in_", "history_")


def save(model: Clusterer, folder: str | Path) -> None:
    """Write a fitted system; see :meth:`Clusterer.save`.

    Parameters
    ----------
    model : Clusterer
        A fitted system.
    folder : path
        Where.
    """
    config, tensors = take_apart(model)
    save_model(folder, config=config, tensors=tensors)


def take_apart(model: Clusterer) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return what a model file holds of a fitted system.

    Parameters
    ----------
    model : Clusterer
        A fitted system.

    Returns
    -------
    config : dict
        JSON values.
    tensors : dict of str to Tensor
        Arrays.

    Raises
    ------
    InputError
        If its class is none of coterie's, which could not be read again.
    """
    from sklearn.utils.validation import check_is_fitted

    from coterie.algorithms import SYSTEMS

    check_is_fitted(model)
    if type(model) not in SYSTEMS.values():
        raise InputError(f"{type(model).__name__} is no system of coterie's; a model folder could not be read again.")
    parameters = dict(model._fitted_params)  # not those of now, which may have been set after the fit
    own = isinstance(parameters.get("network"), list | tuple)
    settings = {k: v for k, v in model.settings_.items() if k != "random_state"}
    if own:
        settings["network"] = parameters["network"] = None  # code cannot be stored; load() is given it
    if not (parameters["random_state"] is None or isinstance(parameters["random_state"], int)):
        parameters["random_state"] = model.seed_
    config = {
        "system": type(model).__name__,
        "own_network": own,
        "parameters": {name: encode_value(as_plain(value)) for name, value in parameters.items()},
        "settings": {name: encode_value(as_plain(value)) for name, value in settings.items()},
        "spec": model.spec_.to_dict(),
        "feature_names": list(map(str, getattr(model, "feature_names_in_", []))),
        "fitted": {name: getattr(model, name) for name in _SCALARS},
        "calibration": None if model.calibration_ is None else model.calibration_.to_dict(),
        "count": None if model.count_ is None else model.count_.to_dict(),
        "edits": model.edits_.to_list(),
        "classes": list(model.edits_.classes),
    }
    tensors = {f"model.{name}": value for name, value in model.model_.state_dict().items()}
    tensors |= {"labels": torch.from_numpy(model.edits_.fitted), **model.edits_.tensors()}  # what follows is made again
    if model.order_ is not None:
        tensors["order"] = torch.from_numpy(model.order_)
    if model.familiarity_ is not None:
        tensors |= model.familiarity_.tensors()
    for name in model.extras:
        if (kept := getattr(model, f"{name}_")) is not None:
            tensors[name] = torch.from_numpy(kept)
    return config, tensors


def load(folder: str | Path, *, network: tuple[nn.Module, nn.Module] | None = None) -> Clusterer:
    """Read a model folder.

    Parameters
    ----------
    folder : path
        What :meth:`Clusterer.save` wrote.
    network : pair of nn.Module or None, default=None
        The encoder and decoder classes' instances, for a model that was fitted with a pair of your own: a model file
        holds numbers, never code.

    Returns
    -------
    Clusterer
        The fitted system; on the same machine it predicts what was predicted before, bit for bit.

    Raises
    ------
    ModelFileError
        If the folder is damaged, truncated, foreign or of a newer format, or ``network`` does not fit it.
    InputError
        If the model needs ``network`` and none is given.

    Examples
    --------
    >>> import coterie
    >>> coterie.load("no-such-folder")
    Traceback (most recent call last):
    ...
    coterie.errors.ModelFileError: no-such-folder does not exist.
    """
    config, tensors = read_model(folder)
    if config.get("own_network") and network is None:
        raise InputError(
            f"{folder} was fitted with a network of your own; give it as load(folder, network=(encoder, decoder))."
        )
    try:
        return put_together(config, tensors, network=network)
    except UNFIT as error:
        raise ModelFileError(f"{folder} does not describe a model of this version: {error}.") from error


@own_modes()
def put_together(
    config: dict[str, Any], tensors: dict[str, torch.Tensor], *, network: tuple[nn.Module, nn.Module] | None = None
) -> Clusterer:
    """Return the fitted system that :func:`take_apart` took apart.

    Parameters
    ----------
    config : dict
        JSON values.
    tensors : dict of str to Tensor
        Arrays.
    network : pair of nn.Module or None, default=None
        As in :func:`load`.

    Returns
    -------
    Clusterer
        Fitted. What does not describe a system raises one of ``UNFIT``.
    """
    from coterie.algorithms import SYSTEMS

    cls = {system.__name__: system for system in SYSTEMS.values()}[config["system"]]
    model = cls(**{name: decode_value(value) for name, value in config["parameters"].items()})
    model.settings_ = {name: decode_value(value) for name, value in config["settings"].items()}
    if config["own_network"] and network is not None:
        model.network = model.settings_["network"] = tuple(network)
    model._fitted_params = snapshot(model)
    model.settings_["random_state"] = model.random_state
    model.spec_ = DataSpec.from_dict(config["spec"])
    scalars = _ADDED_LATER | config["fitted"]
    for name in _SCALARS:
        setattr(model, name, scalars[name])
    curve = config.get("calibration")
    model.calibration_ = Calibration.from_dict(curve) if curve else None
    model.count_ = Count.from_dict(config["count"]) if config.get("count") else None
    if config["feature_names"]:
        model.feature_names_in_ = np.array(config["feature_names"], dtype=object)
    # "auto" stays the parameter; the model has the number that was found.
    sized = clone(model).set_params(n_clusters=model.settings_["n_clusters"])
    built: Model = build(sized, model.spec_, settings=model.settings_, streams=Streams(model.seed_))
    built.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    model.model_ = built.eval()
    model.familiarity_ = Familiarity.from_tensors(tensors)
    for name in model.extras:
        setattr(model, f"{name}_", tensors[name].numpy() if name in tensors else None)
    model.order_ = tensors["order"].numpy() if "order" in tensors else None
    fitted = tensors["labels"].numpy()
    model._set_fitted_labels(fitted)
    K, done = model.edits_.n_fitted, config.get("edits", [])
    model._apply_edits(Edits.from_list(fitted, K, done, tensors=tensors, classes=config.get("classes", [])))
    return model
