"""Simple methods on the rows as they are: what a deep system has to beat.

    python -m benchmarks.simple --dataset pendigits --seeds 0-2

K-means, a Gaussian mixture and spectral clustering of scikit-learn on the rows as every system scales them; rows go to
results/simple.jsonl. Labels are read after the fits, to evaluate.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from benchmarks.accuracy import seeds_of
from benchmarks.common import append, provenance
from coterie import datasets
from coterie.data import make_source
from coterie.metrics import evaluate

NEIGHBOURS = 10  # of spectral clustering's graph, scikit-learn's default


def main() -> None:
    """Run every method on what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["mnist10k"])
    parser.add_argument("--seeds", default="100-102", help="one seed, or first-last")
    arguments = parser.parse_args()
    for dataset in arguments.dataset:
        table = datasets.load(dataset)
        x = make_source(table.X).take(slice(None)).flatten(1).numpy()
        for seed in seeds_of(arguments.seeds):
            for name, method in methods(len(datasets.DATASETS[dataset].classes), seed).items():
                began = time.perf_counter()
                labels = method.fit_predict(x)
                seconds = time.perf_counter() - began
                figures = evaluate(np.asarray(table.y), labels)
                row = {"dataset": dataset, "method": name, "seed": seed, "labels_used": False}
                row |= {key: round(figures[key], 5) for key in ("accuracy", "nmi", "ari")}
                append("simple.jsonl", row | {"seconds": round(seconds, 2), **provenance()})
                print(dataset, name, seed, row["accuracy"], file=sys.stderr)


def methods(k: int, seed: int) -> dict[str, Any]:
    """Return the methods by name."""
    from sklearn.cluster import KMeans, SpectralClustering
    from sklearn.mixture import GaussianMixture

    return {
        "k-means": KMeans(k, n_init=20, random_state=seed),
        "Gaussian mixture": GaussianMixture(k, n_init=5, random_state=seed),
        "spectral clustering": SpectralClustering(
            k, affinity="nearest_neighbors", n_neighbors=NEIGHBOURS, random_state=seed
        ),
    }


if __name__ == "__main__":
    main()
