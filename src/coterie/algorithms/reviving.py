"""A cluster that lost all its rows gets those that are known to be its, or half of the widest one's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from coterie.algorithms.knowing import KNOWN
from coterie.data.knowledge import UNKNOWN
from coterie.errors import CollapseWarning, warn
from coterie.starts import kmeans
from coterie.training import Fit, codes

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)


def revive(fit: Fit, labels: Tensor) -> bool:
    """Put the centres of empty clusters among rows again, in place.

    An empty cluster whose class is known begins at its known rows. Any other gets half of the widest cluster: the half
    with fewer rows that are known to be of that one.

    Parameters
    ----------
    fit : Fit
        Its head has ``centers``, shape (K, d), that rows are near to; its memory may have ``known``.
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
    z, n_moved = codes(fit).numpy(), 0
    known = fit.memory[KNOWN].numpy() if KNOWN in fit.memory else np.full(len(y), UNKNOWN)
    for c in empty.tolist():
        rows, moved = np.flatnonzero(known == c), [c]
        if not len(rows):
            widest = int(np.argmax([_spread(z[y == j]) for j in range(k)]))
            rows, moved = _half(fit, z, np.flatnonzero(y == widest), stays=known == widest, c=c), [widest, c]
        if not len(rows):
            continue
        y[rows] = c
        with torch.no_grad():
            for j in moved:
                centers[j] = torch.from_numpy(z[y == j].mean(0)).to(centers)
        n_moved += 1
    if n_moved:
        logger.info("step %d: clusters %s were empty", fit.clock.total, empty.tolist())
        warn(
            f"{n_moved} of {k} clusters lost all their rows (step {fit.clock.total}) and were given those known to "
            "be theirs, or half of the widest cluster's. If that goes on, try fewer clusters, another start=, or a "
            "lower learning rate in train=.",
            CollapseWarning,
        )
    return n_moved > 0


def _half(fit: Fit, z: np.ndarray, rows: np.ndarray, *, stays: np.ndarray, c: int) -> np.ndarray:
    """Return half of a cluster's rows, that with fewer which should stay; none where they are all alike."""
    if not _spread(z[rows]) > 0:
        return rows[:0]
    seed = fit.streams.integer("revive", fit.clock.total, c)
    leaves = kmeans(z[rows].astype(np.float64), 2, seed=seed, n_init=1) == 1
    if leaves.all() or not leaves.any():
        return rows[:0]  # alike but for what rounding leaves
    return rows[leaves if (stays[rows] & leaves).sum() <= (stays[rows] & ~leaves).sum() else ~leaves]


def _spread(z: np.ndarray) -> float:
    """Return the sum of squared distances to the mean."""
    return float(np.square(z - z.mean(0)).sum()) if len(z) else 0.0
