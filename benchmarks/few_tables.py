"""The tables of docs/few-labels.md, made from results/few_labels.jsonl and suggest.jsonl."""

from __future__ import annotations

import statistics
from statistics import fmean
from typing import Any

from benchmarks.common import NOT_YET, decimal, read
from benchmarks.suggesting import labels_needed

TARGETS = {"fashion-mnist": 0.78}  # accuracy that suggested and random labels are to reach
COUNTS = ("none", "1 a class", "10 a class", "1000", "10000", "all")
Row = dict[str, Any]


def few() -> list[str]:
    """Return the accuracy on held-out rows by method and number of labels."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in _latest():
        groups.setdefault((row["dataset"], row["labels"], row["method"]), []).append(row)
    lines = [
        "| data | labels in training | method | seeds | ACC mean ± sd | lowest – highest | median seconds |",
        "|---|--:|---|--:|--:|--:|--:|",
    ]
    datasets = list(dict.fromkeys(dataset for dataset, *_ in groups))
    for key in sorted(groups, key=lambda key: (datasets.index(key[0]), COUNTS.index(key[1]))):
        rows = groups[key]
        acc = [row["accuracy"] for row in rows]
        spread = f" ± {decimal(statistics.stdev(acc))}" if len(acc) > 1 else ""
        span = f"{decimal(min(acc))} – {decimal(max(acc))}" if len(acc) > 1 else ""
        seconds = statistics.median(row["seconds"] for row in rows)
        told = f"{key[0]} | {max(row['labels_used'] for row in rows):,} | {key[2]} | {len(rows)}"
        lines.append(f"| {told} | {decimal(fmean(acc))}{spread} | {span} | {seconds:.0f} |")
    return [*lines, "", _machines(_latest())] if groups else [NOT_YET]


def suggested() -> list[str]:
    """Return how many labels suggested and random rows need to reach an accuracy, as medians over seeds."""
    lines = ["| data | learner | accuracy to reach | seeds | suggested | random |", "|---|---|--:|--:|--:|--:|"]
    rows = [row for row in read("suggest.jsonl") if row["seed"] <= 9 and row["rows"] is None]
    for dataset, learner in dict.fromkeys((row["dataset"], row["learner"]) for row in rows):
        if dataset not in TARGETS:
            continue
        mine = [row for row in rows if (row["dataset"], row["learner"]) == (dataset, learner)]
        seeds = sorted({row["seed"] for row in mine})
        needed = {
            way: statistics.median(
                labels_needed([row for row in mine if row["way"] == way], seed, TARGETS[dataset]) for seed in seeds
            )
            for way in ("suggest", "random")
        }
        told = f"{dataset} | {learner} | {decimal(TARGETS[dataset])} | {len(seeds)}"
        lines.append(f"| {told} | {needed['suggest']:g} | {needed['random']:g} |")
    return lines if len(lines) > 2 else [NOT_YET]


def _latest() -> list[Row]:
    """Return the latest row of each run on all rows and at full length, of seeds 0-9."""
    found = {
        (row["dataset"], row["labels"], row["method"], row["seed"]): row
        for row in read("few_labels.jsonl")
        if row["method"] != "step" and row["seed"] <= 9 and row.get("rows") is None and row.get("steps") is None
    }
    return list(found.values())


def _machines(rows: list[Row]) -> str:
    kinds = sorted({row["hardware"] for row in rows})
    return f"Fitted on the train part, scored on the test part. Hardware: {'; '.join(kinds)}."
