"""Heads that are mixtures of Gaussians: from a code z, shape (b, d), to log q, shape (b, K)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class FullGaussians(nn.Module):
    r"""A Gaussian mixture with full covariances: :math:`q_{ik} \propto \pi_k N(z_i; \mu_k, \Sigma_k)`.

    Parameters
    ----------
    n_clusters : int
        K, the number of components.
    code_size : int
        d, the size of the code.

    Attributes
    ----------
    centers : Tensor of shape (K, d)
        Means mu.
    whitening : Tensor of shape (K, d, d)
        W_k with :math:`W_k W_k^T = \Sigma_k^{-1}`: differences times W_k have unit covariance.
    log_shares : Tensor of shape (K,)
        Logarithms of pi.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import FullGaussians
    >>> head = FullGaussians(2, 1)
    >>> head.fill(torch.tensor([[0.0], [2.0]]), whitening=torch.ones(2, 1, 1), shares=torch.tensor([0.5, 0.5]))
    >>> head(torch.tensor([[1.0]])).exp().tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(n_clusters, code_size))
        self.register_buffer("whitening", torch.eye(code_size).repeat(n_clusters, 1, 1))
        self.register_buffer("log_shares", torch.full((n_clusters,), -math.log(n_clusters)))
        self.centers: Tensor
        self.whitening: Tensor
        self.log_shares: Tensor

    def fill(self, centers: Tensor, *, whitening: Tensor, shares: Tensor) -> None:
        """Set means (K, d), whitening matrices (K, d, d), triangular, and shares (K,)."""
        self.centers.copy_(centers)
        self.whitening.copy_(whitening)
        self.log_shares.copy_(shares.double().clamp_min(torch.finfo(torch.float32).tiny).log())

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        away = z.float()[:, None, :] - self.centers  # (b, K, d)
        white = (away.unsqueeze(3) * self.whitening).sum(2)  # (b, K, d)
        log_volume = self.whitening.diagonal(dim1=1, dim2=2).log().sum(1)  # (K,); of 1 / sqrt(det Sigma)
        return torch.log_softmax(self.log_shares + log_volume - 0.5 * white.square().sum(2), dim=1)


class DiagonalGaussians(nn.Module):
    r"""Posterior of a mixture of Gaussians with diagonal covariances, the prior of a variational code.

    :math:`q_{ik} \propto \pi_k N(z_i; \mu_k, \mathrm{diag}\, \sigma_k^2)`

    Parameters
    ----------
    n_clusters : int
        K, the number of components.
    code_size : int
        d, the size of the code.

    Attributes
    ----------
    centers : Parameter of shape (K, d)
        Means mu.
    log_var : Parameter of shape (K, d)
        Logarithms of the variances sigma².
    logits : Parameter of shape (K,)
        Logarithms of the weights pi, up to a constant.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import DiagonalGaussians
    >>> head = DiagonalGaussians(2, 1)
    >>> head.fill_from_labels(torch.tensor([[-1.0], [1.0], [9.0], [11.0]]), torch.tensor([0, 0, 1, 1]))
    >>> head(torch.tensor([[5.0]])).exp().tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(n_clusters, code_size))  # mu
        self.log_var = nn.Parameter(torch.zeros(n_clusters, code_size))
        self.logits = nn.Parameter(torch.zeros(n_clusters))

    @property
    def log_pi(self) -> Tensor:
        """Logarithms of the weights, shape (K,)."""
        return torch.log_softmax(self.logits, 0)

    def fill_from_labels(self, z: Tensor, labels: Tensor) -> None:
        """Take means, variances and weights from codes z, shape (n, d), and their clusters, shape (n,)."""
        z = z.double()
        everywhere = z.var(0, correction=0)
        # A thousandth of the spread of all codes: a component on one place only would not let its row go again.
        least = (1e-3 * everywhere.mean()).clamp_min(torch.finfo(torch.float32).tiny)
        with torch.no_grad():
            for k in range(len(self.centers)):
                rows = z[labels == k]
                self.centers[k] = (rows if len(rows) else z).mean(0)
                variance = rows.var(0, correction=0) if len(rows) > 1 else everywhere
                self.log_var[k] = variance.clamp_min(least).log()
                self.logits[k] = math.log(len(rows) + 1)  # one row more, since no component may have the weight zero

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        squares = (z.float()[:, None] - self.centers).square() / self.log_var.exp()  # (b, K, d)
        # The constant d/2 log 2 pi is every component's, and falls out.
        return torch.log_softmax(self.log_pi - 0.5 * (squares + self.log_var).sum(2), dim=1)
