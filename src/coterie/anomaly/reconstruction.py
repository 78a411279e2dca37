"""Error of reconstruction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from coterie.algorithms import AEKMeans, Clusterer, KMeans
from coterie.anomaly.base import OutlierDetector
from coterie.anomaly.nearest import check_codes, nearest
from coterie.checks import Rule, integer, one_of
from coterie.data import Source
from coterie.errors import InputError
from coterie.settings import hyperparameters
from coterie.subsample import sample_rows

LEAST = 1e-12  # a mean error; rows that are reconstructed exactly are not infinitely stranger than each other


@hyperparameters
class ReconstructionOutlier(OutlierDetector):
    r"""How badly the autoencoder reconstructs a row.

    .. math::
        e(x) = \tfrac1D \|x - g(f(x))\|^2, \quad s(x) = \frac{e(x)}{\operatorname{mean}_{j \in N(x)} e(x_j)}

    with N(x) the training rows whose codes are nearest. Simple rows, such as an upright stroke, have small errors even
    where no such row was seen; beside rows of similar code they stand out.

    Parameters
    ----------
    {detector}
    relative : {"neighbours", "none"}, default="neighbours"
        Divide by the errors of the neighbours, or take e alone.
    n_neighbors : int, default=10
        Rows in N(x); >= 1.
    landmarks : int, default=10000
        Training rows to look for neighbours among, sampled from more; >= 2.

    Attributes
    ----------
    {found}

    Notes
    -----
    Without a ``model`` an :class:`coterie.AEKMeans` is fitted. The error is that of
    :meth:`coterie.DEC.reconstruction_error`: squared, also where the system minimised a cross entropy.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Shallow
    >>> from coterie.anomaly import ReconstructionOutlier
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [1, 1, 0.1]
    >>> model = Shallow(n_clusters=1, n_components=2, scaling="none", random_state=0)
    >>> ReconstructionOutlier(model=model, random_state=0).fit(X).predict([[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]]).tolist()
    [1, -1]
    """

    relative: str = "neighbours"
    n_neighbors: int = 10
    landmarks: int = 10_000

    title: ClassVar[str] = "Error of reconstruction"
    unit: ClassVar[str] = "over that of training rows with like codes"
    rules: ClassVar[dict[str, Rule]] = {
        "relative": one_of(("neighbours", "none")),
        "n_neighbors": integer(1),
        "landmarks": integer(2),
    }
    inside: ClassVar[type[Clusterer]] = AEKMeans

    def check_model(self, model: Clusterer) -> None:
        """Raise an InputError if the model does not reconstruct rows from a code."""
        if not model.decodes or isinstance(model, KMeans):
            raise InputError(
                f"The 'model' parameter of {type(self).__name__} must be a system that reconstructs rows from a code. "
                f"Got {type(model).__name__} instead."
            )

    def learn(self, source: Source, seed: int) -> dict[str, np.ndarray]:
        """Return codes and errors of the landmarks; neither if errors are taken alone."""
        if self.relative == "none":
            return {}
        kept = Source(source.raw(sample_rows(len(source), self.landmarks, seed)), source.spec)
        errors = self.model_.reconstruction_error(kept).astype(np.float64)
        return {"codes": self.model_.transform(kept), "errors": errors}

    def strangeness(self, source: Source) -> np.ndarray:
        """Return each row's error, over that of its neighbours."""
        errors = self.model_.reconstruction_error(source).astype(np.float64)
        if not self.kept_:
            return errors
        k, z = self._fitted_params["n_neighbors"], self.model_.transform(source)
        # Of rows with one code only the one with the same error too is the row itself.
        index, _ = nearest(z, self.kept_["codes"], k, told_by=(errors, self.kept_["errors"]))
        return errors / np.maximum(self.kept_["errors"][index].mean(1), LEAST)

    def check_kept(self, kept: dict[str, np.ndarray], model: Clusterer) -> None:
        """Raise a ValueError if arrays out of a file are not codes of the model and their errors."""
        if self.relative != "none":
            check_codes(kept, model, also=("errors",))
        elif kept:
            raise ValueError("it holds arrays that its score has no use for")
