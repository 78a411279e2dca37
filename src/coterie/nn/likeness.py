"""Losses that bring rows of one class together: they read labels, of some of the rows or of all."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

DISTANCES = ("cosine", "euclidean")
# bfloat16 errs by up to 0.004 in a product of unit vectors; below this temperature that is no longer little.
EXACT_BELOW = 0.05


def soft_nearest_neighbor_loss(h: Tensor, y: Tensor, *, temperature: float, distance: str = "cosine") -> Tensor:
    r"""Soft nearest neighbour loss [1]_: how far rows are from finding their own class nearby.

    .. math::
        -\frac1b \sum_i \log
        \frac{\sum_{j \ne i, y_j = y_i} \exp(-D_{ij} / T)}{\sum_{j \ne i} \exp(-D_{ij} / T)}

    Parameters
    ----------
    h : Tensor of shape (b, ...)
        Outputs of a layer; all but the first axis are flattened.
    y : Tensor of shape (b,)
        Class of each row, int64; -1 where it is not known. Such rows enter neither sum, nor b.
    temperature : float
        T, in units of D; positive. The smaller, the fewer neighbours count.
    distance : {"cosine", "euclidean"}, default="cosine"
        D: one minus the cosine, or the squared Euclidean distance.

    Returns
    -------
    Tensor of shape ()
        In nats, float32 at least. A row that has no other of its class adds 0; so all is 0 where none has.

    Notes
    -----
    All is computed from the products of rows and in log space: no array is larger than b x b or h itself, and a
    temperature near 0 leaves the loss finite.

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
    h, y = _known(h, y)
    if len(h) < 2:
        return 0.0 * h.sum()
    exact = distance == "euclidean" or temperature < EXACT_BELOW
    with torch.autocast(h.device.type, enabled=not exact and torch.is_autocast_enabled(h.device.type)):
        d = _squared(h) if distance == "euclidean" else 1 - _products(normalize(h, dim=1))
    logits = _without_self(-d / temperature)
    like = y[:, None] == y
    like.fill_diagonal_(False)
    # For a row without another of its class both sums are the same one: it adds 0, and has no gradient.
    counted = like | ~like.any(1, keepdim=True)
    return (logits.logsumexp(1) - logits.masked_fill(~counted, -torch.inf).logsumexp(1)).mean()


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
    z, y = _known(z, y)
    if len(z) < 2:
        return 0.0 * z.sum()
    logits = _products(normalize(z, dim=1)) / temperature
    like = y[:, None] == y
    like.fill_diagonal_(False)
    apart = _without_self(logits).logsumexp(1, keepdim=True) - logits  # (l, l): -log of each pair's share
    return ((apart * like).sum(1) / like.sum(1).clamp_min(1)).mean()


def _known(h: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows whose class is known, shape (l, d) and float32 at least, and their classes."""
    known = y >= 0
    h = h.flatten(1)
    if not known.all():
        h, y = h[known], y[known]
    return (h if h.dtype == torch.float64 else h.float()), y


def _squared(h: Tensor) -> Tensor:
    """Return squared distances (l, l); around their mean, rows are short and the sum of three terms loses little."""
    h = h - h.detach().mean(0)
    length = h.square().sum(1)
    return (length[:, None] + length - 2 * _products(h)).clamp_min(0)


def _products(h: Tensor) -> Tensor:
    """Return h hᵀ (l, l), whose gradient costs one product of matrices where that of the plain form costs two."""
    half = h @ h.detach().T
    half = half if h.dtype == torch.float64 else half.float()
    # The value is h hᵀ once; what comes back is a matrix plus its transpose, before it is multiplied by h.
    return half + half.T - half.detach()


def _without_self(logits: Tensor) -> Tensor:
    eye = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    return logits.masked_fill(eye, -torch.inf)
