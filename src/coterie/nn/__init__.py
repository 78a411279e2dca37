"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import GaussianMixture, Nearest, StudentT, student_t
from coterie.nn.losses import gaussian_kl, kl_divergence, mse, sharpen
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.summary import summarise_network
from coterie.nn.variational import LIKELIHOODS, BernoulliDecoder, GaussianDecoder, GaussianEncoder, reparametrise

__all__ = [
    "LIKELIHOODS",
    "MLP",
    "NETWORKS",
    "BernoulliDecoder",
    "Conv",
    "GaussianDecoder",
    "GaussianEncoder",
    "GaussianMixture",
    "Model",
    "Nearest",
    "StudentT",
    "device_of",
    "gaussian_kl",
    "kl_divergence",
    "make_autoencoder",
    "mse",
    "reparametrise",
    "sharpen",
    "student_t",
    "summarise_network",
]
