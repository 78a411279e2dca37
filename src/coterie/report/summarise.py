"""The facts of a run: a folder in, a plain dictionary out."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from coterie.report.changed import of_fit
from coterie.report.choice import about_silhouettes, system_title
from coterie.report.clusters import balance, describe_clusters
from coterie.report.known import known_sentence, role_of_labels
from coterie.report.run import Run, read_run
from coterie.report.training import describe_training
from coterie.report.tree import merge_tree
from coterie.report.wording import (
    METRICS,
    MOST_CLASSES,
    baseline_name,
    beside,
    duration,
    headline,
    percent,
    sureness,
    warnings_about,
)

_BINS = 20
_CONTESTED = {True: ("accuracy", "nmi", "ari"), False: ("silhouette",)}  # what is drawn, with labels and without


def summarise(run_folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Gather the facts of a run that a report tells.

    Parameters
    ----------
    run_folder : path-like
        The folder that ``coterie fit`` made: at least ``metrics.json`` and ``arrays.npz``.

    Returns
    -------
    dict
        JSON-able: ``title``, ``headline``, ``beside``, ``warnings``, ``facts``, ``noun``, ``comparison``, ``of_fit``,
        ``figures``, ``n_known``, ``clusters``, ``called``, ``edits``, ``balance``, ``tree`` (None without merges),
        ``agreement`` (None without labels, or with too many to draw), ``training``, ``confidence``,
        ``reconstruction``, ``map``, ``network``, ``settings``, ``environment`` and ``commands``.

    Raises
    ------
    InputError
        If the folder is not that of a finished run or a file in it is damaged.

    Examples
    --------
    >>> from coterie.report import summarise
    >>> summarise("nowhere")
    Traceback (most recent call last):
        ...
    coterie.errors.InputError: nowhere is not a folder: a report is made from a run folder.
    """
    return facts_of(read_run(run_folder))


