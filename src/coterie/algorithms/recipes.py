"""Published settings, by system: what ``from_recipe`` gives, as far as they are parameters here."""

from __future__ import annotations

from typing import Any

from coterie.nn import GAN, MLP, Conv, PooledConv
from coterie.training import Layerwise, Schedule

# Both turns of ClusterGAN's game, also by default.
GAME: dict[str, Any] = {"optimiser": "adam", "momentum": 0.5, "beta2": 0.9}

AE_KMEANS: dict[str, dict[str, Any]] = {
    # A well-known tutorial's small convolutional network for 28 x 28 digits, in Keras; the code has 98 numbers.
    "tutorial": {
        "network": PooledConv(channels=(16, 2), initialiser="glorot"),
        "reconstruction": "bce",
        "augment": "none",
        "start": "kmeans",
        "pretrain": Schedule(epochs=3, batch_size=32, optimiser="adadelta", learning_rate=1.0, shape="constant"),
    },
}

CLUSTERGAN: dict[str, dict[str, Any]] = {
    "paper": {  # its settings for MNIST
        "noise_size": 30,
        "network": GAN(channels=(64, 128), hidden=(1024,), kernel=4),
        "augment": "none",
        "pretrain": None,
        "train": Schedule(steps=500_000, batch_size=64, learning_rate=1e-4, shape="constant", **GAME),
        "critic_steps": 5,
        "read": "kmeans",
    },
}

DEC: dict[str, dict[str, Any]] = {
    "paper": {
        "network": MLP(hidden=(500, 500, 2000), initialiser="small_normal"),
        "augment": "none",
        "start": "kmeans",
        "pretrain": Layerwise(),
        "train": Schedule(steps=20_000, optimiser="sgd", learning_rate=0.01, shape="constant"),
        "update_interval": 160,
        "tol": 0.001,
        "gather": None,
        "unit": 1.0,
    },
    # X. Guo's Keras implementation, MNIST settings: SGD at rate 1 for 300 epochs, then SGD at 0.01.
    "keras": {
        "network": MLP(hidden=(500, 500, 2000), initialiser="fan_in"),
        "augment": "none",
        "start": "kmeans",
        "pretrain": Schedule(epochs=300, optimiser="sgd", learning_rate=1.0, shape="constant"),
        "train": Schedule(steps=20_000, optimiser="sgd", learning_rate=0.01, shape="constant"),
        "update_interval": 140,
        "tol": 0.001,
        "gather": None,
        "unit": 1.0,
    },
}

DEPICT: dict[str, dict[str, Any]] = {
    "paper": {
        "network": "depict",
        "augment": "none",
        "start": "kmeans",
        "gather": None,
        "noise": 0.1,
        "row_weight": 4.0,
        "pretrain": Schedule(epochs=1000, batch_size=100, optimiser="adam", learning_rate=1e-4, shape="constant"),
        "train": Schedule(epochs=1000, batch_size=100, optimiser="adam", learning_rate=1e-4, shape="constant"),
    },
    "small": {
        "network": "depict-small",
        "augment": "none",
        "start": "kmeans",
        "gather": None,
        "noise": 0.0,
        "hidden_weight": 0.8,
        "reconstruction": "bce",
        "pretrain": "none",
        "train": Schedule(epochs=100, batch_size=100, optimiser="adam", learning_rate=1e-4, shape="constant"),
    },
}

IMSAT: dict[str, dict[str, Any]] = {
    # The paper's virtual adversarial training: 50 epochs of Adam from random weights, in batches of 250.
    "paper": {
        "network": MLP(hidden=(1200, 1200)),
        "augment": "none",
        "lam": 0.1,
        "mu": 4.0,
        "adversarial": 0.25,
        "warmup": 0,
        "train": Schedule(epochs=50, batch_size=250, optimiser="adam", learning_rate=0.002, shape="constant"),
    },
}

JULE: dict[str, dict[str, Any]] = {
    "paper": {  # for MNIST, where it leaves out the second pooling on the 10k part; its variant "RC"
        "network": Conv(channels=(50, 50), kernels=(5, 5), strides=1, pool=2, batch_norm=True),
        "augment": "none",
        "train": Schedule(epochs=20, batch_size=100, optimiser="sgd", learning_rate=0.01, shape="constant"),
        "least_share": 0.0,
        "gamma": 2.0,
        "spare": False,
        "reclusters": 1,
    },
}

N2D: dict[str, dict[str, Any]] = {
    "paper": {
        "network": MLP(hidden=(500, 500, 2000), initialiser="glorot"),
        "augment": "none",
        "pretrain": Schedule(epochs=1000, optimiser="adam", shape="constant"),
        "n_maps": 1,
        "gather": None,
    },
}

SNNL: dict[str, dict[str, Any]] = {
    "paper": {
        "network": MLP(hidden=(500, 500, 2000), code_activation="sigmoid"),
        "reconstruction": "bce",
        "augment": "none",
        "start": "kmeans",
        "pretrain": None,
        "train": Schedule(epochs=50, batch_size=256, optimiser="adam", learning_rate=1e-3, shape="constant"),
        "alpha": 100.0,
        "temperature": "annealed",
        "distance": "cosine",
    },
}

VADE: dict[str, dict[str, Any]] = {
    # MNIST settings; the rate is multiplied by 0.9 every 10 of the 300 epochs.
    "paper": {
        "network": MLP(hidden=(500, 500, 2000)),
        "augment": "none",
        "start": "mixture",
        "hold": 0.0,
        "likelihood": "bernoulli",
        "train": Schedule(
            epochs=300,
            batch_size=100,
            optimiser="adam",
            learning_rate=2e-3,
            shape="step",
            drops=29,
            drop=0.9,
        ),
    },
}
