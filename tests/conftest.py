"""What the tests share: a data home of their own, the embedded digits, and the browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from coterie.datasets import load_mnist10k


@pytest.fixture(scope="session", autouse=True)
def _own_data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test away from the data sets that the person running them may have stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COTERIE_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        yield


@pytest.fixture(scope="session")
def mnist10k() -> tuple[np.ndarray, np.ndarray]:
    """The embedded digits, (10000, 28, 28) uint8, and their labels; read-only, since tests share them."""
    x, y = load_mnist10k()
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The Chromium to drive: ``$CHROMIUM``, else the system's. Without one the test is skipped, but fails under CI."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, names) if path), None)
    if found and Path(found).is_file():
        return Path(found)
    reason = "no Chromium found; install Debian's package chromium, or set CHROMIUM to its path"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
