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
    images = source.spec.kind == "images"
    if settings["network"] == "auto":
        # Of the convolutional autoencoders tried, the one with the best accuracy for its time: the decoder only serves
        # pretraining, so it may be plain.
        settings["network"] = Conv(channels=(16, 32, 64), decoder=(500, 500)) if images else MLP()
    if isinstance(settings["network"], str):
        settings["network"] = NETWORKS[settings["network"]]()
    elif isinstance(settings["network"], list):
        settings["network"] = tuple(settings["network"])
    if settings["augment"] == "auto":
        settings["augment"] = "shift-rotate" if images else "none"
    if isinstance(settings["augment"], str):
        settings["augment"] = Augment.parse(settings["augment"])
    if settings["augment"] is None:
        settings["augment"] = Augment()
    if settings["augment"].moves and not images:
        raise InputError(
            f"The 'augment' parameter must leave geometry alone where rows are no images. Got {estimator.augment!r} "
            "instead; give images as (n, H, W), or set image_shape=(H, W)."
        )
    if settings["pretrain"] == "auto":
        settings["pretrain"] = Schedule(
            steps=_steps(1500, len(source)), learning_rate=2e-3, beta2=0.99, weight_decay=0.01
        )
    if settings["train"] == "auto":
        settings["train"] = Schedule(steps=_steps(1000, len(source)), learning_rate=2e-3, warmup=0.1)
    if settings["start"] == "auto":
        settings["start"] = _start(len(source), estimator.n_clusters, estimator.code_size)
    if settings.get("warmup") == "auto":
        settings["warmup"] = 0 if settings["start"] == "kmeans" else WARMUP
    if settings.get("gather") == "auto":
        settings["gather"] = None if settings["start"] == "kmeans" else Schedule(steps=400, learning_rate=2e-3, warmup=0.2)
    settings["scaling"] = source.spec.scaling
    return settings


def _start(n_rows: int, n_clusters: int, code_size: int) -> str:
    enough = max(MANIFOLD_ROWS, 5 * n_clusters * code_size)  # a full covariance needs d rows a cluster, several times
    return "manifold" if n_rows >= enough else "kmeans"


def _steps(at_ten_thousand: int, n_rows: int) -> int:
    # More rows hold more to learn, but far less than in proportion.
    return round(at_ten_thousand * min(max(n_rows / 10_000, 0.1), 10.0) ** 0.36 / 10) * 10
