"""What a report draws that depends on the clusters: labels, means, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coterie.criteria import are_words, contrast
from coterie.report.examples import choose_examples
from coterie.report.images import as_pictures, value_range

if TYPE_CHECKING:
    from coterie.data import Source


def cluster_arrays(
    z: np.ndarray, labels: np.ndarray, q: np.ndarray, *, source: Source, sure: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Gather what of :func:`collect` depends on the clusters.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code of every row.
    labels : ndarray of shape (n,)
        Cluster of every row, 0 to K - 1.
    q : ndarray of shape (n, K)
        Soft assignments; rows sum to 1.
    source : Source
        The data.
    sure : ndarray of shape (n,) or None, default=None
        As in :func:`collect`.

    Returns
    -------
    dict of str to ndarray
        ``labels``, ``q_max``, means and examples.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.report.grouped import cluster_arrays
    >>> X = np.array([[0.0], [1.0]])
    >>> cluster_arrays(X, np.array([0, 1]), np.eye(2), source=make_source(X))["means"].tolist()
    [[0.0], [1.0]]
    """
    labels, q = np.asarray(labels).astype(np.int32), np.asarray(q, np.float32)
    sure = q[np.arange(len(labels)), labels] if sure is None else np.asarray(sure, np.float32)
    examples = _examples(source, choose_examples(np.asarray(z, np.float32), labels, q))
    return {"labels": labels, "q_max": sure, **_averages(source, labels, q.shape[1]), **examples}


def raw_rows(source: Source, rows: np.ndarray | slice) -> np.ndarray:
    """Return rows as they came, pictures as (b, H, W) or (b, H, W, C) whatever their layout.

    Parameters
    ----------
    source : Source
        The data.
    rows : ndarray of int or slice
        Which.

    Returns
    -------
    ndarray of shape (b, ...)
        In the data's dtype.

    Examples
    --------
    >>> from coterie.data import make_source
    >>> from coterie.report.grouped import raw_rows
    >>> raw_rows(make_source([[1.0], [2.0]]), slice(0, 1)).tolist()
    [[1.0]]
    """
    return as_pictures(np.asarray(source.raw(rows)), source.spec)


def _examples(source: Source, chosen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Add the chosen rows themselves, zeros where a cluster has fewer."""
    found = dict(chosen)
    for which in ("typical", "doubtful"):
        rows = chosen[f"{which}_rows"]
        raw = raw_rows(source, rows[rows >= 0])
        filled = np.zeros((*rows.shape, *raw.shape[1:]), dtype=raw.dtype)
        filled[rows >= 0] = raw
        found[f"{which}_raw"] = filled
    return found


def _averages(source: Source, labels: np.ndarray, n_clusters: int) -> dict[str, np.ndarray]:
    """Return the mean of each cluster, and the range or the spread of all rows, in one pass over the data."""
    blocks = (raw_rows(source, block) for block in source.blocks())
    found = contrast(blocks, labels, n_clusters)
    if source.spec.kind == "images":
        shape = raw_rows(source, slice(0, 1)).shape[1:]
        means = found.means.reshape(n_clusters, *shape).astype(np.float32)
        return {"means": means, "value_range": value_range(source.dtype, found.low, found.high)}
    arrays = {"means": found.means, "feature_mean": found.mean, "feature_sd": found.sd}
    words = are_words(source.spec.feature_names, zeros=found.zeros, low=found.low)
    return {**arrays, "present": found.present.astype(np.float32)} if words else arrays
