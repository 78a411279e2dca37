"""Isolation forest on the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from sklearn.ensemble import IsolationForest

from coterie.algorithms import AEKMeans, Clusterer
from coterie.anomaly.base import OutlierDetector
from coterie.anomaly.forest import PARTS, Forest
from coterie.checks import Rule, integer
from coterie.settings import hyperparameters

if TYPE_CHECKING:
    from coterie.data import Source


@hyperparameters
class LatentIsolationForest(OutlierDetector):
    r"""Isolation forest [1]_ on the codes of a system.

    .. math::
        s(x) = 2^{-\bar h(z) / c(\psi)}, \quad z = f(x)

    with :math:`\bar h` the mean length of a code's way down trees that were split at random on :math:`\psi` rows each,
    and c that of an unsuccessful search in a binary tree of so many.

    Parameters
    ----------
    {detector}
    n_estimators : int, default=100
        Trees; >= 1.
    max_samples : int, default=256
        Training rows that each tree is grown on, at most; >= 1.

    Attributes
    ----------
    {found}

    Notes
    -----
    The trees are grown by scikit-learn and kept as arrays; ``score_samples`` gives what scikit-learn's would. Without a
    ``model`` the codes are those of an autoencoder (:class:`coterie.AEKMeans`). Of a system that was trained to pull
    its clusters together the codes may hide what is strange; compare with :class:`NeighbourOutlier`.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou. Isolation forest. ICDM 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.anomaly import LatentIsolationForest
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = LatentIsolationForest(model=KMeans(n_clusters=1), random_state=0).fit(X)
    >>> found.predict([[0.0, 0.0], [9.0, 9.0]]).tolist()
    [1, -1]
    """

    n_estimators: int = 100
    max_samples: int = 256

    title: ClassVar[str] = "Isolation forest on the code"
    unit: ClassVar[str] = "from 0 to 1; the sooner random splits leave a row alone, the larger"
    rules: ClassVar[dict[str, Rule]] = {"n_estimators": integer(1), "max_samples": integer(1)}
    inside: ClassVar[type[Clusterer]] = AEKMeans

    def learn(self, source: Source, seed: int) -> dict[str, np.ndarray]:
        """Return the nodes of the trees."""
        z = self.model_.transform(source)
        size = min(self.max_samples, len(z))
        grown = IsolationForest(n_estimators=self.n_estimators, max_samples=size, random_state=seed % 2**32).fit(z)
        return dict(vars(Forest.of(grown)))

    def strangeness(self, source: Source) -> np.ndarray:
        """Return how soon each code is alone."""
        return Forest(**self.kept_).anomaly(self.model_.transform(source))

    def check_kept(self, kept: dict[str, np.ndarray], model: Clusterer) -> None:
        """Raise a ValueError if arrays out of a file are no forest over the model's codes."""
        if set(kept) != set(PARTS):
            raise ValueError("it holds no forest")
        Forest(**kept).check(model.cluster_centers_.shape[1])
