"""Few labels: DEC that knows the classes of some rows, beside what else can be done with the same labels.

    python -m benchmarks.known --dataset mnist --per-class 10 --seeds 100-103
    python -m benchmarks.known --dataset fashion-mnist --in-all 1000 --seeds 0-3 --augment shift-rotate-flip

Fitted on the train part with the known labels alone, scored on the test part with ``predict``; class c is cluster c, so
nothing is matched. Beside it, with the same labels: an RBF SVM on pixels, and label spreading on DEC's code from before
clustering, whose other rows follow their neighbours. Labelled rows are drawn by the seed. Rows go to
results/known.jsonl as they come; a row that is there for this commit is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, commit, peak_mb, provenance, read, run_apart
from coterie import DEC, config_context
from coterie.data import make_source
from coterie.training import Callback, Fit, Phase, encode

FILE = "known.jsonl"
TEST_ROWS = {"mnist": 10_000, "fashion-mnist": 10_000, "usps": 2_007}  # the last ones, where the authors set them apart
SHARE = 6  # of other sets, one row in so many is for testing
SVM = {"C": 10.0, "gamma": "scale"}


def known_dec(X_train: np.ndarray, known: np.ndarray, X_test: np.ndarray, *, seed: int, **more: Any) -> np.ndarray:
    """Return the classes of test rows by DEC that knows some labels."""
    return fitted(X_train, known, seed, **more).predict(X_test)


def svm_on_pixels(X_train: np.ndarray, known: np.ndarray, X_test: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the classes of test rows by a support vector machine on the known rows' pixels."""
    from sklearn.svm import SVC

    held, scale = known >= 0, float(X_train.max())
    flat = [rows.reshape(len(rows), -1) / scale for rows in (X_train[held], X_test)]
    return SVC(**SVM, random_state=seed).fit(flat[0], known[held]).predict(flat[1])


def spread_on_code(code: np.ndarray, known: np.ndarray, test: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the classes of test codes by spreading the known ones over the neighbours of train codes."""
    from sklearn.neighbors import KNeighborsClassifier

    from coterie.algorithms.steering import spread

    labels = spread(code, known, seed=seed)
    return KNeighborsClassifier(10, algorithm="brute").fit(code, labels).predict(test)


METHODS = {"DEC, known labels": known_dec, "RBF SVM on pixels": svm_on_pixels}


def draw(y: np.ndarray, *, per_class: int | None, in_all: int | None, seed: int) -> np.ndarray:
    """Return labels of a few rows, -1 for the others: so many of each class, or so many in all."""
    rng, known = np.random.default_rng(seed), np.full(len(y), -1, dtype=np.int64)
    if per_class is None:
        rows = rng.permutation(len(y))[:in_all]
    else:
        rows = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:per_class] for c in np.unique(y)])
    known[rows] = y[rows]
    return known


def parts(name: str, rows: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rows and classes to fit on, and rows and classes to score on."""
    from coterie import datasets

    table = datasets.load(name)
    X, y = np.asarray(table.X), np.asarray(table.y)
    if name not in TEST_ROWS:  # in whatever order the set has them
        order = np.random.default_rng(0).permutation(len(X))
        X, y = X[order], y[order]
    first = len(X) - TEST_ROWS.get(name, len(X) // SHARE)
    return X[:first][:rows], y[:first][:rows], X[first:], y[first:]


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Fit with one set, number of labels and seed; return the row."""
    from coterie.algorithms.defaults import digest

    X, y, X_test, y_test = parts(job["dataset"], job["rows"])
    known = draw(y, per_class=job["per_class"], in_all=job["in_all"], seed=job["seed"])
    before = Before(X_test)
    more = {} if job["augment"] is None else {"augment": job["augment"]}
    with config_context(callbacks=(before,)):
        model = fitted(X, known, job["seed"], n_clusters=len(np.unique(y)), **more)
    right = model.labels_ == y
    began = time.perf_counter()
    spreading = spread_on_code(before.train, known, before.test, seed=job["seed"])
    figures = {
        "accuracy": (model.predict(X_test) == y_test).mean(),
        "accuracy_unknown": right[known < 0].mean(),
        "accuracy_known": right[known >= 0].mean(),
        "svm": (svm_on_pixels(X, known, X_test, seed=job["seed"]) == y_test).mean(),
        "spreading": (spreading == y_test).mean(),
    }
    return {
        **job,
        "n_samples": len(X),
        "labels_used": True,
        "n_labels": model.n_known_,
        **{name: round(float(value), 5) for name, value in figures.items()},
        "seconds": round(model.fit_seconds_, 2),
        "beside_seconds": round(time.perf_counter() - began, 2),
        "settings": digest(model.settings_),
        "peak_mb": peak_mb(),
        **provenance(),
    }


def fitted(X: np.ndarray, known: np.ndarray, seed: int, **more: Any) -> DEC:
    """Return DEC, fitted with these labels; as many clusters as classes unless told otherwise."""
    return DEC(**{"n_clusters": int(known.max()) + 1, "random_state": seed} | more).fit(X, known=known)


class Before(Callback):
    """Keeps the codes that clustering begins with, of the rows that are fitted and of others."""

    def __init__(self, X_test: np.ndarray) -> None:
        self.X_test = X_test

    def on_phase(self, fit: Fit, phase: Phase) -> None:
        """Encode both, where clustering begins."""
        if phase.name == "cluster":
            test = make_source(self.X_test, spec=fit.source.spec)
            codes = [encode(fit.model.encode, source, fit.runtime.device) for source in (fit.source, test)]
            self.train, self.test = (z.numpy().astype(np.float64) for z in codes)


def main() -> None:
    """Run what is asked for and not yet there."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps(run(json.loads(arguments.job))))
        return
    for seed in seeds_of(arguments.seeds):
        for dataset in arguments.dataset:
            job = {"dataset": dataset, "per_class": arguments.per_class, "in_all": arguments.in_all}
            _do(job | {"rows": arguments.rows, "augment": arguments.augment, "seed": seed})


def _do(job: dict[str, Any]) -> None:
    now = commit()
    if any(all(row[k] == v for k, v in job.items()) and row["commit"] == now for row in read(FILE)):
        print(f"there: {job}", file=sys.stderr)
        return
    append("started.jsonl", {"system": "known", **job, "commit": now, "time": provenance()["time"]})
    row = run_apart("benchmarks.known", job) | {"commit": now}
    append(FILE, row)
    told = ", ".join(f"{name} {row[name]:.4f}" for name in ("accuracy", "svm", "spreading"))
    print(f"{job}: {told}; {row['seconds']:.0f} s", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["mnist"])
    parser.add_argument("--seeds", default="100-103", help="one seed, or first-last")
    parser.add_argument("--rows", type=int, default=None, help="of the train part, the first so many")
    parser.add_argument("--augment", default=None, help="shift-rotate-flip for things without left and right")
    count = parser.add_mutually_exclusive_group()
    count.add_argument("--per-class", type=int, default=None, help="known labels of each class")
    count.add_argument("--in-all", type=int, default=None, help="known labels of random rows")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.per_class is None and arguments.in_all is None:
        arguments.per_class = 10
    return arguments


if __name__ == "__main__":
    main()
