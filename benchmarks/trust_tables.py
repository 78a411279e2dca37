"""The tables of docs/trust.md, made from results/trust.jsonl, counts.jsonl and strange.jsonl."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from benchmarks.common import NOT_YET, decimal, read

SIMPLE = ("kmeans", "mixture", "spectral")  # what a data set's best simple baseline is looked for among
DEVELOPMENT = 100  # the first seed that is looked at while defaults are chosen
Row = dict[str, Any]


def choices() -> list[str]:
    """Return, for each data set, what was chosen, what that is worth, and what every candidate would have been."""
    groups = _by_dataset(row for row in read("trust.jsonl") if not row.get("alone"))
    names = list(dict.fromkeys(name for rows in groups.values() for row in rows for name in row["trials"]))
    lines = [
        f"| data | seeds | chosen | ACC | best of all | {' | '.join(names)} "
        "| sure half | seconds | times the chosen fit |",
        "|---|--:|---|--:|--:|" + "--:|" * len(names) + "--:|--:|--:|",
    ]
    for dataset, rows in groups.items():
        each = [[row["trials"][name]["accuracy"] for row in rows if name in row["trials"]] for name in names]
        cells = [
            dataset,
            str(len(rows)),
            ", ".join(dict.fromkeys(row["chosen"] for row in rows)),
            f"**{decimal(fmean(row['accuracy'] for row in rows))}**",
            decimal(fmean(_best(row, row["trials"]) for row in rows)),
            *(decimal(fmean(values)) if values else "–" for values in each),
            _mean_of(_calibrated(rows), "sure_half", of=len(rows)),
            f"{statistics.median(row['seconds'] for row in rows):.0f}",
            f"{statistics.median(_cost(row) for row in rows):.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *_verdict(groups, names)] if groups else [NOT_YET]


def confidences() -> list[str]:
    """Return, for each data set, how the choice scatters over seeds, and how far it knows how sure it is."""
    lines = [
        "| data | seeds | chosen | ACC | least F of a class | agreed | sure half | calibration error | by labels "
        "| seconds | times the chosen fit |",
        "|---|--:|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for dataset, rows in _by_dataset(read("trust.jsonl")).items():
        cells = [
            dataset,
            str(len(rows)),
            ", ".join(dict.fromkeys(row["chosen"] for row in rows)),
            _scatter([row["accuracy"] for row in rows]),
            decimal(min(row["worst_f"] for row in rows)),
            _mean_of(rows, "agreed", of=len(rows)),
            *(
                _mean_of(_calibrated(rows), name, of=len(rows))
                for name in ("sure_half", "calibration_error", "calibration_error_by_labels")
            ),
            f"{statistics.median(row['seconds'] for row in rows):.0f}",
            f"{statistics.median(_cost(row) for row in rows):.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines if len(lines) > 2 else [NOT_YET]


def _calibrated(rows: list[Row]) -> list[Row]:
    """Return the rows whose confidences are by today's rule; their clusters are of today's in any case."""
    return [row for row in rows if "calibration" in row]


def peers() -> list[str]:
    """Return what other libraries' methods find at their defaults, beside the choice."""
    groups = {
        name: [row for row in rows if row.get("peers")] for name, rows in _by_dataset(read("trust.jsonl")).items()
    }
    groups = {name: rows for name, rows in groups.items() if rows}
    names = list(dict.fromkeys(name for rows in groups.values() for row in rows for name in row["peers"]))
    lines = [f"| data | seeds | chosen | {' | '.join(names)} |", "|---|--:|--:|" + "--:|" * len(names)]
    for dataset, rows in groups.items():
        each = [[row["peers"][name] for row in rows if row["peers"].get(name) is not None] for name in names]
        cells = [decimal(fmean(values)) if values else "–" for values in each]
        lines.append(
            f"| {dataset} | {len(rows)} | **{decimal(fmean(row['accuracy'] for row in rows))}** | {' | '.join(cells)} |"
        )
    return lines if groups else [NOT_YET]


