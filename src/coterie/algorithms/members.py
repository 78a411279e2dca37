"""Clusters under way in a fit's memory: what merging found, and rows of one cluster drawn from it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from coterie.agglomeration import Tree
from coterie.training import Fit


def remember(fit: Fit, tree: Tree, *, groups: np.ndarray) -> None:
    """Put clusters, and what their rows are not pushed apart from, into a fit's memory.

    Parameters
    ----------
    fit : Fit
        The fit under way.
    tree : Tree
        Its clusters and their merges.
    groups : ndarray of shape (n,)
        Unions of clusters, int64.
    """
    fit.memory["groups"], fit.memory["clusters"] = torch.from_numpy(groups), torch.from_numpy(tree.labels)
    fit.memory["members"] = torch.from_numpy(np.argsort(tree.labels, kind="stable"))  # one cluster after the other
    fit.memory["merges"], fit.memory["leaves"] = torch.from_numpy(tree.merges), torch.from_numpy(tree.leaves)
    fit.memory["merge_affinities"] = torch.from_numpy(tree.affinities)


def partners(fit: Fit, index: Tensor) -> Tensor:
    """Return for each row a random one of its cluster, which may be itself.

    Parameters
    ----------
    fit : Fit
        The fit under way; its memory has the clusters.
    index : Tensor of shape (b,)
        Numbers of rows.

    Returns
    -------
    Tensor of shape (b,)
        Numbers of rows.
    """
    y, clock = fit.memory["clusters"], fit.clock
    sizes = y.bincount()
    generator = fit.streams.generator("partners", clock.phase, clock.step)
    place = torch.rand(len(index), generator=generator, dtype=torch.float64) * sizes[y[index]]
    return fit.memory["members"][(sizes.cumsum(0) - sizes)[y[index]] + place.long()]
