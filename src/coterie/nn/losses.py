"""Losses and targets: small pure functions of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


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
    return torch.nn.functional.mse_loss(x_hat.float(), x.float())


def bce(logits: Tensor, x: Tensor) -> Tensor:
    r"""Binary cross entropy :math:`-x \log s - (1 - x) \log(1 - s)`, with s the sigmoid of the logits.

    Parameters
    ----------
    logits : Tensor of shape (b, ...)
        Reconstruction before its sigmoid, so that the logarithms stay exact.
    x : Tensor of shape (b, ...)
        What it should have been, in [0, 1].

    Returns
    -------
    Tensor of shape ()
        The mean over all b rows and all entries of a row, in nats.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import bce
    >>> round(float(bce(torch.zeros(2, 3), torch.ones(2, 3))), 4)
    0.6931
    """
    return binary_cross_entropy_with_logits(logits.float(), x.float())


RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse, "bce": bce}


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
    log_q = log_q.masked_fill(p == 0, 0.0)  # of which nothing is asked there, be it the log of 0
    return torch.nn.functional.kl_div(log_q, p, reduction="batchmean")


def information(log_both: Tensor, *, lam: float, mu: float) -> dict[str, Tensor]:
    r"""Return IMSAT's terms: :math:`\mathrm{KL}(\hat p \| p_T) - \lambda (\mu H(\bar p) - \tfrac1b \sum_i H(p_i))`.

    Parameters
    ----------
    log_both : Tensor of shape (2b, K)
        Log p of b rows, then of the same rows changed.
    lam, mu : float
        Weights of the information and, within it, of the marginal entropy.

    Returns
    -------
    dict of str to Tensor of shape ()
        The changed rows' disagreement, minus the marginal entropy and the conditional one, weighted; nats.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import information
    >>> {name: round(float(term), 3) for name, term in information(torch.full((2, 2), 0.5).log(), lam=1, mu=1).items()}
    {'agreement': 0.0, 'marginal': -0.693, 'conditional': 0.693}
    """
    log_p, log_changed = log_both.chunk(2)
    p = log_p.exp()
    log_bar = log_p.logsumexp(0) - math.log(len(log_p))  # (K,): log of the batch's mean p
    return {
        "agreement": kl_divergence(p.detach(), log_changed),
        "marginal": lam * mu * (log_bar.exp() * log_bar).sum(),
        "conditional": -lam * (p * log_p).sum(1).mean(),
    }


def gaussian_kl(mean: Tensor, log_var: Tensor, *, centers: Tensor, center_log_var: Tensor) -> Tensor:
    r"""Kullback-Leibler divergences :math:`KL(N(m_i, s_i^2) \| N(\mu_k, \sigma_k^2))` of diagonal Gaussians.

    Parameters
    ----------
    mean, log_var : Tensor of shape (b, d)
        Means m and log variances of the rows.
    centers, center_log_var : Tensor of shape (K, d)
        Means mu and log variances of the components.

    Returns
    -------
    Tensor of shape (b, K)
        In nats, summed over the d dimensions.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import gaussian_kl
    >>> zero = torch.zeros(1, 2)
    >>> gaussian_kl(zero + 1, zero, centers=zero, center_log_var=zero).tolist()
    [[1.0]]
    """
    squares = (mean[:, None] - centers).square()  # (b, K, d)
    ratio = log_var[:, None] - center_log_var  # log s² / sigma²
    return 0.5 * (squares / center_log_var.exp() + ratio.exp() - 1 - ratio).sum(2)


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


def balance(p: Tensor, prior: Tensor) -> Tensor:
    r"""Return DEPICT's target :math:`q_{ik} \propto p_{ik} \sqrt{u_k / \sum_{i'} p_{i'k}}`.

    Parameters
    ----------
    p : Tensor of shape (n, K)
        Soft assignments of ALL rows.
    prior : Tensor of shape (K,)
        u, the share of the rows that each cluster should have; its scale does not matter.

    Returns
    -------
    Tensor of shape (n, K)
        Each row sums to one. Clusters that are larger than their share give some of it away.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import balance
    >>> balance(torch.tensor([[0.5, 0.5], [0.9, 0.1]]), torch.tensor([0.5, 0.5]))
    tensor([[0.3956, 0.6044],
            [0.8549, 0.1451]])
    """
    p = p.double()  # sums over many rows
    weight = p * (prior.double() / p.sum(0).clamp_min(torch.finfo(p.dtype).tiny)).sqrt()
    return (weight / weight.sum(1, keepdim=True)).float()


def triplet_loss(
    z: Tensor, near: Tensor, *, others: Tensor, apart: Tensor, gamma: float = 1.0, margin: float = 0.2
) -> Tensor:
    r"""Weighted triplet loss :math:`\max(0, \gamma \|z_i - z_j\|^2 - \|z_i - z_k\|^2 + m)`, where it is not zero.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Codes of length 1.
    near : Tensor of shape (b, d)
        For each of them a code that it should be close to, of length 1.
    others : Tensor of shape (c, d)
        Codes that some should be far from, of length 1.
    apart : Tensor of shape (b, c)
        Which should be far from which, boolean.
    gamma : float, default=1.0
        Weight of the distance to the near one; unitless.
    margin : float, default=0.2
        m, in units of squared distance.

    Returns
    -------
    Tensor of shape ()
        The mean over all triplets whose loss is positive; 0 if there are none.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import triplet_loss
    >>> z = torch.eye(2)
    >>> float(triplet_loss(z, z, others=z, apart=~torch.eye(2, dtype=torch.bool), margin=3.0))
    1.0
    """
    with torch.autocast(z.device.type, enabled=False):  # bfloat16 would round distances by a good part of the margin
        squared_near = (z - near).square().sum(1, keepdim=True)  # (b, 1)
        squared_far = 2 - 2 * z @ others.T  # (b, c)
        loss = (gamma * squared_near - squared_far + margin).clamp_min(0) * apart
    return loss.sum() / (loss > 0).sum().clamp_min(1)
