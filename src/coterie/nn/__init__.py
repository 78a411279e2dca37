"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import Nearest, Softmax, StudentT, student_t
from coterie.nn.losses import balance, kl_divergence, mse, sharpen
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.stages import Stage, mirrored, stages_of, walk
from coterie.nn.summary import summarise_network

__all__ = [
    "MLP",
    "NETWORKS",
    "Conv",
    "Model",
    "Nearest",
    "Softmax",
    "Stage",
    "StudentT",
    "balance",
    "device_of",
    "kl_divergence",
    "make_autoencoder",
    "mirrored",
    "mse",
    "sharpen",
    "stages_of",
    "student_t",
    "summarise_network",
    "walk",
]
