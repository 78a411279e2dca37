"""Write the tables of README.md from the results, or check that they are what the results say.

python -m benchmarks.tables [--check]
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from typing import Any

from benchmarks.common import ROOT, read

README = ROOT / "README.md"
TITLES = {
    "mnist": "MNIST 70,000",
    "mnist10k": "MNIST-10k",
    "fashion-mnist": "Fashion-MNIST",
    "usps": "USPS",
    "pendigits": "Pendigits",
}
Row = dict[str, Any]


def main() -> None:
    """Write, or with ``--check`` compare."""
    text = README.read_text(encoding="utf-8")
    new = render(text)
    if "--check" in sys.argv:
        if new != text:
            raise SystemExit("README.md differs from benchmarks/results; run python -m benchmarks.tables")
        return
    README.write_text(new, encoding="utf-8")


def render(text: str) -> str:
    """Return the text with every table between its markers made anew."""
    for name, lines in {"accuracy": accuracy(), "speed": speed()}.items():
        start, end = f"<!-- table:{name} -->", "<!-- end -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = "\n".join([f"{before}{start}", *lines, f"{end}{after}"])
    return text


def accuracy() -> list[str]:
    """Return the accuracy table: a line for each system and data set, seeds 0-9 only."""
    groups: dict[tuple[str, str], dict[int, Row]] = {}
    for row in read("accuracy.jsonl"):
        if row["seed"] <= 9 and row["recipe"] is None:
            group = groups.setdefault((row["dataset"], row["system"]), {})
            if any(other["commit"] != row["commit"] for other in group.values()):
                group.clear()  # a mean is over runs of one and the same program
            group[row["seed"]] = row
    lines = [
        "| data | system | seeds | ACC mean ± sd | lowest – highest | NMI | ARI "
        "| k-means on its code | k-means on pixels | median seconds | peak MB |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    order = sorted(groups, key=lambda key: (list(TITLES).index(key[0]), key[1]))
    lines += [_accuracy_line(*key, list(groups[key].values())) for key in order]
    return [*lines, "", *_hardware(row for group in groups.values() for row in group.values())]


def speed() -> list[str]:
    """Return the table of speed, memory, the demo and the kills: the latest row of each name."""
    latest = {row["name"]: row for row in read("speed.jsonl")}
    lines = ["| what | figure | against |", "|---|--:|---|"]
    for name, row in latest.items():
        more = ""
        if "seconds_versus" in row:
            more = f": {row['seconds']:.0f} s, ACC {_short(row['accuracy'])}, against {row['seconds_versus']:.0f} s"
        lines.append(f"| {name}{more} | {row['value']:g} {row['unit']} | {row['versus']} |")
    lines += _demo_lines() + _kill_lines()
    return [*lines, "", *_hardware([*latest.values(), *read("demo.jsonl")])]


def _accuracy_line(dataset: str, system: str, rows: list[Row]) -> str:
    acc = [row["accuracy"] for row in rows]
    code = [row["autoencoder_kmeans"] for row in rows if "autoencoder_kmeans" in row]
    cells = [
        TITLES[dataset],
        system.upper() if system in ("dec", "idec") else system,
        str(len(rows)),
        f"{_short(_mean(acc))} ± {_short(statistics.stdev(acc) if len(acc) > 1 else 0.0)}",
        f"{_short(min(acc))} – {_short(max(acc))}",
        _short(_mean(row["nmi"] for row in rows)),
        _short(_mean(row["ari"] for row in rows)),
        _short(_mean(code)) if code else "–",
        _short(_mean(row["kmeans"] for row in rows)),
        f"{statistics.median(row['seconds'] for row in rows):.0f}",  # a busy machine makes single runs long
        f"{max(row['peak_mb'] for row in rows):,.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _demo_lines() -> list[str]:
    rows = list({row["seed"]: row for row in read("demo.jsonl")}.values())
    if not rows:
        return []
    acc, wall = [row["accuracy"] for row in rows], [row["wall_seconds"] for row in rows]
    return [
        f"| `make demo` on MNIST-10k, baselines and report included, {len(rows)} seeds: ACC {_short(_mean(acc))} "
        f"({_short(min(acc))} – {_short(max(acc))}) | {_mean(wall):.0f} s (longest {max(wall):.0f} s) | "
        "k-means on pixels ACC " + _short(_mean(row["baselines"]["kmeans"] for row in rows)) + " |"
    ]


def _kill_lines() -> list[str]:
    rows = read("kills.jsonl")
    if not rows:
        return []
    latest = [row for row in rows if row["commit"] == rows[-1]["commit"]]
    saving, same, kills = (sum(row[name] for row in latest) for name in ("killed_while_saving", "same_labels", "kills"))
    return [
        f"| fits killed with SIGKILL at random moments ({saving} while saving) and resumed | "
        f"{same} of {kills} end with the same bits | undisturbed fit |"
    ]


def _hardware(rows: Iterable[Row]) -> list[str]:
    kinds = sorted({f"{row['hardware']}, torch {row['versions']['torch']}" for row in rows})
    return [f"No labels used in fitting or choosing; measured on {'; '.join(kinds)}."] if kinds else []


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    main()
