"""What is learned: networks, heads, losses and targets."""

from coterie.nn.adversarial import GAN, Players, Prior, Split
from coterie.nn.heads import Nearest, StudentT, student_t
from coterie.nn.losses import gradient_penalty, kl_divergence, mse, sharpen
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.summary import summarise_network

__all__ = [
    "GAN",
    "MLP",
    "NETWORKS",
    "Conv",
    "Model",
    "Nearest",
    "Players",
    "Prior",
    "Split",
    "StudentT",
    "device_of",
    "gradient_penalty",
    "kl_divergence",
    "make_autoencoder",
    "mse",
    "sharpen",
    "student_t",
    "summarise_network",
]
