"""Rows unlike anything seen in training: how far a row lies from the training rows, in units of their own distances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from scipy.linalg import block_diag
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from coterie.components import fit_components
from coterie.subsample import sample_source

if TYPE_CHECKING:
    from coterie.data import Source

LANDMARKS = 8_000  # training rows that are kept
NEIGHBOURS = 5
REST = 64  # directions, beside the principal components, in which all other columns of a table are seen together
FAINTEST = 1e-3  # length of an image, as a share of the usual one, below which it is as good as empty
VALUES = 20_000_000  # that they hold at most while they are looked at
EQUAL = 1e-5  # distance between equal rows that rounding makes, in roots of the total variance
SAME = 1e-3  # difference, as a share of a landmark's place or of the spread, that another machine may make
EXPECTED = 0.01  # share of rows like the training rows that the threshold flags, where these are not few
PREFIX, PARTS = "familiarity.", ("mean", "directions", "landmarks", "reach")  # in a model file, and two numbers


def expected_strange(n_fitted: int) -> float:
    """Return the share of further rows of the same kind that are beyond the threshold.

    Parameters
    ----------
    n_fitted : int
        Number of training rows. The threshold is one of them, by rank; one more row is as likely to come before it as
        to come between any two others.

    Returns
    -------
    float
        0.01, or more where rows are few; 0 of one row, which says nothing.

    Examples
    --------
    >>> from coterie.familiarity import expected_strange
    >>> expected_strange(5000), expected_strange(19)
    (0.01, 0.05)
    """
    n = min(n_fitted, LANDMARKS)
    rank = math.ceil((1 - EXPECTED) * (n - 1))  # of the threshold, from the least strange row on
    return max(EXPECTED, (n - rank) / (n + 1)) if n > 1 else 0.0


@dataclass(frozen=True, eq=False)
class Familiarity:
    r"""What a fitted system keeps of its training rows, to tell how strange others are.

    The strangeness of x is a ratio of distances between scaled rows, seen in few directions:

    .. math::
        s(x) = \frac{d_m(x)}{\sqrt{\bar d \, \operatorname{mean}_{j \in N_m(x)} d_m(x_j)}}

    with :math:`d_m` the distance to the m-th nearest landmark, :math:`N_m` the m nearest, m = 5, and :math:`\bar d` the
    median of :math:`d_m` over the landmarks. It is half way between the plain distance [1]_, which calls whole
    loose groups strange, and the local outlier factor [2]_ without its smoothing, which misses rows beside them.
    Rows are seen in their first principal components. For tables, what these leave out is added in up to 64 random
    directions, scaled to keep squared distances on average [3]_: what is new may be in columns that hardly varied. For
    images it is mostly noise, and left out; of these the direction and the log of the length are compared, since that
    two differ little where both are nearly empty says nothing. The code of a system would not do: what it was trained
    to tell apart is all that it sees.

    Parameters
    ----------
    mean : ndarray of shape (D,)
        Mean of the scaled training rows, float32; D is one more than the values of an image.
    directions : ndarray of shape (c, D)
        Their principal components and, of tables, directions of the rest, float32.
    landmarks : ndarray of shape (m, c)
        Places of training rows, float32.
    reach : ndarray of shape (m,)
        Distance of each to its own m-th neighbour, float32.
    threshold : float
        Strangeness that one training row in a hundred exceeds, seen from the others.
    length : float
        Median length of the training images as vectors; 0 for rows that are no images.

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi, K. Shim. Efficient algorithms for mining outliers from large data sets. SIGMOD
       2000.
    .. [2] M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander. LOF: identifying density-based local outliers. SIGMOD
       2000.
    .. [3] W. B. Johnson, J. Lindenstrauss. Extensions of Lipschitz mappings into a Hilbert space. Contemporary
       Mathematics 26, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.familiarity import Familiarity
    >>> rows = make_source(np.random.default_rng(0).normal(size=(500, 3)))
    >>> seen = Familiarity.of(rows, seed=0)
    >>> strange = seen.strangeness(make_source(np.array([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0]]), spec=rows.spec))
    >>> (strange > seen.threshold).tolist()
    [False, True]
    """

    mean: np.ndarray
    directions: np.ndarray
    landmarks: np.ndarray
    reach: np.ndarray
    threshold: float
    length: float = 0.0

    @classmethod
    def of(cls, source: Source, *, seed: int) -> Self:
        """Remember rows.

        Parameters
        ----------
        source : Source
            The training rows.
        seed : int
            Seed of the sample; the global random state is left alone.

        Returns
        -------
        Familiarity
            With the threshold that these rows give.
        """
        x = sample_source(source, _most(source), seed)[1]
        length = float(np.median(np.linalg.norm(x, axis=1))) if source.spec.kind == "images" else 0.0
        x = _polar(x, length)
        d = x.shape[1] - bool(length)
        pca = fit_components(x[:, :d], seed)
        mean, directions = pca.mean_, pca.components_
        if length:  # which is one of the directions even where it hardly varies
            mean, directions = np.append(mean, x[:, -1].mean()), block_diag(directions, 1)
        else:
            directions = _with_rest(directions, seed)
        mean, directions = mean.astype(np.float32), directions.astype(np.float32)
        z = (x - mean) @ directions.T
        reach, usual = _among_themselves(z)
        threshold = float(np.quantile(usual, 1 - EXPECTED, method="higher")) if len(z) > 1 else np.inf
        return cls(mean, directions, z, reach, threshold, length)

    @property
    def usual(self) -> np.ndarray:
        """Strangeness of the training rows that are kept, each seen from the others, shape (m,), float32."""
        return _among_themselves(self.landmarks)[1]

    def strangeness(self, source: Source) -> np.ndarray:
        """Return s of each row: about 1 amid training rows, larger outside them.

        Parameters
        ----------
        source : Source
            Rows of the shape and scaling of the training rows.

        Returns
        -------
        ndarray of shape (n,)
            Ratios, float32.
        """
        known = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(self.landmarks))).fit(self.landmarks)
        found = []
        for z in self._places(source):
            distance, index = known.kneighbors(z)
            least = EQUAL * _spread(self.landmarks)
            found.append(_ratio(np.maximum(distance[:, -1], least), self.reach[index], self.reach))
        return np.concatenate(found)

    def is_of(self, source: Source, *, seed: int) -> bool:
        """Return whether rows are those that were remembered, in their order.

        Parameters
        ----------
        source : Source
            Rows of the shape and scaling of the training rows.
        seed : int
            The one that they were remembered with.

        Returns
        -------
        bool
            By the landmarks: rows that are none of these could be others.
        """
        x = sample_source(source, _most(source), seed)[1]
        if len(x) != len(self.landmarks):
            return False
        z = self._place(x)
        return bool(np.allclose(z, self.landmarks, rtol=SAME, atol=SAME * _spread(self.landmarks)))

    def shift(self, source: Source) -> float:
        """Return how far the mean of rows is from that of the training rows, in roots of these' total variance.

        Parameters
        ----------
        source : Source
            Rows of the shape and scaling of the training rows.

        Returns
        -------
        float
            >= 0; 0 where training rows do not vary.
        """
        mean = sum(z.sum(0, dtype=np.float64) for z in self._places(source)) / len(source)
        spread = _spread(self.landmarks)
        return float(np.linalg.norm(mean - self.landmarks.mean(0))) / spread if spread > 0 else 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Return all of it under names for a model file."""
        parts = {name: np.asarray(getattr(self, name)) for name in (*PARTS, "threshold", "length")}
        return {PREFIX + name: torch.from_numpy(np.array(part)) for name, part in parts.items()}

    def _places(self, source: Source) -> Iterator[np.ndarray]:
        """Yield the places of the rows in the directions that are kept, a block at a time."""
        for block in source.blocks():
            yield self._place(source.take(block).flatten(1).numpy())

    def _place(self, x: np.ndarray) -> np.ndarray:
        return (_polar(x, self.length) - self.mean) @ self.directions.T

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """Return what a model file holds, None if it holds none."""
        if PREFIX + "length" not in tensors:
            return None
        mean, directions, landmarks, reach = (tensors[PREFIX + name].numpy() for name in PARTS)
        threshold, length = (float(tensors[PREFIX + name]) for name in ("threshold", "length"))
        return cls(mean, directions, landmarks, reach, threshold, length)


