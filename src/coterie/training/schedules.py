"""How long and how fast to learn: batch size, optimiser, learning rate over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch.nn import Parameter

from coterie.checks import POSITIVE, Rule, integer, number, one_of, require
from coterie.errors import InputError
from coterie.settings import Settings, hyperparameters

SHAPES = ("one-cycle", "cosine", "step", "constant")
OPTIMISERS = ("adamw", "adam", "sgd", "adadelta")
RHO, EPS = 0.95, 1e-7  # of Adadelta, as Keras has them; its paper has the same rho


@hyperparameters
class Schedule(Settings):
    """A stretch of training.

    Parameters
    ----------
    epochs : float or None, default=None
        Passes over the rows; exactly one of ``epochs`` and ``steps`` is given.
    steps : int or None, default=None
        Optimiser steps.
    batch_size : int, default=256
        Rows a step; a set with fewer rows is one batch.
    optimiser : {"adamw", "adam", "sgd", "adadelta"}, default="adamw"
        Update rule; "adadelta" [2]_ finds its own scale and wants a learning rate of 1.
    learning_rate : float, default=1e-3
        Highest learning rate; positive.
    shape : {"one-cycle", "cosine", "step", "constant"}, default="one-cycle"
        Course of the learning rate. "one-cycle" rises over the first ``warmup`` of the steps and falls to zero, both
        along half a cosine [1]_; "cosine" only falls; "step" multiplies it by ``drop``, either ``drops`` times, evenly
        spaced, or every ``drop_every`` steps.
    warmup : float, default=0.3
        Share of the steps in which "one-cycle" rises; in [0, 1).
    drops : int, default=2
        How often "step" lowers the rate; >= 1.
    drop_every : int or None, default=None
        Steps between two of them, however many that makes; None spaces ``drops`` evenly; >= 1.
    drop : float, default=0.1
        What "step" multiplies the rate by each time; in (0, 1].
    momentum : float, default=0.9
        Momentum of "sgd", first-moment decay of "adamw" and "adam"; in [0, 1).
    beta2 : float, default=0.999
        Second-moment decay of "adamw" and "adam"; in [0, 1). A short training wants a short memory, such as 0.99.
    weight_decay : float, default=0.0
        Share of a weight that is taken off each step, times the learning rate ("adamw"), or the factor of the
        squared-norm penalty (the others); >= 0.

    References
    ----------
    .. [1] L. N. Smith, N. Topin. Super-convergence: very fast training of neural networks using large learning rates.
       2018.
    .. [2] M. D. Zeiler. ADADELTA: an adaptive learning rate method. 2012.

    Examples
    --------
    >>> from coterie import Schedule
    >>> Schedule(epochs=2, batch_size=100).n_steps(1000)
    20
    """

    epochs: float | None = None
    steps: int | None = None
    batch_size: int = 256
    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    shape: str = "one-cycle"
    warmup: float = 0.3
    drops: int = 2
    drop_every: int | None = None
    drop: float = 0.1
    momentum: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.0

    rules: ClassVar[dict[str, Rule]] = {
        "batch_size": integer(1),
        "optimiser": one_of(OPTIMISERS),
        "learning_rate": POSITIVE,
        "shape": one_of(SHAPES),
        "warmup": number(0, below=1),
        "drops": integer(1),
        "drop_every": integer(1).or_word(None),
        "drop": number(above=0, up_to=1),
        "momentum": number(0, below=1),
        "beta2": number(0, below=1),
        "weight_decay": number(0),
        "epochs": number(0).or_word(None),
        "steps": integer(0).or_word(None),
    }

    def check(self, name: str) -> None:
        """Raise an InputError that names ``name`` and the rule if a value breaks it."""
        require(f"{type(self).__name__} in '{name}'", self, self.rules)
        if (self.epochs is None) == (self.steps is None):
            raise InputError(
                f"The '{name}' parameter must give exactly one of epochs and steps. "
                f"Got epochs={self.epochs!r} and steps={self.steps!r} instead."
            )

    def n_steps(self, n_rows: int) -> int:
        """Return the number of optimiser steps on ``n_rows`` rows."""
        if self.steps is not None:
            return self.steps
        return math.ceil((self.epochs or 0) * max(1, n_rows // self.batch_size))

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step ``step`` of ``steps``, counted from 0."""
        done = (step + 0.5) / max(steps, 1)
        if self.shape == "constant":
            return self.learning_rate
        if self.shape == "step":
            drops = int((self.drops + 1) * done) if self.drop_every is None else step // self.drop_every
            return self.learning_rate * self.drop**drops
        if self.shape == "one-cycle" and done < self.warmup:
            return self.learning_rate * _half_cosine(1 - done / self.warmup)
        start = self.warmup if self.shape == "one-cycle" else 0.0
        return self.learning_rate * _half_cosine((done - start) / (1 - start))

    def make_optimiser(self, parameters: Iterable[Parameter]) -> torch.optim.Optimizer:
        """Return an optimiser over ``parameters``, fused where there is such a one."""
        parameters = list(parameters)
        # Apple's GPUs have no fused update for every rule.
        fused = all(p.device.type in ("cpu", "cuda") for p in parameters)
        if self.optimiser == "sgd":
            return torch.optim.SGD(
                parameters,
                lr=self.learning_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
                fused=fused,
            )
        if self.optimiser == "adadelta":
            return torch.optim.Adadelta(
                parameters, lr=self.learning_rate, rho=RHO, eps=EPS, weight_decay=self.weight_decay
            )
        kind = torch.optim.AdamW if self.optimiser == "adamw" else torch.optim.Adam
        betas = (self.momentum, self.beta2)
        return kind(parameters, lr=self.learning_rate, betas=betas, weight_decay=self.weight_decay, fused=fused)


