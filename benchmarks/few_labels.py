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
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import carry_out, provenance
from benchmarks.splits import MODELS, SVM, TRAIN, Split, choose, fit_svm, fitted, flat, load_split

FILE = "few_labels.jsonl"
FEW = ("1 a class", "10 a class", "1000", "10000")
STEP_ROWS = 40_000  # made up, that the time of a step is measured on
SVM_ROWS = 10_000  # of the labelled ones, that a support vector machine is fitted to
NEIGHBOURS = 10  # of each row, among which label spreading spreads
BELIEVED = 0.99  # alpha of label spreading, the weight of neighbours beside a row's own label: best of .2, .5, .9, .99

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
    from coterie.algorithms import SYSTEMS
    from coterie.algorithms.defaults import digest, resolve
    from coterie.data import make_source

    model = SelfLabel(n_clusters=_k(split), random_state=job["seed"])
    model = _shortened(model, job, "train").fit(split["x"], known=known)
    # The settings of its teachers, which are at their defaults, are its own too.
    source, names = make_source(split["x"]), dict.fromkeys(model.settings_["teachers"])
    taught_by = {name: digest(resolve(SYSTEMS[name](n_clusters=_k(split)), source)) for name in names}
    return model.predict(split["x_test"]), _told(model) | {"settings": digest(model.settings_ | taught_by)}


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
    from coterie.algorithms.defaults import digest

    rows = np.flatnonzero(known >= 0)[:SVM_ROWS]
    model = fit_svm(flat(split["x"][rows]), known[rows])
    told = {"fitted_rows": len(rows), "settings": digest(SVM | {"rows": SVM_ROWS})}
    return model.predict(flat(split["x_test"])), told


def spreading(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread the labels over the neighbours in the plain autoencoder's code."""
    return _spread(_plain(split, job), split, known)


def spreading_in_dec(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread the labels over the neighbours in the code of DEC, which was fitted without them."""
    from coterie import DEC

    model = _shortened(DEC(n_clusters=_k(split), random_state=job["seed"]), job, "pretrain")
    return _spread(_kept(model, split, job), split, known)


def _spread(model: Any, split: Split, known: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Let scikit-learn spread labels among all rows; it is given its graph, which it would take long to find."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.semi_supervised import LabelSpreading

    from coterie.algorithms.defaults import digest

    spread = LabelSpreading(kernel=joined, alpha=BELIEVED, max_iter=1000, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # which tol=0 never ends without: all steps are wanted
        spread.fit(model.transform(split["x"]), known)
    labels = spread.predict(model.transform(split["x_test"]))
    settings = digest(model.settings_ | {"alpha": BELIEVED, "spread_neighbours": NEIGHBOURS})
    return labels, _told(model) | {"fitted_rows": len(known), "settings": settings}


def joined(x: np.ndarray, others: np.ndarray) -> Any:
    """Return a sparse graph (len(x), len(others)): 1 where a row of x is among the nearest of another.

    It is symmetric where both are the same array, and no row of it is then its own neighbour.
    """
    import faiss
    from scipy.sparse import csr_array

    index = faiss.IndexFlatL2(x.shape[1])
    index.add(np.ascontiguousarray(x, dtype=np.float32))
    same = others is x
    near = index.search(np.ascontiguousarray(others, dtype=np.float32), NEIGHBOURS + same)[1][:, int(same) :]
    rows = np.repeat(np.arange(len(others)), near.shape[1])
    graph = csr_array((np.ones(near.size), (near.ravel(), rows)), (len(x), len(others)))
    return graph.maximum(graph.T) if same else graph


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
    "label spreading in DEC": spreading_in_dec,
}
UNLABELLED = ("plain autoencoder", "raw k-means")  # flat lines, run once a seed
ALL: dict[str, Method] = {"snnl annealed": snnl, "supcon": supcon, "softmax": softmax}


def step_times(network: str, batch_size: int = 256, steps: int = 130) -> dict[str, Any]:
    """Return how long a step with all labels takes beside one of the same autoencoder without any.

    Steps of both are taken by turns, each being the first of the two as often as the other, so that what else the
    machine does weighs on both; medians are compared.
    """
    import torch

    from coterie import Schedule, SNNLKMeans
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.config import get_config
    from coterie.data import make_source
    from coterie.training import Fit, Streams, make_runtime

    rng = np.random.default_rng(0)
    source = make_source(rng.integers(0, 256, (STEP_ROWS, 28, 28), dtype=np.uint8))
    known = torch.from_numpy(rng.integers(0, 10, STEP_ROWS))
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

    times = np.zeros((steps, 2))
    for number in range(steps):
        for which in ((0, 1), (1, 0))[number % 2]:
            times[number, which] = step(which, number)
    times = times[10:]  # the first ones are slower
    without, with_labels = np.median(times, axis=0)
    return {
        "network": network,
        "method": "step",
        "batch_size": batch_size,
        "milliseconds": round(1000 * float(with_labels), 2),
        "milliseconds_plain": round(1000 * float(without), 2),
        "ratio": round(float(np.median(times[:, 1] / times[:, 0])), 3),
        "precision": runtime.precision,
        "labels_used": STEP_ROWS,
    }


def _plain(split: Split, job: dict[str, Any]) -> Any:
    from coterie import AEKMeans

    k = _k(split)
    model = AEKMeans(n_clusters=k, code_size=max(10, k), random_state=job["seed"])
    return _kept(_shortened(model, job, "pretrain"), split, job)


def _kept(model: Any, split: Split, job: dict[str, Any]) -> Any:
    """Return a system that several runs share, fitted without labels."""
    parts = (type(model).__name__, job["dataset"], job["seed"], job["steps"], len(split["x"]))
    began = time.perf_counter()
    model = fitted(model, split["x"], name="-".join(map(str, parts)), models=job["models"])
    # The fit of a system that was there counts too.
    job["seconds_before"] = max(model.fit_seconds_ - (time.perf_counter() - began), 0.0)
    return model


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


def _k(split: Split) -> int:
    return len(np.unique(split["y"]))


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
