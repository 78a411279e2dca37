"""Distance to the own cluster's centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from coterie.algorithms import JULE, Clusterer
from coterie.anomaly.base import OutlierDetector
from coterie.settings import hyperparameters

if TYPE_CHECKING:
    from coterie.data import Source

NARROWEST = 1e-3  # share of the widths' mean that a cluster's width is at least


@hyperparameters
class CentreDistanceOutlier(OutlierDetector):
    r"""How far a code lies from the centre of its cluster, in units of the cluster's width.

    .. math::
        s(x) = \frac{\|z - \mu_k\|}{w_k}, \quad w_k^2 = \operatorname{mean}_{i: k_i = k} \|z_i - \mu_k\|^2

    with k the cluster of x. A wide cluster's rows would otherwise all be stranger than a tight one's.

    Parameters
    ----------
    {detector}

    Attributes
    ----------
    {found}

    Notes
    -----
    Without a ``model`` a :class:`coterie.JULE` is fitted, whose clusters are drawn tight.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.anomaly import CentreDistanceOutlier
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = CentreDistanceOutlier(model=KMeans(n_clusters=1, random_state=0)).fit(X)
    >>> found.predict([[0.0, 0.0], [9.0, 9.0]]).tolist()
    [1, -1]
    """

    title: ClassVar[str] = "Distance to the own centre"
    unit: ClassVar[str] = "in widths of the cluster"
    inside: ClassVar[type[Clusterer]] = JULE

    def learn(self, source: Source, seed: int) -> dict[str, np.ndarray]:
        """Return the width of each cluster; a cluster without rows has that of all."""
        k = len(self.model_.cluster_centers_)
        labels, distance = self._apart(source)
        sizes, squares = (np.bincount(labels, weights=w, minlength=k) for w in (None, np.square(distance)))
        usual = float(np.sqrt(squares.sum() / sizes.sum())) or 1.0
        widths = np.sqrt(np.divide(squares, sizes, out=np.full(k, usual**2), where=sizes > 0))
        return {"widths": np.maximum(widths, NARROWEST * usual)}

    def strangeness(self, source: Source) -> np.ndarray:
        """Return each row's distance in its cluster's widths."""
        labels, distance = self._apart(source)
        return distance / self.kept_["widths"][labels]

    def check_kept(self, kept: dict[str, np.ndarray], model: Clusterer) -> None:
        """Raise a ValueError if arrays out of a file are not a width for each cluster."""
        widths = kept.get("widths", np.empty(0))
        shape = (len(model.cluster_centers_),)
        if set(kept) != {"widths"} or widths.shape != shape or not ((widths > 0) & np.isfinite(widths)).all():
            raise ValueError("it holds no width for each cluster")

    def _apart(self, source: Source) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's cluster and its distance to that cluster's centre."""
        z, labels = self.model_.transform(source).astype(np.float64), self.model_.predict(source)
        return labels, np.linalg.norm(z - self.model_.cluster_centers_[labels], axis=1)
