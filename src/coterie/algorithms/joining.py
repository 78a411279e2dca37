r"""Which clusters are one: those whose rows change place when they are shifted and turned.

Two clusters of one kind of thing, such as upright and slanted ones, lie along a path that augmentation walks: changed
rows of the one are found among the other. Those of two kinds are not, however near they are and however few rows one of
them has. With :math:`q_k(x)` the soft assignment of a row to cluster k,

.. math::
    v_{ab} = \sum_{i \in a} q_b(T(x_i)), \qquad
    \operatorname{lift}(a, b) = \frac{(v_{ab} + v_{ba}) \sum v}{v_{a \cdot} v_{\cdot b} + v_{b \cdot} v_{\cdot a}}

is how many times as often a changed row goes from one to the other as it would by chance. Sizes cancel, so that a small
cluster is not joined for being small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from coterie.agglomeration import Tree, agglomerate
from coterie.nn import Nearest
from coterie.nn.heads import squared_distances
from coterie.training import Fit

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

VIEWS = 3  # changed copies of each row
_BLOCK, _STREAM = 1024, 2  # rows at a time; counter of these random streams beside those of training


def assign_to_means(z: Tensor, labels: Tensor) -> Tensor:
    """Return for each row the cluster whose mean code is nearest, which is more often right than what merging says.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Codes.
    labels : Tensor of shape (n,)
        Clusters, int64, none empty.

    Returns
    -------
    Tensor of shape (n,)
        Int64; the clusters as they were if one would be left without rows.
    """
    centers = means(z, labels)
    found = torch.cat([squared_distances(part, centers).argmin(1) for part in z.split(_BLOCK)])
    return found if len(found.unique()) == len(centers) else labels


def means(z: Tensor, labels: Tensor) -> Tensor:
    """Return the mean code of each cluster.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Codes.
    labels : Tensor of shape (n,)
        Clusters, int64, none empty.

    Returns
    -------
    Tensor of shape (k, d)
        In the order of their numbers.
    """
    return torch.stack([z[labels == a].mean(0) for a in range(int(labels.max()) + 1)])


def count_moves(fit: Fit, z: Tensor, labels: Tensor) -> np.ndarray:
    """Return how many changed rows of each cluster are found in each.

    Parameters
    ----------
    fit : Fit
        Between phases: its encoder, rows and augmentation.
    z : Tensor of shape (n, d)
        Codes of the rows as they are.
    labels : Tensor of shape (n,)
        Cluster of each row, int64, none empty.

    Returns
    -------
    ndarray of shape (k, k)
        v, from the cluster of the row to those that a changed copy is assigned to, by the nearness of mean codes.
    """
    k = int(labels.max()) + 1
    head = Nearest(k, z.shape[1])
    head.fill_from(z, means(z, labels))
    found = torch.zeros(k, k, dtype=torch.float64)
    with torch.no_grad():
        for view in range(VIEWS):
            for index in torch.arange(len(labels)).split(_BLOCK):
                batch = fit.batch(index, fit.clock.phase, view, int(index[0]), 0, _STREAM)
                q = head(fit.model.encode(batch.view).cpu()).exp()
                found.index_add_(0, labels[index], q.double())
    return found.numpy()


def join(v: np.ndarray, n_clusters: int) -> tuple[np.ndarray, list[tuple[int, int, float]]]:
    """Join clusters between which rows go most often, until K are left.

    Parameters
    ----------
    v : ndarray of shape (k, k)
        What :func:`count_moves` returned; k >= K.
    n_clusters : int
        K.

    Returns
    -------
    labels : ndarray of shape (k,)
        Which of the K each cluster is part of, int64, numbered in the order of their first parts.
    steps : list of (int, int, float)
        Two clusters that were joined, each by the number of its first part, and their lift.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.joining import join
    >>> v = np.array([[90.0, 1.0, 9.0], [1.0, 59.0, 0.0], [9.0, 0.0, 90.0]])
    >>> join(v, 2)[0].tolist()
    [0, 1, 0]
    """
    part, steps = np.arange(len(v)), []
    while len(np.unique(part)) > n_clusters:
        left = np.unique(part)
        member = (part[:, None] == left).astype(np.float64)
        lifts = _lifts(member.T @ v @ member)
        a, b = np.unravel_index(np.argmax(np.where(np.tri(len(left), k=-1).T > 0, lifts, -1.0)), lifts.shape)
        steps.append((int(left[a]), int(left[b]), float(lifts[a, b])))
        part = np.where(part == left[b], left[a], part)
    return np.unique(part, return_inverse=True)[1].astype(np.int64), steps


def to_be_joined(fit: Fit, z: np.ndarray, labels: np.ndarray, *, n_clusters: int) -> np.ndarray:
    """Return which of K each row would be in, if clusters were joined now.

    Training pushes clusters apart, and would learn to tell the parts of one kind from each other.

    Parameters
    ----------
    fit : Fit
        Between phases: its encoder, rows and augmentation.
    z : ndarray of shape (n, d)
        Codes of the rows as they are.
    labels : ndarray of shape (n,)
        Cluster of each row, int64, none empty.
    n_clusters : int
        K.

    Returns
    -------
    ndarray of shape (n,)
        Unions of clusters, int64.
    """
    if int(labels.max()) < n_clusters:
        return labels
    part, _ = join(count_moves(fit, torch.from_numpy(z), torch.from_numpy(labels)), n_clusters)
    return part[labels]


def join_and_merge(fit: Fit, z: np.ndarray, graph: csr_matrix, *, n_clusters: int, **rules: Any) -> Tree:
    """Join the clusters in a fit's memory until K are left, and merge these on.

    Parameters
    ----------
    fit : Fit
        Between phases; its memory has "clusters".
    z : ndarray of shape (n, d)
        Codes.
    graph : csr_matrix of shape (n, n)
        Of their neighbours.
    n_clusters : int
        K.
    **rules : object
        Of :func:`coterie.agglomeration.agglomerate`.

    Returns
    -------
    Tree
        K clusters, and the record from the clusters in memory down to one.
    """
    code = torch.from_numpy(z)
    y = assign_to_means(code, fit.memory["clusters"])
    part, steps = join(count_moves(fit, code, y), n_clusters)
    rest = agglomerate(z, graph, part[y.numpy()], n_clusters=n_clusters, n_leaves=n_clusters, **rules)
    return as_tree(y.numpy(), steps, rest)


def _lifts(v: np.ndarray) -> np.ndarray:
    by_chance = np.outer(v.sum(1), v.sum(0))
    return (v + v.T) * v.sum() / np.maximum(by_chance + by_chance.T, np.finfo(np.float64).tiny)


def as_tree(labels: np.ndarray, steps: list[tuple[int, int, float]], rest: Tree) -> Tree:
    """Return the record of merges that begins with joins.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Cluster of each row before the first join, 0 .. k - 1.
    steps : list of (int, int, float)
        The joins, as :func:`join` returns them.
    rest : Tree
        The merges of the K clusters that are left, its leaves, down to one.

    Returns
    -------
    Tree
        With k leaves, in whatever order; the first k - K merges are the joins.
    """
    k, K = int(labels.max()) + 1, int(rest.leaves.max()) + 1
    name, held, merges = list(range(k)), dict.fromkeys(range(k), 1), []

    def add(a: int, b: int) -> int:
        new = k + len(merges)
        held[new] = held[a] + held[b]
        merges.append([min(a, b), max(a, b), len(merges) + 1, held[new]])
        return new

    for a, b, _ in steps:
        name[a] = add(name[a], name[b])
    node = {c: name[int(labels[rest.leaves == c].min())] for c in range(K)}  # a cluster is called by its first part
    for i, (a, b, *_) in enumerate(rest.merges):
        node[K + i] = add(node[int(a)], node[int(b)])
    affinities = np.array([*(lift for *_, lift in steps), *rest.affinities])
    return Tree(rest.labels, labels, np.array(merges, dtype=np.float64).reshape(-1, 4), affinities)