def _most(source: Source) -> int:
    """Return how many landmarks there are at most: fewer of wide rows."""
    return max(1, min(LANDMARKS, VALUES // source.spec.n_features_in))


def _polar(x: np.ndarray, length: float) -> np.ndarray:
    """Return directions of rows beside the log of their lengths over the usual one; rows as they are if that is 0."""
    if length == 0:
        return x
    own = np.linalg.norm(x, axis=1, keepdims=True)
    direction = np.divide(x, own, out=np.zeros_like(x), where=own > 0)
    return np.hstack([direction, np.log(np.maximum(own / length, FAINTEST))]).astype(np.float32)


def _with_rest(components: np.ndarray, seed: int) -> np.ndarray:
    """Return components (c, D) and directions of what they leave out: all where these are few, random ones else."""
    c, d = components.shape
    size = min(REST, d - c)
    if size == 0:
        return components
    rest = np.random.default_rng(seed).normal(size=(d, size))
    rest -= components.T @ (components @ rest)
    rest = np.linalg.qr(rest)[0] if size == d - c else rest / np.sqrt(size)  # exact where there are enough
    return np.vstack([components, rest.T])


def _among_themselves(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each row's m-th neighbour among the others is, and how strange that makes the row."""
    if len(z) == 1:
        return np.zeros(1, np.float32), np.ones(1, np.float32)
    distance, index = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(z) - 1)).fit(z).kneighbors()
    reach = np.maximum(distance[:, -1], EQUAL * _spread(z)).astype(np.float32)
    return reach, _ratio(reach, reach[index], reach)


def _ratio(distance: np.ndarray, near: np.ndarray, all_reaches: np.ndarray) -> np.ndarray:
    """Return s from distances (n,), of neighbours (n, m) and of all; rows that all are equal are not strange."""
    usual = np.sqrt(near.mean(1) * np.median(all_reaches))
    apart = np.where(distance > 0, np.inf, 1.0)
    return np.divide(distance, usual, out=apart, where=usual > 0).astype(np.float32)


def _spread(z: np.ndarray) -> float:
    """Return the root of the total variance of rows."""
    return float(np.sqrt(z.var(0, dtype=np.float64).sum()))
