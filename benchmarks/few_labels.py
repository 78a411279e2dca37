"""What labels add: SNNLKMeans and DEC beside a classifier, with few labels beside other uses of them, and the price.

    python -m benchmarks.few_labels --all-labels                    beside a softmax head on the same network
    python -m benchmarks.few_labels --few --dataset mnist           ACC against the number of labels
    python -m benchmarks.few_labels --step                          time of a step beside the plain autoencoder's

Everything here USES LABELS in training, but for raw k-means and the plain autoencoder, whose rows say "labels_used": 0.
All is fitted on the train part and scored on the test part. What learned from labels calls a row by the number of its
class, so that no label of the test part is needed to match clusters; where there are none, "accuracy" matches them.
Rows go to results/few_labels.jsonl as they come, and every run begun to few_labels_started.jsonl; a row that is there
for this commit is not made again. Systems that labels are spread in are fitted once and kept in --models. Development
seeds are from 100 on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.accuracy import seeds_of
from benchmarks.common import carry_out, provenance
from benchmarks.few_methods import ALL, METHODS, UNLABELLED
from benchmarks.splits import MODELS, TRAIN, choose, load_split
from benchmarks.step_times import step_times

FILE = "few_labels.jsonl"
FEW = ("1 a class", "10 a class", "1000", "10000")


def main() -> None:
    """Run what is asked for and not yet there."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps(run(json.loads(arguments.job))))
        return
    jobs: list[dict[str, Any]] = []
    for seed in seeds_of(arguments.seeds):
        for dataset in arguments.dataset:
            shared = {"dataset": dataset, "seed": seed, "steps": arguments.steps, "rows": arguments.rows}
            if arguments.all_labels:
                jobs += [shared | {"labels": "all", "method": name} for name in arguments.methods or ALL]
            if arguments.few:
                for name in arguments.methods or METHODS:
                    counts = ("none",) if name in UNLABELLED else arguments.counts
                    jobs += [shared | {"labels": count, "method": name} for count in counts]
    if arguments.step:
        jobs += [{"labels": "all", "method": "step", "network": name, "seed": 100} for name in ("paper", "default")]
    for job in jobs:
        _do(job, arguments.models)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Return the row of one job."""
    import torch

    models = job.pop("models", MODELS)
    if job["method"] == "step":
        return {**job, **step_times(job["network"]), "threads": torch.get_num_threads(), **provenance()}
    from coterie.metrics import evaluate

    split = load_split(job["dataset"], job.get("rows"))
    known = choose(split["y"], job["labels"], job["seed"])
    began = time.perf_counter()
    given = job | {"models": models, "seconds_before": 0.0}
    labels, told = (METHODS | ALL)[job["method"]](split, known, given)
    seconds = round(time.perf_counter() - began + given["seconds_before"], 2)
    figures = {name: round(value, 5) for name, value in evaluate(split["y_test"], labels).items()}
    # As it stands: clusters have the numbers of classes, so no matching with the test part's labels is needed.
    figures["unmatched_accuracy"] = round(float((labels == split["y_test"]).mean()), 5)
    used = {"labels_used": int((known >= 0).sum()), "part": "test"}
    return {**job, **used, **figures, "seconds": seconds, **told, "threads": torch.get_num_threads(), **provenance()}


def _do(job: dict[str, Any], models: str) -> None:
    aside = {"models": models}
    for row in carry_out("benchmarks.few_labels", job, file=FILE, started="few_labels_started.jsonl", aside=aside):
        figure = f"ratio {row['ratio']}" if job["method"] == "step" else f"ACC {row[figure_of(row)]:.4f}"
        print(f"{job}: {figure} in {row['process_seconds']:.0f} s", file=sys.stderr)


def figure_of(row: dict[str, Any]) -> str:
    """Return which of a row's figures counts: only clusters that nobody named are matched with classes."""
    return "unmatched_accuracy" if row["labels_used"] else "accuracy"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all-labels", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--step", action="store_true")
    parser.add_argument("--dataset", nargs="+", default=["mnist"], choices=[*TRAIN, "mnist10k"])
    parser.add_argument("--methods", nargs="+", help=f"some of {', '.join(METHODS | ALL)}")
    parser.add_argument("--counts", nargs="+", default=FEW, choices=FEW, help="numbers of labels, with --few")
    parser.add_argument("--seeds", default="100-103", help="one seed, or first-last")
    parser.add_argument("--steps", type=int, help="optimiser steps, to try the script")
    parser.add_argument("--rows", type=int, help="of the train part, to try the script")
    parser.add_argument("--models", default=MODELS, metavar="FOLDER", help="keeps systems that several runs share")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
