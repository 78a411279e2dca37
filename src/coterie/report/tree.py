"""The order in which clusters were merged, as a drawing."""

from __future__ import annotations

from typing import Any

import numpy as np

_WIDTH, _LEAF, _LABEL = 900.0, 14.0, 96.0  # units of the drawing; a leaf's height; room for a leaf's name


def merge_tree(merges: np.ndarray, clusters: np.ndarray, n_clusters: int) -> dict[str, Any]:
    """Place a tree of merges, the root at the right.

    Parameters
    ----------
    merges : ndarray of shape (L - 1, 4)
        The two clusters of each merge, its height, its leaves; merge i makes cluster L + i.
    clusters : ndarray of shape (L,)
        Cluster of each leaf, -1 if unknown; its branches take its colour.
    n_clusters : int
        K: where the tree was cut.

    Returns
    -------
    dict
        ``width``; ``height``; ``branches``, triples of SVG path, cluster (-1 where several meet) and tooltip;
        ``leaves`` (x, y, cluster, text); ``cut``, the x of the cut, None where nothing was cut off; ``sentence``.
    """
    from scipy.cluster.hierarchy import leaves_list

    n_leaves = len(merges) + 1
    place = {int(leaf): i for i, leaf in enumerate(leaves_list(merges))}
    tallest = float(merges[:, 2].max()) or 1.0

    def x(height: float) -> float:
        return round(_LABEL + height / tallest * (_WIDTH - _LABEL - 8), 1)

    # Of each cluster, leaves first: place across, height, colour.
    nodes = [((place[i] + 0.5) * _LEAF, 0.0, int(clusters[i])) for i in range(n_leaves)]
    branches = []
    for a, b, height, held in merges.tolist():
        (y_a, h_a, c_a), (y_b, h_b, c_b) = nodes[int(a)], nodes[int(b)]
        colour = c_a if c_a == c_b else -1
        path = f"M{x(h_a)} {y_a:.1f}H{x(height)}V{y_b:.1f}H{x(h_b)}"
        branches.append((path, colour, f"{int(held):,} leaves"))
        nodes.append(((y_a + y_b) / 2, height, colour))
    kept = len(merges) - n_clusters + 1  # merges that the run made itself
    heights = [0.0, *merges[:, 2].tolist()]
    cut = x((heights[kept] + heights[kept + 1]) / 2) if 0 <= kept < len(merges) else None
    return {
        "width": _WIDTH,
        "height": round(n_leaves * _LEAF, 1),
        "branches": branches,
        "leaves": [(_LABEL - 8, round(nodes[i][0] + 3.5, 1), int(clusters[i]), f"leaf {i}") for i in range(n_leaves)],
        "cut": cut,
        "sentence": f"Tree of the last {len(merges)} merges, of {n_leaves} small clusters; {n_clusters} were kept.",
    }
