"""Write the tables of README.md and docs/ from the results, or check that they are what the results say.

python -m benchmarks.tables [--check]
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from statistics import fmean
from typing import Any

from benchmarks import budgets, few_tables, outlier_tables, trust_tables
from benchmarks.accuracy import FORMS
from benchmarks.common import ROOT, decimal, read
from benchmarks.published import PUBLISHED

README, RESULTS_PAGE, TRUST_PAGE = ROOT / "README.md", ROOT / "docs" / "results.md", ROOT / "docs" / "trust.md"
OUTLIERS_PAGE, LABELS_PAGE = ROOT / "docs" / "outliers.md", ROOT / "docs" / "few-labels.md"
PAGES = (README, RESULTS_PAGE, TRUST_PAGE, OUTLIERS_PAGE, LABELS_PAGE)
TITLES = {
    "mnist": "MNIST 70,000",
    "mnist10k": "MNIST-10k",
    "fashion-mnist": "Fashion-MNIST",
    "usps": "USPS",
    "pendigits": "Pendigits",
}
Row = dict[str, Any]
Key = tuple[str, str, str | None]  # data, system, recipe


def main() -> None:
    """Write, or with ``--check`` compare."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        new = render(text)
        if "--check" not in sys.argv:
            page.write_text(new, encoding="utf-8")
        elif new != text:
            raise SystemExit(f"{page.name} differs from benchmarks/results; run python -m benchmarks.tables")


def render(text: str) -> str:
    """Return the text with every table between its markers made anew."""
    for name, make in {
        "accuracy": accuracy,
        "speed": speed,
        "systems": systems,
        "simple": simple,
        "curves": curves,
        "choices": trust_tables.choices,
        "confidences": trust_tables.confidences,
        "peers": trust_tables.peers,
        "counts": trust_tables.counts,
        "strange": trust_tables.strange,
        "budgets": budgets.table,
        "outliers": outlier_tables.outliers,
        "few": few_tables.few,
        "paired": few_tables.paired,
        "steps": few_tables.steps,
        "suggested": few_tables.suggested,
    }.items():
        start, end = f"<!-- table:{name} -->", "<!-- end -->"
        before, found, rest = text.partition(start)
        if found:
            _, ended, after = rest.partition(end)
            if not ended:
                raise SystemExit(f"The table {name!r} has no {end!r} after it, so what follows it would be lost.")
            text = "\n".join([f"{before}{start}", *make(), f"{end}{after}"])
    return text


def groups() -> dict[Key, list[Row]]:
    """Return the rows of seeds 0-9 by data, system and recipe, in the order of the tables."""
    from coterie.algorithms import SYSTEMS

    found: dict[Key, dict[int, Row]] = {}
    for row in read("accuracy.jsonl"):
        if row["seed"] <= 9:
            group = found.setdefault((row["dataset"], row["system"], row["recipe"]), {})
            if any(other["settings"] != row["settings"] for other in group.values()):
                group.clear()  # a mean is over runs of one and the same program
            group[row["seed"]] = row
    order = sorted(found, key=lambda key: (list(TITLES).index(key[0]), list(SYSTEMS).index(key[1]), key[2] or ""))
    return {key: list(found[key].values()) for key in order}


def accuracy() -> list[str]:
    """Return the table of DEC at its defaults."""
    shown = {key: rows for key, rows in groups().items() if key[1] == "dec" and key[2] is None}
    lines = [
        "| data | system | seeds | ACC mean ± sd | lowest – highest | NMI | ARI "
        "| k-means on the autoencoder's code | k-means on rows | median seconds | peak MB |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_line(key, rows) for key, rows in shown.items()),
    ]
    return [*lines, "", *_hardware(row for rows in shown.values() for row in rows)]


