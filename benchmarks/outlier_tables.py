"""The table of docs/outliers.md, made from results/outliers.jsonl."""

from __future__ import annotations

import statistics
from statistics import fmean
from typing import Any

from benchmarks.common import NOT_YET, decimal, machines, of_one_program, read

Row = dict[str, Any]
Runs = dict[int, dict[int, Row]]  # by seed and class


def outliers() -> list[str]:
    """Return ROC-AUC and average precision of each score, as means over the classes left out, and over seeds."""
    groups = _groups()
    if not groups:
        return [NOT_YET]
    lines = [
        "Each class left out of the training rows in turn, and looked for among all test rows:",
        "",
        "| data | score | seeds | ROC-AUC mean ± sd | lowest – highest of classes | AP mean | median seconds to fit |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    partial = []
    for (dataset, score), runs in groups.items():
        whole = {seed: classes for seed, classes in runs.items() if len(classes) == _n_classes(dataset)}
        partial += [
            f"{dataset}, {score}, seed {seed}: {decimal(fmean(row['roc_auc'] for row in classes.values()))} over "
            f"{_listed(classes)}"
            for seed, classes in runs.items()
            if seed not in whole
        ]
        if whole:
            lines.append(_line(dataset, score, whole))
    rows = [row for runs in groups.values() for classes in runs.values() for row in classes.values()]
    pyod = sorted({row["pyod"] for row in rows if "pyod" in row})
    beside = f" PyOD {', '.join(pyod)} at its defaults, on the same rows and threads." if pyod else ""
    unfinished = ["", f"Not all classes yet: {'; '.join(partial)}."] if partial else []
    return [*lines, *unfinished, "", f"Hardware: {machines(rows)}.{beside}"]


def _line(dataset: str, score: str, runs: Runs) -> str:
    rows = [row for classes in runs.values() for row in classes.values()]
    means = [fmean(row["roc_auc"] for row in classes.values()) for classes in runs.values()]
    by_class = [fmean(classes[c]["roc_auc"] for classes in runs.values()) for c in range(_n_classes(dataset))]
    spread = f" ± {decimal(statistics.stdev(means))}" if len(means) > 1 else ""
    span = f"{decimal(min(by_class))} – {decimal(max(by_class))}"
    precision = decimal(fmean(row["average_precision"] for row in rows))
    seconds = statistics.median(row["seconds"] for row in rows)
    told = f"{dataset} | {score} | {len(runs)} | {decimal(fmean(means))}{spread}"
    return f"| {told} | {span} | {precision} | {seconds:.0f} |"


def _n_classes(dataset: str) -> int:
    from coterie.datasets import DATASETS

    return len(DATASETS[dataset].classes)


def _listed(classes: dict[int, Row]) -> str:
    some = ", ".join(map(str, sorted(classes)))
    return f"class{'es' * (len(classes) > 1)} {some}"


def _groups() -> dict[tuple[str, str], Runs]:
    """Return the latest row of each seed and class, of seeds 0-9 and all training rows; a set's best score is first."""
    rows = [row for row in read("outliers.jsonl") if row["seed"] <= 9 and row["rows"] is None]
    found: dict[tuple[str, str], Runs] = {}
    # Resolved settings count steps, which follow the number of rows: they differ from class to class.
    for row in of_one_program(rows, lambda row: (row["dataset"], row["score"], row["left_out"])):
        found.setdefault((row["dataset"], row["score"]), {}).setdefault(row["seed"], {})[row["left_out"]] = row
    means = {
        key: fmean(row["roc_auc"] for classes in runs.values() for row in classes.values())
        for key, runs in found.items()
    }
    datasets = list(dict.fromkeys(dataset for dataset, _ in found))
    return {key: found[key] for key in sorted(found, key=lambda key: (datasets.index(key[0]), -means[key]))}
