"""A map known at some codes only, continued to all others and back."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from coterie.nn.growing import Growing
from coterie.nn.model import Model

NEAREST = 20  # landmarks that a place is made from
CLOSEST = 1e-6  # least distance, as a share of the largest one: nothing is divided by zero
SPARE = 8  # landmarks more than are needed, of which exact distances are computed
ERROR = 1e-6  # of a squared distance that was found by products, as a share of the largest square among them
STEPS = 20  # of the iteration for a median; the first ten do nearly all


class LandmarkMap(Growing):
    """A map that is known at landmarks: a code's place is a median of those of its nearest landmarks.

    :func:`interpolate` says which. :meth:`back` goes from places to codes in the same way.

    Parameters
    ----------
    code_size : int
        d, the size of a code.
    map_size : int
        Dimensions of the map.

    Attributes
    ----------
    codes : Tensor of shape (m, d)
        Codes of the landmarks, all different; m is 0 until :meth:`fill`, or the loading of a filled one.
    places : Tensor of shape (m, map_size)
        Their places on the map.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import LandmarkMap
    >>> line = LandmarkMap(1, 2)
    >>> line.fill(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0, 0.0], [5.0, 1.0], [5.0, 2.0]]))
    >>> line(torch.tensor([[1.0]])), line.back(torch.tensor([[5.0, 2.0]]))
    (tensor([[5., 1.]]), tensor([[2.]]))
    """

    growing: ClassVar[tuple[str, ...]] = ("codes", "places")

    def __init__(self, code_size: int, map_size: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(0, code_size))
        self.register_buffer("places", torch.zeros(0, map_size))
        self.codes: Tensor
        self.places: Tensor

    def fill(self, codes: Tensor, places: Tensor) -> None:
        """Set the landmarks' codes, shape (m, d), and places, shape (m, map_size)."""
        self.codes, self.places = codes.to(self.codes), places.to(self.places)

    def forward(self, z: Tensor) -> Tensor:
        """Return places, shape (b, map_size), for codes z, shape (b, d)."""
        return interpolate(z.float(), self.codes, self.places)

    def back(self, u: Tensor) -> Tensor:
        """Return codes, shape (b, d), for places u, shape (b, map_size)."""
        return interpolate(u.float(), self.places, self.codes)


class MappedModel(Model):
    """An autoencoder and a head that reads a map of its code; see :class:`Model`.

    Parameters
    ----------
    encoder, decoder : nn.Module
        From rows to codes c, shape (b, d), and back.
    head : nn.Module
        From places u, shape (b, map_size), to log q, shape (b, K).
    code_map : LandmarkMap
        From codes to places.
    reconstruction : {"mse", "bce"}, default="mse"
        As in :class:`Model`.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import LandmarkMap, MappedModel, StudentT
    >>> model = MappedModel(torch.nn.Linear(3, 2), torch.nn.Linear(2, 3), StudentT(4, 1), code_map=LandmarkMap(2, 1))
    >>> model.map.fill(torch.eye(2), torch.tensor([[0.0], [1.0]]))
    >>> model.encode(torch.zeros(5, 3)).shape, model.decode(torch.zeros(5, 1)).shape
    (torch.Size([5, 1]), torch.Size([5, 3]))
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        head: nn.Module,
        *,
        code_map: LandmarkMap,
        reconstruction: str = "mse",
    ) -> None:
        super().__init__(encoder, decoder, head, reconstruction=reconstruction)
        self.map = code_map

    def encode(self, x: Tensor) -> Tensor:
        """Return places on the map, shape (b, map_size)."""
        return self.map(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return reconstructions, shape (b, *shape), of places."""
        return super().decode(self.map.back(z))


