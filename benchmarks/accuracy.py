"""Accuracy: systems x data sets x seeds, one process a run, resumable.

    python -m benchmarks.accuracy --system dec --dataset mnist --seeds 0-9

Rows go to results/accuracy.jsonl as they come; a row that is there for this commit is not run again. Every run that was
begun is in results/started.jsonl, also one that never ended; rows made with defaults that were changed later are in
results/voided.jsonl and in no table. Labels are read after the fit, to evaluate. With ``--keep FOLDER`` a run that was
stopped goes on from its checkpoint there, on any number of threads; its seconds are those of all its parts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import carry_out, peak_mb, provenance
from coterie import Conv
from coterie.training import Callback, Fit

FILE = "accuracy.jsonl"
POINTS = 20  # of a run's curve
# Defaults but for what is known of the rows or asked of the network; these stand where the name of a recipe does.
FORMS: dict[str, dict[str, Any]] = {
    "convolutional": {"network": Conv(channels=(16, 32, 64), decoder=(500, 500))},  # which few images have anyway
    "mirrored": {"augment": "shift-rotate-flip"},  # for things that have no left and right
}


def main() -> None:
    """Run what is asked for and not yet there."""
    arguments = _arguments()
    if arguments.job:
        print(json.dumps(run(json.loads(arguments.job))))
        return
    for seed in seeds_of(arguments.seeds):
        for dataset in arguments.dataset:
            for system in arguments.system:
                job = {"system": system, "dataset": dataset, "recipe": arguments.recipe, "seed": seed}
                _do(job, arguments.keep)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one system to one data set with one seed; return the row."""
    import numpy as np
    import torch

    from coterie import datasets
    from coterie.baselines import raw_kmeans
    from coterie.config import config_context
    from coterie.data import make_source
    from coterie.metrics import evaluate

    table = datasets.load(job["dataset"])
    n_clusters = len(datasets.DATASETS[job["dataset"]].classes)
    model = make_estimator(job, n_clusters)
    with tempfile.TemporaryDirectory() as folder:
        mapped = Path(folder) / "X.npy"
        np.save(mapped, table.X)
        X = np.load(mapped, mmap_mode="r")
        y = np.asarray(table.y)
        del table
        trace = Trace()
        kept = Path(job["keep"]) / _name(job) if job.get("keep") else None
        with config_context(callbacks=(trace,), checkpoint=kept):
            model.fit(X)
        peak = peak_mb()
        row = _row(job, model, y) | {"curve": trace.curve(y)}
        # The same share of the fit's time that the command line gives to this baseline.
        pixels = raw_kmeans(make_source(X), n_clusters, seed=job["seed"], budget_seconds=model.fit_seconds_ / 10)
    kmeans = {"kmeans": round(evaluate(y, pixels.labels)["accuracy"], 5), "kmeans_rows": pixels.rows_fitted}
    return row | kmeans | {"peak_mb": peak, "threads": torch.get_num_threads(), **provenance()}


def make_estimator(job: dict[str, Any], n_clusters: int) -> Any:
    """Return the estimator of a job: at its defaults, by a recipe, or in the form of that name."""
    from coterie.algorithms import SYSTEMS

    cls, chosen = SYSTEMS[job["system"]], {"n_clusters": n_clusters, "random_state": job["seed"]}
    if job["recipe"] in FORMS:
        return cls(**chosen, **FORMS[job["recipe"]])
    return cls.from_recipe(job["recipe"], **chosen) if job["recipe"] else cls(**chosen)


class Trace(Callback):
    """Keeps the clusters at refreshes; what they were worth is asked after the fit, when labels are read."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.labels: list[Any] = []

    def on_refresh(self, fit: Fit, labels: Any) -> None:
        """Keep these clusters."""
        self.seconds.append(fit.clock.seconds)
        self.labels.append(labels.astype("uint8"))

    def curve(self, y: Any) -> list[tuple[float, float]]:
        """Return seconds and accuracy at up to 20 refreshes, evenly spaced."""
        from coterie.metrics import evaluate

        count = len(self.labels)
        shown = sorted({round(i * (count - 1) / (POINTS - 1)) for i in range(POINTS)}) if count else []
        return [(round(self.seconds[i], 1), round(evaluate(y, self.labels[i])["accuracy"], 4)) for i in shown]


def _row(job: dict[str, Any], model: Any, y: Any) -> dict[str, Any]:
    import numpy as np

    from coterie.algorithms.defaults import digest
    from coterie.baselines import code_kmeans
    from coterie.metrics import evaluate

    row = {
        **{name: value for name, value in job.items() if name != "keep"},
        "n_clusters": model.n_clusters,
        "n_samples": len(model.labels_),
        "labels_used": False,
        **{name: round(value, 5) for name, value in evaluate(y, model.labels_).items()},
        "seconds": round(model.fit_seconds_, 2),
        "sizes": np.bincount(model.labels_, minlength=model.n_clusters).tolist(),
        "settings": digest(model.settings_),
    }
    pretrained = getattr(model, "pretrained_code_", None)
    if pretrained is not None:
        code = code_kmeans(pretrained, model.n_clusters, seed=job["seed"])
        row["autoencoder_kmeans"] = round(evaluate(y, code.labels)["accuracy"], 5)
    return row


def _name(job: dict[str, Any]) -> str:
    return "-".join(str(job[name]) for name in ("system", "dataset", "recipe", "seed"))


def _do(job: dict[str, Any], keep: str | None) -> None:
    for row in carry_out("benchmarks.accuracy", job, file=FILE, started="started.jsonl", aside={"keep": keep}):
        print(f"{job}: ACC {row['accuracy']:.4f} in {row['seconds']:.0f} s", file=sys.stderr)


def seeds_of(text: str) -> list[int]:
    """Return the seeds that "3" or "0-9" stands for."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", nargs="+", default=["dec"])
    parser.add_argument("--dataset", nargs="+", default=["mnist10k"])
    parser.add_argument("--recipe", default=None, help=f"of the system, or one of {', '.join(FORMS)}")
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    parser.add_argument("--keep", metavar="FOLDER", help="checkpoints here, from which a stopped run goes on")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