def systems() -> list[str]:
    """Return the table of all systems and recipes, with what was published beside it."""
    all_rows = groups()
    lines = [
        "| data | system | seeds | ACC mean ± sd | lowest – highest | NMI | ARI "
        "| k-means on the autoencoder's code | k-means on rows | median seconds | peak MB "
        "| published ACC (runs) | source |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for key, rows in all_rows.items():
        acc, runs, source = PUBLISHED.get(key, ("–", "", ""))
        lines.append(f"{_line(key, rows)} {acc}{f' ({runs})' if runs else ''} | {source} |")
    return [*lines, "", *_hardware(row for rows in all_rows.values() for row in rows)]


def simple() -> list[str]:
    """Return the table of simple methods on the rows as they are."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in read("simple.jsonl"):
        if row["seed"] <= 9:
            found.setdefault((row["dataset"], row["method"]), []).append(row)
    lines = [
        "| data | method | seeds | ACC mean ± sd | lowest – highest | NMI | ARI |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (dataset, method), rows in sorted(found.items(), key=lambda item: list(TITLES).index(item[0][0])):
        cells = [TITLES[dataset], method, str(len(rows)), *_figures(rows)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def curves() -> list[str]:
    """Return, for each system that is judged as it learns, the accuracy over time of its median run."""
    lines = ["| data | system | minutes: ACC |", "|---|---|---|"]
    for key, rows in groups().items():
        row = sorted(rows, key=lambda r: r["accuracy"])[len(rows) // 2]
        points = row.get("curve") or []
        if len(points) > 2:
            shown = points[:: max(1, len(points) // 6)]
            told = ", ".join(f"{seconds / 60:.1f}: {decimal(acc)}" for seconds, acc in shown)
            lines.append(f"| {TITLES[key[0]]} | {_name(key)} | {told} |")
    return lines


def speed() -> list[str]:
    """Return the table of speed, memory, the demo and the kills: the latest row of each name, times on each machine."""
    rows = read("speed.jsonl")
    # How much faster than something else depends on the machine; how much memory does not.
    latest = {(row["name"], row["hardware"] if row["unit"] != "MB" else ""): row for row in rows}
    names, machines = (list(dict.fromkeys(row[key] for row in rows)) for key in ("name", "hardware"))
    lines = ["| what | figure | against | machine |", "|---|--:|---|---|"]
    order = sorted(latest.values(), key=lambda r: (names.index(r["name"]), machines.index(r["hardware"])))
    for row in order:
        more = ""
        if "seconds_versus" in row:
            more = f": {row['seconds']:.0f} s, ACC {decimal(row['accuracy'])}, against {row['seconds_versus']:.0f} s"
        cells = [f"{row['name']}{more}", f"{row['value']:g} {row['unit']}", row["versus"], row["hardware"]]
        lines.append("| " + " | ".join(cells) + " |")
    lines += _demo_lines() + _kill_lines()
    return [*lines, "", *_hardware([*order, *read("demo.jsonl"), *read("kills.jsonl")])]


def _name(key: Key) -> str:
    from coterie.algorithms import SYSTEMS

    form = "" if not key[2] else f", {key[2]}" if key[2] in FORMS else f", recipe {key[2]}"
    return SYSTEMS[key[1]].__name__ + form


def _line(key: Key, rows: list[Row]) -> str:
    code = [row["autoencoder_kmeans"] for row in rows if "autoencoder_kmeans" in row]
    cells = [
        TITLES[key[0]],
        _name(key),
        str(len(rows)),
        *_figures(rows),
        decimal(fmean(code)) if code else "–",
        decimal(fmean(row["kmeans"] for row in rows)),
        _seconds(rows),
        f"{max(row['peak_mb'] for row in rows):,.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _figures(rows: list[Row]) -> list[str]:
    acc, several = [row["accuracy"] for row in rows], len(rows) > 1
    return [
        decimal(fmean(acc)) + (f" ± {decimal(statistics.stdev(acc))}" if several else ""),
        f"{decimal(min(acc))} – {decimal(max(acc))}" if several else "",  # one run has no spread
        decimal(fmean(row["nmi"] for row in rows)),
        decimal(fmean(row["ari"] for row in rows)),
    ]


def _seconds(rows: list[Row]) -> str:
    """Return the median time, since a busy machine makes single runs long, and how many cores it was on."""
    cores = sorted({row.get("threads", 2) for row in rows})
    on = "" if cores == [2] else f" on {' or '.join(map(str, cores))} core{'s' * (cores != [1])}"
    slow = sum("bf16" not in row["hardware"] for row in rows)
    if slow:  # several times slower: not to be held against the other rows
        on += ", float32" if slow == len(rows) else f", {slow} of {len(rows)} runs in float32"
    return f"{statistics.median(row['seconds'] for row in rows):.0f}{on}"


def _demo_lines() -> list[str]:
    machines: dict[str, dict[int, Row]] = {}
    for row in read("demo.jsonl"):
        machines.setdefault(row["hardware"], {})[row["seed"]] = row
    return [_demo_line(machine, list(rows.values())) for machine, rows in machines.items()]


def _demo_line(machine: str, rows: list[Row]) -> str:
    acc, wall = [row["accuracy"] for row in rows], [row["wall_seconds"] for row in rows]
    return (
        f"| `make demo` on MNIST-10k, baselines and report included, {len(rows)} seeds: ACC {decimal(fmean(acc))} "
        f"({decimal(min(acc))} – {decimal(max(acc))}) | {fmean(wall):.0f} s (longest {max(wall):.0f} s) | "
        f"k-means on pixels ACC {decimal(fmean(row['baselines']['kmeans'] for row in rows))} | {machine} |"
    )


def _kill_lines() -> list[str]:
    rows = read("kills.jsonl")
    if not rows:
        return []
    latest = [row for row in rows if row["commit"] == rows[-1]["commit"]]
    saving, same, kills = (sum(row[name] for row in latest) for name in ("killed_while_saving", "same_labels", "kills"))
    return [
        f"| fits killed with SIGKILL at random moments ({saving} while saving) and resumed | "
        f"{same} of {kills} end with the same bits | undisturbed fit | "
        f"{'; '.join(sorted({row['hardware'] for row in latest}))} |"
    ]


def _hardware(rows: Iterable[Row]) -> list[str]:
    kinds = sorted({f"{row['hardware']}, torch {row['versions']['torch']}" for row in rows})
    return [f"No labels used in fitting, or in choosing among runs; measured on {'; '.join(kinds)}."] if kinds else []


if __name__ == "__main__":
    main()
