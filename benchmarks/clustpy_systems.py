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
PART = 10_000  # rows that t-SNE is timed on
SYSTEMS: dict[str, Any] = {"dec": DEC, "idec": IDEC, "vade": VaDE}


def main() -> None:
    """Time ``sys.argv[2]`` epochs of each phase of the systems named next, on the rows of ``sys.argv[1]``."""
    X = np.load(sys.argv[1]).reshape(-1, 784).astype(np.float32) / 255
    few = int(sys.argv[2])
    _phases(DEC, X[:1000], 1)  # the first fit of a process also warms it up
    asked, epoch = sys.argv[3:], 0.0
    for name, system in SYSTEMS.items():
        if name not in asked and not (system is DEC and "n2d" in asked):
            continue
        found = _phases(system, X, few)
        print(json.dumps({"system": name, "torch": torch.__version__} | found), flush=True)
        if system is DEC:
            epoch = found["pretrain_epoch"]
    if "n2d" not in asked:
        return
    rest = _seconds(lambda: N2D(n_clusters=10, pretrain_epochs=0, random_state=100).fit(X[:PART])) * len(X) / PART
    found = {"pretrain_epoch": epoch, "rest": rest, "seconds": rest + epoch * PRETRAIN}
    print(json.dumps({"system": "n2d", "torch": torch.__version__} | found), flush=True)


def _phases(system: Any, X: np.ndarray, few: int) -> dict[str, float]:
    def fit(pretrain: int, cluster: int) -> float:
        given = {"pretrain_epochs": pretrain, "clustering_epochs": cluster, "random_state": 100}
        return _seconds(lambda: system(n_clusters=10, **given).fit(X))

    rest = fit(0, 0)
    pretrain, cluster = (fit(few, 0) - rest) / few, (fit(0, few) - rest) / few
    seconds = rest + pretrain * PRETRAIN + cluster * CLUSTER
    return {"pretrain_epoch": pretrain, "cluster_epoch": cluster, "rest": rest, "seconds": seconds}


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
