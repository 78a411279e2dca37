"""Choosing without labels: the automatic choice beside every candidate, data set by data set.

    python -m benchmarks.trust --dataset moons college usps --seeds 0-2        which system
    python -m benchmarks.trust --dataset mnist mnist:imbalanced0.1 --alone     without what the choice did not try
    python -m benchmarks.trust --count blobs uniform mnist:subset --seeds 0-9  how many clusters
    python -m benchmarks.trust --left-out --seeds 0-9                          rows unlike the training rows

With --clustpy ClustPy's DEC and DipDECK are fitted beside, from an environment of their own (clustpy_systems.py); with
--third a further run of the chosen system tells how well confidence was calibrated on the second one. Rows go to
results/trust.jsonl, counts.jsonl and strange.jsonl as they come, and every run begun to trust_started.jsonl. Candidates
that the choice did not try are fitted too, for the oracle, unless --alone is said. Labels are read after the fits, to
evaluate. Rows that a later rule of choice made void are in trust_voided.jsonl; with --earlier what they tell of
candidates and peers, which know nothing of that rule, is taken over, and the new row names them. That is right only as
long as the candidates' own defaults are those of then. With --keep FOLDER a choice that was stopped goes on from what
it kept there, and one that was finished is told anew without its fits, under the same condition; seconds are of all
parts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import ROOT, append, commit, provenance, read, run_apart
from benchmarks.trust_data import rows_of

PEER_ROWS, PEER_VALUES = 10_000, 5_000_000  # beyond which a peer that is quadratic would take hours
CLUSTPY_ROWS = 11_000  # beyond which its networks would
LEFT_OUT_ROWS = 0.15  # of the other digits, held out to be compared with the digit never seen


def main() -> None:
    """Run what is asked for."""
    arguments = _arguments()
    if arguments.job:
        job = json.loads(arguments.job)
        print(json.dumps({"choose": choose, "count": count, "left_out": left_out}[job.pop("what")](**job)))
        return
    if arguments.left_out and max(seeds_of(arguments.seeds)) > 9:
        raise SystemExit("--left-out leaves out the digit that is the seed: give --seeds 0-9, or some of them.")
    chosen = {"what": "choose", "third": arguments.third, "clustpy": arguments.clustpy, "alone": arguments.alone}
    chosen |= {"earlier": arguments.earlier, "keep": arguments.keep}
    jobs = [("trust.jsonl", chosen | {"dataset": name}) for name in arguments.dataset]
    jobs += [("counts.jsonl", {"what": "count", "dataset": name}) for name in arguments.count]
    jobs += [("strange.jsonl", {"what": "left_out"})] * arguments.left_out
    for seed in seeds_of(arguments.seeds):
        for file, job in jobs:
            places = ("clustpy", "keep")  # which say nothing of a run
            begun = {name: value for name, value in job.items() if name not in places}
            append("trust_started.jsonl", begun | {"seed": seed, "commit": commit(), "time": provenance()["time"]})
            row = run_apart("benchmarks.trust", job | {"seed": seed})
            append(file, row | provenance())
            print({k: v for k, v in row.items() if k not in ("trials", "replication")}, file=sys.stderr)


def choose(
    dataset: str, seed: int, *, third: bool, clustpy: str | None, alone: bool, earlier: bool, keep: str | None
) -> dict[str, Any]:
    """Return the choice on one data set, and what each candidate and each peer would have been worth.

    Alone, neither peers nor candidates that the choice did not try are fitted.
    """
    from coterie import Auto, config_context
    from coterie.metrics import accuracy
    from coterie.selection.candidates import CANDIDATES, make_candidate

    taken = _taken(dataset, seed) if earlier else {"trials": {}, "peers": {}}
    X, y = rows_of(dataset, seed)
    k = len(np.unique(y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with config_context(checkpoint=None if keep is None else Path(keep) / f"{dataset}-{seed}"):
            auto = Auto(n_clusters=k, random_state=seed).fit(X)
        trials = {trial.name: (trial.model.labels_, trial.model.fit_seconds_) for trial in auto.trials_}
        for name in () if alone else CANDIDATES:
            if name in trials or name in taken["trials"]:
                continue
            model = make_candidate(name, k, seed=seed).fit(X)
            trials[name] = (model.labels_, model.fit_seconds_)
    sure = np.lexsort((auto.predict_proba(X).max(1), auto.confidence_))[(len(y) + 1) // 2 :]  # exactly half of them
    again = auto.second_labels_
    peers = {} if alone else _peers(X, k, seed, without=taken["peers"])
    peers |= _clustpy(clustpy, X, k, seed=seed) if clustpy else {}
    found = {name: {"accuracy": accuracy(y, labels), "seconds": seconds} for name, (labels, seconds) in trials.items()}
    over = {name: figures for name, figures in taken["trials"].items() if name not in found}
    return {
        "dataset": dataset,
        "seed": seed,
        "n_samples": len(y),
        "n_clusters": k,
        "labels_used": False,
        "alone": alone,
        "chosen": auto.best_name_,
        "accuracy": accuracy(y, auto.labels_),
        "seconds": auto.fit_seconds_,
        "trials": found | over,
        "taken_over": [*over, *(name for name in taken["peers"] if name not in peers)],
        "kept": {trial.name: trial.judgement.kept for trial in auto.trials_},
        "learned": {trial.name: trial.learned for trial in auto.trials_ if trial.learned is not None},
        "criterion": auto.criterion_,
        "calibration": "by margin and cluster",  # rows without it tell confidences of an earlier rule
        "agreed": None if again is None else float((again == auto.labels_).mean()),
        "sure_half": _share_right(y, auto.labels_, sure),
        "mean_confidence": float(auto.confidence_.mean()),
        "calibration_error": _calibration_error(auto, X, seed=seed + 2) if third else None,
        "calibration_error_by_labels": _expected_error(auto.confidence_, _right(y, auto.labels_)),
        "worst_f": float(_f_of_classes(y, auto.labels_).min()),
        "peers": taken["peers"]
        | {name: None if labels is None else accuracy(y, labels) for name, labels in peers.items()},
    }


def _taken(dataset: str, seed: int) -> dict[str, dict[str, Any]]:
    """Return what earlier rows of this set and seed tell of candidates and peers, the latest of each.

    A network that learned from what an earlier rule chose is no candidate.
    """
    from coterie.selection.candidates import CANDIDATES

    found: dict[str, dict[str, Any]] = {"trials": {}, "peers": {}}
    for row in [*read("trust_voided.jsonl"), *read("trust.jsonl")]:
        if (row["dataset"], row["seed"]) == (dataset, seed):
            for what in found:
                found[what] |= row[what]
    found["trials"] = {name: one for name, one in found["trials"].items() if name in CANDIDATES}
    return found


def _peers(X: np.ndarray, k: int, seed: int, *, without: Collection[str]) -> dict[str, np.ndarray | None]:
    """Return what scikit-learn's methods find at their defaults in rows as they come; None where that takes hours."""
    from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
    from sklearn.mixture import GaussianMixture

    rows = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
    n, d = rows.shape
    peers = {
        "sklearn KMeans": KMeans(k, random_state=seed),
        "sklearn GaussianMixture": GaussianMixture(k, random_state=seed) if n * d < PEER_VALUES else None,
        "sklearn SpectralClustering": SpectralClustering(k, random_state=seed) if n <= PEER_ROWS else None,
        "sklearn HDBSCAN": HDBSCAN(copy=True) if n <= PEER_ROWS else None,
    }
    wanted = {name: peer for name, peer in peers.items() if name not in without}
    found = {name: None if peer is None else peer.fit_predict(rows) for name, peer in wanted.items()}
    # Rows that HDBSCAN puts nowhere are a group of their own.
    return {name: None if labels is None else labels - min(labels.min(), 0) for name, labels in found.items()}


