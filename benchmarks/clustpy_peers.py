"""ClustPy's DEC and DipDECK at their defaults; runs in a virtual environment of its own, called by benchmarks.trust.

    clustpy-venv/bin/python benchmarks/clustpy_peers.py FOLDER SEED K

FOLDER holds rows.npy, scaled as for coterie; labels are written beside it. DipDECK finds the number of clusters itself.
benchmarks/clustpy_systems.py says how to make the environment.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from clustpy.deep import DEC, DipDECK


def main() -> None:
    """Fit each system to the rows."""
    folder, seed, k = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rows = np.load(folder / "rows.npy")
    seconds = {}
    for name, system in {"DEC": DEC(n_clusters=k, random_state=seed), "DipDECK": DipDECK(random_state=seed)}.items():
        began = time.perf_counter()
        labels = system.fit(rows).labels_
        seconds[name] = time.perf_counter() - began
        np.save(folder / f"{name}.npy", np.asarray(labels, dtype=np.int64))
    (folder / "told.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
