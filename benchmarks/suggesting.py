"""Which rows to label: suggested ones against random ones, by what a learner makes of them on the test part.

    python -m benchmarks.suggesting --dataset mnist10k --seeds 100-103
    python -m benchmarks.suggesting --dataset mnist10k --seeds 100-103 --target 0.9

The second prints, seed by seed, how many labels each way needs to reach the accuracy, and the medians; it runs nothing.
A system is fitted to the train part without labels, once for each set and seed, and kept in --models; so many of its
rows are labelled as each point of a curve says, by its suggestion or at random, and a learner that is no part of it
learns from them. Suggestions come in rounds: the labels of one are known when the next is asked for. Rows go to
results/suggest.jsonl as they come, one for each curve, and every run begun to suggest_started.jsonl; a row that is
there for this commit is not made again. Labels are read of the rows asked for, and of the test part to evaluate.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import carry_out, of_one_program, provenance, read
from benchmarks.splits import MODELS, fit_svm, fitted, flat, load_split

FILE = "suggest.jsonl"
WAYS = ("suggest", "random")
TARGETS = {"fashion-mnist": 0.78}  # accuracy that suggested and random labels are to reach
LABELS = [round(10 * 2 ** (i / 4)) for i in range(37)]  # 10 to 5,120, each a fifth more than the one before
ROUND = 2  # points of a curve for which rows are suggested at a time
SURELY = 6  # points of a curve in a row that reach the target, from which on it is not followed further


@dataclass(frozen=True)
class Task:
    """Rows and their codes; a learner sees the labels of some, and tells those of the test part."""

    x: np.ndarray  # (n, d), flat
    z: np.ndarray  # (n, c)
    x_test: np.ndarray
    z_test: np.ndarray


# From a task, the numbers of labelled rows and their classes, to the classes of the test part.
Learner = Callable[[Task, np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    """Run what is asked for and not yet there, or tell what the rows that are there say."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps(run(json.loads(arguments.job))))
        return
    for dataset in arguments.dataset:
        job = {name: getattr(arguments, name) for name in ("system", "learner", "rows", "steps")} | {"dataset": dataset}
        if arguments.target is not None:
            tell(job, seeds_of(arguments.seeds), arguments.target)
            continue
        for seed in seeds_of(arguments.seeds):
            for way in WAYS:
                _do(job | {"way": way, "seed": seed}, arguments.models)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job's row: how good a learner is on the test part, by the number of labels chosen that way."""
    import torch

    from coterie import Schedule
    from coterie.algorithms import SYSTEMS
    from coterie.algorithms.defaults import digest

    models, seed = job.pop("models"), job["seed"]
    split = load_split(job["dataset"], job["rows"])
    x, y = split["x"], split["y"]
    system = SYSTEMS[job["system"]](n_clusters=int(y.max()) + 1, random_state=seed)
    if job["steps"]:
        system.set_params(pretrain=Schedule(steps=job["steps"]))
    name = "-".join(str(each) for each in (type(system).__name__, job["dataset"], seed, job["steps"], len(x)))
    model = fitted(system, x, name=name, models=models)
    began = time.perf_counter()
    task = Task(flat(x), model.transform(x), flat(split["x_test"]), model.transform(split["x_test"]))
    order = np.random.default_rng(seed + 2**20).permutation(len(y)) if job["way"] == "random" else np.zeros(0, int)
    curve: list[tuple[int, float]] = []
    for i, n in enumerate(LABELS):
        if len(order) < n:
            known = np.full(len(y), -1)
            known[order] = y[order]
            wanted = LABELS[min(i + ROUND, len(LABELS)) - 1] - len(order)
            order = np.concatenate([order, model.suggest(wanted, x, known=known, random_state=seed)])
        chosen = order[:n]
        found = LEARNERS[job["learner"]](task, chosen, y[chosen])
        curve.append((n, round(float((found == split["y_test"]).mean()), 5)))
        target = TARGETS.get(job["dataset"], 1.0)
        if len(curve) >= SURELY and all(accuracy >= target for _, accuracy in curve[-SURELY:]):
            break
    return {
        **job,
        "curve": curve,
        "labels_used": curve[-1][0],
        "n_samples": len(x),
        "n_test": len(split["y_test"]),
        "settings": digest(model.settings_ | (rule() if job["way"] == "suggest" else {})),
        "seconds": round(time.perf_counter() - began, 2),
        "threads": torch.get_num_threads(),
        **provenance(),
    }


