"""Fitted detectors as model folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from coterie.algorithms.building import as_plain
from coterie.algorithms.modelfiles import UNFIT, put_together, take_apart
from coterie.anomaly.base import OutlierDetector
from coterie.errors import InputError, ModelFileError
from coterie.persistence import decode_value, encode_value, read_model, save_model

KIND = "outliers"
_SYSTEM, _KEPT, _SCORES = "system.", "kept.", "train_scores"  # beginnings of names in weights.safetensors
_SQUARED = "squared"  # the errors of reconstruction that thresholds are in


def save(detector: OutlierDetector, folder: str | Path) -> None:
    """Write a fitted detector; see :meth:`OutlierDetector.save`.

    Parameters
    ----------
    detector : OutlierDetector
        Fitted.
    folder : path
        Where.
    """
    from coterie.anomaly import DETECTORS

    check_is_fitted(detector)
    if type(detector) not in DETECTORS.values():
        raise InputError(f"{type(detector).__name__} is no outlier score of coterie's; it could not be read again.")
    system, tensors = take_apart(detector.model_)
    parameters = dict(detector._fitted_params)  # not those of now, which may have been set after the fit
    if not (parameters["random_state"] is None or isinstance(parameters["random_state"], int)):
        parameters["random_state"] = detector.seed_
    config = {
        "detector": type(detector).__name__,
        "parameters": {name: encode_value(as_plain(value)) for name, value in parameters.items()},
        "offset": detector.offset_,
        "seed": detector.seed_,
        "errors": _SQUARED,
        "system": system,
    }
    held = {_SYSTEM + name: value for name, value in tensors.items()}
    held |= {_KEPT + name: torch.from_numpy(value) for name, value in detector.kept_.items()}
    save_model(folder, config=config, tensors=held | {_SCORES: torch.from_numpy(detector.train_scores_)}, kind=KIND)


def load(folder: str | Path, *, network: tuple[nn.Module, nn.Module] | None = None) -> OutlierDetector:
    """Read a detector's folder.

    Parameters
    ----------
    folder : path
        What :meth:`OutlierDetector.save` wrote.
    network : pair of nn.Module or None, default=None
        As in :func:`coterie.load`.

    Returns
    -------
    OutlierDetector
        Fitted; its ``model`` is the system that it was fitted with.

    Raises
    ------
    ModelFileError
        If the folder is damaged, truncated, foreign or of a newer format, or ``network`` does not fit it.
    InputError
        If the system needs ``network`` and none is given.

    Examples
    --------
    >>> from coterie.anomaly import load
    >>> load("no-such-folder")
    Traceback (most recent call last):
    ...
    coterie.errors.ModelFileError: no-such-folder does not exist.
    """
    config, tensors = read_model(folder, kind=KIND)
    system = config.get("system")
    if isinstance(system, dict) and system.get("own_network") and network is None:
        raise InputError(
            f"{folder} was fitted with a network of your own; give it as load(folder, network=(encoder, decoder))."
        )
    try:
        return _rebuild(config, tensors, network)
    except UNFIT as error:
        raise ModelFileError(f"{folder} does not describe an outlier score of this version: {error}.") from error


def _rebuild(
    config: dict[str, Any], tensors: dict[str, torch.Tensor], network: tuple[nn.Module, nn.Module] | None
) -> OutlierDetector:
    from coterie.anomaly import DETECTORS

    def under(beginning: str) -> dict[str, torch.Tensor]:
        return {k.removeprefix(beginning): v for k, v in tensors.items() if k.startswith(beginning)}

    cls = {detector.__name__: detector for detector in DETECTORS.values()}[config["detector"]]
    detector = cls(**{name: decode_value(value) for name, value in config["parameters"].items()})
    detector.note_params()
    detector.model = detector.model_ = put_together(config["system"], under(_SYSTEM), network=network)
    detector.kept_ = {name: value.numpy() for name, value in under(_KEPT).items()}
    detector.check_model(detector.model_)
    of_errors = cls is DETECTORS["reconstruction"] and detector.model_.model_.reconstruction == "bce"
    if of_errors and config.get("errors") != _SQUARED:
        raise ValueError("its errors are cross entropies, as an earlier version had them; fit it again")
    detector.check_kept(detector.kept_, detector.model_)
    detector.train_scores_ = tensors[_SCORES].numpy()
    if detector.train_scores_.ndim != 1 or not len(detector.train_scores_):
        raise ValueError("it holds no scores of training rows")
    detector.offset_, detector.seed_ = float(config["offset"]), int(config["seed"])
    detector.n_features_in_ = detector.model_.n_features_in_
    if hasattr(detector.model_, "feature_names_in_"):
        detector.feature_names_in_ = detector.model_.feature_names_in_
    return detector
