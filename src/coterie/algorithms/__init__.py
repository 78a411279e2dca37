"""The systems, one file each."""

from coterie.algorithms.ae_kmeans import AEKMeans
from coterie.algorithms.base import Clusterer
from coterie.algorithms.clustergan import ClusterGAN
from coterie.algorithms.dcn import DCN
from coterie.algorithms.dec import DEC
from coterie.algorithms.deep import DeepClusterer
from coterie.algorithms.depict import DEPICT
from coterie.algorithms.dkm import DKM
from coterie.algorithms.idec import IDEC
from coterie.algorithms.imsat import IMSAT
from coterie.algorithms.jule import JULE
from coterie.algorithms.kmeans import KMeans
from coterie.algorithms.modelfiles import load
from coterie.algorithms.n2d import N2D
from coterie.algorithms.selflabel import SelfLabel
from coterie.algorithms.shallow import Shallow
from coterie.algorithms.snnl import SNNLKMeans
from coterie.algorithms.vade import VaDE

SYSTEMS: dict[str, type[Clusterer]] = {
    "kmeans": KMeans,
    "shallow": Shallow,
    "aekmeans": AEKMeans,
    "dec": DEC,
    "idec": IDEC,
    "dcn": DCN,
    "dkm": DKM,
    "depict": DEPICT,
    "jule": JULE,
    "n2d": N2D,
    "vade": VaDE,
    "clustergan": ClusterGAN,
    "imsat": IMSAT,
    "selflabel": SelfLabel,
    "snnl-kmeans": SNNLKMeans,
}

__all__ = [
    "DCN",
    "DEC",
    "DEPICT",
    "DKM",
    "IDEC",
    "IMSAT",
    "JULE",
    "N2D",
    "SYSTEMS",
    "AEKMeans",
    "ClusterGAN",
    "Clusterer",
    "DeepClusterer",
    "KMeans",
    "SNNLKMeans",
    "SelfLabel",
    "Shallow",
    "VaDE",
    "load",
]
