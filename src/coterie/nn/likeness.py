"""Losses that bring rows of one class together: they read labels, of some of the rows or of all."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from coterie.errors import InputError

DISTANCES = ("cosine", "euclidean")
COLDEST = 1e-20  # temperature below which distances over it, of up to 1e18, would be more than float32 can hold
# bfloat16 errs by up to 0.004 in a product of unit vectors; below this temperature that is no longer little.
EXACT_BELOW = 0.05
HALF_ROUNDING = torch.finfo(torch.bfloat16).eps  # of half precision, the coarser of both kinds
ROUNDING = 0.01  # of the temperature, in distances
SHORTEST = 1e-12  # squared length below which a row has no direction
Pull = Callable[[Tensor], list[Tensor]]  # from slopes of logits to the gradient of each layer, times the temperature
Near = Callable[[list[Tensor], Any], tuple[Tensor, Pull]]
Judge = Callable[[Tensor], tuple[Tensor, Tensor]]  # from logits to the loss of each row, and its slopes
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
    All is computed from the products of rows and in log space: no array is larger than b x b a layer, or h itself, and
    a temperature near 0 leaves the loss finite; one below 1e-20 counts as that. Terms of D that are constant within a
    row appear in both sums, cancel, and are left out. The gradient comes with the value; a gradient of the gradient
    raises, as do the transforms of torch.func.

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
    T = _checked(temperature, layers, y)
    known = y >= 0
    alone, like = _pairs(y[known])
    # For a row without another of its class both sums are the same one: it adds 0, and has no gradient.
    others = alone.masked_fill(~like & like.any(1, keepdim=True), -torch.inf)

    def judge(logits: Tensor) -> tuple[Tensor, Tensor]:
        (sums, shares), (fewer, shares_of_fewer) = (_log_sums_and_shares(logits + mask) for mask in (alone, others))
        return sums - fewer, shares.sub_(shares_of_fewer)

    near = _cosines if distance == "cosine" else _nearness
    return _judged(layers, known, temperature=T, ways=(near, judge))


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
    T = _checked(temperature, [z], y)
    known = y >= 0
    alone, like = _pairs(y[known])
    paired = like.any(1)

    def judge(logits: Tensor) -> tuple[Tensor, Tensor]:
        wanted = like / like.sum(1, keepdim=True, dtype=logits.dtype).clamp_min(1)  # what each row of the class counts
        sums, shares = _log_sums_and_shares(logits + alone)
        return sums * paired - (logits * wanted).sum(-1), shares * paired[:, None] - wanted

    return _judged([z], known, temperature=T, ways=(_cosines, judge))


def _checked(temperature: Any, layers: Sequence[Tensor], y: Tensor) -> float | Tensor:
    """Return the temperature that is counted with, or raise."""
    if isinstance(temperature, Tensor) and temperature.numel() == 1:
        temperature = temperature.reshape(()).to(torch.promote_types(temperature.dtype, torch.float32))
    number = temperature.item() if isinstance(temperature, Tensor) and not temperature.ndim else temperature
    if isinstance(number, bool) or not isinstance(number, Real) or not 0 < float(number) < math.inf:
        raise InputError(f"The 'temperature' argument must be a positive number. Got {temperature!r} instead.")
    if not isinstance(y, Tensor) or any(not isinstance(layer, Tensor) or layer.ndim < 2 for layer in layers):
        raise InputError("Outputs must be tensors of shape (b, ...), with b classes in a tensor of shape (b,).")
    if not layers or any(len(layer) != len(y) for layer in layers):
        lengths = [len(layer) for layer in layers]
        raise InputError(f"Outputs must have a row for each of the {len(y)} classes. Got {lengths} rows instead.")
    return temperature if temperature > COLDEST else COLDEST


def _judged(
    layers: Sequence[Tensor], known: Tensor, *, temperature: float | Tensor, ways: tuple[Near, Judge]
) -> Tensor:
    """Return the loss, added over layers, of those rows whose class is known."""
    layers = [h.flatten(1) for h in layers]
    layers = layers if known.all() else [h[known] for h in layers]
    if len(layers[0]) < 2:
        return torch.stack([0.0 * h.sum() for h in _alike(layers)]).sum()
    return _Judged.apply(ways, temperature, *layers)


class _Judged(torch.autograd.Function):
    """Mean over rows, added over layers, of a loss that reads nothing but how near rows are to each other.

    Its gradient is had with its value, by one more product of matrices a layer. Autograd's own way would keep an array
    of l x l for each operation.
    """

    @staticmethod
    def forward(ctx: Any, ways: tuple[Near, Judge], temperature: Any, *layers: Tensor) -> Tensor:
        """Return the loss, shape (), of layers of rows (l, d)."""
        near, judge = ways
        alike = _alike(layers)
        logits, pull = near(alike, temperature)
        losses, slopes = judge(logits)
        of_temperature = -(slopes * logits).sum() if ctx.needs_input_grad[1] else None
        of_layers = pull(slopes) if any(ctx.needs_input_grad[2:]) else [None] * len(layers)
        ctx.save_for_backward(of_temperature, *of_layers)
        ctx.unit = logits.shape[-1] * temperature  # divided by at last: a product in float16 could not hold so little
        loss, dtype = losses.mean(1).sum(), alike[0].dtype
        return loss.clamp_max(torch.finfo(dtype).max).to(dtype)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the temperature and of layers."""
        if torch.is_grad_enabled():  # that is, with create_graph=True: then a gradient of these raises, and is not 0
            slope = slope.detach().requires_grad_()
        return None, *_scaled(ctx, slope)


