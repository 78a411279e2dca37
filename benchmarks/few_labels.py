"""What labels add: SNNLKMeans and DEC beside a classifier, with few labels beside other uses of them, and the price.

    python -m benchmarks.few_labels --all-labels                    beside a softmax head on the same network
    python -m benchmarks.few_labels --few --dataset mnist           ACC against the number of labels
    python -m benchmarks.few_labels --step                          time of a step beside the plain autoencoder's

Everything here USES LABELS in training, but for raw k-means and the plain autoencoder, whose rows say "labels_used": 0.
All is fitted on the train part and scored on the test part. Rows go to results/few_labels.jsonl as they come, and every
run begun to few_labels_started.jsonl; a row that is there for this commit is not made again. Development seeds are from
100 on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, commit, provenance, read, run_apart

FILE = "few_labels.jsonl"
TRAIN = {"mnist": 60_000, "fashion-mnist": 60_000, "emnist": 39_373}  # the first rows; the others are the test part
FEW = ("1 a class", "10 a class", "1000", "10000")
NEIGHBOURS, SPREAD_ROWS, SVM_ROWS = 10, 10_000, 10_000  # of label spreading and of the support vector machine

Split = dict[str, np.ndarray]  # x, y, x_test, y_test
# From a split, the labels that may be read (-1: none) and a job, to labels of the test rows and what else to tell.
Method = Callable[[Split, np.ndarray, dict[str, Any]], tuple[np.ndarray, dict[str, Any]]]


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
        _do(job)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Return the row of one job."""
    import torch

    if job["method"] == "step":
        return step_times(job["network"]) | {"threads": torch.get_num_threads(), **provenance()}
    from coterie.metrics import evaluate

    split = load_split(job["dataset"], job.get("rows"))
    known = choose(split["y"], job["labels"], job["seed"])
    began = time.perf_counter()
    labels, told = (METHODS | ALL)[job["method"]](split, known, job)
    seconds = round(time.perf_counter() - began, 2)
    figures = {name: round(value, 5) for name, value in evaluate(split["y_test"], labels).items()}
    # As it stands: clusters have the numbers of classes, so no matching with the test part's labels is needed.
    figures["unmatched_accuracy"] = round(float((labels == split["y_test"]).mean()), 5)
    used = {"labels_used": int((known >= 0).sum()), "part": "test"}
    return {**job, **used, **figures, "seconds": seconds, **told, "threads": torch.get_num_threads(), **provenance()}


def load_split(dataset: str, rows: int | None = None) -> Split:
    """Return a data set's train and test part; of the train part, the first rows only where so many are asked for."""
    from coterie import datasets

    table = datasets.load(dataset)
    y = np.asarray(table.y)
    n = TRAIN[dataset]
    return {"x": table.X[:n][:rows], "y": y[:n][:rows], "x_test": table.X[n:], "y_test": y[n:]}


def choose(y: np.ndarray, labels: str, seed: int) -> np.ndarray:
    """Return the labels that may be read, -1 for the others: the same rows for every method of one seed.

    More labels are those of fewer and others, so that a curve over their number is of nested sets.
    """
    known = np.full(len(y), -1)
    if labels == "all":
        return y.copy()
    order = np.random.default_rng(seed).permutation(len(y))
    if labels.endswith("a class"):
        per_class = int(labels.split(maxsplit=1)[0])
        rows = np.concatenate([order[y[order] == c][:per_class] for c in np.unique(y)])
    else:
        rows = order[: 0 if labels == "none" else int(labels)]
    known[rows] = y[rows]
    return known


