"""The demo as a user runs it: wall time of the whole command, accuracy and first sign of use, over seeds.

python -m benchmarks.demo --seeds 0-4
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, provenance


def main() -> None:
    """Run the demo once a seed and add its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0-4", help="one seed, or first-last")
    for seed in seeds_of(parser.parse_args().seeds):
        with tempfile.TemporaryDirectory() as folder:
            row = _run(seed, Path(folder) / "demo")
        append("demo.jsonl", row)
        print(
            json.dumps({k: row[k] for k in ("seed", "accuracy", "wall_seconds", "first_figure_seconds")}),
            file=sys.stderr,
        )


def _run(seed: int, out: Path) -> dict[str, object]:
    command = [str(Path(sys.executable).parent / "coterie"), "demo", "--seed", str(seed), "--out", str(out)]
    began = time.perf_counter()
    first = None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if first is None and "k-means" in line.lower():
            first = time.perf_counter() - began
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the demo ended with {process.returncode}")
    wall = time.perf_counter() - began
    told = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "system": told["system"],
        "dataset": "mnist10k",
        "n_samples": told["n_samples"],
        "labels_used": False,
        **{name: told["metrics"][name] for name in ("accuracy", "nmi", "ari")},
        "seconds": told["seconds"],
        "wall_seconds": round(wall, 2),
        "first_figure_seconds": None if first is None else round(first, 2),
        "baselines": {name: value["metrics"]["accuracy"] for name, value in told["baselines"].items()},
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
        **provenance(),
    }


if __name__ == "__main__":
    main()
