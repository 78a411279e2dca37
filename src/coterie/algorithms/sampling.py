"""What a generative system makes up: rows of a cluster, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.inputs import pick_seed
from coterie.checks import whole
from coterie.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from coterie.algorithms.base import Clusterer


class Samples:
    """Gives a system that knows how its codes are distributed ``sample``."""

    def draw_codes(self, n: int, cluster: int | None, generator: torch.Generator) -> Tensor:
        """Return n codes, shape (n, d), of one cluster or, for None, of clusters drawn by their weights."""
        raise NotImplementedError

    def sample(self, n: int, *, cluster: int | None = None, random_state: Any = None) -> np.ndarray:
        """Make rows up.

        Parameters
        ----------
        n : int
            How many; >= 1.
        cluster : int or None, default=None
            A cluster as ``predict`` numbers them, in 0 .. K - 1. None draws one for each row: VaDE by their weights,
            ClusterGAN, whose clusters read by k-means stand for the largest entry of their centre's z_c, evenly.
        random_state : int, RandomState or None, default=None
            Seed of the draws. An int gives the same rows again.

        Returns
        -------
        ndarray of shape (n, ...)
            What the decoder makes of drawn codes, without noise of single entries, in the layout and units of the
            fitted data.

        Raises
        ------
        InputError
            If ``n`` or ``cluster`` breaks its rule.
        """
        check_is_fitted(self)
        system = cast("Clusterer", self)
        n_clusters = len(system.cluster_centers_)
        if not whole(n, 1):
            raise InputError(f"The 'n' of sample() must be an integer >= 1. Got {n!r} instead.")
        if cluster is not None and not (whole(cluster, 0) and cluster in range(n_clusters)):
            raise InputError(
                f"The 'cluster' of sample() must be None or an integer from 0 to {n_clusters - 1}. "
                f"Got {cluster!r} instead."
            )
        generator = torch.Generator().manual_seed(pick_seed(random_state))
        with torch.no_grad():
            return system.inverse_transform(self.draw_codes(n, cluster, generator).numpy())
