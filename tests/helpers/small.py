"""Estimators and rows small enough for tests."""

import numpy as np
import torch
from sklearn.base import clone

from coterie import DEC, GAN, MLP, Schedule
from coterie.algorithms import SYSTEMS as NAMED

SYSTEMS = tuple(NAMED.values())
OWN = {  # what a system needs beside, or instead of, the settings below, by its name
    "ClusterGAN": {
        "noise_size": 2,
        "network": GAN(hidden=(64,)),
        "train": Schedule(steps=150, batch_size=32, learning_rate=1e-2, shape="cosine", momentum=0.5, beta2=0.9),
        "critic_steps": 2,
        "penalty": 1.0,
    },
    "JULE": {"code_size": 8, "train": Schedule(steps=60, batch_size=32, learning_rate=1e-2)},
    "N2D": {"manifold": "isomap"},
    "SelfLabel": {
        "teachers": ("kmeans", "kmeans"),
        "code_size": 8,
        "train": Schedule(steps=60, batch_size=32, learning_rate=1e-2),
    },
}


class Emptied(DEC):
    """Loses its second cluster before the first target is computed."""

    def fill_head(self, fit, start):
        super().fill_head(fit, start)
        with torch.no_grad():
            fit.model.head.centers[1] = 1e4


Emptied.__name__ = "DEC"  # whose settings it has


def small(cls, **parameters):
    """An estimator that learns within a fraction of a second."""
    defaults = {
        "n_clusters": 3,
        "code_size": 2,
        "network": MLP(hidden=(32,)),
        "pretrain": Schedule(steps=150, batch_size=32, learning_rate=1e-2),
        "train": Schedule(steps=60, batch_size=32, learning_rate=1e-3),
        "random_state": 0,
    }
    own = defaults | OWN.get(cls.__name__, {})
    return cls(**{name: value for name, value in own.items() if name in cls().get_params(deep=False)} | parameters)


def brief(estimator, steps=10):
    """The estimator's schedules, by parameter, with a few steps each: for tests of manners, not of clusters."""
    parameters = estimator.get_params(deep=False)
    schedules = {name: value for name, value in parameters.items() if isinstance(value, Schedule)}
    return {name: clone(value).set_params(steps=steps) for name, value in schedules.items()}


def blobs(n=90, d=4, k=3, seed=0, spread=0.3):
    """Well separated round groups: rows (n, d), classes (n,)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    centers = rng.permutation(np.eye(max(k, d))[:k, :d]) * 8
    return centers[y] + rng.normal(0, spread, (n, d)), y


def bars(n=60, side=8, seed=0):
    """Images of upright and lying bars: uint8 (n, side, side), classes (n,)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.integers(0, 40, (n, side, side), dtype=np.uint8)
    for i in range(n):
        x[(i, slice(None), side // 2) if y[i] else (i, side // 2)] = 230
    return x, y


def wide_and_tight(n=900):
    """A tight group within a wide one, which no two round clusters of one size are: rows (n, 2), classes (n,)."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    wide, tight = rng.normal(size=(n, 2)) * 3, rng.normal(size=(n, 2)) * 0.2 + (6, 0)
    return np.where(y[:, None] == 0, wide, tight), y
