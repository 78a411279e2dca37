"""Deep embedded clustering step by step: from k-means on pixels to a confusion matrix.

    python examples/dec_walkthrough.py                     the embedded 10,000 digits, at today's defaults, a minute
    python examples/dec_walkthrough.py --data mnist        all 70,000, a few minutes
    python examples/dec_walkthrough.py --recipe keras      the settings of the Keras scripts, far longer

Pictures go to --out: the confusion matrix, the accuracy at each refresh, the loss. Labels are read only to judge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np

from coterie import DEC, AEKMeans, KMeans, Schedule, config_context
from coterie.datasets import load
from coterie.metrics import accuracy, evaluate, match
from coterie.training import Callback, Fit

mpl.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt


class Refreshes(Callback):
    """Keeps the clusters at each refresh of the target."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.labels: list[np.ndarray] = []

    def on_refresh(self, fit: Fit, labels: np.ndarray) -> None:
        """Keep these clusters."""
        self.steps.append(fit.clock.step)
        self.labels.append(labels.copy())


def main(arguments: list[str] | None = None) -> None:
    """Run the walk-through."""
    options = parse(arguments)
    table = load(options.data)
    X, y = np.asarray(table.X)[: options.rows], np.asarray(table.y)[: options.rows]
    k = len(np.unique(y))
    short = {} if options.steps is None else dict.fromkeys(("pretrain", "train"), Schedule(steps=options.steps))

    print(f"1. K-means on the pixels of {len(X):,} images")
    tell(y, KMeans(n_clusters=k, n_init=options.n_init, random_state=options.seed).fit(X).labels_)

    print("2. An autoencoder, then k-means on its code")
    pretraining = {name: schedule for name, schedule in short.items() if name == "pretrain"}
    tell(y, AEKMeans(n_clusters=k, random_state=options.seed, **pretraining).fit(X).labels_)

    print("3. Deep embedded clustering")
    chosen = {"n_clusters": k, "random_state": options.seed, **short}
    dec = DEC.from_recipe(options.recipe, **chosen) if options.recipe else DEC(**chosen)
    refreshes = Refreshes()
    with config_context(callbacks=(refreshes,)):
        dec.fit(X)
    tell(y, dec.labels_)
    print(dec.summary())

    options.out.mkdir(parents=True, exist_ok=True)
    draw_confusion(y, dec.labels_, options.out / "confusion.png")
    draw_course(dec, refreshes, y=y, path=options.out / "course.png")
    print(f"Pictures: {options.out}")


def tell(y: np.ndarray, labels: np.ndarray) -> None:
    """Print the three figures that the field compares."""
    figures = evaluate(y, labels)
    print("   " + "  ".join(f"{name.upper()} {figures[key]:.3f}" for name, key in NAMES.items()))


NAMES = {"acc": "accuracy", "nmi": "nmi", "ari": "ari"}


def draw_confusion(y: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Draw classes against the clusters that were matched with them."""
    to_class = match(y, labels).mapping
    classes = np.unique(y)
    matched = np.array([to_class.get(cluster, -1) for cluster in labels])
    counts = np.array([[((y == a) & (matched == b)).sum() for b in classes] for a in classes])
    figure, axes = plt.subplots(figsize=(6, 5.4), layout="constrained")
    axes.imshow(np.log1p(counts), cmap="Blues")
    for (a, b), count in np.ndenumerate(counts):
        if count:
            axes.text(b, a, f"{count:,}", ha="center", va="center", fontsize=7, color="white" if a == b else "black")
    axes.set(xlabel="matched cluster", ylabel="class", xticks=range(len(classes)), yticks=range(len(classes)))
    axes.set_xticklabels(classes)
    axes.set_yticklabels(classes)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_course(dec: DEC, refreshes: Refreshes, *, y: np.ndarray, path: Path) -> None:
    """Draw the accuracy at each refresh, and the loss."""
    figure, (above, below) = plt.subplots(2, figsize=(6, 5.4), layout="constrained", sharex=True)
    above.plot(refreshes.steps, [accuracy(y, labels) for labels in refreshes.labels], marker=".")
    above.set(ylabel="accuracy at a refresh")
    records = [record for record in dec.history_ if "kl" in record]
    below.plot([record["step"] for record in records], [record["kl"] for record in records])
    below.set(ylabel="KL(P, Q)", xlabel="step of the clustering phase")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist10k", help="a benchmark set of images")
    parser.add_argument("--rows", type=int, default=None, help="only the first rows")
    parser.add_argument("--recipe", default=None, help="such as keras")
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps of each phase, for a quick look")
    parser.add_argument("--n-init", type=int, default=20, help="beginnings of k-means on the pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("walkthrough"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
