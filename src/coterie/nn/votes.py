"""A partition known at some codes only, continued to all others by a vote of the nearest."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from coterie.nn.growing import Growing
from coterie.nn.landmarks import nearest_landmarks

LEAST = 1e-4  # share of the vote that a cluster without one is given, so that its logarithm is finite
OWN = 1e5  # weight from which a landmark is the code itself


class Votes(Growing):
    r"""Clusters known at landmarks: a code's are those of its nearest landmarks, weighed by how near they are.

    .. math::
        k_i = \arg\max_k \sum_{j : y_j = k} \frac{1}{r_{ij}} - 1, \qquad
        q_{ik} \propto \sum_{j : y_j = k} 1 - r_{ij}, \qquad r_{ij} = \|z_i - z_j\| / R(z_i)

    with R the distance to the 21st landmark. The first sum names the cluster, and lets a landmark keep its own. The
    second one says how sure that is, and ignores the landmark itself; otherwise every fitted row, and everything near
    one, would look certain. Where the two differ, the cluster's :math:`q_{ik}` is as large as any.

    Parameters
    ----------
    n_clusters : int
        K.
    code_size : int
        d, the size of the code.

    Attributes
    ----------
    codes : Tensor of shape (m, d)
        Codes of the landmarks, all different; m is 0 until :meth:`fill`, or the loading of a filled one.
    labels : Tensor of shape (m,)
        Their clusters.
    centers : Tensor of shape (K, d)
        Mean codes of the clusters.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Votes
    >>> head = Votes(2, 1)
    >>> head.fill(torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([0, 0, 1]), torch.tensor([[0.5], [5.0]]))
    >>> head(torch.tensor([[0.2], [5.0]])).argmax(1).tolist()
    [0, 1]
    """

    growing: ClassVar[tuple[str, ...]] = ("codes", "labels")

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(0, code_size))
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("centers", torch.zeros(n_clusters, code_size))
        self.codes: Tensor
        self.labels: Tensor
        self.centers: Tensor

    def fill(self, codes: Tensor, labels: Tensor, centers: Tensor) -> None:
        """Set the landmarks' codes, shape (m, d), their clusters, shape (m,), and the centres, shape (K, d)."""
        self.codes, self.labels = codes.to(self.codes), labels.to(self.labels)
        self.centers.copy_(centers)

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        weight, index = nearest_landmarks(z.float(), self.codes)
        votes = one_hot(self.labels[index], len(self.centers)).to(weight)  # (b, 20, K)
        k = (weight[:, :, None] * votes).sum(1).argmax(1, keepdim=True)
        near = torch.where(weight < OWN, weight / (1 + weight), torch.zeros_like(weight))  # 1 - r, but of no one itself
        near = torch.where(near.sum(1, keepdim=True) > 0, near, torch.ones_like(near))  # a landmark without neighbours
        q = (near[:, :, None] * votes).sum(1) / near.sum(1, keepdim=True)
        q = q.scatter(1, k, torch.maximum(q.gather(1, k), (1 + LEAST) * q.amax(1, keepdim=True)))
        return (q + LEAST).log().log_softmax(1)
