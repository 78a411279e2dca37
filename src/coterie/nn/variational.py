"""Networks that say how sure they are: encoders of Gaussian codes, and decoders with a likelihood of rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits


class GaussianEncoder(nn.Module):
    r"""From a row to its posterior :math:`q(z|x) = N(m, \mathrm{diag}\, s^2)`; called, it gives the mean alone.

    Parameters
    ----------
    network : nn.Module
        From rows, shape (b, *shape), to mean codes, shape (b, d). Where it ends in a linear layer, the log variance is
        a second linear layer on the same features; otherwise one on the mean.
    code_size : int
        d.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import GaussianEncoder
    >>> encoder = GaussianEncoder(torch.nn.Linear(3, 2), 2)
    >>> mean, log_var = encoder.moments(torch.zeros(5, 3))
    >>> mean.shape, log_var.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    def __init__(self, network: nn.Module, code_size: int) -> None:
        super().__init__()
        last = network[-1] if type(network) is nn.Sequential and len(network) else None
        if isinstance(network, nn.Sequential) and isinstance(last, nn.Linear):
            self.body, self.mean = network[:-1], last
        else:
            self.body, self.mean = network, nn.Identity()
        features = last.in_features if isinstance(last, nn.Linear) else code_size
        self.log_var = nn.Linear(features, code_size)
        nn.init.zeros_(self.log_var.weight)
        nn.init.zeros_(self.log_var.bias)

    def fill(self, variance: Tensor) -> None:
        """Give all rows one variance s², shape (d,), to begin with."""
        with torch.no_grad():
            self.log_var.weight.zero_()
            self.log_var.bias.copy_(variance.log())

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the posterior, each of shape (b, d) and in float32."""
        features = self.body(x)
        return self.mean(features).float(), self.log_var(features).float()

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean code, shape (b, d)."""
        return self.moments(x)[0]


class BernoulliDecoder(nn.Module):
    r"""Likelihood :math:`\log p(x|z) = \sum_j x_j \log g_j + (1 - x_j) \log (1 - g_j)` of rows in [0, 1].

    Called, it gives the probabilities :math:`g(z)`, the sigmoid of the network's output.

    Parameters
    ----------
    network : nn.Module
        From codes, shape (b, d), to logits, shape (b, *shape). A sigmoid at its end is left out.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import BernoulliDecoder
    >>> decoder = BernoulliDecoder(torch.nn.Identity())
    >>> [round(v, 4) for v in decoder.log_likelihood(torch.zeros(2, 3), torch.ones(2, 3)).tolist()]
    [-2.0794, -2.0794]
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        ends_in_sigmoid = type(network) is nn.Sequential and len(network) and isinstance(network[-1], nn.Sigmoid)
        self.network = network[:-1] if isinstance(network, nn.Sequential) and ends_in_sigmoid else network

    def log_likelihood(self, z: Tensor, x: Tensor) -> Tensor:
        """Return log p(x|z) in nats, summed over the entries of each row, shape (b,)."""
        return -binary_cross_entropy_with_logits(self.network(z).float(), x, reduction="none").flatten(1).sum(1)

    def forward(self, z: Tensor) -> Tensor:
        """Return the mean row of each code, shape (b, *shape)."""
        return self.network(z).sigmoid()


class GaussianDecoder(nn.Module):
    r"""Likelihood :math:`\log p(x|z) = \log N(x; g(z), \tau^2 I)` of any rows, its one variance learned.

    Parameters
    ----------
    network : nn.Module
        From codes, shape (b, d), to mean rows, shape (b, *shape).

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import GaussianDecoder
    >>> decoder = GaussianDecoder(torch.nn.Identity())
    >>> [round(v, 4) for v in decoder.log_likelihood(torch.zeros(1, 2), torch.zeros(1, 2)).tolist()]
    [-1.8379]
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.log_var = nn.Parameter(torch.zeros(()))  # log tau²

    def fill(self, error: float) -> None:
        """Set the variance to the mean squared error of an entry, which is its likeliest value."""
        with torch.no_grad():
            self.log_var.fill_(math.log(max(error, torch.finfo(torch.float32).tiny)))

    def log_likelihood(self, z: Tensor, x: Tensor) -> Tensor:
        """Return log p(x|z) in nats, summed over the entries of each row, shape (b,)."""
        squares = (self.network(z).float() - x).square().flatten(1)
        return -0.5 * (squares / self.log_var.exp() + self.log_var + math.log(2 * math.pi)).sum(1)

    def forward(self, z: Tensor) -> Tensor:
        """Return the mean row of each code, shape (b, *shape)."""
        return self.network(z)


LIKELIHOODS: dict[str, type[BernoulliDecoder] | type[GaussianDecoder]] = {
    "bernoulli": BernoulliDecoder,
    "gaussian": GaussianDecoder,
}


def reparametrise(mean: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    """Draw from diagonal Gaussians, so that gradients reach their moments.

    Parameters
    ----------
    mean, log_var : Tensor of shape (b, d)
        Means and log variances.
    generator : torch.Generator
        A generator on the processor; it alone decides the draws, whatever the device.

    Returns
    -------
    Tensor of shape (b, d)
        One draw for each row.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import reparametrise
    >>> reparametrise(torch.ones(3, 2), torch.full((3, 2), -99.0), torch.Generator().manual_seed(0)).mean().item()
    1.0
    """
    draws = torch.randn(mean.shape, generator=generator).to(mean.device)
    return mean + (0.5 * log_var).exp() * draws
