"""Losses and targets: small pure functions of tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def mse(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error over rows and entries.

    Parameters
    ----------
    x_hat : Tensor of shape (b, ...)
        Reconstruction.
    x : Tensor of shape (b, ...)
        What it should have been, in the same units.

    Returns
    -------
    Tensor of shape ()
        The mean over all b rows and all entries of a row.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import mse
    >>> float(mse(torch.zeros(2, 3), torch.ones(2, 3)))
    1.0
    """
    return torch.nn.functional.mse_loss(x_hat.float(), x)


def kl_divergence(p: Tensor, log_q: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence :math:`\tfrac1b \sum_{ik} p_{ik} (\log p_{ik} - \log q_{ik})`.

    Parameters
    ----------
    p : Tensor of shape (b, K)
        Target distribution of each row; zeros are allowed.
    log_q : Tensor of shape (b, K)
        Logarithm of the predicted distribution of each row.

    Returns
    -------
    Tensor of shape ()
        The mean over rows, in nats.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import kl_divergence
    >>> p = torch.tensor([[1.0, 0.0]])
    >>> round(float(kl_divergence(p, torch.tensor([[0.5, 0.5]]).log())), 4)
    0.6931
    """
    return torch.nn.functional.kl_div(log_q, p, reduction="batchmean")


def gradient_penalty(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""How far a critic's slope is from one: :math:`\tfrac1b \sum_i (\|\nabla D(x_i)\|_2 - 1)^2`.

    Parameters
    ----------
    critic : callable
        D, from rows to (b, 1) or (b,), row by row.
    x : Tensor of shape (b, ...)
        Places at which the slope is taken.

    Returns
    -------
    Tensor of shape ()
        The mean over rows; it can be differentiated by the critic's parameters.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import gradient_penalty
    >>> float(gradient_penalty(lambda x: 3 * x.sum(1), torch.zeros(2, 1)))
    4.0
    """
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).float().sum(), x, create_graph=True)
    # Where the slope is exactly 0 its length has no gradient; vector_norm takes 0, so such a row waits for others.
    return (torch.linalg.vector_norm(slope.float().flatten(1), dim=1) - 1).square().mean()


def sharpen(q: Tensor) -> Tensor:
    r"""Return DEC's target :math:`p_{ik} \propto q_{ik}^2 / \sum_{i'} q_{i'k}`.

    Parameters
    ----------
    q : Tensor of shape (n, K)
        Soft assignments of ALL rows: the sum in the denominator is the soft size of a cluster.

    Returns
    -------
    Tensor of shape (n, K)
        Each row sums to one. A cluster that holds nothing gets nothing.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import sharpen
    >>> sharpen(torch.tensor([[0.8, 0.2], [0.2, 0.8]]))
    tensor([[0.9412, 0.0588],
            [0.0588, 0.9412]])
    """
    q = q.double()  # squares of small probabilities and sums over many rows
    weight = q.square() / q.sum(0).clamp_min(torch.finfo(q.dtype).tiny)
    return (weight / weight.sum(1, keepdim=True)).float()
