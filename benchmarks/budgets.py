"""Whether a choice keeps to its time: `coterie fit DATA --time-budget S`, as a user calls it.

    python -m benchmarks.budgets --dataset mnist10k letter --budget 30 120 --seeds 0-2

Rows go to results/budgets.jsonl as they come: the seconds of the choice, which the budget is for, and those of the
whole command, which also loads the libraries and draws the report. No label is read. Rows from before a tenth of the
budget was kept for judging, or clusters were counted in haste where there is little time, are in budgets_voided.jsonl.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.accuracy import seeds_of
from benchmarks.common import NOT_YET, append, provenance, read

FILE = "budgets.jsonl"


def main() -> None:
    """Run what is asked for."""
    arguments = _arguments()
    for seed in seeds_of(arguments.seeds):
        for dataset in arguments.dataset:
            for budget in arguments.budget:
                row = run(dataset, budget, seed)
                append(FILE, row | provenance())
                print({name: row[name] for name in ("dataset", "budget", "seed", "seconds")}, file=sys.stderr)


def run(dataset: str, budget: float, seed: int) -> dict[str, Any]:
    """Return the times of one command, and what it chose."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "coterie", "fit", dataset, "--time-budget", f"{budget:g}", "--seed", str(seed)]
        began = time.perf_counter()
        subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - began
        choice = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["choice"]
    return {
        "dataset": dataset,
        "budget": budget,
        "seed": seed,
        "seconds": choice["seconds"],
        "command_seconds": round(whole, 2),
        "tried": [trial["name"] for trial in choice["trials"]],
        "left_out": choice["left_out"],
        "n_clusters": len(choice["stability"]),
    }


def table() -> list[str]:
    """Return the times beside the budgets, one line for each data set and budget."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for row in read(FILE):
        groups.setdefault((row["dataset"], row["budget"]), []).append(row)
    lines = ["| data | budget | runs | longest choice | of the budget | whole command | tried |", "|---|" + "--:|" * 6]
    for (dataset, budget), rows in sorted(groups.items()):
        longest, whole = (max(row[name] for row in rows) for name in ("seconds", "command_seconds"))
        tried = max(len(row["tried"]) for row in rows)
        times = f"{longest:.0f} s | {longest / budget:.0%} | {whole:.0f} s"
        lines.append(f"| {dataset} | {budget:g} s | {len(rows)} | {times} | {tried} |")
    return lines if groups else [NOT_YET]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["mnist10k"])
    parser.add_argument("--budget", nargs="+", type=float, default=[30.0, 120.0], metavar="SECONDS")
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    return parser.parse_args()


if __name__ == "__main__":
    main()
