"""The table of docs/outliers.md, made from results/outliers.jsonl."""

from __future__ import annotations

import statistics
from statistics import fmean
from typing import Any

from benchmarks.common import NOT_YET, decimal, read

Row = dict[str, Any]


def outliers() -> list[str]:
    """Return ROC-AUC and average precision of each score, as means over the classes left out."""
    groups = _groups()
    if not groups:
        return [NOT_YET]
    lines = [
        "Each class left out of the training rows in turn, and looked for among all test rows:",
        "",
        "| data | score | classes | ROC-AUC mean | lowest – highest | AP mean | median seconds to fit |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (dataset, score), rows in groups.items():
        auc, precision = ([row[name] for row in rows] for name in ("roc_auc", "average_precision"))
        span = f"{decimal(min(auc))} – {decimal(max(auc))}"
        means = f"{decimal(fmean(auc))} | {span} | {decimal(fmean(precision))}"
        classes, seconds = len({row["left_out"] for row in rows}), statistics.median(row["seconds"] for row in rows)
        lines.append(f"| {dataset} | {score} | {classes} | {means} | {seconds:.0f} |")
    machines = sorted({row["hardware"] for rows in groups.values() for row in rows})
    pyod = sorted({row["pyod"] for rows in groups.values() for row in rows if "pyod" in row})
    beside = f" PyOD {', '.join(pyod)} at its defaults, on the same rows and threads." if pyod else ""
    return [*lines, "", f"Hardware: {'; '.join(machines)}.{beside}"]


def _groups() -> dict[tuple[str, str], list[Row]]:
    """Return the latest row of each class, of seeds 0-9 and all training rows; a data set's best score comes first."""
    latest = {
        (row["dataset"], row["score"], row["left_out"], row["seed"]): row
        for row in read("outliers.jsonl")
        if row["seed"] <= 9 and row["rows"] is None
    }
    found: dict[tuple[str, str], list[Row]] = {}
    for (dataset, score, *_), row in latest.items():
        found.setdefault((dataset, score), []).append(row)
    means = {key: fmean(row["roc_auc"] for row in rows) for key, rows in found.items()}
    datasets = list(dict.fromkeys(dataset for dataset, _ in found))
    return {key: found[key] for key in sorted(found, key=lambda key: (datasets.index(key[0]), -means[key]))}