def facts_of(run: Run) -> dict[str, Any]:
    """Gather the facts of a run that was read already.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    dict
        See :func:`summarise`.
    """
    own = _figures(run.metrics)
    baselines = {key: _figures(entry) for key, entry in run.metrics.get("baselines", {}).items()}
    for figures in baselines.values():
        figures.pop("entropy", None)  # k-means never doubts, which says nothing about how sure it could be
    others = {baseline_name(key, run.noun): values for key, values in baselines.items()}
    sizes = np.bincount(run.labels, minlength=run.n_clusters).tolist()
    y = run.arrays.get("y")
    n_classes = None if y is None else len(np.unique(y))
    return {
        "title": f"{system_title(run.metrics)} on {run.metrics.get('dataset') or run.folder.name}",
        "headline": headline(own, sizes=sizes, noun=run.noun, sure=sureness(run.arrays["q_max"]), n_known=run.n_known),
        "beside": f"{beside(own, baselines, noun=run.noun)} {of_fit(run.metrics)}".strip(),
        "warnings": warnings_about(sizes, noun=run.noun, n_classes=n_classes),
        "facts": _head(run),
        "noun": run.noun,
        "comparison": _comparison(run, own, others),
        "silhouettes": about_silhouettes(run.metrics),
        "of_fit": of_fit(run.metrics),
        "n_known": run.n_known,
        "figures": _table(run, own, others),
        "clusters": describe_clusters(run),
        "called": run.cluster_names,
        "edits": run.metrics.get("edits", []),
        "balance": balance(sizes, run.arrays.get("prior"), noun=run.noun),
        "tree": _tree(run),
        "agreement": _agreement(run) if n_classes is not None and n_classes <= MOST_CLASSES else None,
        "training": describe_training(run),
        "confidence": _confidence(run.arrays["q_max"], run.n_clusters),
        "reconstruction": _reconstruction(run),
        "map": {
            "method": str(run.arrays["map_method"]),
            "points": len(run.arrays["map_rows"]),
            "rows": len(run.labels),
        },
        "network": str(run.arrays.get("network_summary", "")),
        "settings": flatten(run.config) + flatten(run.metrics.get("settings", {}), "chosen."),
        "environment": flatten(run.environment),
        "commands": _commands(run),
    }


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Lay nested settings out as dotted names with their values as text.

    Parameters
    ----------
    values : mapping
        Settings; mappings may hold mappings.
    prefix : str, default=""
        What to put before each name.

    Returns
    -------
    list of (str, str)
        One pair for each value.

    Examples
    --------
    >>> from coterie.report.summarise import flatten
    >>> flatten({"k": 10, "train": {"steps": 400, "fused": True}})
    [('k', '10'), ('train.steps', '400'), ('train.fused', 'yes')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += flatten(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", _text(value)))
    return rows


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return "–" if value is None else str(value)


def _figures(entry: Mapping[str, Any]) -> dict[str, float]:
    """All figures of a run or a baseline, wherever they stand within its entry."""
    places = (entry, entry.get("criteria") or {}, entry.get("metrics") or {})
    return {key: float(place[key]) for place in places for key in METRICS if isinstance(place.get(key), int | float)}


def _head(run: Run) -> list[tuple[str, str]]:
    metrics = run.metrics
    rows = [("Data", f"{len(run.labels):,} {run.arrays['describe']}"), ("Clusters", str(run.n_clusters))]
    if metrics.get("recipe"):
        rows.append(("Recipe", str(metrics["recipe"])))
    if isinstance(metrics.get("seconds"), int | float):
        rows.append(("Time to fit", duration(metrics["seconds"])))
    if metrics.get("seed") is not None:
        rows.append(("Seed", str(metrics["seed"])))
    if "known" in metrics:
        rows.append(("Known labels", known_sentence(metrics["known"])))
    elif "y" not in run.arrays:
        rows.append(("Labels", "none given"))
    if "y" in run.arrays:
        rows.append(("Labels", role_of_labels(metrics.get("known"))))
    return rows


def _comparison(run: Run, own: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    charts = []
    for key in _CONTESTED["accuracy" in own]:
        ours = f"{system_title(run.metrics)}, this run"
        bars = [{"name": ours, "value": own[key], "own": True}] if key in own else []
        bars += [{"name": name, "value": values[key], "own": False} for name, values in others.items() if key in values]
        if bars:
            charts.append({"key": key, "title": METRICS[key][0], "help": METRICS[key][1], "bars": bars})
    return charts


def _table(run: Run, own: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    columns = [key for key in METRICS if key in own or any(key in values for values in others.values())]
    entries = [(f"{system_title(run.metrics)}, this run", run.metrics, own)]
    baselines = run.metrics.get("baselines", {})
    entries += [(name, baselines[key], values) for (name, values), key in zip(others.items(), baselines, strict=True)]
    rows = []
    for name, entry, values in entries:
        fitted = entry.get("rows_fitted")
        rows.append(
            {
                "name": name,
                "values": [values.get(key) for key in columns],
                "time": duration(entry["seconds"]) if isinstance(entry.get("seconds"), int | float) else "–",
                "fitted": f"fitted on {fitted:,} of {len(run.labels):,}" if fitted and fitted < len(run.labels) else "",
            }
        )
    return {
        "columns": [{"key": key, "title": METRICS[key][0], "help": METRICS[key][1]} for key in columns],
        "rows": rows,
    }


def _agreement(run: Run) -> dict[str, Any]:
    """Classes against clusters, the clusters in the order of the classes they are paired with."""
    from coterie.metrics import match, per_class

    y, labels = run.arrays["y"], run.labels
    classes, codes = np.unique(y, return_inverse=True)
    counts = np.zeros((len(classes), run.n_clusters), dtype=np.int64)
    np.add.at(counts, (codes, labels), 1)
    paired = {int(label): int(cluster) for cluster, label in match(codes, labels).mapping.items()}
    order = [paired[c] for c in range(len(classes)) if c in paired]
    order += [k for k in range(run.n_clusters) if k not in order]
    return {
        "classes": [str(value) for value in classes],
        "order": order,
        "paired": [paired.get(c) for c in range(len(classes))],
        "counts": counts[:, order].tolist(),
        "totals": counts.sum(1).tolist(),
        "per_class": [{**entry, "class": str(entry["class"])} for entry in per_class(y, labels)],
    }


def _tree(run: Run) -> dict[str, Any] | None:
    if "merges" not in run.arrays:
        return None
    cut = int(run.arrays.get("merge_cut", run.n_clusters))  # clusters may have been edited since
    return merge_tree(run.arrays["merges"], run.arrays["merge_clusters"], cut)


def _confidence(q_max: np.ndarray, n_clusters: int) -> dict[str, Any]:
    counts, edges = np.histogram(q_max, bins=_BINS, range=(0.0, 1.0))
    sure = sureness(q_max)
    return {
        "counts": counts.tolist(),
        "edges": np.round(edges, 6).tolist(),
        "floor": 1 / n_clusters,
        "sentence": f"{percent(sure)} above .9, {percent(float((q_max < 0.5).mean()))} below .5.",
    }


def _reconstruction(run: Run) -> dict[str, Any] | None:
    if "reconstructions" not in run.arrays:
        return None
    names = run.arrays.get("names")
    rows = run.arrays["reconstruction_rows"].tolist()
    return {"rows": [{"row": row, "name": f"row {row}" if names is None else str(names[row])} for row in rows]}


def _commands(run: Run) -> list[tuple[str, str]]:
    folder = run.folder.resolve().name
    name = shlex.quote(f"./{folder}" if folder.startswith("-") else folder)  # else it would be taken for a flag
    model = f"{folder}/model"
    new = "NEW_IMAGES" if run.is_images else "NEW_ROWS.csv"
    merge = [f"coterie merge {name} 0 1"] if run.n_clusters > 1 else []
    found = [
        ("Clusters of new data, as a table", f"coterie predict {name} {new} --out labels.csv"),
        (
            "Clusters as you see them, each line by itself; undo takes the last change back",
            "\n".join([f"coterie rename {name} 0 NAME", *merge, f"coterie split {name} 0", f"coterie undo {name}"]),
        ),
        ("Codes of new data, for your own tools", f"coterie embed {name} {new} --out z.npy"),
        (
            "The same in Python",
            f"import coterie\nmodel = coterie.load({model!r})\nlabels = model.predict(X)",
        ),
    ]
    if run.config:
        found.append(("Run it again", f"coterie fit --config {name}/config.toml --out ANOTHER_FOLDER"))
    return found
