"""What ``metrics.json`` and ``labels.csv`` hold of a choice among systems."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.algorithms import SYSTEMS, Clusterer
from coterie.cli.judging import judge_partition
from coterie.files import write_text
from coterie.report.images import as_pictures
from coterie.selection import Auto, align

if TYPE_CHECKING:
    from coterie.cli.inputs import Data

DOUBTFUL = 50  # rows that are named, the least sure first


def system_name(estimator: Clusterer) -> str:
    """Return the name of a system as the command line knows it."""
    return next(name for name, cls in SYSTEMS.items() if cls is type(estimator))


def describe_choice(auto: Auto, data: Data) -> dict[str, Any]:
    """Return how a system was chosen and how far to trust it, JSON-able.

    Parameters
    ----------
    auto : Auto
        Fitted.
    data : Data
        The rows; known classes are only reported.

    Returns
    -------
    dict
        ``why``, ``criterion``, ``seconds``, ``trials``, ``left_out``, ``agreement`` with ``names``, ``stability`` of
        each cluster, ``doubtful`` rows and, where the number of clusters was left open, ``count``.
    """
    trials = []
    for trial in auto.trials_:
        figures = judge_partition(trial.model.labels_, n_clusters=len(auto.cluster_centers_), y=data.y)
        told = {**asdict(trial.judgement), "kept": trial.judgement.kept}
        told |= {} if trial.agreement is None else {"agreement_with_known": round(trial.agreement, 4)}
        trials.append({"name": trial.name, "seconds": round(trial.model.fit_seconds_, 3), **told, **figures})
    second = auto.second_labels_
    names = [trial.name for trial in auto.trials_] + ([] if second is None else [f"{auto.best_name_}, again"])
    support = _agreed(auto)
    sizes = np.bincount(auto.labels_, minlength=len(auto.cluster_centers_))
    stability = np.bincount(auto.labels_, weights=support, minlength=len(sizes)) / np.maximum(sizes, 1)
    return {
        "why": auto.why(),
        "criterion": auto.criterion_,
        "seconds": round(auto.fit_seconds_, 3),
        "trials": trials,
        "left_out": auto.left_out_,
        "names": names,
        "agreement": np.round(auto.consensus_.agreement, 4).tolist(),
        "stability": np.round(stability, 4).tolist(),
        "doubtful": _doubtful(auto, data),
        "count": None if auto.count_ is None else auto.count_.to_dict(),
    }


def tell_choice(
    fitted: Clusterer | Auto, data: Data, *, metrics: dict[str, Any], history: Path
) -> dict[str, np.ndarray]:
    """Add to the metrics what was left open and found, keep the chosen system's history, and return rows to show.

    Parameters
    ----------
    fitted : Clusterer or Auto
        What was fitted.
    data : Data
        The rows.
    metrics : dict
        Gains ``choice``, or ``count``.
    history : Path
        File for the history of the system that was chosen.

    Returns
    -------
    dict of str to ndarray
        The images that two runs do not agree on; nothing where there are none.
    """
    if not isinstance(fitted, Auto):
        if fitted.count_ is not None:
            metrics["count"] = fitted.count_.to_dict()
        return {}
    metrics["choice"] = choice = describe_choice(fitted, data)
    write_text(history, "".join(json.dumps(record) + "\n" for record in fitted.best_.history_))
    rows = [entry["row"] for entry in choice["doubtful"]]
    if data.source.spec.kind != "images" or not rows:
        return {}
    return {"doubtful_choice": as_pictures(data.source.raw(np.array(rows)), data.source.spec)}


def agreement_column(auto: Clusterer | Auto) -> dict[str, list[str]]:
    """Return the column of ``labels.csv`` that says whether an independent run agrees; none without such a run."""
    if not isinstance(auto, Auto) or auto.second_labels_ is None:
        return {}
    return {"agreed": ["yes" if same else "no" for same in (auto.second_labels_ == auto.labels_).tolist()]}


def _doubtful(auto: Auto, data: Data) -> list[dict[str, Any]]:
    """Return the rows that two runs do not agree on, the least sure first."""
    if auto.second_labels_ is None:
        return []
    there = auto.second_labels_
    moved = np.flatnonzero(there != auto.labels_)
    return [
        {
            "row": int(row),
            "name": f"row {row}" if data.names is None else str(data.names[row]),
            "cluster": int(auto.labels_[row]),
            "again": int(there[row]),
            "confidence": round(float(auto.confidence_[row]), 4),
        }
        for row in moved[np.argsort(auto.confidence_[moved], kind="stable")][:DOUBTFUL]
    ]


def _agreed(auto: Auto) -> np.ndarray:
    """Return the share of the other runs, or of the other systems, that have each row in the same cluster."""
    if auto.second_labels_ is not None:
        return (auto.second_labels_ == auto.labels_).astype(np.float64)
    others = [align(trial.model.labels_, auto.labels_) == auto.labels_ for trial in auto.trials_[1:]]
    return np.mean(others, axis=0) if others else np.ones(len(auto.labels_))