def rule() -> dict[str, float]:
    """Return the numbers that suggestions depend on, beside the system's settings."""
    from coterie.algorithms import classifying, suggesting

    numbers = {"reach": suggesting.REACH, "doubt": suggesting.DOUBT, "wider": suggesting.WIDER}
    numbers |= {"sample": suggesting.SAMPLE, "round": ROUND}
    return numbers | {"enough": classifying.ENOUGH, "penalty": classifying.PENALTY}


def on_pixels(task: Task, rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the classes by a support vector machine with a Gaussian kernel on the rows as they are."""
    if len(np.unique(y)) == 1:
        return np.full(len(task.x_test), y[0])
    return fit_svm(task.x[rows], y).predict(task.x_test)


def on_code(task: Task, rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the classes by logistic regression on the code."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(y)) == 1:
        return np.full(len(task.x_test), y[0])
    scale = task.z.std()
    learnt = LogisticRegression(C=10.0, max_iter=1000).fit(task.z[rows] / scale, y)
    return learnt.predict(task.z_test / scale)


def nearest(task: Task, rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the class of the labelled row that is nearest in the code."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1).fit(task.z[rows], y).predict(task.z_test)


LEARNERS: dict[str, Learner] = {"svm": on_pixels, "code": on_code, "nearest": nearest}


def tell(job: dict[str, Any], seeds: list[int], target: float) -> None:
    """Print the labels that each way needs for an accuracy, in the median over the seeds that both have."""
    most = TARGETS.get(job["dataset"], 1.0)
    if target > most:
        raise SystemExit(
            f"--target must be at most {most} for {job['dataset']}: curves end there. Got {target} instead."
        )
    curves: dict[str, dict[int, Any]] = {way: {} for way in WAYS}
    rows = [row for row in read(FILE) if row["seed"] in seeds and all(row[k] == v for k, v in job.items())]
    for row in of_one_program(rows, lambda row: row["way"]):
        curves[row["way"]][row["seed"]] = row["curve"]
    both = sorted(curves["suggest"].keys() & curves["random"].keys())
    if not both:
        raise SystemExit(f"No seed of {job['dataset']} was run both ways.")
    needed = {way: [labels_needed(curves[way][seed], target) for seed in both] for way in WAYS}
    for way in WAYS:
        print(f"{job['dataset']}, {way}: {needed[way]}, median {median(needed[way])} of {len(both)} seeds")
    each = [share_of(*pair) for pair in zip(*(needed[way] for way in WAYS), strict=True)]
    whole = share_of(*(median(needed[way]) for way in WAYS))
    print(f"{job['dataset']}: {whole:.2f} of what random choice needs; seed by seed {median(each):.2f} in the median")


def share_of(suggest: float, random: float) -> float:
    """Return which share of random choice's labels suggestions need; infinity where either never reached."""
    return suggest / random if max(suggest, random) < float("inf") else float("inf")


def labels_needed(curve: Sequence[tuple[int, float]], target: float) -> float:
    """Return the fewest labels from which on a curve reaches an accuracy; infinity where it does not."""
    needed = float("inf")
    for n, accuracy in reversed(curve):
        if accuracy < target:
            break
        needed = n
    return needed


def _do(job: dict[str, Any], models: str) -> None:
    for row in carry_out(
        "benchmarks.suggesting", job, file=FILE, started="suggest_started.jsonl", aside={"models": models}
    ):
        print(f"{job}: {row['curve']}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["mnist10k"])
    parser.add_argument("--system", default="dec")
    parser.add_argument("--learner", choices=sorted(LEARNERS), default="svm")
    parser.add_argument("--seeds", default="100-103", help="one seed, or first-last")
    parser.add_argument("--rows", type=int, default=None, help="of the train part, to try the script")
    parser.add_argument("--steps", type=int, default=None, help="of pretraining, to try the script")
    parser.add_argument("--target", type=float, default=None, help="accuracy to reach: tell, and run nothing")
    parser.add_argument("--models", default=MODELS, metavar="FOLDER", help="keeps systems that several runs share")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
