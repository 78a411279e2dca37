"""What the experiments share: where results go, which machine and which commit they came from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
NOT_YET = "Not measured yet with these defaults."  # in the place of a table
PACKAGES = ("coterie", "torch", "numpy", "scikit-learn", "torchdr", "faiss-cpu")


def append(name: str, row: dict[str, Any]) -> None:
    """Add one line to a results file, at once, so that a stop loses only the run under way."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(name: str) -> list[dict[str, Any]]:
    """Return the rows of a results file; none if there is no file."""
    path = RESULTS / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def decimal(value: float) -> str:
    """Return a share for a table: three digits, and no 0 before the point."""
    return f"{value:.3f}".removeprefix("0")


def provenance() -> dict[str, Any]:
    """Return commit, time, hardware and versions of this run."""
    return {
        "commit": commit(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": hardware(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def commit() -> str:
    """Return the commit of the working tree, with "+changes" if the package itself differs from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head + ("+changes" if _git("status", "--porcelain", "--", "src") else "")


def hardware() -> str:
    """Return the processor and the number of cores in words."""
    import torch

    able = [name for name in ("avx512_bf16", "amx_bf16", "avx512_f") if torch.cpu.get_capabilities().get(name)]
    return f"{_processor()}, {os.cpu_count()} cores, {able[0] if able else 'no AVX-512'}"


def run_apart(module: str, job: dict[str, Any]) -> dict[str, Any]:
    """Run ``module``'s ``job`` in a process of its own and return what it prints as JSON on its last line.

    A process of its own gives every run the same clean start, and a peak of memory that is its alone.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", module, "--job", json.dumps(job)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]) | {"process_seconds": round(time.perf_counter() - began, 2)}


def peak_mb() -> float:
    """Return this process's peak of resident memory in MB (10^6 bytes)."""
    import resource

    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def _processor() -> str:
    family = {}
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            family.setdefault(key.strip(), value.strip())
    return family.get("model name", platform.processor() or platform.machine()) + (
        f" (family {family['cpu family']}, model {family['model']})" if "cpu family" in family else ""
    )


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
