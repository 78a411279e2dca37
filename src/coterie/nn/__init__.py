"""What is learned: networks, heads, losses and targets."""

from coterie.nn.heads import GaussianMixture, Nearest, Softmax, StudentT, student_t
from coterie.nn.losses import balance, gaussian_kl, kl_divergence, mse, sharpen
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.stages import Stage, mirrored, stages_of, walk
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
    "Softmax",
    "Stage",
    "StudentT",
    "balance",
    "device_of",
    "gaussian_kl",
    "kl_divergence",
    "make_autoencoder",
    "mirrored",
    "mse",
    "reparametrise",
    "sharpen",
    "stages_of",
    "student_t",
    "summarise_network",
    "walk",
]
