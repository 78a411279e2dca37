"""Heads: from a code z, shape (b, d), to log q, shape (b, K)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BLOCK = 4096  # codes that are compared with the centres at a time
_AT_ONCE = 2**24  # entries of differences that are held at a time, 64 MB


class StudentT(nn.Module):
    r"""Soft assignment by a Student-t kernel.

    :math:`q_{ik} \propto (1 + \|z_i - \mu_k\|^2 / \alpha s^2)^{-(\alpha + 1) / 2}`, with s = 1 in the paper.

    Parameters
    ----------
    n_clusters : int
        K, the number of centres.
    code_size : int
        d, the size of the code.
    alpha : float, default=1.0
        Degrees of freedom; positive, unitless.

    Attributes
    ----------
    centers : Parameter of shape (K, d)
        Centres mu.
    unit : Tensor of shape ()
        Distance s that counts as one; 1 until :meth:`fill` sets it. It is not learned.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import StudentT
    >>> head = StudentT(2, 1)
    >>> _ = head.centers.data.copy_(torch.tensor([[0.0], [2.0]]))
    >>> head(torch.tensor([[0.0]])).exp()
    tensor([[0.8333, 0.1667]], grad_fn=<ExpBackward0>)
    """

    def __init__(self, n_clusters: int, code_size: int, alpha: float = 1.0) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(n_clusters, code_size))  # mu
        self.alpha = alpha
        self.register_buffer("unit", torch.ones(()))
        self.unit: Tensor

    def fill(self, centers: Tensor, unit: float = 1.0) -> None:
        """Put the components on centres of shape (K, d) and set the unit of distance."""
        with torch.no_grad():
            self.centers.copy_(centers)
        self.unit.fill_(unit)

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        return student_t(z.float(), self.centers, alpha=self.alpha, unit=self.unit)


class Nearest(nn.Module):
    r"""Round Gaussians of one width around the centres: the probabilities whose hard limit is k-means.

    The width is the mean squared distance to the own centre over the code's d dimensions, which is the
    maximum-likelihood variance of that mixture given the partition.

    Parameters
    ----------
    n_clusters : int
        K, the number of centres.
    code_size : int
        d, the size of the code.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Nearest
    >>> head = Nearest(2, 1)
    >>> head.fill(torch.tensor([[0.0], [2.0]]), variance=1.0)
    >>> head(torch.tensor([[1.0]])).exp().tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(n_clusters, code_size))
        self.register_buffer("variance", torch.ones(()))
        self.centers: Tensor
        self.variance: Tensor

    def fill(self, centers: Tensor, variance: float) -> None:
        """Set the centres, shape (K, d), and the variance of a coordinate."""
        self.centers.copy_(centers)
        self.variance.fill_(_at_least(variance, centers))

    def fill_from(self, z: Tensor, centers: Tensor) -> None:
        """Set the centres, shape (K, d), and the variance that codes z, shape (n, d), have around them."""
        z, centers = z.cpu(), centers.cpu()
        distance = torch.cat([squared_distances(part, centers).min(1).values for part in z.split(BLOCK)])
        self.fill(centers, float(distance.mean()) / z.shape[1])

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        return torch.log_softmax(-0.5 * squared_distances(z.float(), self.centers) / self.variance, dim=1)


class Softmax(nn.Module):
    r"""Soft assignment by a linear layer: :math:`q_{ik} \propto \exp(w_k^\top z_i + b_k)`.

    Parameters
    ----------
    n_clusters : int
        K, the number of clusters.
    code_size : int
        d, the size of the code.

    Attributes
    ----------
    weight : Parameter of shape (K, d)
        Slopes w.
    bias : Parameter of shape (K,)
        Offsets b.
    centers : Tensor of shape (K, d)
        Mean code of each cluster's rows, which :meth:`fill` and :meth:`place` set; q does not depend on it.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Softmax
    >>> head = Softmax(2, 1)
    >>> head.fill(torch.tensor([[0.0], [2.0]]), variance=1.0)
    >>> head(torch.tensor([[1.0]])).exp().tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_clusters, code_size))  # w
        self.bias = nn.Parameter(torch.zeros(n_clusters))  # b
        self.register_buffer("centers", torch.zeros(n_clusters, code_size))
        self.centers: Tensor

    def fill(self, centers: Tensor, variance: float) -> None:
        """Make q that of round Gaussians of one variance a coordinate around centres of shape (K, d)."""
        variance = _at_least(variance, centers)
        with torch.no_grad():
            self.weight.copy_(centers / variance)
            self.bias.copy_(-0.5 * centers.square().sum(1) / variance)
        self.centers.copy_(centers)

    def place(self, z: Tensor) -> None:
        """Set the centres to the means of codes z, shape (n, d), by cluster; one that holds none keeps its own."""
        with torch.no_grad():
            labels = torch.cat([self(part.to(self.weight.device)).argmax(1).cpu() for part in z.split(BLOCK)])
        for k in labels.unique().tolist():
            self.centers[k] = z[labels == k].mean(0).to(self.centers.device)

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        # Products are formed one by one, in float32 also where training is in bfloat16: b K d is small.
        return torch.log_softmax((z.float()[:, None, :] * self.weight).sum(2) + self.bias, dim=1)


class UnitLength(nn.Module):
    """The last layer of an encoder whose codes, shape (b, d), lie on the unit sphere.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import UnitLength
    >>> UnitLength()(torch.tensor([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def forward(self, z: Tensor) -> Tensor:
        """Return z / |z|, shape (b, d), in float32."""
        return nn.functional.normalize(z.float(), dim=1)


def _at_least(variance: float, centers: Tensor) -> float:
    """Return a variance that keeps logarithms finite where rows lie on their centres, which leaves none."""
    apart = float(centers.var(0, correction=0).mean())
    return max(variance, torch.finfo(torch.float32).eps * (apart or 1.0))


def student_t(z: Tensor, centers: Tensor, *, alpha: float = 1.0, unit: float | Tensor = 1.0) -> Tensor:
    """Log of the Student-t assignment of codes to centres.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Codes.
    centers : Tensor of shape (K, d)
        Centres.
    alpha : float, default=1.0
        Degrees of freedom; positive, unitless.
    unit : float or Tensor of shape (), default=1.0
        Distance that counts as one.

    Returns
    -------
    Tensor of shape (b, K)
        log q; the exponentials of a row sum to one.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import student_t
    >>> student_t(torch.tensor([[0.0]]), torch.tensor([[0.0], [2.0]])).exp()
    tensor([[0.8333, 0.1667]])
    """
    distance = squared_distances(z, centers) / unit**2
    return torch.log_softmax(-0.5 * (alpha + 1) * torch.log1p(distance / alpha), dim=1)


def squared_distances(z: Tensor, centers: Tensor) -> Tensor:
    """Squared Euclidean distances.

    Parameters
    ----------
    z : Tensor of shape (b, d)
        Codes.
    centers : Tensor of shape (K, d)
        Centres.

    Returns
    -------
    Tensor of shape (b, K)
        Distances from each code to each centre. The differences are formed one by one, since the expansion
        |z|² - 2zμ + |μ|² loses the small distances that decide an assignment; where all at once would take much memory,
        those to one centre are held at a time.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.heads import squared_distances
    >>> squared_distances(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[25.0]]
    """
    if len(z) * centers.numel() > _AT_ONCE:
        return torch.stack([(z - center).square().sum(1) for center in centers], dim=1)
    return (z[:, None, :] - centers[None]).square().sum(2)
