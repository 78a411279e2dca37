"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import Nearest, StudentT, student_t
from coterie.nn.losses import kl_divergence, mse, sharpen
from coterie.nn.networks import MLP, NETWORKS, Conv, Model
from coterie.nn.summary import summarise_network

__all__ = [
    "MLP",
    "NETWORKS",
    "Conv",
    "Model",
    "Nearest",
    "StudentT",
    "kl_divergence",
    "mse",
    "sharpen",
    "student_t",
    "summarise_network",
]
