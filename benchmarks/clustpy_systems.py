"""ClustPy's systems at their defaults, timed; runs in a virtual environment of its own.

    python -m venv clustpy-venv
    clustpy-venv/bin/pip install clustpy==0.0.3 torch==2.14.1 torchvision==0.29.1
    python -m benchmarks.speed --clustpy clustpy-venv/bin/python

Phases are timed over a few epochs each and multiplied by the default numbers of epochs. N2D pretrains as DEC does; its
t-SNE is timed on a part of the rows and multiplied as if it were linear, which is in ClustPy's favour.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from clustpy.deep import DEC, IDEC, N2D, VaDE

PRETRAIN, CLUSTER = 100, 150  # their defaults
MAP = {"n_components": 2, "random_state": 100}  # at its default t-SNE refuses more than three clusters
PART = 10_000  # rows that t-SNE is timed on
SYSTEMS: dict[str, Any] = {"dec": DEC, "idec": IDEC, "vade": VaDE}


def main() -> None:
    """Time ``sys.argv[2]`` epochs of each phase of the system ``sys.argv[3]`` on the rows of ``sys.argv[1]``."""
    X = np.load(sys.argv[1]).reshape(-1, 784).astype(np.float32) / 255
    few, name = int(sys.argv[2]), sys.argv[3]
    _fit(DEC, X[:1000], 1, 0)  # the first fit of a process also warms it up
    found = _n2d(X, few) if name == "n2d" else _phases(SYSTEMS[name], X, few)
    print(json.dumps({"system": name, "torch": torch.__version__} | found), flush=True)


def _phases(system: Any, X: np.ndarray, few: int) -> dict[str, float]:
    # Never without pretraining: its VaDE then has no code to cluster.
    one = _fit(system, X, 1, 0)
    pretrain, cluster = (_fit(system, X, 1 + few, 0) - one) / few, (_fit(system, X, 1, few) - one) / few
    rest = one - pretrain
    seconds = rest + pretrain * PRETRAIN + cluster * CLUSTER
    return {"pretrain_epoch": pretrain, "cluster_epoch": cluster, "rest": rest, "seconds": seconds}


def _n2d(X: np.ndarray, few: int) -> dict[str, float]:
    epoch = (_fit(DEC, X, 1 + few, 0) - _fit(DEC, X, 1, 0)) / few
    rest = _seconds(lambda: N2D(n_clusters=10, pretrain_epochs=0, manifold_params=MAP).fit(X[:PART])) * len(X) / PART
    return {"pretrain_epoch": epoch, "rest": rest, "seconds": rest + epoch * PRETRAIN}


def _fit(system: Any, X: np.ndarray, *epochs: int) -> float:
    pretrain, cluster = epochs
    given = {"pretrain_epochs": pretrain, "clustering_epochs": cluster, "random_state": 100}
    return _seconds(lambda: system(n_clusters=10, **given).fit(X))


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
