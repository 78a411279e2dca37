"""Make the embedded MNIST-10k from a full MNIST file: python benchmarks/make_embedded.py path/to/mnist.npz.

Writes ``src/coterie/datasets/embedded/mnist10k.npz``: the 10,000 test images as ``x`` (uint8, 28 x 28) and their digits
as ``y`` (uint8). The same input gives the same bytes under the same numpy and zlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from coterie import files

TARGET = Path(__file__).resolve().parents[1] / "src" / "coterie" / "datasets" / "embedded" / "mnist10k.npz"


def main() -> None:
    """Read the test part of MNIST and write it where the package ships it."""
    parser = argparse.ArgumentParser(description="Make the embedded MNIST-10k from a full MNIST file.")
    parser.add_argument("mnist", type=Path, help="an .npz file with the arrays x_test and y_test")
    parser.add_argument("--out", type=Path, default=TARGET, help="the file to write (default: the package's own)")
    options = parser.parse_args()
    with np.load(options.mnist, allow_pickle=False) as arrays:
        x, y = arrays["x_test"].astype(np.uint8), arrays["y_test"].astype(np.uint8)
    if x.shape != (10_000, 28, 28) or y.shape != (10_000,):
        parser.error(f"{options.mnist} does not hold MNIST's test part: x_test is {x.shape}, y_test {y.shape}")
    with files.atomic_path(options.out) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, x=x, y=y)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes, sha256 {files.sha256(options.out)}")


if __name__ == "__main__":
    main()
