"""Clusters as they are after all that a person changed about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from torch import Tensor

from coterie.algorithms.edits import Edit, Merge, Rename, Split
from coterie.criteria import Calibration

TENSORS = "edits."  # what the names of splits' arrays begin with in a model file


class Assigned(NamedTuple):
    """Rows and their clusters: ``fitted`` log q of the system (n, K), ``log_q`` after all edits (n, K'), ``labels``."""

    fitted: Tensor
    log_q: Tensor
    labels: np.ndarray
    origins: list[frozenset[int]]

    def confidence(self, calibration: Calibration | None) -> np.ndarray:
        """Return how sure each row's cluster is, shape (n,), in [0, 1].

        Without a calibration it is the probability of the cluster. A calibration knows fitted clusters only: it is
        given the odds of those that a row's cluster consists of against the others, and a part of a cluster has its
        share of that.
        """
        rows = np.arange(len(self.labels))
        own = self.log_q.double().log_softmax(1).numpy()[rows, self.labels]
        if calibration is None:
            return np.exp(own)
        fitted = self.fitted.double().log_softmax(1).numpy()
        sure = np.empty(len(rows))
        for k, origin in enumerate(self.origins):
            here, inside = self.labels == k, sorted(origin)
            whole = np.logaddexp.reduce(fitted[here][:, inside], axis=1)  # never below any of the others
            odds = np.column_stack([whole, np.delete(fitted[here], inside, axis=1)])
            is_all = len(inside) == fitted.shape[1]  # nothing is left to be against
            together = 1.0 if is_all else calibration(odds, fitted[here].argmax(1))
            sure[here] = together * np.exp(np.minimum(own[here] - whole, 0.0))
        return sure


@dataclass(frozen=True, eq=False)
class Edits:
    """All changes to a fitted system's clusters.

    Parameters
    ----------
    fitted : ndarray of shape (n,)
        Clusters of the training rows before any of them.
    n_fitted : int
        K, how many clusters there were then.
    done : tuple of Edit
        The changes, in their order.
    classes : tuple of str or None
        Names that the clusters had from the fit, of the classes it learned from; empty for none.
    """

    fitted: np.ndarray
    n_fitted: int
    done: tuple[Edit, ...] = ()
    classes: tuple[str | None, ...] = ()

    def and_then(self, edit: Edit) -> Self:
        """Return these and one more."""
        return replace(self, done=(*self.done, edit))

    def without_last(self) -> Self:
        """Return these without the last."""
        return replace(self, done=self.done[:-1])

    def groups(self) -> list[dict[str, Any]]:
        """Return those that changed which rows are together, without the names that they gave."""
        regrouping = (edit.to_dict() for edit in self.done if not isinstance(edit, Rename))
        return [{key: value for key, value in edit.items() if key != "name"} for edit in regrouping]

    @property
    def regroup(self) -> bool:
        """Whether any of them changed which rows are together, and not only names."""
        return bool(self.groups())

    def labels(self) -> np.ndarray:
        """Return the clusters of the training rows, shape (n,)."""
        return self._training_labels()[-1]

    def assign(self, log_q: Tensor, z: Tensor) -> Assigned:
        """Return the clusters of any rows from the system's log q, shape (n, K), and their codes, shape (n, d)."""
        fitted, labels = log_q, log_q.argmax(1).numpy()
        for edit in self.done:
            log_r = edit.log_parts(z)
            parts = None if log_r is None else log_r.argmax(1).numpy()
            labels = edit.relabel(labels, n_clusters=log_q.shape[1], parts=parts)
            log_q = edit.log_q(log_q, log_r)
        return Assigned(fitted, log_q, labels, self.origins())

    def names(self) -> list[str | None]:
        """Return the clusters' names, None where there is none."""
        names = list(self.classes) or [None] * self.n_fitted
        for edit in self.done:
            names = edit.names(names)
        return names

    def origins(self) -> list[frozenset[int]]:
        """Return of which of the K fitted clusters each consists, or is a part."""
        origins = [frozenset([k]) for k in range(self.n_fitted)]
        for edit in self.done:
            origins = edit.origins(origins)
        return origins

    def centers(self, centers: np.ndarray) -> np.ndarray:
        """Return the centres, shape (K', d), from those of the fit, shape (K, d)."""
        for edit, labels in zip(self.done, self._training_labels(), strict=False):
            centers = edit.centers(centers, np.bincount(labels, minlength=len(centers)))
        return centers

    def sentences(self) -> list[str]:
        """Return in words what became of the K fitted clusters, a sentence for each edit."""
        said, origins = [], [frozenset([k]) for k in range(self.n_fitted)]
        for edit in self.done:
            said.append(edit.sentence(len(origins)))
            origins = edit.origins(origins)
        return said

    def to_list(self) -> list[dict[str, Any]]:
        """Return them for a JSON file; splits' arrays are :meth:`tensors`."""
        return [edit.to_dict() for edit in self.done]

    def tensors(self) -> dict[str, Tensor]:
        """Return the splits' arrays for a model file."""
        return {f"{TENSORS}{i}.{n}": t for i, edit in enumerate(self.done) for n, t in edit.tensors().items()}

    @classmethod
    def from_list(
        cls,
        fitted: np.ndarray,
        n_fitted: int,
        values: Sequence[Mapping[str, Any]],
        *,
        tensors: Mapping[str, Tensor],
        classes: Sequence[str | None] = (),
    ) -> Self:
        """Return what :meth:`to_list` and :meth:`tensors` wrote."""
        done = tuple(_edit_from(value, f"{TENSORS}{i}.", tensors) for i, value in enumerate(values))
        return cls(fitted, n_fitted, done, tuple(classes))

    def _training_labels(self) -> list[np.ndarray]:
        """Return the training rows' clusters before the first edit and after each."""
        found, n_clusters = [self.fitted], self.n_fitted
        for edit in self.done:
            found.append(edit.relabel(found[-1], n_clusters=n_clusters))
            n_clusters = len(edit.origins([frozenset()] * n_clusters))
        return found


def _edit_from(value: Mapping[str, Any], prefix: str, tensors: Mapping[str, Tensor]) -> Edit:
    if value["edit"] == Rename.kind:
        return Rename(value["cluster"], value["name"])
    if value["edit"] == Merge.kind:
        return Merge(tuple(value["clusters"]), value["name"])
    if value["edit"] == Split.kind:
        mu, parts = tensors[f"{prefix}mu"], tensors[f"{prefix}parts"]
        return Split(value["cluster"], mu, value["variance"], parts.numpy())
    raise ValueError(f"there is no edit {value['edit']!r}")
