"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import Gaussians, Nearest, StudentT, student_t
from coterie.nn.landmarks import LandmarkMap, MappedModel
from coterie.nn.losses import RECONSTRUCTIONS, bce, kl_divergence, mse, sharpen
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.pooled import PooledConv
from coterie.nn.summary import layer_outputs, summarise_network

__all__ = [
    "MLP",
    "NETWORKS",
    "RECONSTRUCTIONS",
    "Conv",
    "Gaussians",
    "LandmarkMap",
    "MappedModel",
    "Model",
    "Nearest",
    "PooledConv",
    "StudentT",
    "bce",
    "device_of",
    "kl_divergence",
    "layer_outputs",
    "make_autoencoder",
    "mse",
    "sharpen",
    "student_t",
    "summarise_network",
]
