"""Kill a fit with SIGKILL at random moments, also while it saves; the resumed run must end as an undisturbed one.

    python -m benchmarks.kills --kills 20

Each case is a process of its own that saves after every few steps; it is killed after a random time (half of the cases:
at the moment a checkpoint is being written), started again until it ends, and its labels are compared bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, append, provenance


def main() -> None:
    """Do as many kills as asked and add one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        fit(json.loads(arguments.job)["folder"])
        return
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        truth = _finish(Path(scratch) / "whole")
        seconds = time.perf_counter() - began
        outcomes: list[dict[str, Any]] = []
        while sum(o["killed"] for o in outcomes) < arguments.kills:  # a fit that ended first was not killed
            i = len(outcomes)
            outcomes.append(_kill(Path(scratch) / str(i), rng, seconds, saving=i % 2 == 1))
    row = {
        "kills": sum(o["killed"] for o in outcomes),
        "killed_while_saving": sum(o["saving"] for o in outcomes),
        "same_labels": sum(o["killed"] and o["labels"] == truth for o in outcomes),
        "seconds_undisturbed": round(seconds, 1),
        "moments": [o["after"] for o in outcomes],
        **provenance(),
    }
    append("kills.jsonl", row)
    print({k: row[k] for k in ("kills", "killed_while_saving", "same_labels")}, file=sys.stderr)


def fit(folder: str) -> None:
    """Fit a short DEC to 3,000 digits with a checkpoint every few steps; print a digest of the labels."""
    from coterie import DEC, Schedule, config_context
    from coterie.datasets import load_mnist10k

    X, _ = load_mnist10k()
    short = Schedule(steps=60, batch_size=128)
    with config_context(checkpoint=folder, checkpoint_every=0.1):
        phases = {"pretrain": short, "gather": short, "train": short, "start": "mixture"}
        model = DEC(10, **phases, warmup=20, update_interval=10, random_state=0).fit(X[:3000])
    print(hashlib.sha256(model.labels_.tobytes() + model.transform(X[:3000]).tobytes()).hexdigest())


def _kill(folder: Path, rng: random.Random, seconds: float, *, saving: bool) -> dict[str, Any]:
    after = rng.uniform(0.15, 0.95) * seconds
    process = _start(folder)
    time.sleep(after)
    if saving:
        _await_saving(folder, process)
    process.send_signal(signal.SIGKILL)
    killed = process.wait() == -signal.SIGKILL
    halfway = folder.exists() and any(p.name != "checkpoint.safetensors" for p in folder.iterdir())
    return {"labels": _finish(folder), "after": round(after, 2), "killed": killed, "saving": killed and halfway}


def _await_saving(folder: Path, process: subprocess.Popen[str]) -> None:
    """Return when a half-written checkpoint lies beside the whole one, or the process ended first."""
    while process.poll() is None:
        if folder.exists() and any(p.name != "checkpoint.safetensors" for p in folder.iterdir()):
            return


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.kills", "--job", json.dumps({"folder": str(folder)})]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE)


def _finish(folder: Path) -> str:
    process = _start(folder)
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"the resumed fit ended with {process.returncode}")
    return output.split()[-1]


if __name__ == "__main__":
    main()
