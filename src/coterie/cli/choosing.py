"""What ``metrics.json`` and ``labels.csv`` hold of a choice among systems."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.algorithms import SYSTEMS, Clusterer
from coterie.cli.judging import figures_of
from coterie.files import write_text
from coterie.report.images import as_pictures
from coterie.selection import Auto, align
from coterie.selection.agreement import mean_support

if TYPE_CHECKING:
    from pathlib import Path

    from coterie.cli.inputs import Data
    from coterie.data import Source

DOUBTFUL = 50  # rows that are named, the least sure first
# In arrays.npz:
SECOND_LABELS, DOUBTFUL_PICTURES = "second_labels", "doubtful_choice"
JUDGED_CODE = "judged_code"  # where partitions were judged on the code of a system that does not answer


def system_name(estimator: Clusterer) -> str:
    """Return the name of a system as the command line knows it."""
    return next(name for name, cls in SYSTEMS.items() if cls is type(estimator))


def code_before_clusters(fitted: Clusterer | Auto) -> np.ndarray | None:
    """Return the code that an autoencoder had before it knew of clusters, shape (n, d); None where there was none.

    Parameters
    ----------
    fitted : Clusterer or Auto
        What was fitted. A choice has that of the system that answers or, where it has none, of another that was tried.

    Returns
    -------
    ndarray of shape (n, d) or None
        The code.
    """
    models = [trial.model for trial in fitted.trials_] if isinstance(fitted, Auto) else [fitted]
    codes = (getattr(model, "pretrained_code_", None) for model in models)
    return next((code for code in codes if code is not None), None)


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
        ``why``, ``criterion``, ``seconds``, ``trials``, ``left_out``, ``agreement`` with ``names``, the name of the
        ``second`` run, ``stability`` of each cluster, ``doubtful`` rows and, where the number of clusters was left
        open, ``count``.
    """
    trials, lost, K = [], auto.why_not(), len(auto.cluster_centers_)
    for trial in auto.trials_:
        figures = figures_of(trial.model.labels_, n_clusters=K, y=data.y)
        told = {name: value for name, value in asdict(trial.judgement).items() if value is not None}
        told |= {"kept": trial.judgement.kept}
        told |= {} if trial.agreement is None else {"agreement_with_known": round(trial.agreement, 4)}
        told |= {"n_known": trial.model.n_known_} if trial.model.n_known_ else {}
        told |= {} if trial.learned is None else {"learned": round(trial.learned, 4)}
        told |= {"why_not": lost[trial.name]} if trial.name in lost else {}
        trials.append({"name": trial.name, "seconds": round(trial.model.fit_seconds_, 3), **told, **figures})
    second, agreed = auto.second_labels_, _agreed(auto)
    names = [trial.name for trial in auto.trials_]
    names += [] if auto.second_name_ in (None, *names) else [auto.second_name_]
    return {
        "why": auto.why(),
        "criterion": auto.criterion_,
        "seconds": round(auto.fit_seconds_, 3),
        "trials": trials,
        "left_out": auto.left_out_,
        "names": names,
        "second": auto.second_name_,
        "agreement": np.round(auto.consensus_.agreement, 4).tolist(),
        "stability": [] if agreed is None else mean_support(auto.labels_, agreed, n_clusters=K).round(4).tolist(),
        "doubtful": [] if second is None else doubtful_rows(auto.labels_, second, auto.confidence_, names=data.names),
        "count": None if auto.count_ is None else auto.count_.to_dict(),
    }


def describe(fitted: Clusterer | Auto, data: Data) -> dict[str, Any]:
    """Return what was left open and found, for the metrics: ``choice``, or ``count``; nothing where all was given."""
    if isinstance(fitted, Auto):
        return {"choice": describe_choice(fitted, data)}
    return {} if fitted.count_ is None else {"count": fitted.count_.to_dict()}


def write_history(path: Path, fitted: Clusterer | Auto) -> None:
    """Write the history of the system that was chosen, atomically; of one that was named it is there already."""
    if isinstance(fitted, Auto):
        write_text(path, "".join(json.dumps(record) + "\n" for record in fitted.best_.history_))


def choice_arrays(auto: Clusterer | Auto, data: Data, choice: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays of a choice, from which all that it says can be told again after an edit.

    Parameters
    ----------
    auto : Clusterer or Auto
        What was fitted.
    data : Data
        The rows.
    choice : mapping
        What :func:`describe_choice` returned.

    Returns
    -------
    dict of str to ndarray
        Nothing of a system that was named. Where there is a second run its clusters, ``second_labels`` (n,) int32; for
        images ``doubtful_choice``, those that the two do not agree on; ``judged_code`` (n, d), where the clusters were
        judged on the code of a system that does not answer.
    """
    if not isinstance(auto, Auto):
        return {}
    second = {} if auto.second_labels_ is None else {SECOND_LABELS: auto.second_labels_.astype(np.int32)}
    code = code_before_clusters(auto)
    lent = {} if code is None or code is getattr(auto.best_, "pretrained_code_", None) else {JUDGED_CODE: code}
    return second | lent | doubtful_pictures(data.source, choice)


def agreement_column(auto: Clusterer | Auto) -> dict[str, list[str]]:
    """Return the column of ``labels.csv`` that says whether an independent run agrees; none without such a run."""
    if not isinstance(auto, Auto) or auto.second_labels_ is None:
        return {}
    return agreed_column(auto.second_labels_ == auto.labels_)


def agreed_column(same: np.ndarray) -> dict[str, list[str]]:
    """Return the column of ``labels.csv`` from whether a second run has each row in the same cluster, shape (n,)."""
    return {"agreed": ["yes" if each else "no" for each in same.tolist()]}


def doubtful_rows(
    labels: np.ndarray, there: np.ndarray, sure: np.ndarray, *, names: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return the rows that two runs do not agree on, the least sure first.

    Parameters
    ----------
    labels, there : ndarray of shape (n,)
        Clusters in the run and in its second run, numbered alike.
    sure : ndarray of shape (n,)
        Confidence of each row.
    names : sequence of str or None
        A name for each.

    Returns
    -------
    list of dict
        At most 50, each with ``row``, ``name``, ``cluster``, ``again`` and ``confidence``; JSON-able.
    """
    moved = np.flatnonzero(there != labels)
    return [
        {
            "row": int(row),
            "name": f"row {row}" if names is None else str(names[row]),
            "cluster": int(labels[row]),
            "again": int(there[row]),
            "confidence": round(float(sure[row]), 4),
        }
        for row in moved[np.argsort(sure[moved], kind="stable")][:DOUBTFUL]
    ]


def doubtful_pictures(source: Source, choice: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the images of a choice's doubtful rows, in their order, as ``doubtful_choice``; nothing without any."""
    rows = [entry["row"] for entry in choice["doubtful"]]
    if source.spec.kind != "images" or not rows:
        return {}
    return {DOUBTFUL_PICTURES: as_pictures(source.raw(np.array(rows)), source.spec)}


def _agreed(auto: Auto) -> np.ndarray | None:
    """Return the share of the other runs, or systems, that have each row in the same cluster; None without any."""
    if auto.second_labels_ is not None:
        return (auto.second_labels_ == auto.labels_).astype(np.float64)
    others = [align(trial.model.labels_, auto.labels_) == auto.labels_ for trial in auto.trials_[1:]]
    return np.mean(others, axis=0) if others else None
