"""What the experiments share: where results go, which machine and which commit they came from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
NOT_YET = "Not measured yet with these defaults."  # in the place of a table
Row = dict[str, Any]
PACKAGES = ("coterie", "torch", "numpy", "scikit-learn", "torchdr", "faiss-cpu")


def append(name: str, *rows: Row) -> None:
    """Add lines to a results file, all at once, so that a stop loses only the run under way."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / name).open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
        file.flush()
        os.fsync(file.fileno())


def read(name: str) -> list[Row]:
    """Return the rows of a results file, without those of runs that failed; none if there is no file."""
    path = RESULTS / name
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [row for row in map(json.loads, lines) if "failed" not in row]


def of_one_program(rows: Iterable[Row], key: Callable[[Row], Hashable], *, settings: str = "settings") -> list[Row]:
    """Return those rows of each key that were made with the same settings as its latest: a mean is over one program."""
    rows = list(rows)
    last = {key(row): row.get(settings) for row in rows}
    return [row for row in rows if row.get(settings) == last[key(row)]]


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
    """Return the commit of the working tree, with "+changes" if the package or the benchmarks differ from it.

    The package that runs must be that of this tree: an editable installation may be of another one.
    """
    import coterie

    if not Path(coterie.__file__).resolve().is_relative_to(ROOT):
        raise SystemExit(f"{coterie.__file__} is not in {ROOT}; put its src first on PYTHONPATH.")
    head = _git("rev-parse", "--short=12", "HEAD")
    return head + ("+changes" if _git("status", "--porcelain", "--", "src", "benchmarks/*.py") else "")


def hardware() -> str:
    """Return the processor and the number of cores in words."""
    import torch

    able = [name for name in ("avx512_bf16", "amx_bf16", "avx512_f") if torch.cpu.get_capabilities().get(name)]
    return f"{_processor()}, {os.cpu_count()} cores, {able[0] if able else 'no AVX-512'}"


def machines(rows: Iterable[Row]) -> str:
    """Return the machines that rows were made on, each with the arithmetic in which networks are trained there."""
    kinds = sorted({row["hardware"] for row in rows})
    return "; ".join(f"{kind} (coterie trains in {'bfloat16' if 'bf16' in kind else 'float32'})" for kind in kinds)


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


def carry_out(module: str, job: Row, *, file: str, started: str, aside: Row | None = None) -> list[Row]:
    """Run a job, unless its rows are there for this commit, and add them to a file; a failure is recorded there too.

    Parameters
    ----------
    module : str
        What runs it; it may print several rows as ``{"all": [...]}``.
    job : dict
        What its rows repeat.
    file, started : str
        Where rows go, and what was begun.
    aside : dict or None, default=None
        What else it is given, such as places on this disk, which no row repeats.

    Returns
    -------
    list of dict
        The new rows; none where they were there, or it failed.
    """
    now = commit()
    kept = not now.endswith("+changes")  # which says nothing of what a row was made with
    if kept and any(row.get("commit") == now and all(row.get(k) == v for k, v in job.items()) for row in read(file)):
        print(f"there: {job}", file=sys.stderr)
        return []
    if job.get("seed", 100) < 100 and not kept:
        raise SystemExit(f"Seeds below 100 are for what is committed; {ROOT} differs from {now.partition('+')[0]}.")
    begun = {"commit": now, "time": datetime.now(UTC).isoformat(timespec="seconds")}
    append(started, job | begun)
    try:
        found = run_apart(module, job | (aside or {}))
    except subprocess.CalledProcessError as error:
        append(file, job | begun | {"failed": f"exit status {error.returncode}"})
        print(f"failed: {job}", file=sys.stderr)
        return []
    took = found.pop("process_seconds")
    # The program is that of the beginning, whatever was committed since.
    rows = [row | {"commit": now, "process_seconds": took} for row in found.get("all", [found])]
    append(file, *rows)
    return rows


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
