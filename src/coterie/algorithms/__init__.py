"""The systems, one file each."""

from coterie.algorithms.ae_kmeans import AEKMeans
from coterie.algorithms.base import Clusterer
from coterie.algorithms.dec import DEC
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.idec import IDEC
from coterie.algorithms.kmeans import KMeans
from coterie.algorithms.modelfiles import load
from coterie.algorithms.n2d import N2D

SYSTEMS: dict[str, type[Clusterer]] = {
    "kmeans": KMeans,
    "aekmeans": AEKMeans,
    "dec": DEC,
    "idec": IDEC,
    "n2d": N2D,
}

__all__ = ["DEC", "IDEC", "N2D", "SYSTEMS", "AEKMeans", "Clusterer", "DeepClusterer", "KMeans", "load"]
