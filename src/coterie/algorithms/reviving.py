"""A cluster that lost all its rows gets half of the widest one's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from coterie.errors import CollapseWarning, warn
from coterie.starts import kmeans
from coterie.training import Fit, codes

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)


def revive(fit: Fit, labels: Tensor) -> bool:
    """Put the centres of empty clusters into the widest ones, in place.

    Parameters
    ----------
    fit : Fit
        Its head has ``centers``, shape (K, d), that rows are near to.
    labels : Tensor of shape (n,)
        Clusters of all rows now.

    Returns
    -------
    bool
        Whether anything was changed: rows that are all alike cannot be halved.
    """
    head: nn.Module = fit.model.head
    centers = head.centers
    assert isinstance(centers, Tensor)
    y, k = labels.numpy().copy(), len(centers)
    empty = np.flatnonzero(np.bincount(y, minlength=k) == 0)
    if not len(empty):
        return False
    z, changed = codes(fit).numpy(), False
    for c in empty.tolist():
        spread = np.array([_spread(z[y == j]) for j in range(k)])
        widest = int(spread.argmax())
        if not spread[widest] > 0:
            break
        rows = np.flatnonzero(y == widest)
        half = kmeans(z[rows].astype(np.float64), 2, seed=fit.streams.integer("revive", fit.clock.total, c), n_init=1)
        if not 0 < half.sum() < len(rows):
            break  # alike but for what rounding leaves
        y[rows[half == 1]] = c
        with torch.no_grad():
            for j in (widest, c):
                centers[j] = torch.from_numpy(z[y == j].mean(0)).to(centers)
        changed = True
    if changed:
        logger.info("step %d: clusters %s were empty", fit.clock.total, empty.tolist())
        warn(
            f"{len(empty)} of {k} clusters lost all their rows (step {fit.clock.total}) and were given half of the "
            "widest. If that goes on, try fewer clusters, another start=, or a lower learning rate in train=.",
            CollapseWarning,
        )
    return changed


def _spread(z: np.ndarray) -> float:
    """Return the sum of squared distances to the mean."""
    return float(np.square(z - z.mean(0)).sum()) if len(z) else 0.0
