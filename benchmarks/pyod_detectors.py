"""PyOD's detectors at their defaults; runs in a virtual environment of its own, called by benchmarks.outliers.

    pyod-venv/bin/python benchmarks/pyod_detectors.py FOLDER SEED

FOLDER holds rows.npz with the arrays "train" and "test" of bytes; scores are written beside it. Pixels are divided by
255, as for coterie.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyod
import torch
from pyod.models.auto_encoder import AutoEncoder
from pyod.models.deep_svdd import DeepSVDD
from pyod.models.iforest import IForest


def main() -> None:
    """Fit each detector to the training rows, and score the test rows."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    with np.load(folder / "rows.npz") as rows:
        train, test = (rows[name].astype(np.float32) / 255 for name in ("train", "test"))
    detectors = {
        "AutoEncoder": AutoEncoder(random_state=seed, verbose=0),
        "DeepSVDD": DeepSVDD(n_features=train.shape[1], random_state=seed, verbose=0),
        "IForest": IForest(random_state=seed),
    }
    told = []
    for name, detector in detectors.items():
        began = time.perf_counter()
        detector.fit(train)
        fitted = time.perf_counter()
        np.save(folder / f"{name}.npy", detector.decision_function(test))
        told.append({"score": name, "fit": fitted - began, "scoring": time.perf_counter() - fitted})
    (folder / "told.json").write_text(
        json.dumps({"scores": told, "pyod": pyod.__version__, "torch": torch.__version__}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
