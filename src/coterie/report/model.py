"""What some systems can show besides clusters: rows they make up, the order of their merges, the sizes they expect."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.report.images import as_pictures

SAMPLES = 12  # rows drawn for each cluster
_MOST_SAMPLES = 600  # in all, so that a run of many clusters stays small


def model_arrays(estimator: Any, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Gather what a report draws from a fitted system itself, where the system has it.

    Parameters
    ----------
    estimator : Clusterer
        A fitted system. Looked at are a method ``sample(n, cluster=, random_state=)``, and the attributes ``merges_``,
        ``leaves_`` and ``prior_``.
    seed : int, default=0
        Seed of the rows it makes up.

    Returns
    -------
    dict of str to ndarray
        ``samples`` (K, m, row) float32, made-up rows in raw units; ``merges`` (L - 1, 4) float64, as SciPy's linkages
        are, and ``merge_clusters`` (L,) int64, the cluster that most rows of a leaf belong to, -1 if unknown;
        ``merge_cut`` (), the number of clusters in which the merges ended, where clusters were edited since;
        ``prior`` (K,) float64, the expected share of each cluster. Each only where there is one.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.report import model_arrays
    >>> model_arrays(KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]]))
    {}
    """
    labels, n_clusters = estimator.labels_, len(estimator.cluster_centers_)
    found = {}
    if callable(getattr(estimator, "sample", None)):
        count = max(1, min(SAMPLES, _MOST_SAMPLES // n_clusters))
        drawn = [estimator.sample(count, cluster=k, random_state=seed + k) for k in range(n_clusters)]
        found["samples"] = np.stack([as_pictures(np.asarray(rows, np.float32), estimator.spec_) for rows in drawn])
    merges = getattr(estimator, "merges_", None)
    if merges is not None and len(merges):
        found["merges"] = np.asarray(merges, dtype=np.float64)
        leaves = getattr(estimator, "leaves_", None)
        found["merge_clusters"] = _clusters_of(leaves, labels, len(merges) + 1)
    prior = getattr(estimator, "prior_", None)
    edits = getattr(estimator, "edits_", None)
    regrouped = edits is not None and edits.regroup
    if regrouped and "merges" in found:
        found["merge_cut"] = np.array(estimator.edits_.n_fitted)
    if prior is not None and np.shape(prior) == (n_clusters,) and not regrouped:
        found["prior"] = np.asarray(prior, dtype=np.float64) / np.sum(prior)
    return found


def _clusters_of(leaves: np.ndarray | None, labels: np.ndarray, n_leaves: int) -> np.ndarray:
    """Return the cluster that most rows of each leaf belong to."""
    found = np.full(n_leaves, -1, dtype=np.int64)
    if leaves is not None and np.shape(leaves) == np.shape(labels):
        for leaf in range(n_leaves):
            own = labels[np.asarray(leaves) == leaf]
            if len(own):
                found[leaf] = np.bincount(own).argmax()
    return found
