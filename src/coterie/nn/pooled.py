"""A convolutional autoencoder that pools and repeats pixels, whose code is a small image."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from coterie.errors import InputError
from coterie.nn.layers import activation, check_sizes, initialise
from coterie.settings import Settings, hyperparameters

if TYPE_CHECKING:
    from coterie.data import DataSpec


@hyperparameters
class PooledConv(Settings):
    """A convolutional autoencoder without dense layers: convolutions and pooling, convolutions and repeated pixels.

    The code is the last pooled image, so its size follows from the rows: with channels (16, 2), images of 28 x 28 have
    a code of 2 x 7 x 7 = 98 numbers.

    Parameters
    ----------
    channels : tuple of int, default=(16, 2)
        Channels of the encoder's convolutions, each followed by max pooling over 2 x 2 pixels; sides are rounded up.
        The decoder has the same ones in reverse, and a last one that leads back to the rows' channels.
    kernel : int, default=3
        Side of every convolution's kernel, in pixels; odd, so that sides are kept.
    activation : str, default="relu"
        As in :class:`MLP`.
    initialiser : str, default="torch"
        As in :class:`MLP`.

    Examples
    --------
    >>> from coterie import PooledConv
    >>> PooledConv(channels=(8, 4)).channels
    (8, 4)
    """

    channels: tuple[int, ...] = (16, 2)
    kernel: int = 3
    activation: str = "relu"
    initialiser: str = "torch"

    def build(self, spec: DataSpec, code_size: int) -> tuple[nn.Module, nn.Module]:
        """Return encoder and decoder for images of ``spec.shape``.

        Parameters
        ----------
        spec : DataSpec
            What images look like.
        code_size : int
            Not used: the size of the code follows from images and channels.

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
        check_sizes("channels", self.channels)
        check_sizes("kernel", (self.kernel,))
        if self.kernel % 2 == 0 or not self.channels:
            raise InputError(
                "PooledConv needs an odd 'kernel' and at least one of 'channels'. "
                f"Got kernel={self.kernel!r} and channels={self.channels!r} instead."
            )
        if spec.kind != "images":
            raise InputError(
                f"The network PooledConv needs images, but rows are {spec.kind} of shape {spec.shape}; "
                "give images as (n, H, W) or (n, H, W, C), or set image_shape=(H, W)."
            )
        encoder, decoder = self._layers(spec.shape)
        initialise(encoder, self.initialiser)
        initialise(decoder, self.initialiser)
        return encoder, decoder

    def _layers(self, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
        sides = [shape[1:]]  # of the images before each pooling
        for _ in self.channels:
            sides.append(tuple(math.ceil(side / 2) for side in sides[-1]))
        down: list[nn.Module] = []
        for before, after in itertools.pairwise((shape[0], *self.channels)):
            down += [*self._convolve(before, after), nn.MaxPool2d(2, ceil_mode=True)]
        last = (self.channels[-1], *sides[-1])
        up: list[nn.Module] = [nn.Unflatten(1, last)]
        back = (self.channels[-1], *self.channels[::-1])
        for (before, after), size in zip(itertools.pairwise(back), sides[-2::-1], strict=True):
            up += [*self._convolve(before, after), nn.Upsample(size)]
        up.append(nn.Conv2d(back[-1], shape[0], self.kernel, padding="same"))
        encoder, decoder = nn.Sequential(*down, nn.Flatten()), nn.Sequential(*up)
        return encoder.to(memory_format=torch.channels_last), decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _convolve(self, before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, self.kernel, padding="same"), activation(self.activation)]
