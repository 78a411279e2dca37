"""What a generative system makes up: rows of a cluster, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.edits import Split
from coterie.algorithms.inputs import pick_seed
from coterie.checks import whole
from coterie.errors import InputError
from coterie.training import own_modes

if TYPE_CHECKING:
    from torch import Tensor

    from coterie.algorithms.base import Clusterer

_TRIED = 20  # codes that are drawn for each that is wanted of a merged or a divided cluster


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
        with own_modes(), torch.no_grad():
            z = self.draw_codes(n, None, generator) if cluster is None else self._of_cluster(n, int(cluster), generator)
            return system.inverse_transform(z.numpy())

    def _of_cluster(self, n: int, cluster: int, generator: torch.Generator) -> Tensor:
        """Return n codes of a cluster as it is after all edits, drawn from the fitted clusters it consists of."""
        system = cast("Clusterer", self)
        edits = system.edits_
        origin = sorted(edits.origins()[cluster])
        if not any(isinstance(edit, Split) for edit in edits.done) and len(origin) == 1:
            return self.draw_codes(n, self._in_head(origin[0]), generator)
        rows = torch.from_numpy(np.bincount(edits.fitted, minlength=edits.n_fitted)[origin]).double()
        weights = rows + 1e-9  # also if all are empty
        drawn = torch.multinomial(weights, _TRIED * n, replacement=True, generator=generator)
        counts = drawn.bincount(minlength=len(origin)).tolist()
        own = [self._in_head(k) for k in origin]
        z = torch.cat([self.draw_codes(c, k, generator) for k, c in zip(own, counts, strict=True) if c])
        z = z[torch.randperm(len(z), generator=generator)]
        assigned = edits.assign(system._assign(z), z)
        outside = assigned.labels != cluster
        # Those that fall into the cluster, in the order they were drawn; where these are too few, the likeliest others.
        order = np.lexsort((np.where(outside, -assigned.log_q[:, cluster].numpy(), 0.0), outside))
        return z[torch.from_numpy(order[:n])]

    def _in_head(self, cluster: int) -> int:
        """Return the number that a fitted cluster has in the head."""
        order = cast("Clusterer", self).order_
        return cluster if order is None else int(order[cluster])
