"""What a person may change about the clusters after looking at them: a name, a merge, a split."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from coterie.figures import joined
from coterie.training.inference import apply_batched


@dataclass(frozen=True, eq=False)
class Edit:
    """One change; K clusters become K', numbered 0 .. K' - 1. The defaults change nothing."""

    kind: ClassVar[str] = ""

    def relabel(self, y: np.ndarray, *, n_clusters: int, parts: np.ndarray | None = None) -> np.ndarray:
        """Return the new clusters, shape (n,), of rows; ``parts`` are those of a split, None for the training rows."""
        return y

    def log_q(self, log_q: Tensor, log_r: Tensor | None) -> Tensor:
        """Return log q', shape (n, K'), from log q, shape (n, K)."""
        return log_q

    def log_parts(self, z: Tensor) -> Tensor | None:
        """Return the log shares of a split's parts in each code, shape (n, parts); None for any other change."""
        return None

    def names(self, names: list[str | None]) -> list[str | None]:
        """Return the names of the K' clusters."""
        return names

    def origins(self, origins: list[frozenset[int]]) -> list[frozenset[int]]:
        """Return of which fitted clusters each of the K' consists."""
        return origins

    def centers(self, centers: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the centres, shape (K', d), from those of K clusters that have ``counts`` training rows."""
        return centers

    def sentence(self, n_clusters: int) -> str:
        """Return in words what became of the K clusters."""
        raise NotImplementedError

    def changed(self, n_clusters: int) -> list[int]:
        """Return the clusters, of the K' there are now, that the change is about."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file, without arrays."""
        raise NotImplementedError

    def tensors(self) -> dict[str, Tensor]:
        """Return its arrays for a model file."""
        return {}


@dataclass(frozen=True, eq=False)
class Rename(Edit):
    """A name for a cluster, or None for its number alone.

    Parameters
    ----------
    cluster : int
        Which.
    name : str or None
        Its name from now on.
    """

    cluster: int
    name: str | None

    kind: ClassVar[str] = "rename"

    def names(self, names: list[str | None]) -> list[str | None]:
        """Return the names with this one in its place."""
        return [self.name if k == self.cluster else name for k, name in enumerate(names)]

    def sentence(self, n_clusters: int) -> str:
        """Return in words what became of the cluster."""
        told = "has no name any more." if self.name is None else f"is now called {self.name!r}."
        return f"Cluster {self.cluster} {told}"

    def changed(self, n_clusters: int) -> list[int]:
        """Return the cluster."""
        return [self.cluster]

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return {"edit": self.kind, "cluster": self.cluster, "name": self.name}


@dataclass(frozen=True, eq=False)
class Merge(Edit):
    """Clusters that are one from now on: it has the smallest of their numbers, and higher numbers move down.

    Parameters
    ----------
    clusters : tuple of int
        Two or more, rising.
    name : str or None
        Its name; None takes the first that one of them has.
    """

    clusters: tuple[int, ...]
    name: str | None

    kind: ClassVar[str] = "merge"

    def new_numbers(self, n_clusters: int) -> np.ndarray:
        """Return the new number of each of the K clusters, shape (K,)."""
        kept = self._kept(n_clusters)
        new = np.full(n_clusters, kept.index(self.clusters[0]), dtype=np.int64)
        new[kept] = np.arange(len(kept))
        return new

    def relabel(self, y: np.ndarray, *, n_clusters: int, parts: np.ndarray | None = None) -> np.ndarray:
        """Return the clusters as they are numbered now; no row leaves those with which it was."""
        return self.new_numbers(n_clusters)[y]

    def log_q(self, log_q: Tensor, log_r: Tensor | None) -> Tensor:
        """Return log q' in which the probabilities of the merged clusters are added."""
        merged = log_q.clone()
        merged[:, self.clusters[0]] = log_q[:, list(self.clusters)].logsumexp(1)
        return merged[:, self._kept(log_q.shape[1])]

    def names(self, names: list[str | None]) -> list[str | None]:
        """Return the names of those that are left."""
        own = self.name or next((names[k] for k in self.clusters if names[k] is not None), None)
        return [own if k == self.clusters[0] else names[k] for k in self._kept(len(names))]

    def origins(self, origins: list[frozenset[int]]) -> list[frozenset[int]]:
        """Return of which fitted clusters each consists."""
        merged = frozenset().union(*(origins[k] for k in self.clusters))
        return [merged if k == self.clusters[0] else origins[k] for k in self._kept(len(origins))]

    def centers(self, centers: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the centres; the merged one is the mean of its clusters', weighed by their training rows."""
        own = list(self.clusters)
        weights = counts[own] if counts[own].any() else np.ones(len(own))
        merged = centers.copy()
        merged[self.clusters[0]] = np.average(centers[own].astype(np.float64), axis=0, weights=weights)
        return merged[self._kept(len(centers))]

    def sentence(self, n_clusters: int) -> str:
        """Return in words what became of the clusters, and which others have another number now."""
        called = "" if self.name is None else f", called {self.name!r}"
        said = [f"Clusters {joined(self.clusters)} are now cluster {self.clusters[0]}{called}"]
        ends = [*self.clusters[1:], n_clusters]
        for down, (low, high) in enumerate(pairwise(ends), 1):
            first, last = low + 1, high - 1
            if first == last:
                said.append(f"{first} is now {first - down}")
            elif first < last:
                said.append(f"{first} to {last} are now {first - down} to {last - down}")
        return "; ".join(said) + "."

    def changed(self, n_clusters: int) -> list[int]:
        """Return the cluster that is left."""
        return [self.clusters[0]]

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return {"edit": self.kind, "clusters": list(self.clusters), "name": self.name}

    def _kept(self, n_clusters: int) -> list[int]:
        return [k for k in range(n_clusters) if k not in self.clusters[1:]]


@dataclass(frozen=True, eq=False)
class Split(Edit):
    r"""A cluster divided among round Gaussians of one width in the code.

    .. math::
        q_{im} = q_{ik} r_{im}, \quad r_{im} \propto e^{-\|z_i - \mu_m\|^2 / 2 \sigma^2}

    The first part keeps the cluster's number, the others come after all there are; none keeps its name.

    Parameters
    ----------
    cluster : int
        k.
    mu : Tensor of shape (m, d)
        Centres of the parts.
    variance : float
        Sigma squared, in the units of the code squared; > 0.
    parts : ndarray of shape (rows of the cluster,)
        Part of each training row that was in the cluster, in the order of the rows.
    """

    cluster: int
    mu: Tensor
    variance: float
    parts: np.ndarray

    kind: ClassVar[str] = "split"

    def part_numbers(self, n_clusters: int) -> list[int]:
        """Return the numbers of the parts."""
        return [self.cluster, *range(n_clusters, n_clusters + len(self.mu) - 1)]

    def relabel(self, y: np.ndarray, *, n_clusters: int, parts: np.ndarray | None = None) -> np.ndarray:
        """Return the clusters; every row of the cluster goes to its part, and no other row moves."""
        own = y == self.cluster
        new = y.copy()
        new[own] = np.array(self.part_numbers(n_clusters))[self.parts if parts is None else parts[own]]
        return new

    def log_q(self, log_q: Tensor, log_r: Tensor | None) -> Tensor:
        """Return log q' in which the cluster's probability is divided."""
        assert log_r is not None
        divided = log_q[:, [self.cluster]] + log_r  # (n, m)
        kept = log_q.clone()
        kept[:, self.cluster] = divided[:, 0]
        return torch.cat([kept, divided[:, 1:]], dim=1)

    def log_parts(self, z: Tensor) -> Tensor:
        """Return log r, shape (n, m)."""

        def shares(z: Tensor) -> Tensor:
            apart = (z.double()[:, None] - self.mu.double()).square().sum(2)  # (b, m)
            return (-apart / (2 * self.variance)).log_softmax(1)

        return apply_batched(shares, z)

    def nearest(self, z: Tensor) -> np.ndarray:
        """Return the part in which each code would be, shape (n,)."""
        return self.log_parts(z).argmax(1).numpy()

    def names(self, names: list[str | None]) -> list[str | None]:
        """Return the names; no part has one."""
        return [None if k == self.cluster else name for k, name in enumerate(names)] + [None] * (len(self.mu) - 1)

    def origins(self, origins: list[frozenset[int]]) -> list[frozenset[int]]:
        """Return of which fitted clusters each consists, or is a part."""
        return origins + [origins[self.cluster]] * (len(self.mu) - 1)

    def centers(self, centers: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the centres with those of the parts."""
        mu = self.mu.numpy().astype(centers.dtype)
        kept = centers.copy()
        kept[self.cluster] = mu[0]
        return np.concatenate([kept, mu[1:]])

    def sentence(self, n_clusters: int) -> str:
        """Return in words what became of the cluster."""
        return f"Cluster {self.cluster} is now clusters {joined(self.part_numbers(n_clusters))}."

    def changed(self, n_clusters: int) -> list[int]:
        """Return the parts."""
        return self.part_numbers(n_clusters - len(self.mu) + 1)

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file, without its arrays."""
        return {"edit": self.kind, "cluster": self.cluster, "into": len(self.mu), "variance": self.variance}

    def tensors(self) -> dict[str, Tensor]:
        """Return its arrays for a model file."""
        return {"mu": self.mu, "parts": torch.from_numpy(self.parts)}
