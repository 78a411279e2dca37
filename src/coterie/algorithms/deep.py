"""What the systems that learn a code have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from coterie.algorithms.base import Clusterer
from coterie.data import Augment
from coterie.persistence import register
from coterie.settings import hyperparameters

register("Augment")(Augment)


@hyperparameters
class DeepClusterer(Clusterer):
    """A system that learns a code; see DEC for one that can be used.

    A system overrides ``make_head``, ``phases``, ``terms`` and, where it needs them, ``make_model``, ``own_defaults``,
    ``enter``, ``start_clusters``, ``first_partition``, ``fill_head``, ``refresh``, ``finish`` or the whole ``plan`` of
    :class:`coterie.algorithms.system.System`.

    Parameters
    ----------
    {shared}

    Attributes
    ----------
    {fitted}

    Examples
    --------
    >>> from coterie import DEC, DeepClusterer
    >>> issubclass(DEC, DeepClusterer)
    True
    """

    code_size: int = 10
    network: Any = "auto"
    reconstruction: str = "mse"
    augment: Any = "auto"
    start: str = "auto"
    pretrain: Any = "auto"
    train: Any = "auto"

    extras: ClassVar[tuple[str, ...]] = ("pretrained_code",)
