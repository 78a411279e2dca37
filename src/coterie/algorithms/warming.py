"""Going on from the last fit: its network and its clusters take the place of pretraining, gathering and a start."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

from coterie.errors import InputError
from coterie.starts import Start, as_start
from coterie.training import Fit

if TYPE_CHECKING:
    from torch import Tensor

    from coterie.algorithms.base import Clusterer

WARM = "warm"  # name in a fit's memory


def is_warm(estimator: Clusterer) -> bool:
    """Return whether a fit of an estimator goes on from its last one: it is told to, and there is one."""
    return bool(getattr(estimator, "warm_start", False)) and hasattr(estimator, "model_")


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


def begin(estimator: Clusterer, fit: Fit) -> None:
    """Give a new fit the weights of the last one, where it goes on from that.

    Parameters
    ----------
    estimator : Clusterer
        Of the fit.
    fit : Fit
        Its model and memory change.

    Raises
    ------
    InputError
        If another network, code or number of clusters is asked for than the last fit had.
    """
    if not is_warm(estimator):
        return
    there, here = estimator.model_.state_dict(), fit.model.state_dict()
    if {name: value.shape for name, value in there.items()} != {name: value.shape for name, value in here.items()}:
        had = len(estimator.model_.head.centers)
        raise InputError(
            "With warm_start=True, network, code_size, n_clusters and the shape of rows must be those of the last fit, "
            f"which had {had} clusters. Got others instead (n_clusters={estimator.n_clusters})."
        )
    fit.model.load_state_dict(there)
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
        As the head has them.
    """
    with torch.no_grad():
        log_q = fit.model.head(z.to(fit.runtime.device))  # (n, K)
    return as_start(z.numpy(), log_q.argmax(1).cpu().numpy(), log_q.shape[1])


def end(fit: Fit) -> None:
    """Forget the code that a warm fit began with: an autoencoder alone did not make it."""
    if is_under_way(fit):
        fit.memory.pop("pretrained_code", None)