def interpolate(points: Tensor, landmarks: Tensor, values: Tensor) -> Tensor:
    r"""Continue values at landmarks to other points, as weighted geometric medians of the nearest landmarks' values.

    The value at x is :math:`\arg\min_u \sum_j w_j \|u - u_j\|` with :math:`w_j = 1 / r_j - 1 / R`, where :math:`r_j` is
    the distance to landmark j and R that to the last of the nearest landmarks taken. A landmark's own value is met; a
    landmark that enters or leaves the nearest ones has weight 0 as it does. A weighted mean would put a point whose
    neighbours lie on two islands of a map into the sea between them, or on a third one; the median stays with the
    majority.

    Parameters
    ----------
    points : Tensor of shape (b, d)
        Where values are wanted.
    landmarks : Tensor of shape (m, d)
        Where they are known, m >= 1; all different.
    values : Tensor of shape (m, c)
        The values there.

    Returns
    -------
    Tensor of shape (b, c)
        Medians, found by Weiszfeld's iteration.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.landmarks import interpolate
    >>> x = torch.tensor([[0.0], [1.0], [8.0], [9.0]])
    >>> interpolate(torch.tensor([[0.0], [8.6]]), x, x).round(decimals=2).tolist()
    [[0.0], [9.0]]
    """
    weight, index = nearest_landmarks(points, landmarks)
    return geometric_median(values[index], weight)


def nearest_landmarks(points: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights of :func:`interpolate` and the numbers of the landmarks that have them.

    Parameters
    ----------
    points : Tensor of shape (b, d)
        Where values are wanted.
    landmarks : Tensor of shape (m, d)
        Where they are known, m >= 1; all different.

    Returns
    -------
    weight, index : Tensor of shape (b, min(20, m))
        The nearest first.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.landmarks import nearest_landmarks
    >>> nearest_landmarks(torch.tensor([[4.0]]), torch.tensor([[9.0], [3.0], [0.0]]))[1].tolist()
    [[1, 2, 0]]
    """
    k = min(NEAREST + 1, len(landmarks))
    near, sure = _candidates(points, landmarks, k)
    r, index = _distances(points[:, None], landmarks[near]).squeeze(1).topk(k, largest=False)
    index = near.gather(1, index)
    if not sure.all():
        r[~sure], index[~sure] = _distances(points[~sure], landmarks).topk(k, largest=False)
    r = (r / r[:, -1:]).clamp_min(CLOSEST)[:, :NEAREST]  # NaN where all are 0, which one landmark alone can give
    weight = 1 / r - 1
    weight = torch.where(weight.sum(1, keepdim=True) > 0, weight, torch.ones_like(weight))  # no one is nearest
    return weight, index[:, :NEAREST]


def _distances(points: Tensor, landmarks: Tensor) -> Tensor:
    # Differences one by one: the expansion of the square would not give a landmark the distance 0 to itself.
    return torch.cdist(points, landmarks, compute_mode="donot_use_mm_for_euclid_dist")


def _candidates(points: Tensor, landmarks: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return a few more than k landmarks of each point, and whether the k nearest are among them for sure.

    Products find them ten times as fast as differences, but lose digits of distances that are small beside those of
    points and landmarks to the middle.
    """
    with torch.autocast(points.device.type, enabled=False):
        middle = landmarks.mean(0)
        x, y = (points - middle).float(), (landmarks - middle).float()
        squares = torch.addmm(y.square().sum(1), x, y.T, alpha=-2)  # but for the point's own, the same for all
        found, near = squares.topk(min(k + SPARE, len(landmarks)), largest=False)
        error = ERROR * (x.norm(dim=1) + y.norm(dim=1).max()).square()
    return near, (found[:, -1] - found[:, k - 1] > 2 * error) | (len(landmarks) <= k + SPARE)


def geometric_median(values: Tensor, weight: Tensor) -> Tensor:
    """Return the places with the least weighted sums of distances, by Weiszfeld's iteration from the means.

    Parameters
    ----------
    values : Tensor of shape (b, k, c)
        Places.
    weight : Tensor of shape (b, k)
        Their weights, >= 0, not all 0. A place with more than half of the weight is the median.

    Returns
    -------
    Tensor of shape (b, c)
        Medians.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn.landmarks import geometric_median
    >>> geometric_median(torch.tensor([[[0.0], [0.0], [9.0]]]), torch.ones(1, 3)).round(decimals=2).tolist()
    [[0.0]]
    """
    u = _mean(values, weight)
    extent = (values - u[:, None]).norm(dim=2).amax(1, keepdim=True)  # (b, 1)
    least = torch.where(extent > 0, CLOSEST * extent, torch.ones_like(extent))
    for _ in range(STEPS):
        u = _mean(values, weight / (values - u[:, None]).norm(dim=2).maximum(least))
    return u


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (weight[:, :, None] * values).sum(1) / weight.sum(1, keepdim=True)
