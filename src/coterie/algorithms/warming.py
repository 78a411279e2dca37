"""Going on from the last fit: its network and its clusters take the place of pretraining, gathering and a start."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

import torch

from coterie.algorithms.building import as_plain, is_open
from coterie.errors import InputError
from coterie.starts import Start, as_start
from coterie.training import Fit, assignments

if TYPE_CHECKING:
    from torch import Tensor

    from coterie.algorithms.base import Clusterer

WARM = "warm"  # name in a fit's memory
KEPT = ("network", "code_size", "reconstruction", "scaling", "image_shape")  # what weights and clusters are of


def is_warm(estimator: Clusterer) -> bool:
    """Return whether a fit of an estimator goes on from its last one: it is told to, and there is one."""
    return bool(getattr(estimator, "warm_start", False)) and hasattr(estimator, "model_")


def take_over(estimator: Clusterer, fitted: Clusterer) -> None:
    """Let an estimator go on from the fit of another one.

    Parameters
    ----------
    estimator : Clusterer
        Not fitted. Where its network and scaling are left at their defaults, it has those of the other.
    fitted : Clusterer
        Fitted, of the same class.
    """
    usual, had = type(estimator)(), fitted._fitted_params
    left = [name for name in KEPT if _same(getattr(estimator, name), getattr(usual, name))]
    estimator.set_params(**{name: copy.copy(had[name]) for name in left})  # groups that set_params writes into
    estimator._adopt(fitted)
    estimator._fitted_params = dict(had)


def identity(estimator: Clusterer) -> dict[str, str]:
    """Return a digest of the weights that a warm fit begins with; nothing for a cold one.

    Parameters
    ----------
    estimator : Clusterer
        Before its fit.

    Returns
    -------
    dict of str to str
        For the identity of its checkpoints.
    """
    if not is_warm(estimator):
        return {}
    digest = hashlib.sha256()
    for name, value in sorted(estimator.model_.state_dict().items()):
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return {WARM: digest.hexdigest()[:32]}


def number_of(estimator: Clusterer) -> int:
    """Return the number of clusters of a warm fit: as many as the last one had, before they were edited.

    Parameters
    ----------
    estimator : Clusterer
        Fitted; its ``n_clusters`` may be open.

    Returns
    -------
    int
        K.

    Raises
    ------
    InputError
        If another number is asked for.
    """
    asked: Any = estimator.n_clusters
    K = len(estimator.model_.head.centers)
    low, high = asked if isinstance(asked, list | tuple) else (K, K) if is_open(asked) else (asked, asked)
    if not low <= K <= high:
        raise InputError(f"With warm_start=True, 'n_clusters' must be that of the last fit, {K}. Got {asked} instead.")
    return K


def settle(estimator: Clusterer, settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings in which a warm fit has the network and the scaling of the last one.

    Parameters
    ----------
    estimator : Clusterer
        Its parameters; where they are what they were, "auto" means what it meant then, however many rows there are.
    settings : dict
        Parameters with "auto" resolved.

    Returns
    -------
    dict
        The same for a cold fit.

    Raises
    ------
    InputError
        If another network, scaling or number of clusters is asked for.
    """
    if not is_warm(estimator):
        return settings
    number_of(estimator)
    had, before = estimator.settings_, estimator._fitted_params
    given = estimator.get_params(deep=False)
    asked = settings | {name: given[name] for name in ("scaling", "image_shape")}  # rows were read as they were then
    now = {name: had[name] if _same(given[name], before[name]) else asked[name] for name in KEPT}
    for name in KEPT:
        if not _same(now[name], had[name]):
            raise InputError(
                f"With warm_start=True, {name!r} must be that of the last fit, {had[name]!r}. "
                f"Got {now[name]!r} instead."
            )
    return settings | now


def begin(estimator: Clusterer, fit: Fit) -> None:
    """Give a new fit the weights of the last one, where it goes on from that.

    Parameters
    ----------
    estimator : Clusterer
        Of the fit.
    fit : Fit
        Its model and memory change.
    """
    if is_warm(estimator):
        fit.model.load_state_dict(estimator.model_.state_dict())
        fit.memory[WARM] = torch.tensor(1)


def is_under_way(fit: Fit) -> bool:
    """Return whether a fit goes on from an earlier one."""
    return WARM in fit.memory


def first(fit: Fit, z: Tensor) -> Start:
    """Return the clusters of the last fit as a start.

    Parameters
    ----------
    fit : Fit
        One that is warm, before clustering.
    z : Tensor of shape (n, d)
        The code.

    Returns
    -------
    Start
        As the head has them; a cluster that no row is in stays where it was.
    """
    centers = fit.model.head.centers.detach().cpu().numpy()  # (K, d)
    return as_start(z.numpy(), assignments(fit).argmax(1).numpy(), len(centers), former=centers)


def _same(one: Any, other: Any) -> bool:
    one, other = (tuple(value) if isinstance(value := as_plain(each), list) else value for each in (one, other))
    return one is other or bool(one == other)
