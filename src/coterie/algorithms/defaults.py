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
from coterie.nn import NETWORKS
from coterie.training import Schedule

if TYPE_CHECKING:
    from coterie.algorithms.base import DeepClusterer
    from coterie.data import Source

WARMUP = 300  # optimiser steps that learn a start whose clusters are not round
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
        settings["network"] = "mlp"
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
        settings["pretrain"] = Schedule(steps=3000)
    if settings["train"] == "auto":
        settings["train"] = Schedule(steps=2000, learning_rate=2e-4)
    if settings["start"] == "auto":
        settings["start"] = _start(len(source), estimator.n_clusters, estimator.code_size)
    if settings.get("warmup") == "auto":
        settings["warmup"] = 0 if settings["start"] == "kmeans" else WARMUP
    settings["scaling"] = source.spec.scaling
    return settings


def _start(n_rows: int, n_clusters: int, code_size: int) -> str:
    enough = max(MANIFOLD_ROWS, 5 * n_clusters * code_size)  # a full covariance needs d rows a cluster, several times
    return "manifold" if n_rows >= enough else "kmeans"
