"""The methods of a choice that its best system answers, and the edits that are made to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike

    from coterie.algorithms import Clusterer
    from coterie.data import Source


class AnswersByBest(ClassNamePrefixFeaturesOutMixin):
    """Gives a choice the clusters of its ``best_``, and its methods."""

    best_: Clusterer

    @property
    def labels_(self) -> np.ndarray:
        """Cluster of each row, shape (n,)."""
        check_is_fitted(self)
        return self.best_.labels_

    @property
    def cluster_centers_(self) -> np.ndarray:
        """Centres in the code of the best, shape (K, d)."""
        check_is_fitted(self)
        return self.best_.cluster_centers_

    @property
    def cluster_names_(self) -> list[str | None]:
        """Names of the clusters, None where there is none."""
        check_is_fitted(self)
        return self.best_.cluster_names_

    def predict(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the cluster of each row by the best system, shape (n,)."""
        check_is_fitted(self)
        return self.best_.predict(X)

    def predict_proba(self, X: ArrayLike | Source) -> np.ndarray:
        """Return the best system's soft assignments, shape (n, K)."""
        check_is_fitted(self)
        return self.best_.predict_proba(X)

    def predict_confidence(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how sure the cluster of each row is, shape (n,), as ``confidence_`` does of the fitted rows."""
        check_is_fitted(self)
        return self.best_.predict_confidence(X)

    def save(self, folder: str | Path) -> None:
        """Write the best system's model folder; :func:`coterie.load` gives that system."""
        check_is_fitted(self)
        self.best_.save(folder)

    def rename(self, cluster: int, name: str | None) -> Self:
        """Give a cluster of the best a name; see :meth:`coterie.algorithms.Clusterer.rename`."""
        check_is_fitted(self)
        self.best_.rename(cluster, name)
        return self

    def merge(self, clusters: Sequence[int], *, name: str | None = None) -> Self:
        """Make one cluster of several of the best; see :meth:`coterie.algorithms.Clusterer.merge`."""
        check_is_fitted(self)
        self.best_.merge(clusters, name=name)
        return self

    def split(self, cluster: int, *, X: ArrayLike | Source, into: int = 2) -> Self:
        """Divide a cluster of the best; see :meth:`coterie.algorithms.Clusterer.split`."""
        check_is_fitted(self)
        self.best_.split(cluster, into=into, X=X)
        return self

    def suggest(self, n: int, X: ArrayLike | Source, **how: Any) -> np.ndarray:
        """Return the rows whose labels would tell the best most; see :meth:`coterie.algorithms.Clusterer.suggest`."""
        check_is_fitted(self)
        return self.best_.suggest(n, X, **how)

    def was_fitted_on(self, X: ArrayLike | Source) -> bool:
        """Return whether rows are those of the fit; see :meth:`coterie.algorithms.Clusterer.was_fitted_on`."""
        check_is_fitted(self)
        return self.best_.was_fitted_on(X)

    def undo(self) -> Self:
        """Take the last change back; see :meth:`coterie.algorithms.Clusterer.undo`."""
        check_is_fitted(self)
        self.best_.undo()
        return self

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return the rows that codes of the best stand for, in the units of the data."""
        check_is_fitted(self)
        return self.best_.inverse_transform(X)

    def reconstruction_error(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how far each row is from its reconstruction by the best, shape (n,), where that one has a decoder."""
        check_is_fitted(self)
        return self.best_.reconstruction_error(X)

    def layer_codes(self, X: ArrayLike | Source, layer: str) -> np.ndarray:
        """Return what a layer of the best makes of rows; see :meth:`coterie.algorithms.Clusterer.layer_codes`."""
        check_is_fitted(self)
        return self.best_.layer_codes(X, layer)

    def summary(self) -> str:
        """Return the layers of the best, their shapes and parameter counts."""
        check_is_fitted(self)
        return self.best_.summary()

    def strangeness(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how unlike the training rows each row is; see :meth:`coterie.algorithms.Clusterer.strangeness`."""
        check_is_fitted(self)
        return self.best_.strangeness(X)

    def describe(self, X: ArrayLike | Source, *, top: int = 10) -> list[dict[str, Any]]:
        """Return what sets each cluster of the best apart; see :meth:`coterie.algorithms.Clusterer.describe`."""
        check_is_fitted(self)
        return self.best_.describe(X, top=top)

    @property
    def _n_features_out(self) -> int:
        return self.cluster_centers_.shape[1]
