"""What is learned as a whole, and how it is put together from a network and the shape of a row."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from coterie.errors import InputError
from coterie.nn.losses import RECONSTRUCTIONS

if TYPE_CHECKING:
    from coterie.data import DataSpec


class Model(nn.Module):
    """What is learned: an encoder, a decoder and a head.

    Parameters
    ----------
    encoder : nn.Module
        From rows, shape (b, *shape), to codes, shape (b, d).
    decoder : nn.Module or None
        From codes back to rows; None for a system that has no way back.
    head : nn.Module
        From codes to log q, shape (b, K).
    reconstruction : {"mse", "bce"}, default="mse"
        What the error of a reconstruction is. With "bce" the decoder's outputs are logits, and a sigmoid follows.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Model, StudentT
    >>> model = Model(torch.nn.Linear(3, 2), torch.nn.Linear(2, 3), StudentT(4, 2))
    >>> model.head(model.encode(torch.zeros(5, 3))).shape
    torch.Size([5, 4])
    """

    # Systems know their parts as more than modules; torch would type a head's fill() as "Tensor or Module".
    encoder: Any
    decoder: Any
    head: Any

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module | None, head: nn.Module, *, reconstruction: str = "mse"
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.head = head
        self.reconstruction = reconstruction

    def encode(self, x: Tensor) -> Tensor:
        """Return codes z, shape (b, d)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return reconstructions, shape (b, *shape)."""
        return self._bounded(self._decoded(z))

    def error(self, z: Tensor, x: Tensor) -> Tensor:
        """Return how far what the decoder makes of codes is from rows x, shape (b, *shape): one mean over all."""
        return RECONSTRUCTIONS[self.reconstruction](self._decoded(z), x)

    def errors(self, x: Tensor) -> Tensor:
        """Return the squared error of each row's reconstruction, shape (b,): means over the row's entries.

        Whatever was minimised: cross entropy grows without bound below zero for a row that leaves [0, 1].
        """
        x_hat = self._bounded(self._decoded(self.decoder_input(x)))
        return (x_hat.float() - x.float()).square().flatten(1).mean(1)

    def decoder_input(self, x: Tensor) -> Tensor:
        """Return what the decoder reads of rows, shape (b, code entries)."""
        return self.encoder(x)

    def _bounded(self, x_hat: Tensor) -> Tensor:
        return x_hat.sigmoid() if self.reconstruction == "bce" else x_hat

    def _decoded(self, z: Tensor) -> Tensor:
        assert self.decoder is not None
        return self.decoder(z)

    def run_all(self, x: Tensor) -> None:
        """Pass rows through every part once, for those who watch the layers."""
        z = self.encode(x)
        if self.decoder is not None:
            self.decode(z)
        self.head(z)


def make_autoencoder(network: Any, spec: DataSpec, code_size: int) -> tuple[nn.Module, nn.Module, int]:
    """Return encoder, decoder and the size of their code, after checking that they fit the rows and each other.

    Parameters
    ----------
    network : MLP, Conv or pair of nn.Module
        What to build; a pair is copied.
    spec : DataSpec
        What rows look like.
    code_size : int
        d, the size of the code; a pair brings its own.

    Returns
    -------
    encoder : nn.Module
        From (b, *spec.shape) to (b, d).
    decoder : nn.Module
        Back to rows.
    code_size : int
        d.

    Raises
    ------
    InputError
        If the network does not fit the rows.

    Examples
    --------
    >>> from coterie import MLP
    >>> from coterie.data import make_source
    >>> from coterie.nn import make_autoencoder
    >>> make_autoencoder(MLP(hidden=(8,)), make_source([[0.0, 1.0], [1.0, 0.0]]).spec, 3)[2]
    3
    """
    if isinstance(network, tuple):
        encoder, decoder = copy.deepcopy(network)
    else:
        encoder, decoder = network.build(spec, code_size)
    return encoder, decoder, _code_size(encoder, decoder, spec)


def device_of(model: nn.Module) -> torch.device:
    """Return where a model's numbers live.

    Parameters
    ----------
    model : nn.Module
        With or without parameters.

    Returns
    -------
    torch.device
        The device of its first parameter or buffer; the processor if it has none.

    Examples
    --------
    >>> from torch import nn
    >>> from coterie.nn import device_of
    >>> device_of(nn.ReLU())
    device(type='cpu')
    """
    first = next(itertools.chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def _code_size(encoder: nn.Module, decoder: nn.Module, spec: DataSpec) -> int:
    """Return d, after checking that the pair fits the rows and each other."""
    try:
        with torch.no_grad():
            # As in use: batch norm must not take the zeros for rows.
            z = encoder.eval()(torch.zeros(2, *spec.shape))
            x = decoder.eval()(z)
    except RuntimeError as error:
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes and back. "
            f"Got a network that fails on them: {str(error).splitlines()[0]}"
        ) from None
    if z.ndim != 2 or x.shape[1:] != torch.Size(spec.shape):
        raise InputError(
            f"The 'network' parameter must map rows of shape {spec.shape} to codes of shape (d,) and back. "
            f"Got codes of shape {tuple(z.shape[1:])} and reconstructions of shape {tuple(x.shape[1:])} instead."
        )
    return z.shape[1]
