"""The one rule behind every "auto": by kind of rows, their size and their number n, never by a data set's name.

========= ============================ =========================== =========================== ====================
parameter few images                   few small images            many images                 vectors
========= ============================ =========================== =========================== ====================
network   ``Conv(channels=(16, 32,``   ``MLP(hidden=(1000,``       ``MLP(hidden=(1000,``       ``MLP(hidden=(500,``
          ``64), decoder=(500, 500))`` ``1000), decoder=(500,``    ``1000), decoder=(500,``    ``500, 2000))``
                                       ``500))``                   ``500))``
augment   "shift-rotate"               "shift-rotate"              "shift-rotate"              "none"
batch     256                          256                         512, gathering 256          256
pretrain  1,500 m^0.36 steps           8,000 m^0.36 steps          2,500 m^0.36 steps          1,500 m^0.36 steps
          up to 2e-3                   up to 1.5e-3                up to 1.5e-3                up to 1e-3
gather    2 rounds of 300 steps        2 rounds of 400 steps       2 rounds of 400 steps       2 rounds of 400 steps
          up to 2e-3                   up to 1e-3                  up to 1e-3                  up to 5e-4
train     1,000 m^0.2 steps            1,000 m^0.2 steps           1,000 m^0.2 steps           1,000 m^0.2 steps
          up to 2e-3                   up to 1.5e-3                up to 1.5e-3                up to 5e-4
========= ============================ =========================== =========================== ====================

Many is from 20,000 rows on, and for images of at most 4,096 values each (larger ones have the network of few images,
with its convolutions mirrored). Small images have at most 400 values: three halvings leave too little of them for a
convolution to see, and a dense network may learn for long, since its steps are short. m is n / 10,000 held between 0.1
and 10. All steps are AdamW's, with a one-cycle rate. The start is "manifold" from max(1000, 5 K d) rows on, unless that
is more than the 10,000 which it looks at, else "kmeans"; any other than "kmeans" is learned in a warm-up of 200 steps,
and only then rows are gathered. Fewer than 5,000 images and fewer than 20,000 vectors are not gathered; N2D, which
learns nothing later, gathers four times. Few images need what convolution knows beforehand; from many a plain wide
network learns it, and corrects more of a start's errors. All of it was chosen on MNIST, whole and cut down to 16 x 16
pixels with groups of unlike size, with seeds from 100 on.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from coterie.algorithms.building import as_plain
from coterie.data import Augment
from coterie.errors import InputError
from coterie.nn import MLP, NETWORKS, Conv
from coterie.persistence import encode_value
from coterie.settings import Settings, snapshot
from coterie.starts import SAMPLE
from coterie.training import Schedule

if TYPE_CHECKING:
    from coterie.algorithms.base import Clusterer
    from coterie.data import DataSpec, Source

WARMUP = 200  # optimiser steps that learn a start whose clusters are not round
MANIFOLD_ROWS = 1000  # rows below which a neighbour graph says little
GATHERED_IMAGES = 5_000  # images from which gathering is worth its time
MANY_ROWS = 20_000  # rows from which it is for vectors too, and a wide network learns what images are
NOT_IN_DIGEST = (
    ("reconstruction", "mse"),
    ("n_init", 1),
    ("warm_start", False),
    ("finer", 0),
)  # parameters that came later, at the value that the first results had
SMALL_IMAGE = 400  # values of an image up to which a convolution has too little to see
LARGEST_DENSE = 4096  # values of an image above which a fully connected layer to them would be most of the network


def resolve(estimator: Clusterer, source: Source) -> dict[str, Any]:
    """Return an estimator's parameters with every "auto" replaced by what it stands for.

    Parameters
    ----------
    estimator : Clusterer
        Its parameters.
    source : Source
        The rows.

    Returns
    -------
    dict
        Parameter names to values.
    """
    settings = snapshot(estimator)
    spec, n = source.spec, len(source)
    settings["scaling"] = spec.scaling
    for name in ("pretrain", "gather"):
        if isinstance(settings.get(name), str) and settings[name] == "none":  # a settings file has no word for None
            settings[name] = None
    own = estimator.own_defaults(spec, n)
    settings = {name: own[name] if _is_auto(value) and name in own else value for name, value in settings.items()}
    images = spec.kind == "images"
    if "augment" in settings:
        settings["augment"] = augmentation(settings["augment"], images=images)
    if "network" not in settings:
        return settings
    settings["network"] = _network(settings["network"], spec, n)
    if settings.get("start") == "auto":
        settings["start"] = estimator.auto_start or _start(n, settings["n_clusters"], _code_size(settings))
    auto = schedules(spec, n, round_start=settings.get("start") == "kmeans")
    return {name: auto[name] if _is_auto(value) and name in auto else value for name, value in settings.items()}


def _is_auto(value: object) -> bool:
    return isinstance(value, str) and value == "auto"


def digest(settings: dict[str, Any]) -> str:
    """Return a short digest of resolved settings; results carry it, so that a changed default shows.

    Parameters
    ----------
    settings : dict
        What :func:`resolve` returned.

    Returns
    -------
    str
        16 hexadecimal digits; the seed does not matter, nor does what a schedule or network leaves at its own default.
    """
    told = {
        name: _told(value)
        for name, value in settings.items()
        if name != "random_state" and (name, value) not in NOT_IN_DIGEST
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _told(value: Any) -> Any:
    if not isinstance(value, Settings):
        return encode_value(as_plain(value))
    usual = type(value)().get_params(deep=False)
    changed = {name: encode_value(v) for name, v in value.get_params(deep=False).items() if v != usual[name]}
    return {type(value).__name__: changed}


def are_many(spec: DataSpec, n_rows: int) -> bool:
    """Return whether rows are enough for a wide network to learn what they are, and small enough for it.

    Parameters
    ----------
    spec : DataSpec
        What rows look like.
    n_rows : int
        How many there are.

    Returns
    -------
    bool
        The "many" of the table above.
    """
    return n_rows >= MANY_ROWS and (spec.kind != "images" or math.prod(spec.shape) <= LARGEST_DENSE)


def schedules(spec: DataSpec, n: int, *, round_start: bool) -> dict[str, Any]:
    """Return the trainings that "auto" stands for, by parameter, and the length of the warm-up.

    Parameters
    ----------
    spec : DataSpec
        What rows look like.
    n : int
        Rows.
    round_start : bool
        Whether the start's clusters are round.

    Returns
    -------
    dict
        Schedules "pretrain", "gather" (or None) and "train"; steps "warmup".
    """
    images, many, dense = spec.kind == "images", are_many(spec, n), is_dense(spec, n)
    # Rates go with the networks that "auto" chooses: fully connected ones bear less than the small convolutional one.
    fast, slow, gathering = (1.5e-3, 1.5e-3, 1e-3) if dense else (2e-3, 2e-3, 2e-3) if images else (1e-3, 5e-4, 5e-4)
    at_ten_thousand = (2500 if many else 8000) if dense else 1500
    batch_size = 512 if dense and many else 256
    gather = Schedule(steps=300 if images and not dense else 400, learning_rate=gathering, warmup=0.2)
    gathers = not round_start and n >= (GATHERED_IMAGES if images else MANY_ROWS)
    return {
        "pretrain": Schedule(
            steps=steps_for(at_ten_thousand, n, 0.36),
            batch_size=batch_size,
            learning_rate=fast,
            beta2=0.99,
            weight_decay=0.01,
        ),
        "gather": gather if gathers else None,
        "warmup": 0 if round_start else WARMUP,
        "train": Schedule(steps=steps_for(1000, n, 0.2), batch_size=batch_size, learning_rate=slow, warmup=0.1),
    }


def is_dense(spec: DataSpec, n_rows: int) -> bool:
    """Return whether "auto" gives images a fully connected network.

    Parameters
    ----------
    spec : DataSpec
        What rows look like.
    n_rows : int
        How many there are.

    Returns
    -------
    bool
        False for vectors, whose network is another.
    """
    return spec.kind == "images" and (are_many(spec, n_rows) or math.prod(spec.shape) <= SMALL_IMAGE)


def _network(network: Any, spec: DataSpec, n: int) -> Any:
    if isinstance(network, str) and network == "auto":
        if spec.kind != "images":
            return MLP()
        # Pretraining needs a decoder, but not a large one; of a large image, a fully connected one would be.
        small = (500, 500) if math.prod(spec.shape) <= LARGEST_DENSE else "mirror"
        dense = is_dense(spec, n)
        return MLP(hidden=(1000, 1000), decoder=small) if dense else Conv(channels=(16, 32, 64), decoder=small)
    if isinstance(network, str):
        return NETWORKS[network]()
    return tuple(network) if isinstance(network, list) else network


def _code_size(settings: dict[str, Any]) -> int:
    return settings["code_size"] if "code_size" in settings else settings["noise_size"] + settings["n_clusters"]


def augmentation(augment: Augment | str | None, *, images: bool) -> Augment:
    """Return what changes rows.

    Parameters
    ----------
    augment : Augment, str or None
        As it was given: words as of :meth:`coterie.data.Augment.parse`, or "auto", which is "shift-rotate" for images
        and "none" for others; None changes nothing.
    images : bool
        Whether rows are images.

    Returns
    -------
    Augment
        False where nothing is changed.

    Raises
    ------
    InputError
        If it moves what is no image.
    """
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
    return "manifold" if min(n_rows, SAMPLE) >= enough else "kmeans"  # it is fitted to so many rows


def halving_conv(spec: DataSpec, channels: tuple[int, int, int]) -> Conv:
    """Return a network of up to three convolutions with batch norm, each of which halves the side.

    Parameters
    ----------
    spec : DataSpec
        Of images.
    channels : tuple of three int
        The last of them are taken where fewer convolutions leave 4 pixels or so of the shorter side; one there is.

    Returns
    -------
    Conv
        For its encoder; the decoder is not used.
    """
    halvings = min(max(((min(spec.shape[1:]) - 1) // 3).bit_length() - 1, 1), 3)
    return Conv(channels=channels[-halvings:], kernels=(5, 5, 3)[-halvings:], batch_norm=True)


def steps_for(at_ten_thousand: int, n_rows: int, power: float) -> int:
    """Return how many steps a number of rows deserves.

    Parameters
    ----------
    at_ten_thousand : int
        Steps for 10,000 rows.
    n_rows : int
        How many there are.
    power : float
        Of m by which the steps grow.

    Returns
    -------
    int
        A multiple of 10.
    """
    # More rows hold more to learn, but far less than in proportion.
    return round(at_ten_thousand * min(max(n_rows / 10_000, 0.1), 10.0) ** power / 10) * 10
