"""A small convolutional autoencoder on digits, then k-means on the codes of digits that it has not seen.

The well-known tutorial: 3 x 3 convolutions with 16 and 2 channels, pooling between them, binary cross entropy, three
epochs of Adadelta on the 60,000 images of MNIST; then the 10,000 others are clustered by their codes of 7 x 7 x 2 = 98
numbers. It is a baseline, not a good clustering: the words at the end show how mixed the clusters are.

    python examples/conv_autoencoder_kmeans.py --out pictures

Without MNIST (see ``coterie datasets``) the 10,000 embedded digits are used, 8,000 to train on and 2,000 to cluster.
About a minute and a half on two cores with all of MNIST, a quarter of that without.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans

from coterie import AEKMeans
from coterie.datasets import load, status

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACROSS = 10  # images beside each other


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, cluster, draw, tell."""
    options = parse(arguments)
    train, held_out, y = digits(options.rows)
    model = AEKMeans.from_recipe("tutorial", n_clusters=options.clusters, random_state=options.seed)
    model.set_params(pretrain__epochs=options.epochs).fit(train)
    print(model.summary())
    trained, held = (model.reconstruction_error(rows).mean() for rows in (train, held_out))
    print(f"\nMean squared error of a pixel in [0, 1]: {trained:.4f} on {len(train):,} training images,")
    print(f"{held:.4f} on {len(held_out):,} held-out ones; {model.fit_seconds_:.0f} seconds.")

    labels = model.recluster(held_out).labels_
    if options.layer:
        codes = model.layer_codes(held_out, options.layer)
        print(f"Clustered by the {codes.shape[1]} numbers of layer {options.layer}.")
        labels = KMeans(options.clusters, n_init=20, random_state=options.seed).fit_predict(codes)
    for k in range(options.clusters):
        print(f"Cluster {k}: {in_words(y[labels == k])}")

    options.out.mkdir(parents=True, exist_ok=True)
    draw_reconstructions(model, held_out[:ACROSS], options.out / "reconstructions.png")
    draw_clusters(held_out, labels, options.out / "clusters.png")
    print(f"Pictures are in {options.out}.")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--epochs", type=float, default=3, help="passes over the training images")
    parser.add_argument("--clusters", type=int, default=10, help="number of clusters")
    parser.add_argument("--rows", type=int, help="use so many training images only, and a sixth as many others")
    parser.add_argument("--layer", help="cluster by this layer's output, such as decoder.2, instead of the code")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    parser.add_argument("--out", type=Path, default=Path("conv-autoencoder-kmeans"), help="folder of the pictures")
    return parser.parse_args(arguments)


def digits(rows: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training images, images to cluster, and the digits on those, which are only looked at in the end."""
    whole = status("mnist") == "stored"
    x, y = load("mnist" if whole else "mnist10k", return_table=False)
    cut = 60_000 if whole else 8_000
    train, held_out, y = x[:cut], x[cut:], y[cut:]
    return (train, held_out, y) if rows is None else (train[:rows], held_out[: rows // 6], y[: rows // 6])


def in_words(classes: np.ndarray) -> str:
    """Tell what a cluster is made of, the most frequent first.

    >>> in_words(np.array([4] * 22 + [9] * 14 + [6] * 2 + [1]))
    '39 items: 22 fours, 14 nines, 2 sixes, 1 one'
    """
    counts = np.bincount(classes, minlength=len(DIGITS)).tolist()
    parts = [
        f"{counts[c]} {DIGITS[c]}{_plural(c, counts[c])}"
        for c in sorted(range(len(counts)), key=lambda c: -counts[c])
        if counts[c]
    ]
    return f"{len(classes)} item{'s' * (len(classes) != 1)}" + (": " + ", ".join(parts) if parts else "")


def _plural(digit: int, count: int) -> str:
    return "" if count == 1 else "es" if DIGITS[digit] == "six" else "s"


def draw_reconstructions(model: AEKMeans, images: np.ndarray, path: Path) -> None:
    """Draw images above what the autoencoder makes of them."""
    _draw([images, model.inverse_transform(model.transform(images))], ["original", "reconstructed"], path)


def draw_clusters(images: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Draw the first images of each cluster in a row of its own."""
    clusters = np.unique(labels)
    _draw([images[labels == k][:ACROSS] for k in clusters], [f"cluster {k}" for k in clusters], path)


def _draw(rows: list[np.ndarray], names: list[str], path: Path) -> None:
    figure, axes = plt.subplots(len(rows), ACROSS, figsize=(ACROSS, len(rows)), squeeze=False)
    for row, name, line in zip(rows, names, axes, strict=True):
        for axis in line:
            axis.set_axis_off()
        for image, axis in zip(row, line, strict=False):
            axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        line[0].set_title(name, fontsize=8, loc="left")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    main()
