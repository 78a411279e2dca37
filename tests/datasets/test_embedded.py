from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import coterie.datasets
from coterie.datasets import DATASETS, load, rows_digest, status

ROOT = Path(__file__).resolve().parents[2]


def test_mnist10k_is_mnists_test_part(mnist10k: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = mnist10k
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((10_000, 28, 28), np.uint8, (10_000,), np.int64)
    assert np.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert rows_digest(x, y) == DATASETS["mnist10k"].digest


def test_mnist10k_needs_no_data_home(
    mnist10k: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COTERIE_DATA_HOME", str(tmp_path / "nowhere"))
    assert status("mnist10k") == "embedded"
    table = load("mnist10k")
    np.testing.assert_array_equal(table.X, mnist10k[0])
    np.testing.assert_array_equal(table.y, mnist10k[1])
    assert not (tmp_path / "nowhere").exists()


def test_attribution_stands_beside_the_images() -> None:
    text = (Path(coterie.datasets.__file__).parent / "embedded" / "LICENSE-MNIST.txt").read_text()
    for part in ("Yann LeCun", "Corinna Cortes", "Christopher J. C. Burges", "CC BY-SA 3.0", "10,000 test images"):
        assert part in text


N_CLASSES = {"emnist": 47, "letter": 26, "college": 2, "20newsgroups": 20}


@pytest.mark.parametrize("info", DATASETS.values(), ids=list(DATASETS))
def test_every_known_set_is_fully_described(info: coterie.datasets.Dataset) -> None:
    assert DATASETS[info.name] is info
    assert len(set(info.classes)) == len(info.classes) == N_CLASSES.get(info.name, 10)
    assert info.licence
    assert "http" in info.origin
    checksums = [info.digest, *(file.sha256 for file in info.files if file.sha256)]
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in checksums)
    assert len(set(checksums)) == len(checksums)
    assert all(mirror.startswith("http") for mirror in info.mirrors)
    assert len(info.files) == 1 or all(mirror.endswith("/") for mirror in info.mirrors)
    assert bool(info.files) == bool(info.mirrors) == (not info.embedded and not info.advice)
    assert info.feature_names is None or len(info.feature_names) == info.shape[0]


def test_the_making_script_is_deterministic_and_refuses_other_data(
    mnist10k: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    x, y = mnist10k
    np.savez(tmp_path / "mnist.npz", x_test=x, y_test=y)
    script = ROOT / "benchmarks" / "make_embedded.py"
    for name in ("a.npz", "b.npz"):
        command = [sys.executable, script, tmp_path / "mnist.npz", "--out", tmp_path / name]
        subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["x"], x)
        np.testing.assert_array_equal(arrays["y"], y)
    np.savez(tmp_path / "small.npz", x_test=x[:10], y_test=y[:10])
    refused = subprocess.run(
        [sys.executable, script, tmp_path / "small.npz"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "does not hold MNIST's test part: x_test is (10, 28, 28)" in refused.stderr
