"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import Nearest, StudentT, student_t
from coterie.nn.losses import kl_divergence, mse, sharpen, triplet_loss
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.summary import summarise_network

__all__ = [
    "MLP",
    "NETWORKS",
    "Conv",
    "Model",
    "Nearest",
    "StudentT",
    "device_of",
    "kl_divergence",
    "make_autoencoder",
    "mse",
    "sharpen",
    "student_t",
    "summarise_network",
    "triplet_loss",
]
