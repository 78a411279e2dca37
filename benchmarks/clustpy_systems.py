"""ClustPy's systems at their defaults, timed; runs in a virtual environment of its own.

    python -m venv clustpy-venv
    clustpy-venv/bin/pip install clustpy==0.0.3 torch==2.14.1 torchvision==0.29.1
    python -m benchmarks.speed --clustpy clustpy-venv/bin/python

Phases are timed over a few epochs each and multiplied by the default numbers of epochs. N2D's t-SNE is timed on a part
of the rows and multiplied as if it were linear, which is in ClustPy's favour.
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
PART = 10_000  # rows that t-SNE is timed on
SYSTEMS: dict[str, Any] = {"dec": DEC, "idec": IDEC, "vade": VaDE}


def main() -> None:
    """Time ``sys.argv[2]`` epochs of each phase on the rows of ``sys.argv[1]``; print seconds by system as JSON."""
    X = np.load(sys.argv[1]).reshape(-1, 784).astype(np.float32) / 255
    few, found = int(sys.argv[2]), {}
    for name in sys.argv[3:]:
        found[name] = _n2d(X, few) if name == "n2d" else _phases(SYSTEMS[name], X, few)
    print(json.dumps(found | {"torch": torch.__version__}))


def _phases(system: Any, X: np.ndarray, few: int) -> dict[str, float]:
    def fit(pretrain: int, cluster: int) -> float:
        given = {"pretrain_epochs": pretrain, "clustering_epochs": cluster, "random_state": 100}
        return _seconds(lambda: system(n_clusters=10, **given).fit(X))

    rest = fit(0, 0)
    pretrain, cluster = (fit(few, 0) - rest) / few, (fit(0, few) - rest) / few
    seconds = rest + pretrain * PRETRAIN + cluster * CLUSTER
    return {"pretrain_epoch": pretrain, "cluster_epoch": cluster, "rest": rest, "seconds": seconds}


def _n2d(X: np.ndarray, few: int) -> dict[str, float]:
    def fit(rows: np.ndarray, pretrain: int) -> float:
        return _seconds(lambda: N2D(n_clusters=10, pretrain_epochs=pretrain, random_state=100).fit(rows))

    part = X[:PART]
    once = fit(part, few)
    epoch = (fit(part, 2 * few) - once) / few
    share = len(X) / len(part)
    rest = once - few * epoch
    return {"pretrain_epoch": epoch * share, "rest": rest * share, "seconds": (rest + epoch * PRETRAIN) * share}


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
