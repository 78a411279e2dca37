"""Outlier scores on the code of a system, or of one that is fitted for the purpose."""

from coterie.anomaly.base import OutlierDetector
from coterie.anomaly.centre import CentreDistanceOutlier
from coterie.anomaly.isolation import LatentIsolationForest
from coterie.anomaly.modelfiles import load
from coterie.anomaly.neighbours import NeighbourOutlier
from coterie.anomaly.reconstruction import ReconstructionOutlier

DETECTORS: dict[str, type[OutlierDetector]] = {
    "neighbours": NeighbourOutlier,
    "isolation": LatentIsolationForest,
    "reconstruction": ReconstructionOutlier,
    "centre": CentreDistanceOutlier,
}
DEFAULT = "neighbours"  # what `coterie outliers` uses

__all__ = [
    "DEFAULT",
    "DETECTORS",
    "CentreDistanceOutlier",
    "LatentIsolationForest",
    "NeighbourOutlier",
    "OutlierDetector",
    "ReconstructionOutlier",
    "load",
]
