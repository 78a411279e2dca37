"""Networks: pairs of encoder and decoder made from a few fields and the shape of a row."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from coterie.errors import InputError
from coterie.settings import Settings, hyperparameters

if TYPE_CHECKING:
    from coterie.data import DataSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
INITIALISERS = ("torch", "he", "fan_in", "glorot", "small_normal")


@hyperparameters
class MLP(Settings):
    """A fully connected autoencoder: the classic d-500-500-2000-code of the field, mirrored.

    Parameters
    ----------
    hidden : tuple of int, default=(500, 500, 2000)
        Units of the encoder's hidden layers.
    decoder : "mirror" or tuple of int, default="mirror"
        Units of the decoder's hidden layers: the encoder's in reverse, or others; a small decoder costs less where it
        only serves pretraining.
    activation : str, default="relu"
        Between layers: one of "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid". The code and the
        reconstruction are linear.
    initialiser : str, default="torch"
        First weights: "torch" (torch's own), "he", "glorot", "fan_in" (uniform up to sqrt(1 / fan-in), the Keras
        script's VarianceScaling) or "small_normal" (normal with sd 0.01, the paper's); biases zero but for "torch".

    Examples
    --------
    >>> from coterie import MLP
    >>> MLP(hidden=(64,)).hidden
    (64,)
    """

    hidden: tuple[int, ...] = (500, 500, 2000)
    decoder: str | tuple[int, ...] = "mirror"
    activation: str = "relu"
    initialiser: str = "torch"

    def build(self, spec: DataSpec, code_size: int) -> tuple[nn.Module, nn.Module]:
        """Return encoder and decoder for rows of ``spec.shape`` and codes of ``code_size``.

        Parameters
        ----------
        spec : DataSpec
            What rows look like.
        code_size : int
            d, the size of the code.

        Returns
        -------
        encoder : nn.Module
            From (b, *spec.shape) to (b, d).
        decoder : nn.Module
            From (b, d) back to (b, *spec.shape).

        Raises
        ------
        InputError
            If a parameter breaks its rule.
        """
        _check_sizes("hidden", self.hidden)
        if self.decoder != "mirror":
            _check_sizes("decoder", self.decoder)  # refuses any other word
        back = self.hidden[::-1] if isinstance(self.decoder, str) else self.decoder
        entries = math.prod(spec.shape)
        encoder = nn.Sequential(nn.Flatten(), *_dense([entries, *self.hidden, code_size], self.activation))
        decoder = nn.Sequential(*_dense([code_size, *back, entries], self.activation), nn.Unflatten(1, spec.shape))
        _initialise(encoder, self.initialiser)
        _initialise(decoder, self.initialiser)
        return encoder, decoder


@hyperparameters
class Conv(Settings):
    """A convolutional autoencoder: halving convolutions, a dense code, mirrored.

    Parameters
    ----------
    channels : tuple of int, default=(32, 64, 128)
        Channels of the halving convolutions.
    kernels : tuple of int, default=(5, 5, 3)
        Side of each convolution's kernel, in pixels; odd.
    decoder : "mirror" or tuple of int, default="mirror"
        The way back: the same convolutions transposed, or the hidden units of a fully connected one, which costs far
        less where the decoder only serves pretraining.
    activation : str, default="relu"
        As in :class:`MLP`.
    initialiser : str, default="torch"
        As in :class:`MLP`.
    halving : {"stride", "pool"}, default="stride"
        Whether a convolution steps over every other pixel, or sees all and keeps the largest of four.
    batch_norm : bool, default=False
        Whether the encoder's convolutions are followed by batch normalisation.

    Examples
    --------
    >>> from coterie import Conv
    >>> Conv(channels=(16, 32), kernels=(3, 3)).channels
    (16, 32)
    """

    channels: tuple[int, ...] = (32, 64, 128)
    kernels: tuple[int, ...] = (5, 5, 3)
    decoder: str | tuple[int, ...] = "mirror"
    activation: str = "relu"
    initialiser: str = "torch"
    halving: str = "stride"
    batch_norm: bool = False

    def build(self, spec: DataSpec, code_size: int) -> tuple[nn.Module, nn.Module]:
        """Return encoder and decoder for images of ``spec.shape`` and codes of ``code_size``.

        Parameters
        ----------
        spec : DataSpec
            What images look like.
        code_size : int
            d, the size of the code.

        Returns
        -------
        encoder : nn.Module
            From (b, *spec.shape) to (b, d).
        decoder : nn.Module
            From (b, d) back to (b, *spec.shape).

        Raises
        ------
        InputError
            If the rows are not images or a parameter breaks its rule.
        """
        _check_sizes("channels", self.channels)
        _check_sizes("kernels", self.kernels)
        if spec.kind != "images":
            raise InputError(
                f"The network 'conv' needs images, but rows are {spec.kind} of shape {spec.shape}; "
                "give images as (n, H, W) or (n, H, W, C), or set image_shape=(H, W)."
            )
        if len(self.channels) != len(self.kernels) or any(k % 2 == 0 for k in self.kernels):
            raise InputError(
                f"The 'kernels' parameter of Conv must hold one odd number for each of the {len(self.channels)} "
                f"channels. Got {self.kernels!r} instead."
            )
        if self.decoder != "mirror":
            _check_sizes("decoder", self.decoder)
        if self.halving not in ("stride", "pool"):
            raise InputError(f"The 'halving' parameter must be 'stride' or 'pool'. Got {self.halving!r} instead.")
        encoder, decoder = self._layers(spec.shape, code_size)
        _initialise(encoder, self.initialiser)
        _initialise(decoder, self.initialiser)
        return encoder, decoder

    def _layers(self, shape: tuple[int, ...], code_size: int) -> tuple[nn.Module, nn.Module]:
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        channels, height, width = shape
        for out, k in zip(self.channels, self.kernels, strict=True):
            # Halving rounds up; the padding of the way back must know whether the side was even.
            extra = ((height + 1) % 2, (width + 1) % 2)
            down += self._halving(channels, out, k)
            up += [_activation(self.activation), nn.ConvTranspose2d(out, channels, k, 2, k // 2, output_padding=extra)]
            channels, height, width = out, (height + 1) // 2, (width + 1) // 2
        last = (channels, height, width)
        encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(math.prod(last), code_size))
        if self.decoder == "mirror":
            backwards = [up[i + j] for i in range(len(up) - 2, -1, -2) for j in (0, 1)]
            decoder = nn.Sequential(nn.Linear(code_size, math.prod(last)), nn.Unflatten(1, last), *backwards)
        else:
            sizes = [code_size, *self.decoder, math.prod(shape)]
            decoder = nn.Sequential(*_dense(sizes, self.activation), nn.Unflatten(1, shape))
        return encoder.to(memory_format=torch.channels_last), decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _halving(self, channels: int, out: int, k: int) -> list[nn.Module]:
        pools = self.halving == "pool"
        layers: list[nn.Module] = [nn.Conv2d(channels, out, k, stride=1 if pools else 2, padding=k // 2)]
        layers += [nn.BatchNorm2d(out)] if self.batch_norm else []
        layers += [_activation(self.activation)]
        return layers + ([nn.MaxPool2d(2, ceil_mode=True)] if pools else [])


NETWORKS: dict[str, type[MLP] | type[Conv]] = {"mlp": MLP, "conv": Conv}


def _dense(sizes: list[int], activation: str) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), _activation(activation)]
    return layers[:-1]


def _activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise InputError(f"The 'activation' parameter must be one of {', '.join(ACTIVATIONS)}. Got {name!r} instead.")
    return ACTIVATIONS[name]()


def _check_sizes(name: str, sizes: object) -> None:
    if not isinstance(sizes, list | tuple) or not all(isinstance(s, int) and s >= 1 for s in sizes):
        raise InputError(f"The '{name}' parameter must be a tuple of integers >= 1. Got {sizes!r} instead.")


def _initialise(network: nn.Module, initialiser: str) -> None:
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
