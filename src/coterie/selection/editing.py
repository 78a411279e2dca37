"""What is changed about the clusters of a choice is changed in the system that answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from coterie.algorithms import Clusterer
    from coterie.data import Source


class EditsBest:
    """Gives a choice the clusters of its ``best_``, and the methods that change them."""

    best_: Clusterer

    @property
    def labels_(self) -> np.ndarray:
        """Cluster of each row, shape (n,)."""
        return self.best_.labels_

    @property
    def cluster_centers_(self) -> np.ndarray:
        """Centres in the code of the best, shape (K, d)."""
        return self.best_.cluster_centers_

    @property
    def cluster_names_(self) -> list[str | None]:
        """Names of the clusters, None where there is none."""
        return self.best_.cluster_names_

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

    def split(self, cluster: int, *, into: int = 2, X: ArrayLike | Source | None = None) -> Self:
        """Divide a cluster of the best; see :meth:`coterie.algorithms.Clusterer.split`."""
        check_is_fitted(self)
        self.best_.split(cluster, into=into, X=X)
        return self

    def suggest(self, n: int, X: ArrayLike | Source, **how: Any) -> np.ndarray:
        """Return the rows whose labels would tell the best most; see :meth:`coterie.algorithms.Clusterer.suggest`."""
        check_is_fitted(self)
        return self.best_.suggest(n, X, **how)

    def undo(self) -> Self:
        """Take the last change back; see :meth:`coterie.algorithms.Clusterer.undo`."""
        check_is_fitted(self)
        self.best_.undo()
        return self