def snnl(split: Split, known: np.ndarray, job: dict[str, Any], **parameters: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans at its defaults."""
    from coterie import SNNLKMeans

    model = _shortened(SNNLKMeans(n_clusters=_k(split), random_state=job["seed"], **parameters), job, "train")
    model.fit(split["x"], known)
    return model.predict(split["x_test"]), _told(model)


def fixed(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans with the fixed temperature that the loss was first published with."""
    return snnl(split, known, job, temperature=1.0)


def supcon(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans with its alternative loss."""
    return snnl(split, known, job, loss="supcon", temperature=0.1)


def selflabel(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SelfLabel at its defaults, told of the labels."""
    from coterie import SelfLabel

    model = SelfLabel(n_clusters=_k(split), random_state=job["seed"])
    model = _shortened(model, job, "train").fit(split["x"], known=known)
    return model.predict(split["x_test"]), _told(model)


def dec(split: Split, known: np.ndarray, job: dict[str, Any], **parameters: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit DEC at its defaults, told of the labels."""
    from coterie import DEC

    model = _shortened(DEC(n_clusters=_k(split), random_state=job["seed"], **parameters), job, "pretrain")
    model.fit(split["x"], known=known)
    return model.predict(split["x_test"]), _told(model)


def dec_mirrored(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit DEC, told of the labels and that things have no left and right."""
    return dec(split, known, job, augment="shift-rotate-flip")


def plain(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit an autoencoder and k-means at their defaults; no label is read."""
    model = _plain(split, job)
    return model.predict(split["x_test"]), _told(model)


def pixels(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit k-means on pixels; no label is read."""
    from coterie import KMeans

    model = KMeans(n_clusters=_k(split), random_state=job["seed"]).fit(split["x"])
    return model.predict(split["x_test"]), _told(model)


def machine(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit a support vector machine with a Gaussian kernel to the labelled rows' pixels."""
    from sklearn.svm import SVC

    rows = np.flatnonzero(known >= 0)[:SVM_ROWS]
    model = SVC(C=10.0, gamma="scale").fit(_flat(split["x"][rows]), known[rows])
    return model.predict(_flat(split["x_test"])), {"fitted_rows": len(rows)}


def spreading(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread the labels over the neighbours in the plain autoencoder's code."""
    from sklearn.semi_supervised import LabelSpreading

    model = _plain(split, job)
    # The labelled rows, and as many others as the graph bears.
    labelled, others = np.flatnonzero(known >= 0), np.flatnonzero(known < 0)
    more = np.random.default_rng(job["seed"]).permutation(others)[: max(SPREAD_ROWS - len(labelled), 0)]
    rows = np.concatenate([labelled, more])
    spread = LabelSpreading(kernel="knn", n_neighbors=NEIGHBOURS, max_iter=100)
    spread.fit(model.transform(split["x"][rows]), known[rows])
    return spread.predict(model.transform(split["x_test"])), _told(model) | {"fitted_rows": len(rows)}


def softmax(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Train SNNLKMeans' encoder with a softmax head in place of its loss: same optimiser, steps, batches, changes."""
    import torch
    from torch.nn.functional import cross_entropy

    from coterie import SNNLKMeans
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.config import get_config
    from coterie.data import make_source
    from coterie.training import Checkpointer, Fit, Phase, Streams, Turn, apply_batched, make_runtime, train

    class Classifier(SNNLKMeans):
        """The same encoder, taught by cross entropy."""

        def make_model(self, spec: Any, settings: dict[str, Any]) -> Any:
            model = super().make_model(spec, settings)
            model.head = torch.nn.Linear(settings["code_size"], settings["n_clusters"])
            return model

        def phases(self, fit: Fit) -> list[Phase]:
            turn = Turn("classifier_terms", ("encoder", "head"), fit.settings["train"])
            return [fit.make_phase("classify", turn, sampler="balanced")]

        def classifier_terms(self, fit: Fit, batch: Any) -> dict[str, Any]:
            y = fit.memory["known"][batch.index].to(batch.x.device)
            logits = fit.model.head(fit.model.encode(batch.view).float())
            return {"cross_entropy": cross_entropy(logits, y, ignore_index=-1)}

        def finish(self, fit: Fit) -> None:
            pass

    system = _shortened(Classifier(n_clusters=_k(split), random_state=job["seed"]), job, "train")
    source = make_source(split["x"])
    settings, streams, runtime = resolve(system, source), Streams(job["seed"]), make_runtime(get_config())
    model = build(system, source.spec, settings=settings, streams=streams)
    fit = Fit(model, source, streams, runtime, settings["augment"], settings)
    fit.memory["known"] = torch.from_numpy(known)
    runtime.prepare(fit.model)
    train(system, fit, checkpointer=Checkpointer(None, 0.0, {}))
    test = make_source(split["x_test"], spec=source.spec)
    with torch.no_grad():
        answers = [apply_batched(lambda x: model.head(model.encode(x)), part) for part in _parts(test)]
    return torch.cat(answers).argmax(1).numpy(), {"optimiser_steps": fit.clock.total}


# To add a method, name it here: it may read `known`, and nothing else of the labels.
METHODS: dict[str, Method] = {
    "snnl annealed": snnl,
    "snnl fixed": fixed,
    "dec known": dec,
    "selflabel known": selflabel,
    "dec known, mirrored": dec_mirrored,
    "plain autoencoder": plain,
    "raw k-means": pixels,
    "svm": machine,
    "label spreading": spreading,
}
UNLABELLED = ("plain autoencoder", "raw k-means")  # flat lines, run once a seed
ALL: dict[str, Method] = {"snnl annealed": snnl, "supcon": supcon, "softmax": softmax}


def step_times(network: str, batch_size: int = 256, steps: int = 30) -> dict[str, Any]:
    """Return how long a step with all labels takes beside one of the same autoencoder without any.

    Steps of both are taken by turns, so that what else the machine does weighs on both; medians are compared.
    """
    import torch

    from coterie import Schedule, SNNLKMeans
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.config import get_config
    from coterie.data import make_source
    from coterie.training import Fit, Streams, make_runtime

    rng = np.random.default_rng(0)
    source = make_source(rng.integers(0, 256, (20_000, 28, 28), dtype=np.uint8))
    known = torch.from_numpy(rng.integers(0, 10, 20_000))
    train = Schedule(steps=1, batch_size=batch_size)
    made = SNNLKMeans.from_recipe("paper", n_clusters=10) if network == "paper" else SNNLKMeans(n_clusters=10)
    system = made.set_params(train=train)
    fits, optimisers = [], []
    runtime = make_runtime(get_config())
    for labels in (None, known):
        settings = resolve(system, source)
        model = build(system, source.spec, settings=settings, streams=Streams(0))
        runtime.prepare(model)
        fit = Fit(model.train(), source, Streams(0), runtime, settings["augment"], settings)
        fit.memory |= {} if labels is None else {"known": labels}
        fits.append(fit)
        optimisers.append(train.make_optimiser([*model.encoder.parameters(), *model.decoder.parameters()]))

    def step(which: int, number: int) -> float:
        fit, optimiser = fits[which], optimisers[which]
        batch = fit.batch(torch.arange(number * batch_size, (number + 1) * batch_size), number)
        began = time.perf_counter()
        with runtime.autocast():
            terms = system.terms(fit, batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        return time.perf_counter() - began

    times = np.array([[step(which, number) for which in (0, 1)] for number in range(steps)])[5:]
    without, with_labels = np.median(times, axis=0)
    return {
        "network": network,
        "method": "step",
        "batch_size": batch_size,
        "milliseconds": round(1000 * float(with_labels), 2),
        "milliseconds_plain": round(1000 * float(without), 2),
        "ratio": round(float(np.median(times[:, 1] / times[:, 0])), 3),
        "precision": runtime.precision,
        "labels_used": 20_000,
    }


def _plain(split: Split, job: dict[str, Any]) -> Any:
    from coterie import AEKMeans

    model = AEKMeans(n_clusters=_k(split), code_size=max(10, _k(split)), random_state=job["seed"])
    return _shortened(model, job, "pretrain").fit(split["x"])


def _shortened(model: Any, job: dict[str, Any], name: str) -> Any:
    """Return the estimator with fewer steps where a job asks for them, to try the script."""
    from coterie import Schedule

    return model.set_params(**{name: Schedule(steps=job["steps"])}) if job.get("steps") else model


def _parts(source: Any, rows: int = 1000) -> Any:
    return (source.take(slice(i, min(i + rows, len(source)))) for i in range(0, len(source), rows))


def _told(model: Any) -> dict[str, Any]:
    from coterie.algorithms.defaults import digest

    told = {"optimiser_steps": model.n_iter_, "settings": digest(model.settings_)}
    return told | {"train_sizes": np.bincount(model.labels_, minlength=model.n_clusters).tolist()}


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1).astype(np.float32) / 255


def _k(split: Split) -> int:
    return len(np.unique(split["y"]))


def _do(job: dict[str, Any]) -> None:
    now = commit()
    if any(all(row.get(k) == v for k, v in job.items()) and row["commit"] == now for row in read(FILE)):
        print(f"there: {job}", file=sys.stderr)
        return
    append("few_labels_started.jsonl", job | {"commit": now, "time": provenance()["time"]})
    row = run_apart("benchmarks.few_labels", job) | {"commit": now}  # the program is that of the beginning
    append(FILE, row)
    figure = f"ratio {row['ratio']}" if job["method"] == "step" else f"ACC {row['accuracy']:.4f}"
    print(f"{job}: {figure} in {row['process_seconds']:.0f} s", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all-labels", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--step", action="store_true")
    parser.add_argument("--dataset", nargs="+", default=["mnist"], choices=TRAIN)
    parser.add_argument("--methods", nargs="+", help=f"some of {', '.join(METHODS | ALL)}")
    parser.add_argument("--counts", nargs="+", default=FEW, choices=FEW, help="numbers of labels, with --few")
    parser.add_argument("--seeds", default="100-103", help="one seed, or first-last")
    parser.add_argument("--steps", type=int, help="optimiser steps, to try the script")
    parser.add_argument("--rows", type=int, help="of the train part, to try the script")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
