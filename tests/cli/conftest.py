"""What the tests of the command line share: small data, one thread, and a run to look at."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Blobs, run
from PIL import Image

KINDS = ("ash", "elm", "oak")


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with _threads(1):
        yield


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    found = Blobs(tmp_path_factory.mktemp("blobs"))
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 300)
    x = (random.normal(0, 4, (3, 6))[y] + random.normal(0, 0.5, (300, 6))).astype(np.float32)
    np.save(found.npy, x)
    with found.csv.open("w", newline="") as file:
        rows = [[*map(str, row), KINDS[k]] for row, k in zip(x.tolist(), y, strict=True)]
        csv.writer(file).writerows([[*"abcdef", "kind"], *rows])
    found.labels.write_text("".join(f"{KINDS[k]}\n" for k in y))
    return found


@pytest.fixture(scope="session")
def finished(blobs: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder made from the CSV file with its column "kind" as labels; what was said is in ``.txt`` beside it."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    with _threads(1):
        done = run("fit", blobs.csv, "--config", blobs.settings(), "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    folder.with_suffix(".txt").write_text(done.out)
    return folder


@pytest.fixture
def make_images(tmp_path: Path) -> Callable[[int], Path]:
    """Return a function that makes a folder of small grey images in two groups."""

    def make(count: int) -> Path:
        folder = tmp_path / "images"
        folder.mkdir()
        random = np.random.default_rng(1)
        for number in range(count):
            pixels = random.integers(0, 60, (8, 8), dtype=np.uint8)
            pixels[slice(0, 4) if number % 2 else slice(4, 8)] += 150
            Image.fromarray(pixels).save(folder / f"{number:03d}.png")
        return folder

    return make
