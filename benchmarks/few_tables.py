"""The tables of docs/few-labels.md, made from results/few_labels.jsonl and suggest.jsonl."""

from __future__ import annotations

import statistics
from statistics import fmean
from typing import Any

from benchmarks.common import NOT_YET, decimal, machines, of_one_program, read
from benchmarks.few_labels import figure_of
from benchmarks.step_times import STEP_ROWS
from benchmarks.suggesting import TARGETS, WAYS, labels_needed, share_of

COUNTS = ("none", "1 a class", "10 a class", "1000", "10000", "all")
PAIRS = (
    ("snnl annealed", "snnl fixed"),
    ("snnl fixed", "softmax"),
    ("selflabel known", "dec known"),
    ("selflabel known", "softmax"),
)
Row = dict[str, Any]
Key = tuple[str, str, str]  # data, labels, method


def few() -> list[str]:
    """Return the accuracy on held-out rows by method and number of labels."""
    groups = _groups()
    lines = [
        "| data | labels in training | method | seeds | ACC mean ± sd | lowest – highest | median seconds |",
        "|---|--:|---|--:|--:|--:|--:|",
    ]
    for key, rows in groups.items():
        acc = [row[figure_of(row)] for row in rows.values()]
        spread = f" ± {decimal(statistics.stdev(acc))}" if len(acc) > 1 else ""
        span = f"{decimal(min(acc))} – {decimal(max(acc))}" if len(acc) > 1 else ""
        seconds = statistics.median(row["seconds"] for row in rows.values())
        told = f"{key[0]} | {max(row['labels_used'] for row in rows.values()):,} | {key[2]} | {len(rows)}"
        lines.append(f"| {told} | {decimal(fmean(acc))}{spread} | {span} | {seconds:.0f} |")
    if not groups:
        return [NOT_YET]
    hardware = machines(row for rows in groups.values() for row in rows.values())
    return [*lines, "", f"Fitted on the train part, scored on the test part. Hardware: {hardware}."]


def paired() -> list[str]:
    """Return how far two methods differ with the same labels and seeds."""
    lines = ["| data | labels | method | minus | seeds | mean ± sd | lowest – highest | ahead in |"]
    lines.append("|---|--:|---|---|--:|--:|--:|--:|")
    groups = _groups()
    for (dataset, labels, method), rows in groups.items():
        for first, second in PAIRS:
            others = groups.get((dataset, labels, second), {})
            shared = sorted(rows.keys() & others.keys())
            if method != first or not shared:
                continue
            found = [rows[seed][figure_of(rows[seed])] - others[seed][figure_of(others[seed])] for seed in shared]
            spread = f" ± {decimal(statistics.stdev(found))}" if len(found) > 1 else ""
            span = f"{_signed(min(found))} – {_signed(max(found))}" if len(found) > 1 else ""
            figures = f"{_signed(fmean(found))}{spread} | {span}"
            ahead = f"{sum(value > 0 for value in found)} of {len(found)}"
            lines.append(f"| {dataset} | {labels} | {first} | {second} | {len(found)} | {figures} | {ahead} |")
    return lines if len(lines) > 2 else [NOT_YET]


def steps() -> list[str]:
    """Return what a step with labels costs beside the plain autoencoder's: the latest of each network and precision."""
    rows = [row for row in read("few_labels.jsonl") if row["method"] == "step" and row["labels_used"] == STEP_ROWS]
    kept = [row for row in rows if not row["commit"].endswith("+changes")]
    rows = list({(row["network"], row["precision"]): row for row in kept}.values())
    lines = ["| network | milliseconds | without labels | ratio | precision | hardware | commit |"]
    lines.append("|---|--:|--:|--:|---|---|---|")
    for row in rows:
        figures = f"{row['milliseconds']:.1f} | {row['milliseconds_plain']:.1f} | {row['ratio']:.2f}"
        lines.append(f"| {row['network']} | {figures} | {row['precision']} | {row['hardware']} | {row['commit']} |")
    return lines if rows else [NOT_YET]


def suggested() -> list[str]:
    """Return how many labels suggested and random rows need to reach an accuracy, as medians over seeds."""
    lines = [
        "| data | system | learner | accuracy to reach | seeds | suggested | random | share | median | of each seed |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows = [row for row in read("suggest.jsonl") if row["seed"] <= 9 and row["rows"] is None and row["steps"] is None]
    latest = of_one_program(rows, lambda row: (row["dataset"], row["system"], row["learner"], row["way"]))
    for dataset, system, learner in dict.fromkeys((row["dataset"], row["system"], row["learner"]) for row in latest):
        if dataset not in TARGETS:
            continue
        needed: dict[str, dict[int, float]] = {way: {} for way in WAYS}
        for row in latest:
            if (row["dataset"], row["system"], row["learner"]) == (dataset, system, learner):
                needed[row["way"]][row["seed"]] = labels_needed(row["curve"], TARGETS[dataset])
        both = sorted(needed["suggest"].keys() & needed["random"].keys())
        if not both:
            continue
        suggest, random = (statistics.median(needed[way][seed] for seed in both) for way in ("suggest", "random"))
        shares = sorted(share_of(needed["suggest"][seed], needed["random"][seed]) for seed in both)
        told = f"{_share(share_of(suggest, random))} | {_share(statistics.median(shares))}"
        counts = f"{_most(suggest)} | {_most(random)} | {told} | {', '.join(map(_share, shares))}"
        lines.append(f"| {dataset} | {system} | {learner} | {decimal(TARGETS[dataset])} | {len(both)} | {counts} |")
    return lines if len(lines) > 2 else [NOT_YET]


def _groups() -> dict[Key, dict[int, Row]]:
    """Return the latest row of each seed, of all rows at full length and of one program; most labels last."""
    rows = [
        row
        for row in read("few_labels.jsonl")
        if row["method"] != "step" and row["seed"] <= 9 and row.get("rows") is None and row.get("steps") is None
    ]
    found: dict[Key, dict[int, Row]] = {}
    # With one label a class SelfLabel has other teachers, which is one rule all the same.
    for row in of_one_program(rows, lambda row: (row["dataset"], row["method"], row["labels"] == COUNTS[1])):
        found.setdefault((row["dataset"], row["labels"], row["method"]), {})[row["seed"]] = row
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    return {key: found[key] for key in sorted(found, key=lambda key: (datasets.index(key[0]), COUNTS.index(key[1])))}


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{decimal(abs(value))}"


def _share(share: float) -> str:
    return f"{share:.2f}" if share < float("inf") else "–"


def _most(needed: float) -> str:
    return f"{needed:g}" if needed < float("inf") else "more than were tried"
