"""The one rule behind every "auto": by kind of rows and number of rows, never by a data set's name.

============== ========================================== ==========================================
parameter      images                                     vectors
============== ========================================== ==========================================
network        ``MLP()``                                  ``MLP()``
augment        "shift-rotate"                             "none"
start          "manifold" from 5 K d rows on, else "kmeans", for both
pretrain       ``Schedule(steps=...)``                    the same
train          ``Schedule(steps=...)``                    the same
============== ========================================== ==========================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coterie.data import Augment
from coterie.errors import InputError
from coterie.nn import MLP, NETWORKS, Conv
from coterie.training import Schedule

if TYPE_CHECKING:
    from coterie.algorithms.base import DeepClusterer
    from coterie.data import Source

WARMUP = 200  # optimiser steps that learn a start whose clusters are not round
MANIFOLD_ROWS = 1000  # rows below which a neighbour graph says little


def resolve(estimator: DeepClusterer, source: Source) -> dict[str, Any]:
    """Return an estimator's parameters with every "auto" replaced by what it stands for.

    Parameters
    ----------
    estimator : DeepClusterer
        Its parameters.
    source : Source
        The rows.

    Returns
    -------
    dict
        Parameter names to values.
    """
    settings = estimator.get_params(deep=False)
    images, n = source.spec.kind == "images", len(source)
    settings["network"] = _network(settings["network"], images=images)
    settings["augment"] = _augment(settings["augment"], images=images)
    settings["scaling"] = source.spec.scaling
    if settings["start"] == "auto":
        settings["start"] = _start(n, estimator.n_clusters, estimator.code_size)
    auto = _schedules(n, round_start=settings["start"] == "kmeans")
    return {k: auto[k] if k in auto and isinstance(v, str) and v == "auto" else v for k, v in settings.items()}


def _schedules(n: int, *, round_start: bool) -> dict[str, Any]:
    return {
        "pretrain": Schedule(steps=_steps(1500, n), learning_rate=2e-3, beta2=0.99, weight_decay=0.01),
        "gather": None if round_start else Schedule(steps=400, learning_rate=2e-3, warmup=0.2),
        "warmup": 0 if round_start else WARMUP,
        "train": Schedule(steps=_steps(1000, n), learning_rate=2e-3, warmup=0.1),
    }


def _network(network: Any, *, images: bool) -> Any:
    if isinstance(network, str) and network == "auto":
        # Of the convolutional autoencoders tried, the one with the best accuracy for its time: the decoder only serves
        # pretraining, so it may be plain.
        return Conv(channels=(16, 32, 64), decoder=(500, 500)) if images else MLP()
    if isinstance(network, str):
        return NETWORKS[network]()
    return tuple(network) if isinstance(network, list) else network


def _augment(augment: Augment | str | None, *, images: bool) -> Augment:
    asked = augment
    if augment == "auto":
        augment = "shift-rotate" if images else "none"
    if isinstance(augment, str):
        augment = Augment.parse(augment)
    augment = augment or Augment()
    if augment.moves and not images:
        raise InputError(
            f"The 'augment' parameter must leave geometry alone where rows are no images. Got {asked!r} "
            "instead; give images as (n, H, W), or set image_shape=(H, W)."
        )
    return augment


def _start(n_rows: int, n_clusters: int, code_size: int) -> str:
    enough = max(MANIFOLD_ROWS, 5 * n_clusters * code_size)  # a full covariance needs d rows a cluster, several times
    return "manifold" if n_rows >= enough else "kmeans"


def _steps(at_ten_thousand: int, n_rows: int) -> int:
    # More rows hold more to learn, but far less than in proportion.
    return round(at_ten_thousand * min(max(n_rows / 10_000, 0.1), 10.0) ** 0.36 / 10) * 10
