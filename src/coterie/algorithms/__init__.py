"""The systems, one file each."""

from coterie.algorithms.ae_kmeans import AEKMeans
from coterie.algorithms.base import Clusterer
from coterie.algorithms.clustergan import ClusterGAN
from coterie.algorithms.dec import DEC
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.idec import IDEC
from coterie.algorithms.kmeans import KMeans
from coterie.algorithms.modelfiles import load

SYSTEMS: dict[str, type[Clusterer]] = {
    "kmeans": KMeans,
    "aekmeans": AEKMeans,
    "dec": DEC,
    "idec": IDEC,
    "clustergan": ClusterGAN,
}

__all__ = ["DEC", "IDEC", "SYSTEMS", "AEKMeans", "ClusterGAN", "Clusterer", "DeepClusterer", "KMeans", "load"]
