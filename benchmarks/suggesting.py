"""Which rows to label: suggested ones against random ones, by what a learner makes of them on rows held out.

    python -m benchmarks.suggesting --dataset mnist10k --learner code --seeds 100-109
    python -m benchmarks.suggesting --dataset mnist10k --learner code --seeds 100-109 --target 0.9

The second prints, seed by seed, how many labels each way needs to reach the accuracy, and the medians; it runs nothing.
Rows go to results/suggest.jsonl as they come, one for each number of labels, and every job begun to
suggest_started.jsonl; a row that is there for this commit is not made again. A system is fitted once for each set and
seed and kept in --models. Labels are read of the rows asked for, and of those held out to evaluate.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, commit, provenance, read, run_apart

FILE = "suggest.jsonl"
WAYS = ("suggest", "random")
LABELS = [round(10 * 2 ** (i / 2)) for i in range(13)]  # 10 to 640, each about 1.4 times the one before
HELD_OUT, MOST_HELD = 0.2, 10_000


@dataclass(frozen=True)
class Task:
    """What a learner is given; it returns the classes of the rows held out."""

    model: Any  # fitted to the rows without labels
    X: np.ndarray
    known: np.ndarray  # a class for each row, -1 where nobody was asked
    held: np.ndarray
    seed: int


Learner = Callable[[Task], np.ndarray]


def main() -> None:
    """Run what is asked for and not yet there, or tell what the rows that are there say."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps(run(json.loads(arguments.job))))
        return
    if arguments.target is not None:
        tell(read(FILE), arguments)
        return
    for seed in seeds_of(arguments.seeds):
        for dataset in arguments.dataset:
            for n in LABELS:
                for way in WAYS:
                    job = {
                        "dataset": dataset,
                        "system": arguments.system,
                        "learner": arguments.learner,
                        "rows": arguments.rows,
                    }
                    _do(job | {"way": way, "seed": seed, "n_labels": n}, arguments)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job's row: how good a learner is on rows held out, with so many labels chosen that way."""
    from coterie import datasets

    models, rows = Path(job.pop("models")), job["rows"]
    seed, n = job["seed"], job["n_labels"]
    table = datasets.load(job["dataset"])
    X, y = np.asarray(table.X), np.unique(np.asarray(table.y), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(len(y))[:rows]
    held = order[: min(int(HELD_OUT * len(order)), MOST_HELD)]
    train = np.sort(order[len(held) :])
    model = _fitted(job, X[train], int(y.max()) + 1, folder=models / f"{job['dataset']}-{job['system']}-{seed}-{rows}")
    began = time.perf_counter()
    if job["way"] == "suggest":
        chosen = model.suggest(n, X[train], random_state=seed)
    else:
        chosen = np.random.default_rng(seed + 2**20).permutation(len(train))[:n]
    chose = time.perf_counter() - began
    known = np.full(len(train), -1, dtype=np.int64)
    known[chosen] = y[train][chosen]
    found = LEARNERS[job["learner"]](Task(model, X[train], known, X[held], seed))
    return {
        **job,
        "n_samples": len(train),
        "n_held_out": len(held),
        "classes_seen": len(np.unique(known[chosen])),
        "accuracy": round(float((found == y[held]).mean()), 5),
        "seconds_to_choose": round(chose, 3),
        "seconds_to_learn": round(time.perf_counter() - began - chose, 2),
        **provenance(),
    }


def on_code(task: Task) -> np.ndarray:
    """Return the classes by logistic regression on the code."""
    from sklearn.linear_model import LogisticRegression

    z, rows = task.model.transform(task.X), task.known >= 0
    y, scale = task.known[rows], z.std()
    if len(np.unique(y)) == 1:
        return np.full(len(task.held), y[0])
    learnt = LogisticRegression(C=10.0, max_iter=1000, random_state=task.seed).fit(z[rows] / scale, y)
    return learnt.predict(task.model.transform(task.held) / scale)


def nearest(task: Task) -> np.ndarray:
    """Return the class of the labelled row that is nearest in the code."""
    from sklearn.neighbors import KNeighborsClassifier

    rows = task.known >= 0
    learnt = KNeighborsClassifier(1).fit(task.model.transform(task.X)[rows], task.known[rows])
    return learnt.predict(task.model.transform(task.held))


def semi_supervised(task: Task) -> np.ndarray:
    """Return the clusters of the same system fitted again with the labels; cluster c is class c."""
    from sklearn.base import clone

    again = clone(task.model).set_params(random_state=task.seed)
    return again.fit(task.X, known=task.known).predict(task.held)


LEARNERS: dict[str, Learner] = {"code": on_code, "nearest": nearest, "known": semi_supervised}


def tell(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Print the labels that each way needs for an accuracy, in the median over seeds."""
    for dataset in arguments.dataset:
        needed: dict[str, list[float]] = {}
        for way in WAYS:
            wanted = {"dataset": dataset, "learner": arguments.learner, "system": arguments.system, "way": way}
            wanted["rows"] = arguments.rows
            mine = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
            needed[way] = [labels_needed(mine, seed, arguments.target) for seed in seeds_of(arguments.seeds)]
            print(f"{dataset}, {way}: {needed[way]}, median {median(needed[way])}")
        print(f"{dataset}: {median(needed['suggest']) / median(needed['random']):.2f} of what random choice needs")


def labels_needed(rows: list[dict[str, Any]], seed: int, target: float) -> float:
    """Return the fewest labels from which on all rows of a seed reach an accuracy; infinity where none does."""
    latest = {row["n_labels"]: row["accuracy"] for row in rows if row["seed"] == seed}
    needed = float("inf")
    for n in sorted(latest, reverse=True):
        if latest[n] < target:
            break
        needed = n
    return needed


def _fitted(job: dict[str, Any], X: np.ndarray, n_clusters: int, *, folder: Path) -> Any:
    """Return the system of a set and seed, fitted once."""
    import coterie
    from coterie.algorithms import SYSTEMS

    if folder.is_dir():
        return coterie.load(folder)
    model = SYSTEMS[job["system"]](n_clusters=n_clusters, random_state=job["seed"]).fit(X)
    model.save(folder)
    return model


def _do(job: dict[str, Any], arguments: argparse.Namespace) -> None:
    now = commit()
    if any(all(row[name] == value for name, value in job.items()) and row["commit"] == now for row in read(FILE)):
        print(f"there: {job}", file=sys.stderr)
        return
    append("suggest_started.jsonl", {**job, "commit": now, "time": provenance()["time"]})
    row = run_apart("benchmarks.suggesting", job | {"models": str(Path(arguments.models) / now)}) | {"commit": now}
    append(FILE, row)
    print(f"{job}: ACC {row['accuracy']:.4f}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["mnist10k"])
    parser.add_argument("--system", default="dec")
    parser.add_argument("--learner", choices=sorted(LEARNERS), default="code")
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    parser.add_argument("--rows", type=int, default=None, help="at most, drawn by the seed")
    parser.add_argument("--target", type=float, default=None, help="accuracy to reach: tell, and run nothing")
    parser.add_argument("--models", default=str(Path(tempfile.gettempdir()) / "coterie-suggesting"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
