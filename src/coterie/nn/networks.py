"""Networks: pairs of encoder and decoder made from a few fields and the shape of a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from coterie.errors import InputError
from coterie.nn.layers import activation, check_sizes, code_activation, dense, initialise
from coterie.settings import Settings, hyperparameters

if TYPE_CHECKING:
    from coterie.data import DataSpec


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
        Between layers: one of "relu", "leaky_relu" (slope 0.01), "elu", "gelu", "tanh", "sigmoid". The reconstruction
        is linear.
    code_activation : str, default="linear"
        On the code: "linear", which is none, or one of the above.
    initialiser : str, default="torch"
        First weights: "torch" (torch's own), "he", "glorot", "fan_in" (uniform up to sqrt(1 / fan-in), the Keras
        script's VarianceScaling) or "small_normal" (normal with sd 0.01, the paper's); biases zero but for "torch".

    Examples
    --------
    >>> from coterie import MLP
    >>> MLP(hidden=(64,)).hidden
    (64,)
    """

    decodes_moved: ClassVar[bool] = True  # its decoder returns augmented rows as they were moved

    hidden: tuple[int, ...] = (500, 500, 2000)
    decoder: str | tuple[int, ...] = "mirror"
    activation: str = "relu"
    code_activation: str = "linear"
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
        check_sizes("hidden", self.hidden)
        if self.decoder != "mirror":
            check_sizes("decoder", self.decoder)  # refuses any other word
        back = self.hidden[::-1] if isinstance(self.decoder, str) else self.decoder
        entries = math.prod(spec.shape)
        encode = dense([entries, *self.hidden, code_size], self.activation)
        encoder = nn.Sequential(nn.Flatten(), *encode, *code_activation(self.code_activation))
        decoder = nn.Sequential(*dense([code_size, *back, entries], self.activation), nn.Unflatten(1, spec.shape))
        initialise(encoder, self.initialiser)
        initialise(decoder, self.initialiser)
        return encoder, decoder


