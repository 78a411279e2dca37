"""Speed and memory of the main job, and ClustPy beside it.

    python -m benchmarks.speed --clustpy PATH/TO/ITS/python    from raw pixels to labels, both on this machine, one run
    python -m benchmarks.speed --memory                        peak memory of fits

See clustpy_systems.py for the virtual environment that ClustPy needs. Development seeds only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.common import append, peak_mb, provenance, run_apart

EPOCHS = 2  # of ClustPy's that are timed
# Its systems that are met here, with the accuracy that was published for it.
CLUSTPY = {
    "dec": ".916 ± .020, mean of 10 seeds (Miklautz 2025, from a pretrained autoencoder)",
    "idec": ".932 ± .022, mean of 10 seeds (Miklautz 2025, from a pretrained autoencoder)",
    "vade": "not run to its end; reruns of VaDE by others give .716 ± .044 (OpenDeepClustering, 20 seeds)",
    "n2d": "not run to its end; retraining the authors' code gives .836 (their issue tracker, 1 run)",
}


def main() -> None:
    """Measure what is asked for and add its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clustpy", help="python of ClustPy's virtual environment")
    parser.add_argument("--systems", nargs="+", default=list(CLUSTPY), choices=CLUSTPY, help="that ClustPy is met in")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(_job(json.loads(arguments.job))))
    if arguments.clustpy:
        _against_clustpy(arguments.clustpy, arguments.systems)
    if arguments.memory:
        _memory()


def _against_clustpy(python: str, asked: list[str]) -> None:
    import numpy as np

    from coterie import datasets

    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "mnist.npy"
        np.save(rows, datasets.load("mnist").X)
        script = Path(__file__).with_name("clustpy_systems.py")
        for system in asked:
            command = [python, str(script), str(rows), str(EPOCHS), system]
            output = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE).stdout
            lines = [line for line in output.splitlines() if line.startswith("{")]  # ClustPy speaks there too
            if lines:
                append("speed.jsonl", _beside(system, json.loads(lines[-1])))
            else:
                print(f"ClustPy's {system} did not end; its words are above", file=sys.stderr)


def _beside(system: str, theirs: dict[str, Any]) -> dict[str, Any]:
    from coterie.algorithms import SYSTEMS

    ours = run_apart("benchmarks.speed", {"dataset": "mnist", "seed": 100, "fit": True, "system": system})
    title, took = SYSTEMS[system].__name__, theirs["seconds"]
    row = {
        "name": f"MNIST 70,000, raw pixels to labels, {title} at its defaults",
        "value": round(took / ours["seconds"], 1),
        "unit": "times faster",
        "versus": f"ClustPy 0.0.3 {title} at its defaults ({EPOCHS} epochs of each phase timed and multiplied)",
        "seconds": ours["seconds"],
        "accuracy": ours["accuracy"],
        "seconds_versus": round(took, 1),
        "accuracy_versus": CLUSTPY[system],
        "clustpy": theirs,
        **provenance(),
    }
    print({k: row[k] for k in ("name", "value", "seconds", "seconds_versus", "accuracy")}, file=sys.stderr)
    return row


def _memory() -> None:
    torch_alone = run_apart("benchmarks.speed", {"fit": False})["peak_mb"]
    whole = run_apart("benchmarks.speed", {"dataset": "mnist", "seed": 100, "fit": True})["peak_mb"]
    part = run_apart("benchmarks.speed", {"dataset": "mnist10k", "seed": 100, "fit": True})["peak_mb"]
    rows = [
        ("peak resident memory, fit of MNIST 70,000 (uint8, memory-mapped, counted in)", whole, "the whole process"),
        (
            "peak resident memory, fit of MNIST-10k",
            part - torch_alone,
            # scikit-learn imports pandas where it is installed, some 60 MB that coterie has no use for.
            f"above importing torch ({torch_alone:.0f} MB), {'with' if find_spec('pandas') else 'without'} pandas",
        ),
    ]
    for name, value, versus in rows:
        append("speed.jsonl", {"name": name, "value": round(value, 1), "unit": "MB", "versus": versus, **provenance()})
        print(name, value, file=sys.stderr)


def _job(job: dict[str, Any]) -> dict[str, Any]:
    import torch

    if not job["fit"]:
        return {"peak_mb": peak_mb(), "torch": torch.__version__}
    import numpy as np

    from coterie.algorithms import SYSTEMS
    from coterie.datasets import load
    from coterie.metrics import accuracy

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", _SAVE, job["dataset"], folder], check=True)
        X = np.load(Path(folder) / "X.npy", mmap_mode="r")
        model = SYSTEMS[job.get("system", "dec")](n_clusters=10, random_state=job["seed"]).fit(X)
    peak = peak_mb()
    return {
        "seconds": round(model.fit_seconds_, 2),
        "peak_mb": peak,
        "accuracy": accuracy(np.asarray(load(job["dataset"]).y), model.labels_),
    }


# In a process of its own, so that reading the archive is not counted as memory of the fit.
_SAVE = "import sys, numpy; from coterie.datasets import load; numpy.save(sys.argv[2] + '/X.npy', load(sys.argv[1]).X)"


if __name__ == "__main__":
    main()
