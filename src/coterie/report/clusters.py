"""What can be said of each cluster: its size, its certainty, what it holds, which rows to look at."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.report.run import Run

_TELLING = 6  # columns that set a cluster apart
_COMMON = 3  # labels named
_EXAMPLES = ((20, 12), (100, 6))  # shown of each sort up to so many clusters
_FEWEST = 3


def describe_clusters(run: Run) -> list[dict[str, Any]]:
    """Describe every cluster, empty ones too.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    list of dict
        JSON-able, one for each cluster: ``cluster``, ``rows``, ``share``, ``confidence``, ``classes``, ``typical``,
        ``doubtful``, and for tables ``columns``.
    """
    arrays, labels, n_clusters = run.arrays, run.labels, run.n_clusters
    sizes = np.bincount(labels, minlength=n_clusters)
    sureness = np.bincount(labels, weights=arrays["q_max"], minlength=n_clusters)
    found = []
    for k in range(n_clusters):
        size = int(sizes[k])
        described: dict[str, Any] = {
            "cluster": k,
            "rows": size,
            "share": size / max(len(labels), 1),
            "confidence": float(sureness[k] / size) if size else None,
            "classes": _classes(run, k),
            "typical": _examples(run, k, "typical"),
            "doubtful": _examples(run, k, "doubtful"),
        }
        if not run.is_images:
            described["columns"] = _columns(run, k) if size else []
        found.append(described)
    return found


def shown_examples(n_clusters: int) -> int:
    """Return how many examples of each sort a card shows.

    Parameters
    ----------
    n_clusters : int
        K.

    Returns
    -------
    int
        12 up to 20 clusters, 6 up to 100, then 3, so that the page stays small.
    """
    return next((count for most, count in _EXAMPLES if n_clusters <= most), _FEWEST)


def column_names(run: Run) -> list[str]:
    """Return a name for each column of a table.

    Parameters
    ----------
    run : Run
        A run on vectors.

    Returns
    -------
    list of str
        The given names, else "column 0" and so on.
    """
    given = run.spec.get("feature_names")
    return list(given) if given else [f"column {i}" for i in range(len(run.arrays["feature_mean"]))]


def _classes(run: Run, k: int) -> list[tuple[str, float]]:
    """Return the commonest labels of a cluster with their shares."""
    if "y" not in run.arrays or not (run.labels == k).any():
        return []
    values, counts = np.unique(run.arrays["y"][run.labels == k], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_COMMON]
    return [(str(values[i]), float(counts[i] / counts.sum())) for i in order]


def _examples(run: Run, k: int, which: str) -> list[dict[str, Any]]:
    arrays = run.arrays
    found = []
    for place, row in enumerate(arrays[f"{which}_rows"][k, : shown_examples(run.n_clusters)].tolist()):
        if row < 0:
            break
        example: dict[str, Any] = {
            "row": row,
            "name": str(arrays["names"][row]) if "names" in arrays else f"row {row}",
            "confidence": float(arrays["q_max"][row]),
        }
        if "y" in arrays:
            example["label"] = str(arrays["y"][row])
        if which == "doubtful":
            after = int(arrays["doubtful_next"][k, place])
            example["next"] = None if after < 0 else after
            example["margin"] = float(arrays["doubtful_margin"][k, place])
        found.append(example)
    return found


def _columns(run: Run, k: int) -> list[dict[str, Any]]:
    """Return the columns in which the cluster's mean is farthest from that of all rows, in standard deviations."""
    mean, spread = run.arrays["feature_mean"], run.arrays["feature_sd"]
    own = run.arrays["means"][k].astype(np.float64)
    apart = np.divide(own - mean, spread, out=np.zeros_like(mean), where=spread > 0)
    names = column_names(run)
    return [
        {"column": int(i), "name": names[i], "mean": float(own[i]), "overall": float(mean[i]), "apart": float(apart[i])}
        for i in np.argsort(-np.abs(apart), kind="stable")[:_TELLING]
    ]
