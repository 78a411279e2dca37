"""What can be said of each cluster: its size, its certainty, what it holds, which rows to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coterie.criteria import Contrast
from coterie.report.run import Run
from coterie.report.wording import figure

_TELLING = 6  # columns that set a cluster apart
_WORDS = 12
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
        JSON-able, one for each cluster: ``cluster``, ``name``, ``rows``, ``share``, ``confidence``, ``classes``,
        ``typical``, ``doubtful``, and for tables ``columns`` and ``words``, of which one is empty: words where columns
        are named by them.
    """
    arrays, labels, n_clusters = run.arrays, run.labels, run.n_clusters
    apart = None if run.is_images else compare(run)
    sizes = np.bincount(labels, minlength=n_clusters)
    sureness = np.bincount(labels, weights=arrays["q_max"], minlength=n_clusters)
    found = []
    for k in range(n_clusters):
        size = int(sizes[k])
        described: dict[str, Any] = {
            "cluster": k,
            "name": run.cluster_names[k],
            "rows": size,
            "share": size / max(len(labels), 1),
            "confidence": float(sureness[k] / size) if size else None,
            "classes": _classes(run, k),
            "typical": _examples(run, k, "typical"),
            "doubtful": _examples(run, k, "doubtful"),
        }
        if apart is not None:
            words = "present" in arrays
            described["words"] = apart.words(k, column_names(run), _WORDS) if words else []
            described["columns"] = [] if words else apart.columns(k, column_names(run), _TELLING)
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


def compare(run: Run) -> Contrast:
    """Return the clusters against the rest, from what the run kept.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    Contrast
        Of all pixels or columns; standard deviations only of columns, presence only of words.
    """
    means = run.arrays["means"].reshape(run.n_clusters, -1).astype(np.float64)
    spread = run.arrays.get("feature_sd", np.ones(means.shape[1]))
    present = run.arrays.get("present", np.zeros_like(means))
    return Contrast(np.bincount(run.labels, minlength=run.n_clusters), means, spread, present)


def balance(sizes: Sequence[int], prior: Any = None, *, noun: str) -> dict[str, Any]:
    """Compare the sizes of clusters with an even share, or with what the system was told to expect.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each cluster.
    prior : array-like of shape (K,) or None, default=None
        The expected share of each cluster; None is an even share.
    noun : str
        What the rows are called.

    Returns
    -------
    dict
        ``expected``, the share of each cluster, and ``sentence``, empty for one cluster.

    Examples
    --------
    >>> from coterie.report.clusters import balance
    >>> balance([10, 30], noun="rows")["sentence"]
    'The mark is an even share, 20 rows; the clusters hold from .50 to 1.50 times that.'
    """
    n, n_clusters = sum(sizes), len(sizes)
    expected = [1 / n_clusters] * n_clusters if prior is None else [float(share) for share in prior]
    ratios = [size / (share * n) for size, share in zip(sizes, expected, strict=True) if share * n]
    between = f"the clusters hold from {figure(min(ratios))} to {figure(max(ratios))} times that."
    own = (
        f"The mark is an even share, {n / n_clusters:,.0f} {noun}"
        if prior is None
        else f"Marks show the {noun} expected"
    )
    return {"expected": expected, "sentence": f"{own}; {between}" if n_clusters > 1 else ""}


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
