"""DEPICT on the embedded digits, and a t-SNE picture of the features it learned.

    python examples/depict_tsne.py

The picture shows a sample of the codes, coloured by class on the left and by cluster on the right. Labels are read only
to judge and to colour.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.manifold import TSNE

from coterie import DEPICT, Schedule
from coterie.datasets import load_mnist10k
from coterie.metrics import evaluate

mpl.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt


def main(arguments: list[str] | None = None) -> None:
    """Fit, judge and draw."""
    options = parse(arguments)
    X, y = (part[: options.rows] for part in load_mnist10k())
    short = {} if options.steps is None else dict.fromkeys(("pretrain", "train"), Schedule(steps=options.steps))
    model = DEPICT(n_clusters=10, random_state=options.seed, **short).fit(X)
    figures = evaluate(y, model.labels_)
    print(f"DEPICT on {len(X):,} digits: ACC {figures['accuracy']:.3f}, NMI {figures['nmi']:.3f}")

    rows = np.random.default_rng(options.seed).permutation(len(X))[: options.shown]
    perplexity = min(30.0, (len(rows) - 1) / 3)
    places = TSNE(perplexity=perplexity, random_state=options.seed).fit_transform(model.transform(X[rows]))
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.4), layout="constrained")
    for ax, colours, title in zip(axes, (y, model.labels_), ("by class", "by cluster"), strict=True):
        ax.scatter(*places.T, c=colours[rows], cmap="tab10", s=4, linewidths=0)
        ax.set(title=f"t-SNE of DEPICT's features, coloured {title}", xticks=[], yticks=[])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=150)
    plt.close(figure)
    print(f"Picture: {options.out}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=None, help="only the first rows")
    parser.add_argument("--shown", type=int, default=3000, help="points of the picture")
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps of each phase, for a quick look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("depict/tsne.png"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
