"""Losses that bring rows of one class together: they read labels, of some of the rows or of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from coterie.errors import InputError

DISTANCES = ("cosine", "euclidean")
COLDEST = 1e-20  # temperature below which distances over it, of up to 1e18, would be more than float32 can hold
# bfloat16 errs by up to 0.004 in a product of unit vectors; below this temperature that is no longer little.
EXACT_BELOW = 0.05
ROUNDING = 0.01  # of the temperature, in distances
SHORTEST = 1e-12  # squared length below which a row has no direction
LEAST = -80.0  # log of a share that is as good as none; the exponential of less is slow, for it is no normal number


def soft_nearest_neighbor_loss(
    h: Tensor | Sequence[Tensor], y: Tensor, *, temperature: float, distance: str = "cosine"
) -> Tensor:
    r"""Soft nearest neighbour loss [1]_: how far rows are from finding their own class nearby.

    .. math::
        -\frac1b \sum_i \log
        \frac{\sum_{j \ne i, y_j = y_i} \exp(-D_{ij} / T)}{\sum_{j \ne i} \exp(-D_{ij} / T)}

    Parameters
    ----------
    h : Tensor of shape (b, ...), or sequence of such
        Outputs of a layer, or of several, whose losses are added; all but the first axis are flattened.
    y : Tensor of shape (b,)
        Class of each row, int64; -1 where it is not known. Such rows enter neither sum, nor b.
    temperature : float
        T, in units of D; positive. The smaller, the fewer neighbours count.
    distance : {"cosine", "euclidean"}, default="cosine"
        D: one minus the cosine, or the squared Euclidean distance. The cosine with a row of zeros is 0, and
        one shorter than 1e-6 counts as such.

    Returns
    -------
    Tensor of shape ()
        In nats, float32 at least. A row that has no other of its class adds 0; so all is 0 where none has.

    Raises
    ------
    InputError
        If the distance is unknown, the temperature is not positive, or rows and classes are not as many.

    Notes
    -----
    All is computed from the products of rows and in log space: no array is larger than b x b or h itself, and a
    temperature near 0 leaves the loss finite; one below 1e-20 counts as that. Terms of D that are constant
    within a row appear in both sums, cancel, and are left out.

    References
    ----------
    .. [1] N. Frosst, N. Papernot, G. Hinton. Analyzing and improving representations with the soft nearest neighbor
       loss. ICML 2019.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import soft_nearest_neighbor_loss
    >>> h, y = torch.tensor([[0.0], [0.0], [1.0], [1.0]]), torch.tensor([0, 0, 1, 1])
    >>> near = soft_nearest_neighbor_loss(h, y, temperature=1.0, distance="euclidean")
    >>> far = soft_nearest_neighbor_loss(9 * h, y, temperature=1.0, distance="euclidean")
    >>> round(float(near), 3), round(float(far), 3)
    (0.551, 0.0)
    """
    if distance not in DISTANCES:
        raise InputError(f"The 'distance' argument must be one of {DISTANCES}. Got {distance!r} instead.")
    layers = [h] if isinstance(h, Tensor) else list(h)
    temperature = _checked(temperature, layers, y)
    known = y >= 0
    y = y[known]
    alone, like = _pairs(y)
    # For a row without another of its class both sums are the same one: it adds 0, and has no gradient.
    others = torch.where(like | ~like.any(1, keepdim=True), alone, -torch.inf)
    losses = []
    for layer in layers:
        rows = _rows(layer, known)
        if len(rows) < 2:
            losses.append(0.0 * rows.sum())
            continue
        logits = (_cosines(rows, temperature) if distance == "cosine" else _nearness(rows, temperature)) / temperature
        losses.append(_mean_difference(logits, alone, others).to(rows.dtype))
    return torch.stack(losses).sum()


def supervised_contrastive_loss(z: Tensor, y: Tensor, *, temperature: float = 0.1) -> Tensor:
    r"""Supervised contrastive loss [1]_, the variant with the mean outside the logarithm.

    .. math::
        -\frac1b \sum_i \frac{1}{|P_i|} \sum_{j \in P_i} \log
        \frac{\exp(\cos(z_i, z_j) / T)}{\sum_{a \ne i} \exp(\cos(z_i, z_a) / T)}

    with :math:`P_i` the other rows of row i's class.

    Parameters
    ----------
    z : Tensor of shape (b, ...)
        Codes; all but the first axis are flattened.
    y : Tensor of shape (b,)
        Class of each row, int64; -1 where it is not known. Such rows are left out.
    temperature : float, default=0.1
        T; positive, unitless.

    Returns
    -------
    Tensor of shape ()
        In nats, float32 at least. A row that has no other of its class adds 0.

    Raises
    ------
    InputError
        If the temperature is not positive, or rows and classes are not as many.

    References
    ----------
    .. [1] P. Khosla et al. Supervised contrastive learning. NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import supervised_contrastive_loss
    >>> round(float(supervised_contrastive_loss(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1]))), 4)
    0.0001
    """
    temperature = _checked(temperature, [z], y)
    known = y >= 0
    z, y = _rows(z, known), y[known]
    if len(z) < 2:
        return 0.0 * z.sum()
    alone, like = _pairs(y)
    logits = _cosines(z, temperature) / temperature
    apart = _log_sum_exp(logits + alone)[:, None] - logits  # (l, l): -log of each pair's share
    return ((apart * like).sum(1) / like.sum(1).clamp_min(1)).mean()


def _checked(temperature: float, layers: Sequence[Tensor], y: Tensor) -> float:
    """Return the temperature that is counted with, or raise."""
    if (
        isinstance(temperature, bool)
        or not isinstance(temperature, Real | Tensor)
        or not 0 < float(temperature) < math.inf
    ):
        raise InputError(f"The 'temperature' argument must be a positive number. Got {temperature!r} instead.")
    if not isinstance(y, Tensor) or any(not isinstance(layer, Tensor) or layer.ndim < 2 for layer in layers):
        raise InputError("Outputs must be tensors of shape (b, ...), with b classes in a tensor of shape (b,).")
    if not layers or any(len(layer) != len(y) for layer in layers):
        lengths = [len(layer) for layer in layers]
        raise InputError(f"Outputs must have a row for each of the {len(y)} classes. Got {lengths} rows instead.")
    return temperature if temperature > COLDEST else COLDEST


def _products(h: Tensor, *, exact: bool) -> Tensor:
    with torch.autocast(h.device.type, enabled=not exact and torch.is_autocast_enabled(h.device.type)):
        products = (h @ h.detach().T).to(h.dtype)
    # The same number; but its gradient takes one product of matrices where that of h @ h.T takes two.
    return products + products.T - products.detach()


def _mean_difference(logits: Tensor, alone: Tensor, others: Tensor) -> Tensor:
    """Return the mean over rows of the log of their summed exponentials under one mask, less that under another.

    The gradient is had with the value, as the difference of two shares; autograd's own way would keep an array of l x l
    for each operation.
    """
    with torch.no_grad():
        (sums, shares), (fewer, others_shares) = (_log_sums_and_shares(logits + mask) for mask in (alone, others))
        value, slope = (sums - fewer).mean(), shares.sub_(others_shares).div_(len(logits))
    return value + (slope * (logits - logits.detach())).sum()  # adds nothing but the gradient


def _log_sums_and_shares(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log of each row's summed exponentials (l,), and each one's share of its sum (l, l), in place."""
    largest = logits.amax(1, keepdim=True)
    exponentials = logits.sub_(largest).clamp_min_(LEAST).exp_()
    total = exponentials.sum(1, keepdim=True)
    return (total.log() + largest)[:, 0], exponentials.div_(total)


