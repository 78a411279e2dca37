"""ClustPy's DEC at its defaults, timed; runs in a virtual environment of its own.

    python -m venv clustpy-venv
    clustpy-venv/bin/pip install clustpy==0.0.3 torch==2.14.1 torchvision==0.29.1
    python -m benchmarks.speed --clustpy clustpy-venv/bin/python

Its two phases are timed over a few epochs each and multiplied by its default numbers of epochs.
"""

import json
import sys
import time

import numpy as np
import torch
from clustpy.deep import DEC

PRETRAIN, CLUSTER = 100, 150  # its defaults


def main() -> None:
    """Time ``sys.argv[2]`` epochs of each phase on the rows of ``sys.argv[1]``; print seconds as JSON."""
    X = np.load(sys.argv[1]).reshape(-1, 784).astype(np.float32) / 255
    few = int(sys.argv[2])
    pretrain = _seconds(X, few, 0) - _seconds(X, 0, 0)
    cluster = _seconds(X, 0, few) - _seconds(X, 0, 0)
    total = _seconds(X, 0, 0) + pretrain / few * PRETRAIN + cluster / few * CLUSTER
    print(
        json.dumps(
            {
                "pretrain_epoch": pretrain / few,
                "cluster_epoch": cluster / few,
                "seconds": total,
                "torch": torch.__version__,
            }
        )
    )


def _seconds(X: np.ndarray, pretrain: int, cluster: int) -> float:
    began = time.perf_counter()
    DEC(n_clusters=10, pretrain_epochs=pretrain, clustering_epochs=cluster, random_state=100).fit(X)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
