"""What networks are made of: dense layers, activations, first weights, and the rules for their sizes."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from coterie.checks import whole
from coterie.errors import InputError

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
INITIALISERS = ("torch", "he", "fan_in", "glorot", "small_normal")


def dense(sizes: list[int], between: str) -> list[nn.Module]:
    """Return fully connected layers with activations between them.

    Parameters
    ----------
    sizes : list of int
        Units, from the input's to the output's.
    between : str
        Name of the activation.

    Returns
    -------
    list of nn.Module
        Layers and activations; the last layer is linear.

    Examples
    --------
    >>> from coterie.nn.layers import dense
    >>> [type(layer).__name__ for layer in dense([4, 3, 2], "tanh")]
    ['Linear', 'Tanh', 'Linear']
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation(between)]
    return layers[:-1]


def activation(name: str, parameter: str = "activation") -> nn.Module:
    """Return a fresh activation.

    Parameters
    ----------
    name : str
        One of ``ACTIVATIONS``.
    parameter : str, default="activation"
        What the error message calls it.

    Returns
    -------
    nn.Module
        The activation.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> from coterie.nn.layers import activation
    >>> activation("leaky_relu")
    LeakyReLU(negative_slope=0.01)
    """
    if name not in ACTIVATIONS:
        raise InputError(f"The '{parameter}' parameter must be one of {', '.join(ACTIVATIONS)}. Got {name!r} instead.")
    return ACTIVATIONS[name]()


def code_activation(name: str) -> list[nn.Module]:
    """Return what follows the code's layer.

    Parameters
    ----------
    name : str
        "linear" or one of ``ACTIVATIONS``.

    Returns
    -------
    list of nn.Module
        Nothing or one activation.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> from coterie.nn.layers import code_activation
    >>> code_activation("linear"), code_activation("tanh")
    ([], [Tanh()])
    """
    return [] if name == "linear" else [activation(name, "code_activation")]


def check_sizes(name: str, sizes: object, least: int = 1) -> None:
    """Raise an InputError unless sizes are integers of at least ``least``.

    Parameters
    ----------
    name : str
        The parameter.
    sizes : object
        What a user gave.
    least : int, default=1
        Smallest size.

    Examples
    --------
    >>> from coterie.nn.layers import check_sizes
    >>> check_sizes("hidden", (500, 10))
    """
    if not isinstance(sizes, list | tuple) or not all(whole(s, least) for s in sizes):
        raise InputError(f"The '{name}' parameter must be a tuple of integers >= {least}. Got {sizes!r} instead.")


def initialise(network: nn.Module, initialiser: str) -> None:
    """Draw a network's first weights, in place.

    Parameters
    ----------
    network : nn.Module
        Linear and convolutional layers are drawn anew.
    initialiser : str
        One of ``INITIALISERS``.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> from torch import nn
    >>> from coterie.nn.layers import initialise
    >>> layer = nn.Linear(2, 1)
    >>> initialise(layer, "glorot")
    >>> layer.bias.tolist()
    [0.0]
    """
    if initialiser not in INITIALISERS:
        raise InputError(
            f"The 'initialiser' parameter must be one of {', '.join(INITIALISERS)}. Got {initialiser!r} instead."
        )
    if initialiser == "torch":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            _fill(layer.weight, initialiser)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _fill(weight: Tensor, initialiser: str) -> None:
    if initialiser == "he":
        nn.init.kaiming_uniform_(weight, nonlinearity="relu")
    elif initialiser == "glorot":
        nn.init.xavier_uniform_(weight)
    elif initialiser == "fan_in":
        nn.init.kaiming_uniform_(weight, nonlinearity="linear", a=0)
        with torch.no_grad():
            weight.div_(math.sqrt(3))  # torch draws up to sqrt(3 / fan-in); VarianceScaling(1/3) up to sqrt(1 / fan-in)
    else:
        nn.init.normal_(weight, std=0.01)


class RowNorm(nn.BatchNorm1d):
    """Batch norm that takes a single row, from which no variance is known, as it does when nothing is learned.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.layers import RowNorm
    >>> RowNorm(1)(torch.zeros(1, 1)).tolist()
    [[0.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return normalised rows, shape (b, d)."""
        if len(x) > 1 or not self.training:
            return super().forward(x)
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