def counts() -> list[str]:
    """Return how many clusters were found where nobody said how many."""
    lines = ["| data | runs | exact | off by one at most | found (classes) |", "|---|--:|--:|--:|---|"]
    for dataset, every in _by_dataset(read("counts.jsonl")).items():
        rows = {row["seed"]: row for row in every}.values()  # the last of each
        off = [abs(row["found"] - row["classes"]) for row in rows]
        pairs = Counter((row["found"], row["classes"]) for row in rows)
        told = ", ".join(f"{found} ({k})" + (f" x {n}" if n > 1 else "") for (found, k), n in pairs.items())
        lines.append(f"| {dataset} | {len(rows)} | {off.count(0)} | {sum(x <= 1 for x in off)} | {told} |")
    return lines if len(lines) > 2 else [NOT_YET]


def strange() -> list[str]:
    """Return how well digits that were left out of training are told from the others."""
    rows = sorted({row["digit"]: row for row in read("strange.jsonl")}.values(), key=lambda row: row["digit"])
    lines = ["| digit left out | ROC-AUC | flagged | flagged of the other digits |", "|---|--:|--:|--:|"]
    for row in rows:
        shares = f"{row['flagged']:.0%} | {row['flagged_of_known']:.1%}"
        lines.append(f"| {row['digit']} | {decimal(row['auc'])} | {shares} |")
    if rows:
        mean = [fmean(row[name] for row in rows) for name in ("auc", "flagged", "flagged_of_known")]
        lines.append(f"| mean | {decimal(mean[0])} | {mean[1]:.0%} | {mean[2]:.1%} |")
    return lines


def _verdict(groups: dict[str, list[Row]], names: list[str]) -> list[str]:
    """Return means over the data sets, in a sentence."""
    per_set = list(groups.values())
    ours = fmean(fmean(row["accuracy"] for row in rows) for rows in per_set)
    oracle = fmean(fmean(_best(row, row["trials"]) for row in rows) for rows in per_set)
    fixed = {}
    for name in names:
        if all(name in row["trials"] for rows in per_set for row in rows):
            fixed[name] = fmean(fmean(row["trials"][name]["accuracy"] for row in rows) for rows in per_set)
    best = max(fixed, key=lambda name: fixed[name])
    short = {name: fmean(row["accuracy"] - _best(row, SIMPLE) for row in rows) for name, rows in groups.items()}
    worst = min(short, key=lambda name: short[name])
    return [
        f"Mean over the {len(groups)} data sets: chosen {decimal(ours)}, best of all by labels {decimal(oracle)}, the "
        f"best single candidate everywhere {decimal(fixed[best])} ({best}). Furthest below the best simple baseline "
        f"(k-means, mixture, spectral): {short[worst]:+.3f} on {worst}. No labels used in fitting or choosing."
    ]


def _by_dataset(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows by data set, the latest of each seed, but those of seeds for development."""
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        if row["seed"] < DEVELOPMENT:
            found.setdefault(row["dataset"], {})[row["seed"]] = row
    return {dataset: list(seeds.values()) for dataset, seeds in found.items()}


def _scatter(values: list[float]) -> str:
    """Return mean, standard deviation, and the lowest and highest, as far as there are several."""
    if len(values) == 1:
        return decimal(values[0])
    bounds = f"({decimal(min(values))} – {decimal(max(values))})"
    return f"{decimal(fmean(values))} ± {decimal(statistics.stdev(values))} {bounds}"


def _mean_of(rows: list[Row], name: str, *, of: int) -> str:
    """Return the mean of a figure where rows have it, and their number where that is not all."""
    values = [row[name] for row in rows if row[name] is not None]
    return decimal(fmean(values)) + (f" ({len(values)})" if len(values) < of else "") if values else "–"


def _cost(row: Row) -> float:
    """Return how many times the chosen candidate's own fit the whole choice took."""
    return row["seconds"] / max(row["trials"][row["chosen"]]["seconds"], 1e-3)


def _best(row: Row, among: Iterable[str]) -> float:
    return max(row["trials"][name]["accuracy"] for name in among)
