"""What is learned: networks, heads, losses and targets."""

from coterie.nn.adversarial import GAN, Players, Prior, Split
from coterie.nn.heads import Nearest, Softmax, StudentT, UnitLength, student_t
from coterie.nn.landmarks import LandmarkMap, MappedModel
from coterie.nn.likeness import DISTANCES, soft_nearest_neighbor_loss, supervised_contrastive_loss
from coterie.nn.losses import (
    RECONSTRUCTIONS,
    balance,
    bce,
    gaussian_kl,
    gradient_penalty,
    information,
    kl_divergence,
    mse,
    sharpen,
    triplet_loss,
)
from coterie.nn.mixture_heads import DiagonalGaussians, FullGaussians
from coterie.nn.model import Model, device_of, make_autoencoder
from coterie.nn.networks import MLP, NETWORKS, Conv
from coterie.nn.pooled import PooledConv
from coterie.nn.stages import Stage, mirrored, stages_of, walk
from coterie.nn.summary import layer_outputs, summarise_network
from coterie.nn.variational import LIKELIHOODS, BernoulliDecoder, GaussianDecoder, GaussianEncoder, reparametrise
from coterie.nn.votes import Votes

__all__ = [
    "DISTANCES",
    "GAN",
    "LIKELIHOODS",
    "MLP",
    "NETWORKS",
    "RECONSTRUCTIONS",
    "BernoulliDecoder",
    "Conv",
    "DiagonalGaussians",
    "FullGaussians",
    "GaussianDecoder",
    "GaussianEncoder",
    "LandmarkMap",
    "MappedModel",
    "Model",
    "Nearest",
    "Players",
    "PooledConv",
    "Prior",
    "Softmax",
    "Split",
    "Stage",
    "StudentT",
    "UnitLength",
    "Votes",
    "balance",
    "bce",
    "device_of",
    "gaussian_kl",
    "gradient_penalty",
    "information",
    "kl_divergence",
    "layer_outputs",
    "make_autoencoder",
    "mirrored",
    "mse",
    "reparametrise",
    "sharpen",
    "soft_nearest_neighbor_loss",
    "stages_of",
    "student_t",
    "summarise_network",
    "supervised_contrastive_loss",
    "triplet_loss",
    "walk",
]
