"""Outlier scores: one class left out of the training rows, in turn, and looked for among the test rows.

    python -m benchmarks.outliers --dataset mnist --classes 0-9 --seeds 0
    python -m benchmarks.outliers --dataset mnist --classes 0-9 --seeds 0 --pyod pyod-venv/bin/python

PyOD is no dependency of coterie; it is measured beside it from a virtual environment of its own:

    python -m venv pyod-venv
    pyod-venv/bin/pip install pyod tqdm torch==2.13.0

A system is fitted to the train part of the other classes; it is told their number. Each score is fitted to the same
rows and given all of the test part, and so are an isolation forest on the pixels and PyOD's detectors at their
defaults, each in a process of its own. Rows go to results/outliers.jsonl as they come, one for each score; what is
there for this commit is not run again, and all that was begun is in outliers_started.jsonl. Labels only leave the class
out, and judge.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.accuracy import seeds_of
from benchmarks.common import ROOT, carry_out, provenance
from benchmarks.splits import load_split

FILE = "outliers.jsonl"
# Which system's codes each score reads: those that it fits by itself where it is given none.
CODES = {"neighbours": "jule", "centre": "jule", "isolation": "aekmeans", "reconstruction": "aekmeans"}
SYSTEMS = tuple(dict.fromkeys(CODES.values()))
PIXELS = "pixels"  # an isolation forest on the rows as they are
PYOD = ("IForest", "AutoEncoder", "DeepSVDD")  # the quickest first


def main() -> None:
    """Run what is asked for and not yet there."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps({"all": run(json.loads(arguments.job))}))
        return
    parts = [*SYSTEMS, PIXELS, *(PYOD if arguments.pyod else ())] if arguments.parts is None else arguments.parts
    for seed in seeds_of(arguments.seeds):
        for left_out in seeds_of(arguments.classes):
            for part in parts:
                job = {"part": part, "dataset": arguments.dataset, "left_out": left_out, "seed": seed}
                _do(job | {"rows": arguments.rows}, arguments.pyod)


def run(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Fit what one part of the job needs; return a row for each score."""
    pyod = job.pop("pyod", None)
    train, test, y = split(job)
    if job["part"] == PIXELS:
        return [_judged(job, y, _on_pixels(train, test, job["seed"]))]
    if job["part"] in PYOD:
        return [_with_pyod(job, train, test, y=y, pyod=pyod)]
    return _on_codes(job, train, test, y=y)


class Found(NamedTuple):
    """What a score says of the test rows, and the seconds that it took to fit and to score."""

    score: str
    strangeness: Any
    fit: float
    scoring: float


def split(job: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return training rows without the class, test rows, and which of these are of the class."""
    import numpy as np

    parts = load_split(job["dataset"])
    known = np.flatnonzero(parts["y"] != job["left_out"])
    if job["rows"] is not None:
        known = np.sort(np.random.default_rng(job["seed"]).permutation(known)[: job["rows"]])
    return parts["x"][known], parts["x_test"], parts["y_test"] == job["left_out"]


def _on_codes(job: dict[str, Any], train: Any, test: Any, *, y: Any) -> list[dict[str, Any]]:
    from coterie import datasets
    from coterie.algorithms import SYSTEMS as KNOWN
    from coterie.algorithms.defaults import digest
    from coterie.anomaly import DETECTORS

    k = len(datasets.DATASETS[job["dataset"]].classes) - 1
    model = KNOWN[job["part"]](n_clusters=k, random_state=job["seed"]).fit(train)
    found = []
    for name in [score for score, system in CODES.items() if system == job["part"]]:
        began = time.perf_counter()
        detector = DETECTORS[name](model=model, random_state=job["seed"]).fit(train)
        fitted = time.perf_counter()
        strangeness = -detector.score_samples(test)
        found.append(Found(name, strangeness, model.fit_seconds_ + fitted - began, _since(fitted)))
    began = time.perf_counter()
    strangeness = model.strangeness(test)
    found.append(Found(f"strangeness of {job['part']}", strangeness, model.fit_seconds_, _since(began)))
    told = {"settings": digest(model.settings_), "n_clusters": k}
    return [_judged(job, y, each, **told) for each in found]


def _on_pixels(train: Any, test: Any, seed: int) -> Found:
    from sklearn.ensemble import IsolationForest

    began = time.perf_counter()
    forest = IsolationForest(random_state=seed).fit(train.reshape(len(train), -1))
    fitted = time.perf_counter()
    strangeness = -forest.score_samples(test.reshape(len(test), -1))
    return Found("isolation on pixels", strangeness, fitted - began, _since(fitted))


def _since(began: float) -> float:
    return time.perf_counter() - began


def _judged(job: dict[str, Any], y: Any, found: Found, **more: Any) -> dict[str, Any]:
    import torch
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        **job,
        "labels_used": 0,
        "threads": torch.get_num_threads(),
        "score": found.score,
        "roc_auc": round(float(roc_auc_score(y, found.strangeness)), 5),
        "average_precision": round(float(average_precision_score(y, found.strangeness)), 5),
        "of_the_class": int(y.sum()),
        "n_test": len(y),
        "seconds": round(found.fit, 2),
        "score_seconds": round(found.scoring, 2),
        **more,
        **provenance(),
    }


def _do(job: dict[str, Any], pyod: str | None) -> None:
    if job["part"] in PYOD and pyod is None:
        raise SystemExit("PyOD is measured from an environment of its own: give --pyod pyod-venv/bin/python.")
    aside = {"pyod": pyod}
    for row in carry_out("benchmarks.outliers", job, file=FILE, started="outliers_started.jsonl", aside=aside):
        told = f"ROC-AUC {row['roc_auc']:.4f}, AP {row['average_precision']:.4f} in {row['seconds']:.0f} s"
        print(f"{job['dataset']} without {job['left_out']}, {row['score']}: {told}", file=sys.stderr)


def _with_pyod(job: dict[str, Any], train: Any, test: Any, *, y: Any, pyod: str) -> dict[str, Any]:
    """Give the same rows to one of PyOD's detectors in its own environment, and judge the scores that come back."""
    import numpy as np
    import torch

    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "rows.npz", train=train.reshape(len(train), -1), test=test.reshape(len(test), -1))
        program = str(ROOT / "benchmarks" / "pyod_detectors.py")
        given = [job["part"], folder, str(job["seed"]), str(torch.get_num_threads())]
        subprocess.run([pyod, program, *given], check=True, stdout=sys.stderr)
        told = json.loads((Path(folder) / "told.json").read_text(encoding="utf-8"))
        found = Found(f"PyOD {job['part']}", np.load(Path(folder) / "scores.npy"), told.pop("fit"), told.pop("scoring"))
    return _judged(job, y, found, **told)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--classes", default="0-9", help="the class left out, or first-last")
    parser.add_argument("--seeds", default="100", help="one seed, or first-last")
    parser.add_argument("--rows", type=int, default=None, help="training rows at most, to try it out")
    parser.add_argument("--parts", nargs="+", default=None, help=f"some of {', '.join((*SYSTEMS, PIXELS, *PYOD))}")
    parser.add_argument("--pyod", default=None, metavar="PYTHON", help="of an environment that has PyOD")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