@hyperparameters
class Conv(Settings):
    """A convolutional autoencoder: convolutions, as a rule halving ones, a dense code, mirrored.

    Parameters
    ----------
    channels : tuple of int, default=(32, 64, 128)
        Channels of the convolutions.
    kernels : tuple of int, default=(5, 5, 3)
        Side of each convolution's kernel, in pixels.
    strides : int or tuple of int, default=2
        Pixels from one place of the kernel to the next: of all convolutions, or of each.
    padding : "half" or tuple of int, default="half"
        Pixels added on each side before a convolution; "half" is half the kernel, (k - 1) // 2.
    pool : int, default=1
        Side of the squares of which the largest value is kept after each convolution, in pixels; 1 keeps all.
    batch_norm : bool, default=False
        Whether each convolution's output is normalised over the batch before its activation; the reconstruction is not.
    dense : bool, default=True
        Whether a dense layer makes the code, of ``code_size`` values. Without it the code is the last map itself, of as
        many values as that has.
    decoder : "mirror" or tuple of int, default="mirror"
        The way back: the same convolutions transposed, or the hidden units of a fully connected one, which costs far
        less where the decoder only serves pretraining.
    activation : str, default="relu"
        As in :class:`MLP`.
    code_activation : str, default="linear"
        As in :class:`MLP`.
    initialiser : str, default="torch"
        As in :class:`MLP`.

    Examples
    --------
    >>> from coterie import Conv
    >>> Conv(channels=(16, 32), kernels=(3, 3)).channels
    (16, 32)
    """

    channels: tuple[int, ...] = (32, 64, 128)
    kernels: tuple[int, ...] = (5, 5, 3)
    strides: int | tuple[int, ...] = 2
    padding: str | tuple[int, ...] = "half"
    pool: int = 1
    batch_norm: bool = False
    dense: bool = True
    decoder: str | tuple[int, ...] = "mirror"
    activation: str = "relu"
    code_activation: str = "linear"
    initialiser: str = "torch"

    def build(self, spec: DataSpec, code_size: int) -> tuple[nn.Module, nn.Module]:
        """Return encoder and decoder for images of ``spec.shape`` and codes of ``code_size``.

        Parameters
        ----------
        spec : DataSpec
            What images look like.
        code_size : int
            d, the size of the code; not used without ``dense``.

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
        if spec.kind != "images":
            raise InputError(
                f"The network 'conv' needs images, but rows are {spec.kind} of shape {spec.shape}; "
                "give images as (n, H, W) or (n, H, W, C), or set image_shape=(H, W)."
            )
        if self.decoder != "mirror":
            check_sizes("decoder", self.decoder)
        encoder, decoder = self._layers(spec.shape, code_size)
        initialise(encoder, self.initialiser)
        initialise(decoder, self.initialiser)
        return encoder, decoder

    def _layers(self, shape: tuple[int, ...], code_size: int) -> tuple[nn.Module, nn.Module]:
        convolutions, transposed, last = self._convolutions(shape)
        d = code_size if self.dense else math.prod(last)
        down: list[nn.Module] = []
        for number, layer in enumerate(convolutions, 1):
            down += [layer, *self._norm(layer.out_channels)]
            if self.dense or number < len(convolutions):
                down.append(activation(self.activation))
            down += [nn.MaxPool2d(self.pool, ceil_mode=True)] if self.pool > 1 else []
        up: list[nn.Module] = []
        for number, layer in enumerate(transposed):
            up += self._norm(layer.in_channels) if number else []
            up += [activation(self.activation)] if number or self.dense else []
            up.append(layer)
        code = [nn.Flatten(), *([nn.Linear(math.prod(last), d)] if self.dense else [])]
        encoder = nn.Sequential(*down, *code, *code_activation(self.code_activation))
        if isinstance(self.decoder, str):
            first = [nn.Linear(d, math.prod(last))] if self.dense else []
            decoder = nn.Sequential(*first, nn.Unflatten(1, last), *up)
        else:
            decoder = nn.Sequential(
                *dense([d, *self.decoder, math.prod(shape)], self.activation), nn.Unflatten(1, shape)
            )
        return encoder.to(memory_format=torch.channels_last), decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _convolutions(
        self, shape: tuple[int, ...]
    ) -> tuple[list[nn.Conv2d], list[nn.ConvTranspose2d], tuple[int, ...]]:
        """Return the convolutions, their transposes from the last to the first, and the shape of the last map."""
        down: list[nn.Conv2d] = []
        up: list[nn.ConvTranspose2d] = []
        channels, height, width = shape
        for out, k, s, p in self._fields():
            # Striding rounds down; the way back must know what was rounded off.
            (h, more_h), (w, more_w) = divmod(height + 2 * p - k, s), divmod(width + 2 * p - k, s)
            if min(h, w) < 0:
                raise InputError(f"The network 'conv' needs larger images than {shape[1]} x {shape[2]}, or padding.")
            down.append(nn.Conv2d(channels, out, k, s, p))
            back = s * self.pool
            if self.pool > 1:
                h, w = h // self.pool, w // self.pool
                more_h, more_w = height + 2 * p - k - h * back, width + 2 * p - k - w * back
            up.insert(0, nn.ConvTranspose2d(out, channels, k, back, p, output_padding=(more_h, more_w)))
            channels, height, width = out, h + 1, w + 1
        return down, up, (channels, height, width)

    def _fields(self) -> Iterator[tuple[int, int, int, int]]:
        """Return channels, kernel, stride and padding of each convolution."""
        check_sizes("channels", self.channels)
        n = len(self.channels)
        check_sizes("kernels", self.kernels)
        strides = (self.strides,) * n if isinstance(self.strides, int) else self.strides
        padding = self.padding
        if isinstance(padding, str):
            if padding != "half":
                check_sizes("padding", padding)  # refuses any other word
            padding = tuple((k - 1) // 2 for k in self.kernels)
        check_sizes("padding", padding, least=0)
        check_sizes("strides", strides)
        check_sizes("pool", (self.pool,))
        for name, values in {"kernels": self.kernels, "strides": strides, "padding": padding}.items():
            if len(values) != n:
                raise InputError(
                    f"The '{name}' parameter of Conv must hold one number for each of the {n} channels. "
                    f"Got {values!r} instead."
                )
        return zip(self.channels, self.kernels, strides, padding, strict=True)

    def _norm(self, channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels)] if self.batch_norm else []


NETWORKS: dict[str, Callable[[], MLP | Conv]] = {
    "mlp": MLP,
    "conv": Conv,
    # Dizaji 2017 on MNIST.
    "depict": lambda: Conv(
        channels=(50, 50), kernels=(4, 5), padding=(0, 2), activation="leaky_relu", code_activation="tanh"
    ),
    # A later, small variant of it, whose code is a map of half the image's sides.
    "depict-small": lambda: Conv(
        channels=(64, 64, 1, 1),
        kernels=(3, 3, 3, 2),
        strides=(1, 1, 1, 2),
        batch_norm=True,
        dense=False,
        activation="sigmoid",
        code_activation="sigmoid",
    ),
}
