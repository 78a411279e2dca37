"""What a run tells of its clusters, told anew after they were changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from coterie.algorithms import Clusterer
from coterie.algorithms.edited import Assigned
from coterie.cli.choosing import (
    DOUBTFUL_PICTURES,
    JUDGED_CODE,
    SECOND_LABELS,
    agreed_column,
    doubtful_pictures,
    doubtful_rows,
)
from coterie.cli.judging import figures_of
from coterie.cli.run import stored_settings
from coterie.data import Source
from coterie.metrics import evaluate, per_class
from coterie.report import model_arrays
from coterie.report.grouped import cluster_arrays
from coterie.report.run import Run
from coterie.selection.agreement import mean_support
from coterie.selection.reasons import reason_retold

_JUDGED = ("n_clusters", "sizes", "metrics", "criteria", "per_class", "known", "choice")  # of metrics.json
_OWN_ARRAYS = ("samples", "merges", "merge_clusters", "merge_cut", "prior")  # what model_arrays may give


def assigned(run: Run, model: Clusterer) -> Assigned:
    """Return the clusters of a run's rows after all edits, from the codes that it keeps."""
    import torch

    z = torch.from_numpy(run.arrays["z"])
    return model.edits_.assign(model._assign(z), z)


def regrouped(run: Run, model: Clusterer, *, source: Source, columns: Mapping[str, Sequence[str]]) -> Run:
    """Return a run with what its arrays and metrics tell of clusters told anew.

    Parameters
    ----------
    run : Run
        As it was.
    model : Clusterer
        Its model as it is now.
    source : Source
        The rows that were fitted.
    columns : mapping of str to sequence of str
        Further columns of ``labels.csv``; the known classes are of interest.

    Returns
    -------
    Run
        As it is now; where all edits were undone, exactly as the fit left it.
    """
    found, z, labels = assigned(run, model), run.arrays["z"], model.labels_
    q, sure = found.log_q.double().softmax(1).float().numpy(), found.confidence(model.calibration_)
    metrics = _judged(run, model, q=q, sure=sure, columns=columns)
    kept = {name: value for name, value in run.arrays.items() if name not in (*_OWN_ARRAYS, DOUBTFUL_PICTURES)}
    arrays = kept | cluster_arrays(z, labels, q, source=source, sure=sure)
    if "choice" in metrics:
        arrays |= doubtful_pictures(source, metrics["choice"])
    return replace(run, arrays=arrays | model_arrays(model, seed=stored_settings(run.folder).seed), metrics=metrics)


def with_names(metrics: Mapping[str, Any], model: Clusterer) -> dict[str, Any]:
    """Return metrics with the edits in words and the clusters' names, each only where there are any."""
    told = {**metrics, "edits": model.edits_.sentences(), "cluster_names": model.cluster_names_}
    if not model.edits_.done:
        del told["edits"]
        if not model.edits_.classes:
            del told["cluster_names"]
    return told


def with_agreement(columns: Mapping[str, Sequence[str]], run: Run, model: Clusterer) -> dict[str, Sequence[str]]:
    """Return further columns of ``labels.csv`` with what the second run says of the clusters as they are now.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        The columns as they were.
    run : Run
        A run; one of an earlier version may not have kept the second run's clusters.
    model : Clusterer
        Its model as it is now.

    Returns
    -------
    dict of str to sequence of str
        With the column ``agreed`` as it is now, without it where that cannot be told any more.
    """
    if SECOND_LABELS in run.arrays:
        return {**columns, **agreed_column(_followed(run.arrays[SECOND_LABELS], model) == model.labels_)}
    lost = {"agreed"} if "choice" in run.metrics and model.edits_.regroup else set()
    return {name: values for name, values in columns.items() if name not in lost}


def _judged(
    run: Run, model: Clusterer, *, q: np.ndarray, sure: np.ndarray, columns: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return the metrics with figures of the clusters as they are now, and those of the fit beside them."""
    before = {name: run.metrics[name] for name in _JUDGED if name in run.metrics} | run.metrics.get("fitted", {})
    metrics = {name: before.get(name, value) for name, value in run.metrics.items()}
    if not model.edits_.regroup:
        metrics.pop("fitted", None)
        return metrics
    y, labels, n_clusters = run.arrays.get("y"), model.labels_, q.shape[1]
    code = run.arrays.get(JUDGED_CODE, getattr(model, "pretrained_code_", None))
    code = run.arrays["z"] if code is None else code
    metrics |= {"n_clusters": n_clusters, **figures_of(labels, n_clusters=n_clusters, y=y, code=code, q=q)}
    if y is not None:
        metrics["per_class"] = per_class(y, labels)
    if "known" in metrics:
        held = np.asarray(run.arrays.get("known", columns.get("known", ())), dtype=str)
        metrics["known"] = _known(metrics["known"], labels, y, held=held)
    if "choice" in before:
        metrics["choice"] = _choice(before["choice"], run, model, sure=sure)
    return metrics | {"fitted": before}


def _known(known: Mapping[str, Any], labels: np.ndarray, y: np.ndarray | None, *, held: np.ndarray) -> dict[str, Any]:
    """Return what a run that learned from known classes is worth on the other rows.

    Which share of the known rows is in its class's cluster is left out, as are the classes by number: clusters are no
    longer those of classes.
    """
    told = {name: value for name, value in known.items() if name not in ("kept", "classes", "metrics")}
    others = held == ""
    if y is not None and others.any() and (~others).sum() == known["n_known"]:
        told["metrics"] = evaluate(y[others], labels[others])
    return told


def _choice(choice: Mapping[str, Any], run: Run, model: Clusterer, *, sure: np.ndarray) -> dict[str, Any]:
    """Return what a choice tells of its clusters as they are now: how stable each is, and which rows are doubtful.

    A run of an earlier version did not keep the clusters of its second run; what it said of them is left out.
    """
    if SECOND_LABELS not in run.arrays:
        return {**choice, "why": reason_retold(choice["why"], None), "stability": [], "doubtful": []}
    labels, there = model.labels_, _followed(run.arrays[SECOND_LABELS], model)
    same = there == labels
    return {
        **choice,
        "why": reason_retold(choice["why"], same.mean()),
        "stability": mean_support(labels, same, n_clusters=len(model.cluster_centers_)).round(4).tolist(),
        "doubtful": doubtful_rows(labels, there, sure, names=run.names),
    }


def _followed(second: np.ndarray, model: Clusterer) -> np.ndarray:
    """Return the clusters of a second run, shape (n,), in the numbers of now.

    Each is now the first that consists of it, or is a part of it; for a row, the one that the row itself is in, if that
    is such a one: of the parts of a split the second run knows nothing. Clusters that had no counterpart have none now.
    """
    n_fitted, labels = model.edits_.n_fitted, model.labels_
    origins = model.edits_.origins()
    within = np.zeros((len(origins), max(n_fitted, int(second.max()) + 1)), dtype=bool)  # (K', clusters of both runs)
    for k, origin in enumerate(origins):
        within[k, sorted(origin)] = True
    number = np.where(within.any(0), within.argmax(0), np.arange(within.shape[1]) + len(origins) - n_fitted)
    return np.where(within[labels, second], labels, number[second])
