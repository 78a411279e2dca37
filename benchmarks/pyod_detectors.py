"""One of PyOD's detectors at its defaults; runs in a virtual environment of its own, called by benchmarks.outliers.

    pyod-venv/bin/python benchmarks/pyod_detectors.py NAME FOLDER SEED THREADS

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

MADE = {
    "AutoEncoder": lambda n_features, seed: AutoEncoder(random_state=seed, verbose=0),
    "DeepSVDD": lambda n_features, seed: DeepSVDD(n_features=n_features, random_state=seed, verbose=0),
    "IForest": lambda n_features, seed: IForest(random_state=seed),
}


def main() -> None:
    """Fit the detector to the training rows, and score the test rows."""
    name, folder, seed, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    np.random.seed(seed)  # noqa: NPY002 - some of them draw from the global state
    torch.manual_seed(seed)
    with np.load(folder / "rows.npz") as rows:
        train, test = (rows[part].astype(np.float32) / 255 for part in ("train", "test"))
    began = time.perf_counter()
    detector = MADE[name](train.shape[1], seed)
    detector.fit(train)
    fitted = time.perf_counter()
    np.save(folder / "scores.npy", detector.decision_function(test))
    told = {"fit": fitted - began, "scoring": time.perf_counter() - fitted}
    told |= {"pyod": pyod.__version__, "torch": torch.__version__}
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