@once_differentiable
def _scaled(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
    slope = slope / ctx.unit
    return tuple(None if kept is None else slope * kept for kept in ctx.saved_tensors)


def _alike(layers: Sequence[Tensor]) -> list[Tensor]:
    """Return layers in one dtype, float32 at least."""
    dtype = functools.reduce(torch.promote_types, [h.dtype for h in layers], torch.float32)
    return [h.to(dtype) for h in layers]


def _log_sums_and_shares(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log of each row's summed exponentials (..., l), and each one's share of its sum, in their place."""
    largest = logits.amax(-1, keepdim=True)
    exponentials = logits.sub_(largest).clamp_min_(LEAST).exp_()
    total = exponentials.sum(-1, keepdim=True)
    return (total.log() + largest)[..., 0], exponentials.div_(total)


def _times(a: Tensor, b: Tensor, *, exact: bool) -> Tensor:
    """Return the product of matrices, in half precision within autocast unless it must be exact."""
    with torch.autocast(b.device.type, enabled=not exact and torch.is_autocast_enabled(b.device.type)):
        return a @ b


def _diagonal(matrices: Tensor) -> Tensor:
    return matrices.diagonal(dim1=1, dim2=2)


def _cosines(layers: list[Tensor], temperature: float | Tensor) -> tuple[Tensor, Pull]:
    """Return cosines over the temperature (L, l, l), and how slopes of these pull at rows."""
    exact = bool(temperature < EXACT_BELOW)
    products = torch.stack([_times(h, h.T, exact=exact).to(h.dtype) for h in layers])
    squared = _diagonal(products)
    inverse = squared.clamp_min(SHORTEST).rsqrt() * (squared > SHORTEST)
    inverses = inverse[:, None] * inverse[:, :, None]
    cosines = products * inverses

    def pull(slopes: Tensor) -> list[Tensor]:
        both = slopes + slopes.mT
        _diagonal(both).sub_((both * cosines).sum(1))  # what would change a row's length alone
        return [_times(weights, h, exact=exact) for weights, h in zip(both.mul_(inverses), layers, strict=True)]

    return cosines / temperature, pull


def _nearness(layers: list[Tensor], temperature: float | Tensor) -> tuple[Tensor, Pull]:
    """Return -D_ij over the temperature (L, l, l), up to a number for each row, and how slopes of these pull at rows.

    Around their mean rows are short, so that the difference of products loses little. Where rounding would count all
    the same, at a temperature that is low beside the distance between groups, all is had in float64.
    """
    around = [h - h.mean(0).float() for h in layers]  # a centre of few digits: float64 holds the difference exactly
    products = torch.stack([_times(h, h.T, exact=True) for h in around])
    squared = _diagonal(products).clone()
    longest = squared.amax(1).tolist()
    far = max(longest) * torch.finfo(products.dtype).eps > ROUNDING * temperature
    if far and products.dtype != torch.float64 and products.device.type != "mps":  # which has no float64
        return _nearness([h.double() for h in layers], temperature)
    logits = products.mul_(2).sub_(squared[:, None]).div_(temperature)

    def pull(slopes: Tensor) -> list[Tensor]:
        both = (slopes + slopes.mT).mul_(2)
        _diagonal(both).sub_(2 * slopes.sum(1))
        return [
            # Half precision moves each row by its length times this; beside the root of the temperature that is little.
            _times(weights, h, exact=size * HALF_ROUNDING**2 > ROUNDING * temperature)
            for weights, h, size in zip(both, around, longest, strict=True)
        ]

    return logits, pull


def _pairs(y: Tensor) -> tuple[Tensor, Tensor]:
    """Return -inf where a row meets itself, else 0, and which other rows are of a row's class; both (l, l)."""
    eye = torch.eye(len(y), dtype=torch.bool, device=y.device)
    return torch.zeros(eye.shape, device=y.device).masked_fill_(eye, -torch.inf), (y[:, None] == y) & ~eye
