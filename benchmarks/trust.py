"""Choosing without labels: the automatic choice beside every candidate, data set by data set.

    python -m benchmarks.trust --dataset moons college usps --seeds 0-2        which system
    python -m benchmarks.trust --count blobs uniform mnist:subset --seeds 0-9  how many clusters
    python -m benchmarks.trust --left-out --seeds 0-9                          rows unlike the training rows

Rows go to results/trust.jsonl, counts.jsonl and strange.jsonl as they come, and every run begun to trust_started.jsonl.
Candidates that the choice did not try are fitted too, for the oracle alone. Labels are read after the fits, to
evaluate.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, commit, provenance, run_apart

Rows = tuple[np.ndarray, np.ndarray]
LEFT_OUT_ROWS = 0.15  # of the other digits, held out to be compared with the digit never seen


def main() -> None:
    """Run what is asked for."""
    arguments = _arguments()
    if arguments.job:
        job = json.loads(arguments.job)
        print(json.dumps({"choose": choose, "count": count, "left_out": left_out}[job.pop("what")](**job)))
        return
    jobs = [("trust.jsonl", {"what": "choose", "dataset": name}) for name in arguments.dataset]
    jobs += [("counts.jsonl", {"what": "count", "dataset": name}) for name in arguments.count]
    jobs += [("strange.jsonl", {"what": "left_out"})] * arguments.left_out
    for seed in seeds_of(arguments.seeds):
        for file, job in jobs:
            append("trust_started.jsonl", job | {"seed": seed, "commit": commit(), "time": provenance()["time"]})
            row = run_apart("benchmarks.trust", job | {"seed": seed})
            append(file, row | provenance())
            print({k: v for k, v in row.items() if k not in ("trials", "replication")}, file=sys.stderr)


def choose(dataset: str, seed: int) -> dict[str, Any]:
    """Return the choice on one data set, and what each candidate would have been worth."""
    from coterie import Auto
    from coterie.metrics import accuracy
    from coterie.selection.candidates import CANDIDATES, make_candidate

    X, y = rows_of(dataset, seed)
    k = len(np.unique(y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto = Auto(n_clusters=k, random_state=seed).fit(X)
        trials = {trial.name: (trial.model.labels_, trial.model.fit_seconds_) for trial in auto.trials_}
        for name in CANDIDATES:
            if name in trials:
                continue
            model = make_candidate(name, k, seed=seed).fit(X)
            trials[name] = (model.labels_, model.fit_seconds_)
    sure = np.lexsort((auto.predict_proba(X).max(1), auto.confidence_))[(len(y) + 1) // 2 :]  # exactly half of them
    again = auto.second_labels_
    found = {name: {"accuracy": accuracy(y, labels), "seconds": seconds} for name, (labels, seconds) in trials.items()}
    return {
        "dataset": dataset,
        "seed": seed,
        "n_samples": len(y),
        "n_clusters": k,
        "labels_used": False,
        "chosen": auto.best_name_,
        "accuracy": accuracy(y, auto.labels_),
        "seconds": auto.fit_seconds_,
        "trials": found,
        "kept": {trial.name: trial.judgement.kept for trial in auto.trials_},
        "criterion": auto.criterion_,
        "agreed": None if again is None else float((again == auto.labels_).mean()),
        "sure_half": _share_right(y, auto.labels_, sure),
        "mean_confidence": float(auto.confidence_.mean()),
    }


def count(dataset: str, seed: int) -> dict[str, Any]:
    """Return how many clusters are found where nobody said how many."""
    from coterie import DEC
    from coterie.algorithms.counting import count as count_clusters
    from coterie.data import make_source

    X, y = rows_of(dataset, seed)
    began = time.perf_counter()
    found = count_clusters(DEC(n_clusters="auto", random_state=seed), make_source(X), seed=seed)
    return {
        "dataset": dataset,
        "seed": seed,
        "n_samples": len(y),
        "classes": len(np.unique(y)),
        "found": found.n,
        "apart": found.apart,
        "replication": found.replication,
        "seconds": time.perf_counter() - began,
    }


def left_out(seed: int) -> dict[str, Any]:
    """Return how well rows of a digit that was left out are told from rows of the others, for digit ``seed``."""
    from sklearn.metrics import roc_auc_score

    from coterie.data import make_source
    from coterie.familiarity import Familiarity

    X, y = rows_of("mnist10k", seed)
    rng = np.random.default_rng(seed)
    others = rng.permutation(np.flatnonzero(y != seed))
    held = int(len(others) * LEFT_OUT_ROWS)
    source = make_source(X[others[held:]])
    seen = Familiarity.of(source, seed=seed)
    new = np.concatenate([others[:held], np.flatnonzero(y == seed)])
    strangeness = seen.strangeness(make_source(X[new], spec=source.spec))
    return {
        "dataset": "mnist10k",
        "seed": seed,
        "digit": seed,
        "auc": float(roc_auc_score(y[new] == seed, strangeness)),
        "flagged": float((strangeness[y[new] == seed] > seen.threshold).mean()),
        "flagged_of_known": float((strangeness[y[new] != seed] > seen.threshold).mean()),
    }


def rows_of(name: str, seed: int) -> Rows:
    """Return rows and classes of a data set; generated ones and subsets differ from seed to seed."""
    rng = np.random.default_rng(seed)
    kind, _, rest = name.partition(":")
    if kind in GENERATED:
        return GENERATED[kind](rng, seed)
    X, y = _known(kind)
    if rest.startswith("imbalanced"):  # class k is kept at the share r + (1 - r) k / 9, classes in random order
        r = float(rest.removeprefix("imbalanced"))
        share = np.empty(10)
        share[rng.permutation(10)] = r + (1 - r) * np.arange(10) / 9
        kept = rng.random(len(y)) < share[y]
        return X[kept], y[kept]
    if rest == "subset":  # of 3 to 9 classes, 10,000 rows at most
        kept = np.flatnonzero(np.isin(y, rng.permutation(10)[: rng.integers(3, 10)]))
        kept = rng.permutation(kept)[:10_000]
        return X[kept], y[kept]
    return X, y


def _known(name: str) -> Rows:
    if name in ("digits", "iris", "wine", "breast_cancer"):
        from sklearn import datasets as bundled

        table = getattr(bundled, f"load_{name}")()
        return table.data, table.target
    from coterie import datasets

    table = datasets.load(name)
    return np.asarray(table.X), np.unique(np.asarray(table.y), return_inverse=True)[1]


def _blobs(rng: np.random.Generator, seed: int) -> Rows:
    k, d = int(rng.integers(2, 51)), int(rng.integers(2, 11))
    centers = _apart(rng, k, d, least=8.0)
    y = np.arange(100 * k) % k
    return centers[y] + rng.normal(size=(len(y), d)), y


def _apart(rng: np.random.Generator, k: int, d: int, *, least: float) -> np.ndarray:
    """Return k places in d dimensions, none nearer to another than ``least``."""
    side = least * max(2.0, 2 * k ** (1 / d))
    found = np.zeros((0, d))
    while len(found) < k:
        new = rng.uniform(0, side, d)
        if not len(found) or np.linalg.norm(found - new, axis=1).min() >= least:
            found = np.vstack([found, new])
    return found


def _stretched(rng: np.random.Generator, seed: int) -> Rows:
    y = np.arange(2000) % 4
    z = _apart(rng, 4, 2, least=7.0)[y] + rng.normal(size=(2000, 2))
    return z @ np.array([[0.6, -0.6], [-0.4, 0.8]]), y


def _moons(rng: np.random.Generator, seed: int) -> Rows:
    from sklearn.datasets import make_moons

    return make_moons(2000, noise=0.06, random_state=seed)


def _unlike_sizes(rng: np.random.Generator, seed: int) -> Rows:
    y = np.repeat(np.arange(6), [2000, 1000, 500, 200, 100, 50])
    return _apart(rng, 6, 8, least=7.0)[y] + rng.normal(size=(len(y), 8)), y


def _many_columns(rng: np.random.Generator, seed: int) -> Rows:
    y = np.arange(2000) % 8
    return rng.normal(size=(8, 100))[y] + 1.5 * rng.normal(size=(2000, 100)), y


def _unlike_widths(rng: np.random.Generator, seed: int) -> Rows:
    y, width = np.arange(2000) % 4, np.array([0.5, 1.0, 2.0, 0.7])
    return _apart(rng, 4, 2, least=5.0)[y] + width[y, None] * rng.normal(size=(2000, 2)), y


def _topics(rng: np.random.Generator, seed: int) -> Rows:
    from sklearn.feature_extraction.text import TfidfTransformer

    words, k = 800, 8
    topics, common = rng.dirichlet(np.full(words, 0.05), k), rng.dirichlet(np.full(words, 0.3))
    y = rng.integers(0, k, 2500)
    counts = np.stack([rng.multinomial(rng.integers(20, 120), 0.6 * topics[c] + 0.4 * common) for c in y])
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray().astype(np.float32), y


def _uniform(rng: np.random.Generator, seed: int) -> Rows:
    return rng.random((2000, (2, 5, 10, 30)[seed % 4])), np.zeros(2000, dtype=int)


def _normal(rng: np.random.Generator, seed: int) -> Rows:
    return rng.normal(size=(2000, (2, 5, 10, 30)[seed % 4])), np.zeros(2000, dtype=int)


GENERATED: dict[str, Callable[[np.random.Generator, int], Rows]] = {
    "blobs": _blobs,
    "stretched": _stretched,
    "moons": _moons,
    "unlike-sizes": _unlike_sizes,
    "unlike-widths": _unlike_widths,
    "many-columns": _many_columns,
    "topics": _topics,
    "uniform": _uniform,
    "normal": _normal,
}


def _share_right(y: np.ndarray, labels: np.ndarray, among: np.ndarray) -> float:
    """Return the share of the rows among some whose cluster is matched with their class, by the match of all rows."""
    from coterie.metrics import match

    mapping = match(y, labels).mapping
    right = np.array([mapping.get(cluster, -1) for cluster in labels.tolist()]) == y
    return float(right[among].mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=[])
    parser.add_argument("--count", nargs="+", default=[], metavar="DATASET")
    parser.add_argument("--left-out", action="store_true")
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
