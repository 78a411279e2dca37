"""Three pictures of the soft nearest neighbour loss, which USES LABELS.

    python examples/snnl_pictures.py                     all of them, most of an hour: t-SNE in space is slow
    python examples/snnl_pictures.py --only points       the first alone, seconds

points.png: 300 random points pulled apart by class under a fixed and under an annealed temperature. codes.png: three
sets in three dimensions (t-SNE, perplexity 50, learning rate 10, 5,000 iterations), as pixels and as the code that
SNNLKMeans learned from the labels of the train part; what is drawn is test rows. curve.png: accuracy on the test part
against the number of labels, from benchmarks/results/few_labels.jsonl where that is there. Pixels and the plain
autoencoder are flat lines: they read no labels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from coterie import Schedule, SNNLKMeans
from coterie.datasets import load
from coterie.errors import DatasetMissingError
from coterie.figures import percentage
from coterie.nn import soft_nearest_neighbor_loss

mpl.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "few_labels.jsonl"
EPOCHS = (0, 20, 50)  # at which the points are drawn
TRAIN_PART = {"mnist": 60_000, "fashion-mnist": 60_000, "emnist": 39_373}  # the first rows
TEN = {"emnist": (10, 20)}  # of its 47 classes the letters A to J: its digits are those of MNIST again
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "emnist": "EMNIST, A to J"}
CURVES = {"snnl annealed": "SNNLKMeans, annealed T", "snnl fixed": "SNNLKMeans, fixed T"}
FLAT = {"plain autoencoder": "plain autoencoder, k-means", "raw k-means": "pixels, k-means"}


def main(arguments: list[str] | None = None) -> None:
    """Draw what is asked for."""
    options = parse(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        PICTURES[name](options)


def draw_points(options: argparse.Namespace) -> None:
    """Draw random points pulled apart, by epoch and by kind of temperature."""
    figure, axes = plt.subplots(2, len(EPOCHS), figsize=(10, 6.6), layout="constrained")
    for row, (name, T) in zip(axes, TEMPERATURES.items(), strict=True):
        for ax, (epoch, (h, loss)) in zip(row, pulled(T, options.seed).items(), strict=True):
            ax.scatter(*h.T, c=classes_of(len(h)), cmap="tab10", vmax=9, s=10, linewidths=0)
            ax.set(xticks=[], yticks=[], aspect="equal")
            beside = percentage(beside_own(h), 0)
            ax.set_title(f"{name}, epoch {epoch}: {beside} beside their own, loss at T = 1 {loss:.3f}", fontsize=8)
    save(figure, options.out / "points.png")


# From an epoch to the temperature.
TEMPERATURES: dict[str, Callable[[int], float]] = {
    "fixed T = 1": lambda epoch: 1.0,
    "annealed T": lambda epoch: (1 + epoch) ** -0.55,
}


def pulled(temperature: Callable[[int], float], seed: int, *, n: int = 300, steps: int = 2) -> dict[int, Any]:
    """Return the places of n points and their loss at T = 1, at each of the epochs, of ``steps`` steps each."""
    start = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    h, y = start.clone().requires_grad_(), torch.from_numpy(classes_of(n))
    optimiser = torch.optim.Adam([h], lr=0.05)
    found = {}
    for epoch in range(max(EPOCHS) + 1):
        if epoch in EPOCHS:
            loss = soft_nearest_neighbor_loss(h.detach(), y, temperature=1.0, distance="euclidean")
            found[epoch] = h.detach().numpy().copy(), float(loss)
        for _ in range(steps):
            optimiser.zero_grad()
            soft_nearest_neighbor_loss(h, y, temperature=temperature(epoch), distance="euclidean").backward()
            optimiser.step()
    return found


def beside_own(h: np.ndarray) -> float:
    """Return the share of points whose nearest other point is of their class: a loss favours who trained it."""
    nearest = NearestNeighbors(n_neighbors=1).fit(h).kneighbors(return_distance=False)[:, 0]
    y = classes_of(len(h))
    return float((y[nearest] == y).mean())


def classes_of(n: int, k: int = 4) -> np.ndarray:
    """Return classes that have nothing to do with the places of random points."""
    return np.arange(n) % k


def draw_codes(options: argparse.Namespace) -> None:
    """Draw test rows of each set in three dimensions, as pixels and as codes."""
    figure = plt.figure(figsize=(8, 3.9 * len(options.data)), layout="constrained")
    for number, name in enumerate(options.data):
        try:
            x, y, x_test, y_test = parts(name, options.rows)
        except DatasetMissingError as error:
            print(error)
            continue
        short = {} if options.steps is None else {"train": Schedule(steps=options.steps)}
        model = SNNLKMeans(n_clusters=len(np.unique(y)), random_state=options.seed, **short).fit(x, y)
        acc = float((model.predict(x_test) == y_test).mean())
        print(f"{name}: ACC {acc:.3f} on the test part, with all {len(y):,} labels of the train part")
        rows = np.random.default_rng(options.seed).permutation(len(x_test))[: options.shown]
        views = {"pixels": x_test[rows].reshape(len(rows), -1) / 255.0, "code": model.transform(x_test[rows])}
        for place, (what, values) in enumerate(views.items()):
            ax: Any = figure.add_subplot(len(options.data), 2, 2 * number + place + 1, projection="3d")
            ax.scatter(*in_space(values, options).T, c=y_test[rows], cmap="tab10", s=5, linewidths=0)
            learned = f" learned from labels (test ACC {acc:.3f})" if what == "code" else ""
            ax.set(title=f"{TITLES.get(name, name)}, {what}{learned}", xticklabels=[], yticklabels=[], zticklabels=[])
            ax.title.set_fontsize(9)
    save(figure, options.out / "codes.png")


def in_space(values: np.ndarray, options: argparse.Namespace) -> np.ndarray:
    """Return places in three dimensions by t-SNE, shape (n, 3)."""
    perplexity = min(50.0, (len(values) - 1) / 3)
    tsne = TSNE(3, perplexity=perplexity, learning_rate=10, max_iter=options.iterations, random_state=options.seed)
    return tsne.fit_transform(values)


def parts(name: str, rows: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return train rows, their classes, test rows and theirs, of ten classes; the last fifth of a set without parts."""
    table = load(name)
    X, y = np.asarray(table.X), np.asarray(table.y)
    n = TRAIN_PART.get(name, len(X) * 4 // 5)
    low, high = TEN.get(name, (0, 10))
    kept = (y >= low) & (y < high)
    train, test = np.flatnonzero(kept[:n])[:rows], n + np.flatnonzero(kept[n:])
    return X[train], y[train] - low, X[test], y[test] - low


def draw_curve(options: argparse.Namespace) -> None:
    """Draw accuracy against the number of labels, a panel for each of two sets."""
    if not options.results.exists():
        print(f"{options.results} is not there; python -m benchmarks.few_labels --few makes it.")
        return
    rows = [json.loads(line) for line in options.results.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if is_reported(row) and row["method"] in CURVES | FLAT and row["labels"] != "all"]
    # A mean is of one program: the latest.
    settings = {(row["dataset"], row["method"]): row["settings"] for row in rows}
    rows = [row for row in rows if row["settings"] == settings[row["dataset"], row["method"]]]
    rows = list({(row["dataset"], row["labels"], row["method"], row["seed"]): row for row in rows}.values())
    sets = [name for name in ("mnist", "fashion-mnist") if any(row["dataset"] == name for row in rows)]
    if not sets:
        print(f"{options.results} has no rows of few labels; python -m benchmarks.few_labels --few makes them.")
        return
    figure, axes = plt.subplots(1, len(sets), figsize=(5.2 * len(sets), 4), layout="constrained", squeeze=False)
    for ax, name in zip(axes[0], sets, strict=True):
        draw_panel(ax, [row for row in rows if row["dataset"] == name])
        ax.set(title=f"{TITLES[name]}, test part", xlabel="labels used", xscale="log", ylim=(0, 1))
    axes[0, 0].set_ylabel("ACC, mean and range over seeds")
    axes[0, -1].legend(loc="lower right", fontsize=8)
    save(figure, options.out / "curve.png")


def is_reported(row: dict[str, Any]) -> bool:
    """Return whether a row is of the seeds that are reported, on all rows and at full length."""
    accuracy = row["method"] != "step"  # which tells how long a step takes
    return accuracy and row["seed"] <= 9 and row.get("rows") is None and row.get("steps") is None


def draw_panel(ax: Any, rows: list[dict[str, Any]]) -> None:
    """Draw the curves and flat lines of one set."""
    for number, (method, title) in enumerate((CURVES | FLAT).items()):
        found: dict[int, list[float]] = {}
        for row in rows:
            if row["method"] == method:
                # What learned from labels says which class a cluster is; the others are matched by the test part's.
                figure = "unmatched_accuracy" if row["labels_used"] else "accuracy"
                found.setdefault(row["labels_used"], []).append(row[figure])
        if not found:
            continue
        counts, colour = sorted(found), f"C{number}"
        means = [float(np.mean(found[count])) for count in counts]
        if method in FLAT:
            ax.axhline(means[0], color=colour, linestyle="--", label=f"{title} (no labels; matched by the test's)")
            continue
        ax.plot(counts, means, color=colour, marker="o", label=title)
        low, high = ([pick(found[count]) for count in counts] for pick in (min, max))
        ax.fill_between(counts, low, high, color=colour, alpha=0.2, linewidth=0)


def save(figure: Any, path: Path) -> None:
    """Write a picture."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    print(f"Picture: {path}")


PICTURES: dict[str, Callable[[argparse.Namespace], None]] = {
    "points": draw_points,
    "codes": draw_codes,
    "curve": draw_curve,
}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES))
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion-mnist", "emnist"], help="sets of codes.png")
    parser.add_argument("--rows", type=int, default=None, help="only the first rows of the train parts")
    parser.add_argument("--shown", type=int, default=1000, help="points of codes.png, for each set")
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps, for a quick look")
    parser.add_argument("--iterations", type=int, default=5000, help="of t-SNE")
    parser.add_argument("--results", type=Path, default=RESULTS, help="rows of benchmarks.few_labels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("snnl"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
