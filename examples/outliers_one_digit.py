"""Which rows do not belong? One digit is left out of the training rows, in turn, and looked for among others.

    python examples/outliers_one_digit.py                  the embedded 10,000 digits, a minute or two for each left out
    python examples/outliers_one_digit.py --digits 1 9     only these
    python examples/outliers_one_digit.py --rows 2000      fewer rows

Half of the rows are for training, without the digit; the other half is scored, with it. Two systems are fitted: JULE,
whose code has room between its clusters, and a plain autoencoder. On their codes stand an isolation forest, the error
of reconstruction, the distance to the own centre and that to the nearest training rows. A picture shows the rows that
the last one finds strangest, those of the digit framed. Labels only leave the digit out, and judge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

from coterie import JULE, AEKMeans, Schedule
from coterie.anomaly import DEFAULT, DETECTORS
from coterie.datasets import load

mpl.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt

SHOWN = 40  # strangest rows in the picture
SCORES = {
    "neighbours": "JULE",
    "centre": "JULE",
    "isolation": "autoencoder",
    "reconstruction": "autoencoder",
}


def main(arguments: list[str] | None = None) -> None:
    """Leave out each digit, score the other half, and compare the scores."""
    options = parse(arguments)
    table = load("mnist10k")
    X, y = np.asarray(table.X)[: options.rows], np.asarray(table.y)[: options.rows]
    first = np.random.default_rng(options.seed).permutation(len(X)) < len(X) // 2
    test, classes = X[~first], y[~first]
    figures: dict[str, list[tuple[float, float]]] = {}
    for digit in options.digits:
        scores = score(X[first & (y != digit)], test, options=options)
        for name, strangeness in scores.items():
            figures.setdefault(name, []).append(judge(classes == digit, strangeness))
        best = max(figures, key=lambda name: figures[name][-1])
        print(f"Without {digit}: {DEFAULT} has ROC-AUC {figures[DEFAULT][-1][0]:.3f}; best is {best}.")
        options.out.mkdir(parents=True, exist_ok=True)
        draw(test, scores[DEFAULT], classes == digit, path=options.out / f"without_{digit}.png")
    tell(figures, options.digits)
    print(f"Pictures: {options.out}")


def score(train: np.ndarray, test: np.ndarray, *, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Return how strange each test row is by each score: the larger, the stranger."""
    short = None if options.steps is None else Schedule(steps=options.steps)
    chosen = {"n_clusters": 9, "random_state": options.seed}
    models = {
        "JULE": JULE(**chosen, train=short or "auto").fit(train),
        "autoencoder": AEKMeans(**chosen, pretrain=short or "auto").fit(train),
    }
    found = {}
    for name, system in SCORES.items():
        detector = DETECTORS[name](model=models[system], random_state=options.seed).fit(train)
        found[name] = -detector.score_samples(test)
    forest = IsolationForest(random_state=options.seed).fit(train.reshape(len(train), -1))
    return {**found, "isolation on pixels": -forest.score_samples(test.reshape(len(test), -1))}


def judge(is_digit: np.ndarray, strangeness: np.ndarray) -> tuple[float, float]:
    """Return ROC-AUC and average precision."""
    return float(roc_auc_score(is_digit, strangeness)), float(average_precision_score(is_digit, strangeness))


def tell(figures: dict[str, list[tuple[float, float]]], digits: list[int]) -> None:
    """Print the scores side by side, the best on average first."""
    print(f"{'ROC-AUC':<20}" + "".join(f"{digit:>6}" for digit in digits) + f"{'mean':>7}{'mean AP':>9}")
    for name, values in sorted(figures.items(), key=lambda item: -np.mean([auc for auc, _ in item[1]])):
        each = "".join(f"{auc:6.3f}" for auc, _ in values)
        auc, precision = np.mean(values, axis=0)
        print(f"{name:<20}{each}{auc:7.3f}{precision:9.3f}")


def draw(rows: np.ndarray, strangeness: np.ndarray, is_digit: np.ndarray, *, path: Path) -> None:
    """Draw the strangest rows, those of the digit that was left out in a frame."""
    figure, axes = plt.subplots(4, SHOWN // 4, figsize=(SHOWN // 4 * 0.9, 4.4), layout="constrained")
    for place in axes.ravel():
        place.axis("off")
    for place, i in zip(axes.ravel(), np.argsort(-strangeness)[:SHOWN], strict=False):
        place.imshow(rows[i], cmap="gray_r")
        place.set_title(f"{strangeness[i]:.2f}", fontsize=8)
        if is_digit[i]:
            place.axis("on")
            place.set(xticks=[], yticks=[])
            for side in place.spines.values():
                side.set(color="tab:orange", linewidth=2.5)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, nargs="+", choices=range(10), default=list(range(10)), metavar="DIGIT")
    parser.add_argument("--rows", type=int, default=None, help="only the first rows")
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps of each phase, for a quick look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("outliers"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
