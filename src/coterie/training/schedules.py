"""How long and how fast to learn: batch size, optimiser, learning rate over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch.nn import Parameter

from coterie.checks import require, whole, within
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
        along half a cosine [1]_; "cosine" only falls; "step" multiplies it by ``drop``, ``drops`` times, evenly spaced.
    warmup : float, default=0.3
        Share of the steps in which "one-cycle" rises; in [0, 1).
    drops : int, default=2
        How often "step" lowers the rate; >= 1.
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
    drop: float = 0.1
    momentum: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.0

    def check(self, name: str) -> None:
        """Raise an InputError that names ``name`` and the rule if a value breaks it."""
        require(
            f"Schedule in '{name}'",
            self,
            [
                ("batch_size", whole(self.batch_size, 1), "an integer >= 1"),
                ("optimiser", self.optimiser in OPTIMISERS, f"one of {', '.join(OPTIMISERS)}"),
                ("learning_rate", within(self.learning_rate, 0) and self.learning_rate > 0, "a positive number"),
                ("shape", self.shape in SHAPES, f"one of {', '.join(SHAPES)}"),
                ("warmup", within(self.warmup, 0, 1), "a number in [0, 1)"),
                ("drops", whole(self.drops, 1), "an integer >= 1"),
                ("drop", within(self.drop, 0) and 0 < self.drop <= 1, "a number in (0, 1]"),
                ("momentum", within(self.momentum, 0, 1), "a number in [0, 1)"),
                ("beta2", within(self.beta2, 0, 1), "a number in [0, 1)"),
                ("weight_decay", within(self.weight_decay, 0), "a number >= 0"),
                ("epochs", self.epochs is None or within(self.epochs, 0), "None or a number >= 0"),
                ("steps", self.steps is None or whole(self.steps, 0), "None or an integer >= 0"),
            ],
        )
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
            return self.learning_rate * self.drop ** int((self.drops + 1) * done)
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


def _half_cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))
