"""coterie: deep clustering that a working data scientist can rely on.

The names below are imported on first use, so that the command line answers without loading torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coterie.algorithms import (
        DCN,
        DEC,
        DEPICT,
        DKM,
        IDEC,
        IMSAT,
        JULE,
        N2D,
        AEKMeans,
        ClusterGAN,
        DeepClusterer,
        KMeans,
        SelfLabel,
        Shallow,
        SNNLKMeans,
        VaDE,
        load,
    )
    from coterie.anomaly import CentreDistanceOutlier, LatentIsolationForest, NeighbourOutlier, ReconstructionOutlier
    from coterie.config import Config, config_context, get_config, set_config
    from coterie.data import Augment
    from coterie.nn import GAN, MLP, Conv, PooledConv
    from coterie.selection import Auto
    from coterie.training import Layerwise, Schedule

__version__ = "0.1.0"

__all__ = [
    "DCN",
    "DEC",
    "DEPICT",
    "DKM",
    "GAN",
    "IDEC",
    "IMSAT",
    "JULE",
    "MLP",
    "N2D",
    "AEKMeans",
    "Augment",
    "Auto",
    "CentreDistanceOutlier",
    "ClusterGAN",
    "Config",
    "Conv",
    "DeepClusterer",
    "KMeans",
    "LatentIsolationForest",
    "Layerwise",
    "NeighbourOutlier",
    "PooledConv",
    "ReconstructionOutlier",
    "SNNLKMeans",
    "Schedule",
    "SelfLabel",
    "Shallow",
    "VaDE",
    "config_context",
    "get_config",
    "load",
    "set_config",
]

_HOMES = {
    "coterie.algorithms": (
        "AEKMeans",
        "ClusterGAN",
        "DCN",
        "DEC",
        "DEPICT",
        "DKM",
        "DeepClusterer",
        "IDEC",
        "IMSAT",
        "JULE",
        "KMeans",
        "N2D",
        "SNNLKMeans",
        "SelfLabel",
        "Shallow",
        "VaDE",
        "load",
    ),
    "coterie.anomaly": (
        "CentreDistanceOutlier",
        "LatentIsolationForest",
        "NeighbourOutlier",
        "ReconstructionOutlier",
    ),
    "coterie.config": (
        "Config",
        "config_context",
        "get_config",
        "set_config",
    ),
    "coterie.data": ("Augment",),
    "coterie.nn": (
        "Conv",
        "GAN",
        "MLP",
        "PooledConv",
    ),
    "coterie.selection": ("Auto",),
    "coterie.training": (
        "Layerwise",
        "Schedule",
    ),
}


_PARTS = ("anomaly", "criteria", "data", "datasets", "metrics", "nn", "selection", "training")  # public modules


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    if name in _PARTS:
        return import_module(f"coterie.{name}")
    raise AttributeError(f"module 'coterie' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PARTS})
