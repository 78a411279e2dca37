"""The systems, one file each."""

from coterie.algorithms.ae_kmeans import AEKMeans
from coterie.algorithms.base import DeepClusterer
from coterie.algorithms.dec import DEC
from coterie.algorithms.idec import IDEC
from coterie.algorithms.modelfiles import load

SYSTEMS: dict[str, type[DeepClusterer]] = {"dec": DEC, "idec": IDEC, "aekmeans": AEKMeans}

__all__ = ["DEC", "IDEC", "SYSTEMS", "AEKMeans", "DeepClusterer", "load"]
