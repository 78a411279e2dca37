"""The result and its baselines in figures: the entries of ``metrics.json``."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from coterie.algorithms.numbering import classes_of_clusters
from coterie.baselines import Baseline, raw_kmeans
from coterie.criteria import judge, sizes
from coterie.data.spreadsheets import defuse
from coterie.errors import OtherFitError
from coterie.files import atomic_path
from coterie.metrics import evaluate

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.cli.inputs import Data

SHARE = 0.1  # of a fit's time that a baseline may cost
CHOICE = 100.0  # seconds that a choice among systems is taken for


def figures_of(
    labels: np.ndarray,
    *,
    n_clusters: int,
    y: np.ndarray | None,
    code: np.ndarray | None = None,
    q: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return all figures of a partition.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Clusters.
    n_clusters : int
        K, counting empty clusters.
    y : ndarray of shape (n,) or None
        Known classes; None leaves ``metrics`` out.
    code : ndarray of shape (n, d) or None, default=None
        The code that the partition is judged on; None leaves ``criteria`` out.
    q : ndarray of shape (n, K) or None, default=None
        Soft assignments, if there are any.

    Returns
    -------
    dict
        ``metrics``, ``criteria`` and ``sizes``, JSON-able.
    """
    figures: dict[str, Any] = {"sizes": sizes(labels, n_clusters).tolist()}
    if y is not None:
        figures["metrics"] = evaluate(y, labels)
    if code is not None:
        figures["criteria"] = judge(code, q, labels)
    return figures


def cluster_names(data: Data, labels: np.ndarray, n_clusters: int) -> list[str]:
    """Return the names of the clusters of a fit by the classes that it learned from, "" for none."""
    names = class_names(data)
    return [names[c] if 0 <= c < len(names) else "" for c in _classes_of(data, labels, n_clusters)]


def judge_known(data: Data, labels: np.ndarray, *, n_clusters: int) -> dict[str, Any]:
    """Return whether the fit learned from known classes, and what it is worth on the other rows.

    Parameters
    ----------
    data : Data
        The rows.
    labels : ndarray of shape (n,)
        Clusters of the fit.
    n_clusters : int
        K.

    Returns
    -------
    dict
        ``labels_used`` and, where they were, ``known``: ``n_known``, the ``classes`` by number of the cluster, the
        share of known rows in their class's cluster as ``kept`` and, where there are classes to evaluate with,
        ``metrics`` of the rows that were not known. JSON-able.
    """
    if data.known is None:
        return {"labels_used": False}
    held = data.known >= 0
    told: dict[str, Any] = {"n_known": int(held.sum()), "classes": class_names(data)}
    told["kept"] = float((_classes_of(data, labels, n_clusters)[labels] == data.known)[held].mean())
    if data.y is not None and not held.all():
        told["metrics"] = evaluate(data.y[~held], labels[~held])
    return {"labels_used": True, "known": told}


def _classes_of(data: Data, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the number of the class that each cluster stands for, shape (K,), -1 for none."""
    assert data.known is not None
    held = data.known >= 0
    return classes_of_clusters(data.known[held], labels[held], n_clusters)


def class_names(data: Data) -> list[str]:
    """Return the names of the classes that the fit learned from, by number; "" for a number without known rows."""
    if data.known is None or data.classes is not None:
        return data.classes or []
    present = set(data.known.tolist())
    return [str(c) if c in present else "" for c in range(int(data.known.max()) + 1)]


def known_column(data: Data) -> dict[str, list[str]]:
    """Return the column of ``labels.csv`` with the known classes; none where the fit did not learn from any."""
    if data.known is None:
        return {}
    names = class_names(data)
    return {"known": [defuse(names[c]) if c >= 0 else "" for c in data.known.tolist()]}


def known_array(data: Data) -> dict[str, np.ndarray]:
    """Return the column of known classes as an array of the run, since ``labels.csv`` is a person's to change."""
    return {name: np.array(column) for name, column in known_column(data).items()}


def judge_baseline(found: Baseline, **more: Any) -> dict[str, Any]:
    """Return all figures of a baseline: what it took, and those of :func:`figures_of`."""
    cost = {"seconds": round(found.seconds, 3), "rows_fitted": found.rows_fitted, "n_init": found.n_init}
    return {**cost, **figures_of(found.labels, **more)}


def name_of_code(estimator: Clusterer) -> str:
    """Return what k-means on a system's own code is called among the baselines."""
    return "taught_code_kmeans" if estimator.n_known_ or estimator.n_pairs_ else "code_kmeans"


def first_baseline(data: Data, n_clusters: int, *, seed: int, seconds: float, path: Path) -> Baseline:
    """Return k-means on the raw rows; found once, also if the run is resumed.

    Parameters
    ----------
    data : Data
        The rows.
    n_clusters : int
        K.
    seed : int
        Seed.
    seconds : float
        What the fit is expected to take.
    path : Path
        Where the baseline is kept while the run lasts.

    Returns
    -------
    Baseline
        With a label for every row.

    Raises
    ------
    OtherFitError
        If what is kept there is of other rows.
    """
    fingerprint = data.source.fingerprint
    kept = _arrays_of(path)
    if {"rows", "cost", "labels", "centers"} <= kept.keys():  # of which earlier versions had fewer
        if (of_rows := str(kept["rows"])) != fingerprint:
            raise OtherFitError(f"{path} is of other rows; delete it.", {"rows": (of_rows, fingerprint)})
        spent, rows, n_init = kept["cost"].tolist()
        return Baseline(kept["labels"], spent, int(rows), int(n_init), kept["centers"])
    found = raw_kmeans(data.source, n_clusters, seed=seed, budget_seconds=SHARE * seconds)
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            labels=found.labels,
            centers=found.centers,
            cost=[found.seconds, found.rows_fitted, found.n_init],
            rows=fingerprint,
        )
    return found


def _arrays_of(path: Path) -> dict[str, np.ndarray]:
    """Return what is kept of the baseline; nothing where there is none that can be read, which is found anew."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error):
        return {}
