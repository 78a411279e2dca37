"""Networks that play against each other: a generator, its critic, and an encoder that inverts the generator."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from coterie.checks import FLAG, Rule, integer, require, whole
from coterie.nn.layers import RowNorm
from coterie.nn.model import Model, device_of
from coterie.settings import Settings, hyperparameters

if TYPE_CHECKING:
    from coterie.data import DataSpec

LEAK = 0.2  # slope of the leaky units on their negative side


def _are_sizes(sizes: object) -> bool:
    return isinstance(sizes, list | tuple) and all(whole(size, 1) for size in sizes)


@hyperparameters
class GAN(Settings):
    """Generator, critic and encoder: halving convolutions and fully connected layers, the generator mirrored.

    Critic and encoder have leaky units and no batch norm, which would tie the rows of a batch together and so make the
    gradient of the critic at one row depend on the others. The generator ends in a sigmoid where rows are scaled to
    [0, 1], and is linear elsewhere.

    Parameters
    ----------
    channels : tuple of int, default=(32, 64)
        Channels of the halving convolutions; not used where rows are no images, and () leaves them out.
    hidden : tuple of int, default=(256,)
        Units of the fully connected layers that follow.
    kernel : int, default=4
        Side of each convolution's kernel, in pixels; >= 2.
    batch_norm : bool, default=True
        Whether the generator's hidden layers are normalised over the batch.

    Examples
    --------
    >>> from coterie.data import make_source
    >>> from coterie.nn import GAN
    >>> spec = make_source([[0.0, 1.0], [1.0, 0.0]]).spec
    >>> generator, critic, encoder = GAN(hidden=(8,)).build(spec, 5)
    >>> critic.training, [layer.out_features for layer in encoder if hasattr(layer, "out_features")]
    (True, [8, 5])
    """

    channels: tuple[int, ...] = (32, 64)
    hidden: tuple[int, ...] = (256,)
    kernel: int = 4
    batch_norm: bool = True

    @property
    def decodes_moved(self) -> bool:
        """Whether an autoencoder of these returns rows as they were moved: one without convolutions does."""
        return not self.channels

    rules: ClassVar[dict[str, Rule]] = {
        **dict.fromkeys(("channels", "hidden"), Rule(_are_sizes, "a tuple of integers >= 1")),
        "kernel": integer(2),
        "batch_norm": FLAG,
    }

    def check(self, name: str) -> None:
        """Raise an InputError that names ``name`` and the rule if a value breaks it."""
        require(f"{type(self).__name__} in '{name}'", self, self.rules)

    def build(self, spec: DataSpec, code_size: int) -> tuple[nn.Sequential, nn.Sequential, nn.Sequential]:
        """Return generator, critic and encoder for rows of ``spec.shape`` and codes of ``code_size``.

        Parameters
        ----------
        spec : DataSpec
            What rows look like.
        code_size : int
            Entries of what the generator reads and the encoder returns.

        Returns
        -------
        generator : nn.Sequential
            From (b, code_size) to (b, *spec.shape).
        critic : nn.Sequential
            From (b, *spec.shape) to (b, 1).
        encoder : nn.Sequential
            From (b, *spec.shape) to (b, code_size).
        """
        channels = self.channels if spec.kind == "images" else ()
        critic, encoder = self._read(spec, channels, 1), self._read(spec, channels, code_size)
        generator = self._write(spec, channels, code_size)
        for network in (generator, critic, encoder):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return generator, critic, encoder

    def _read(self, spec: DataSpec, channels: tuple[int, ...], out: int) -> nn.Sequential:
        shapes = _halved(spec.shape, channels)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(shapes):
            padding, _ = _padding(before, after, self.kernel)
            layers += [nn.Conv2d(before[0], after[0], self.kernel, 2, padding), nn.LeakyReLU(LEAK)]
        layers.append(nn.Flatten())
        sizes = [math.prod(shapes[-1]), *self.hidden]
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(LEAK)]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], out))

    def _write(self, spec: DataSpec, channels: tuple[int, ...], code_size: int) -> nn.Sequential:
        shapes = _halved(spec.shape, channels)[::-1]
        sizes = [code_size, *self.hidden[::-1], math.prod(shapes[0])]
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes[:-1]):
            layers += [nn.Linear(fan_in, fan_out), *self._between(RowNorm, fan_out)]
        layers.append(nn.Linear(sizes[-2], sizes[-1]))
        if channels:  # else this layer makes the row itself
            layers += self._between(RowNorm, sizes[-1])
        layers.append(nn.Unflatten(1, shapes[0]))
        for before, after in itertools.pairwise(shapes):
            padding, extra = _padding(after, before, self.kernel)
            layers.append(nn.ConvTranspose2d(before[0], after[0], self.kernel, 2, padding, extra))
            layers += self._between(nn.BatchNorm2d, after[0]) if after is not shapes[-1] else []
        return nn.Sequential(*layers, *([nn.Sigmoid()] if spec.scaling == "unit" else []))

    def _between(self, norm: type[nn.Module], size: int) -> list[nn.Module]:
        return [norm(size), nn.ReLU()] if self.batch_norm else [nn.ReLU()]


class Split(nn.Module):
    """The last layer of an encoder: its first n outputs as they are, the others as log probabilities.

    Parameters
    ----------
    noise_size : int
        n.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.adversarial import Split
    >>> Split(1)(torch.zeros(1, 3)).tolist()
    [[0.0, -0.6931471824645996, -0.6931471824645996]]
    """

    def __init__(self, noise_size: int) -> None:
        super().__init__()
        self.noise_size = noise_size

    def forward(self, e: Tensor) -> Tensor:
        """Return (z_n, log softmax z_c), side by side, shape (b, n + K), in float32."""
        e = e.float()
        return torch.cat([e[:, : self.noise_size], e[:, self.noise_size :].log_softmax(1)], dim=1)


class Prior(nn.Module):
    """Reads the cluster from a code (z_n, softmax z_c): its last K entries are the probabilities themselves.

    Parameters
    ----------
    n_clusters : int
        K.
    noise_size : int
        n, the entries of z_n.

    Attributes
    ----------
    centers : Tensor of shape (K, n + K)
        The mean of what the generator reads for each cluster: no noise, and a one for the cluster.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.adversarial import Prior
    >>> Prior(2, 1)(torch.tensor([[0.3, 0.25, 0.75]])).exp()
    tensor([[0.2500, 0.7500]])
    """

    def __init__(self, n_clusters: int, noise_size: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.cat([torch.zeros(n_clusters, noise_size), torch.eye(n_clusters)], dim=1))
        self.centers: Tensor

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, n + K)."""
        q = z[:, -len(self.centers) :].float()
        return q.clamp_min(torch.finfo(q.dtype).tiny).log().log_softmax(1)  # a probability may have underflown to 0


