"""coterie: deep clustering that a working data scientist can rely on.

The names below are imported on first use, so that the command line answers without loading torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coterie.algorithms import DEC, IDEC, AEKMeans, ClusterGAN, DeepClusterer, KMeans, load
    from coterie.config import Config, config_context, get_config, set_config
    from coterie.data import Augment
    from coterie.nn import GAN, MLP, Conv
    from coterie.training import Schedule

__version__ = "0.1.0"

__all__ = [
    "DEC",
    "GAN",
    "IDEC",
    "MLP",
    "AEKMeans",
    "Augment",
    "ClusterGAN",
    "Config",
    "Conv",
    "DeepClusterer",
    "KMeans",
    "Schedule",
    "config_context",
    "get_config",
    "load",
    "set_config",
]

_HOMES = {
    "coterie.algorithms": ("DEC", "IDEC", "AEKMeans", "ClusterGAN", "DeepClusterer", "KMeans", "load"),
    "coterie.config": ("Config", "config_context", "get_config", "set_config"),
    "coterie.data": ("Augment",),
    "coterie.nn": ("GAN", "MLP", "Conv"),
    "coterie.training": ("Schedule",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'coterie' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