@hyperparameters
class Layerwise(Schedule):
    """Pretraining one layer after another, as denoising autoencoders [1]_, then all of them together.

    Each encoder layer and the decoder layer that mirrors it learn to return what the layers before make of a row, while
    some of its values and of the layer's own are missing. The defaults are those of DEC's authors [2]_, which take
    hours on a processor.

    Parameters
    ----------
    epochs : float or None, default=None
        Passes over the rows for each layer; ``steps`` must then be None.
    steps : int or None, default=50_000
        Optimiser steps for each layer.
    batch_size : int, default=256
        As in :class:`Schedule`.
    optimiser : {"adamw", "adam", "sgd", "adadelta"}, default="sgd"
        As in :class:`Schedule`.
    learning_rate : float, default=0.1
        As in :class:`Schedule`; each layer and the whole begin anew.
    shape : {"one-cycle", "cosine", "step", "constant"}, default="step"
        As in :class:`Schedule`.
    warmup : float, default=0.3
        As in :class:`Schedule`.
    drops : int, default=2
        As in :class:`Schedule`.
    drop_every : int or None, default=20_000
        As in :class:`Schedule`.
    drop : float, default=0.1
        As in :class:`Schedule`.
    momentum : float, default=0.9
        As in :class:`Schedule`.
    beta2 : float, default=0.999
        As in :class:`Schedule`.
    weight_decay : float, default=0.0
        As in :class:`Schedule`.
    together : int, default=100_000
        Optimiser steps after them, for the whole autoencoder; >= 0.
    dropout : float, default=0.2
        Share of the values that are missing while a layer is trained, in [0, 1).

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol. Stacked denoising autoencoders. JMLR 2010.
    .. [2] J. Xie, R. Girshick, A. Farhadi. Unsupervised deep embedding for clustering analysis. ICML 2016.

    Examples
    --------
    >>> from coterie import Layerwise
    >>> Layerwise(steps=200, together=400, optimiser="adamw", learning_rate=1e-3, shape="one-cycle").dropout
    0.2
    """

    steps: int | None = 50_000
    optimiser: str = "sgd"
    learning_rate: float = 0.1
    shape: str = "step"
    drop_every: int | None = 20_000
    together: int = 100_000
    dropout: float = 0.2

    rules: ClassVar[dict[str, Rule]] = Schedule.rules | {"together": integer(0), "dropout": number(0, below=1)}


def _half_cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))