def _clustpy(python: str, X: np.ndarray, k: int, *, seed: int) -> dict[str, np.ndarray | None]:
    """Return what ClustPy's systems find at their defaults in rows scaled as for coterie; None where it takes hours."""
    from coterie.data import make_source

    if len(X) > CLUSTPY_ROWS:
        return {"ClustPy DEC": None, "ClustPy DipDECK": None}
    rows = make_source(X).take(slice(0, len(X))).reshape(len(X), -1).numpy()
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "rows.npy", rows)
        program = str(ROOT / "benchmarks" / "clustpy_peers.py")
        subprocess.run([python, program, folder, str(seed), str(k)], check=True, stdout=subprocess.DEVNULL)
        return {f"ClustPy {name}": np.load(Path(folder) / f"{name}.npy") for name in ("DEC", "DipDECK")}


def _calibration_error(auto: Any, X: np.ndarray, *, seed: int) -> float:
    """Return the expected calibration error against a run that neither the fit nor the calibration has seen."""
    from sklearn.base import clone

    from coterie.selection import align
    from coterie.selection.candidates import SIMPLE

    part = slice(None)
    if auto.best_name_ in SIMPLE:  # whose fits of the same rows hardly differ
        part = np.sort(np.random.default_rng(seed).permutation(len(X))[: (len(X) + 1) // 2])
    third = clone(auto.best_).set_params(random_state=seed).fit(X[part])
    return _expected_error(auto.confidence_, align(third.predict(X), auto.labels_) == auto.labels_)


def _expected_error(confidence: np.ndarray, came_true: np.ndarray) -> float:
    """Return the mean difference of confidence and what came true, over ten groups of rows of rising confidence."""
    parts = np.array_split(np.argsort(confidence, kind="stable"), 10)
    return float(sum(abs(confidence[p].sum() - came_true[p].sum()) for p in parts) / len(confidence))


def _f_of_classes(y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return F1 of each class against the cluster matched with it; 0 where there is none."""
    from sklearn.metrics import f1_score

    return f1_score(y, _matched(y, labels), labels=np.unique(y), average=None, zero_division=0.0)


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


def _share_right(y: np.ndarray, labels: np.ndarray, among: np.ndarray) -> float:
    """Return the share of the rows among some whose cluster is matched with their class, by the match of all rows."""
    return float(_right(y, labels)[among].mean())


def _right(y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return _matched(y, labels) == y


def _matched(y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class that each row's cluster is matched with, -1 for none."""
    from coterie.metrics import match

    mapping = match(y, labels).mapping
    return np.array([mapping.get(cluster, -1) for cluster in labels.tolist()])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=[])
    parser.add_argument("--count", nargs="+", default=[], metavar="DATASET")
    parser.add_argument("--left-out", action="store_true")
    parser.add_argument("--alone", action="store_true", help="fit neither peers nor what the choice did not try")
    parser.add_argument("--earlier", action="store_true", help="take over what earlier rows tell of candidates")
    parser.add_argument("--keep", metavar="FOLDER", help="checkpoints here, from which a stopped choice goes on")
    parser.add_argument("--third", action="store_true", help="fit the chosen system once more, to judge confidence")
    parser.add_argument("--clustpy", default=None, metavar="PYTHON", help="of an environment that has ClustPy")
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
