"""Distance to the nearest training rows, in the code."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from coterie.algorithms import JULE, Clusterer
from coterie.anomaly.base import OutlierDetector
from coterie.anomaly.nearest import check_codes, nearest
from coterie.checks import Rule, integer
from coterie.data import Source
from coterie.settings import hyperparameters
from coterie.subsample import sample_rows


@hyperparameters
class NeighbourOutlier(OutlierDetector):
    r"""How far the nearest training rows are from a row, by their codes [1]_.

    .. math::
        s(x) = \|z - z_{(m)}\|

    with :math:`z_{(m)}` the code of the m-th nearest training row that is not the row itself.

    Parameters
    ----------
    {detector}
    n_neighbors : int, default=10
        m; >= 1, the farthest where fewer rows are kept.
    landmarks : int, default=10000
        Training rows that are kept, sampled from more; >= 2.

    Attributes
    ----------
    {found}

    Notes
    -----
    Without a ``model`` a :class:`coterie.JULE` is fitted: it gathers the rows of a cluster in one place of a code that
    has room between the places, and what belongs to none of them is left there.

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi, K. Shim. Efficient algorithms for mining outliers from large data sets. SIGMOD
       2000.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.anomaly import NeighbourOutlier
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = NeighbourOutlier(model=KMeans(n_clusters=1), random_state=0).fit(X)
    >>> found.predict([[0.0, 0.0], [9.0, 9.0]]).tolist()
    [1, -1]
    """

    n_neighbors: int = 10
    landmarks: int = 10_000

    title: ClassVar[str] = "Distance to the nearest training rows"
    unit: ClassVar[str] = "in the code"
    rules: ClassVar[dict[str, Rule]] = {"n_neighbors": integer(1), "landmarks": integer(2)}
    inside: ClassVar[type[Clusterer]] = JULE

    def learn(self, source: Source, seed: int) -> dict[str, np.ndarray]:
        """Return the codes of the landmarks."""
        rows = sample_rows(len(source), self.landmarks, seed)
        return {"codes": self.model_.transform(Source(source.raw(rows), source.spec))}

    def strangeness(self, source: Source) -> np.ndarray:
        """Return each row's distance to its m-th neighbour."""
        return nearest(self.model_.transform(source), self.kept_["codes"], self._fitted_params["n_neighbors"])[1][:, -1]

    def check_kept(self, kept: dict[str, np.ndarray], model: Clusterer) -> None:
        """Raise a ValueError if arrays out of a file are not codes of the model."""
        check_codes(kept, model)