class Players(Model):
    """A generator as the decoder, an encoder that ends in a Split, a head, and the generator's critic.

    Parameters
    ----------
    encoder : nn.Module
        From rows, shape (b, *shape), to (z_n, log softmax z_c), shape (b, n + K).
    decoder : nn.Module
        The generator: from (z_n, z_c) to rows.
    head : nn.Module
        From codes to log q, shape (b, K).
    critic : nn.Module
        From rows to (b, 1): high for real ones.
    prior : tuple of (int, int, float)
        What the generator reads: n, the numbers of noise; K; sigma, the noise's standard deviation.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import GAN, Players, Prior, Split
    >>> from coterie.data import make_source
    >>> generator, critic, encoder = GAN().build(make_source([[0.0, 1.0], [1.0, 0.0]]).spec, 5)
    >>> model = Players(encoder.append(Split(2)), generator, Prior(3, 2), critic=critic, prior=(2, 3, 0.1))
    >>> model.encode(torch.zeros(1, 2)).shape
    torch.Size([1, 5])
    """

    critic: nn.Module

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        head: nn.Module,
        *,
        critic: nn.Module,
        prior: tuple[int, int, float],
    ) -> None:
        super().__init__(encoder, decoder, head)
        self.critic = critic
        self.noise_size, self.n_clusters, self.sigma = prior

    def draw(self, b: int, generator: torch.Generator, entry: int | None = None) -> tuple[Tensor, Tensor]:
        """Draw what the generator reads.

        Parameters
        ----------
        b : int
            How many.
        generator : torch.Generator
            Gives the random numbers, on the processor.
        entry : int or None, default=None
            The cluster of all of them; None draws each one's.

        Returns
        -------
        z : Tensor of shape (b, n + K)
            (z_n, z_c), on the model's device.
        k : Tensor of shape (b,)
            The entries of z_c that are one, int64.
        """
        noise = self.sigma * torch.randn(b, self.noise_size, generator=generator)
        k = torch.randint(self.n_clusters, (b,), generator=generator)
        if entry is not None:
            k = torch.full_like(k, entry)
        z, device = torch.cat([noise, one_hot(k, self.n_clusters).float()], dim=1), device_of(self)
        return z.to(device), k.to(device)

    def encode(self, x: Tensor) -> Tensor:
        """Return codes (z_n, softmax z_c), shape (b, n + K)."""
        e = self.encoder(x)
        return torch.cat([e[:, : self.noise_size], e[:, self.noise_size :].exp()], dim=1)

    def decoder_input(self, x: Tensor) -> Tensor:
        """Return codes, shape (b, n + K): the generator reads the softmax, not its logarithm."""
        return self.encode(x)

    def run_all(self, x: Tensor) -> None:
        """Pass rows through every part once, the critic too."""
        super().run_all(x)
        self.critic(x)


def _halved(shape: tuple[int, ...], channels: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes of an image before, between and after halving convolutions, sides rounded up."""
    shapes = [tuple(shape)]
    for out in channels:
        _, height, width = shapes[-1]
        shapes.append((out, (height + 1) // 2, (width + 1) // 2))
    return shapes


def _padding(large: tuple[int, ...], small: tuple[int, ...], kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding of each side between two shapes, and what the way back must add for exactly that size."""
    high, wide = (2 * (s - 1) + kernel - side for side, s in zip(large[1:], small[1:], strict=True))
    return ((high + 1) // 2, (wide + 1) // 2), (high % 2, wide % 2)
