"""The one rule behind every "auto": by kind of rows and number of rows n, never by a data set's name.

============ ==================================================== ====================================
parameter    images                                               vectors
============ ==================================================== ====================================
network      ``Conv(channels=(16, 32, 64), decoder=(500, 500))``  ``MLP(hidden=(500, 500, 2000))``
augment      "shift-rotate"                                       "none"
start        "manifold" from max(1000, 5 K d) rows on, else "kmeans"
pretrain     1,500 (n / 10,000)^0.36 steps of AdamW, one cycle up to 2e-3 (vectors: 1e-3)
gather       400 steps from 20,000 rows on, where the start is not "kmeans"; else none
warmup       200 steps where the start is not "kmeans"; else 0
train        1,000 (n / 10,000)^0.2 steps of AdamW, one cycle up to 2e-3 (vectors: 5e-4)
============ ==================================================== ====================================

n / 10,000 is held between 0.1 and 10. All of it was chosen on MNIST with seeds from 100 on.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from coterie.data import Augment
from coterie.errors import InputError
from coterie.nn import MLP, NETWORKS, Conv
from coterie.persistence import encode_value
from coterie.training import Schedule

if TYPE_CHECKING:
    from coterie.algorithms.base import DeepClusterer
    from coterie.data import Source

WARMUP = 200  # optimiser steps that learn a start whose clusters are not round
MANIFOLD_ROWS = 1000  # rows below which a neighbour graph says little
GATHER_ROWS = 20_000  # rows below which a longer start is not worth its time


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
    auto = _schedules(n, images=images, round_start=settings["start"] == "kmeans")
    return {k: auto[k] if k in auto and isinstance(v, str) and v == "auto" else v for k, v in settings.items()}


def digest(settings: dict[str, Any]) -> str:
    """Return a short digest of resolved settings; results carry it, so that a changed default shows.

    Parameters
    ----------
    settings : dict
        What :func:`resolve` returned.

    Returns
    -------
    str
        16 hexadecimal digits; the seed does not matter.
    """
    text = json.dumps({name: encode_value(v) for name, v in settings.items() if name != "random_state"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _schedules(n: int, *, images: bool, round_start: bool) -> dict[str, Any]:
    # The wide fully connected network of vectors bears less than the small convolutional one.
    slow, fast = (2e-3, 2e-3) if images else (5e-4, 1e-3)
    gather = None if round_start or n < GATHER_ROWS else Schedule(steps=400, learning_rate=slow, warmup=0.2)
    return {
        "pretrain": Schedule(steps=_steps(1500, n, 0.36), learning_rate=fast, beta2=0.99, weight_decay=0.01),
        "gather": gather,
        "warmup": 0 if round_start else WARMUP,
        "train": Schedule(steps=_steps(1000, n, 0.2), learning_rate=slow, warmup=0.1),
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


def _steps(at_ten_thousand: int, n_rows: int, power: float) -> int:
    # More rows hold more to learn, but far less than in proportion.
    return round(at_ten_thousand * min(max(n_rows / 10_000, 0.1), 10.0) ** power / 10) * 10