def _log_sum_exp(logits: Tensor) -> Tensor:
    """Return the log of each row's summed exponentials, shape (l,); the gradient reuses the exponentials."""
    largest = logits.detach().amax(1, keepdim=True)
    return (logits - largest).clamp_min(LEAST).exp().sum(1).log() + largest[:, 0]


def _cosines(h: Tensor, temperature: float) -> Tensor:
    """Return the cosines of rows (l, l), from their products alone."""
    products = _products(h, exact=temperature < EXACT_BELOW)
    squared = products.diagonal()
    inverse = squared.clamp_min(SHORTEST).rsqrt() * (squared > SHORTEST)
    return products * inverse * inverse[:, None]


def _nearness(h: Tensor, temperature: float) -> Tensor:
    """Return |h_i|² - D_ij (l, l).

    Around their mean rows are short, so that the difference loses little. Where rounding would count all the same, at a
    temperature that is low beside the distance between groups, it is had in float64.
    """
    h = h - h.detach().mean(0)
    products = _products(h, exact=True)
    far = products.detach().diagonal().max() * torch.finfo(h.dtype).eps > ROUNDING * temperature
    if far and h.device.type != "mps":  # which has no float64
        products = _products(h.double(), exact=True)
    return 2 * products - products.diagonal()


def _pairs(y: Tensor) -> tuple[Tensor, Tensor]:
    """Return -inf where a row meets itself, else 0, and which other rows are of a row's class; both (l, l)."""
    eye = torch.eye(len(y), dtype=torch.bool, device=y.device)
    return torch.zeros(eye.shape, device=y.device).masked_fill_(eye, -torch.inf), (y[:, None] == y) & ~eye


def _rows(h: Tensor, known: Tensor) -> Tensor:
    """Return the rows whose class is known, shape (l, d), in float32 at least."""
    h = h.flatten(1)
    h = h if known.all() else h[known]
    return h if h.dtype == torch.float64 else h.float()
