"""UMAP: neighbours stay together, and the process is left as it was."""

import os

import numpy as np
import pytest
import torch

from coterie.errors import InputError
from coterie.umap import umap


def rows():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    return np.eye(3)[y] * 9 + rng.normal(size=(300, 3)), y


def test_neighbours_stay_together():
    z, y = rows()
    flat = umap(z, seed=0)
    assert flat.shape == (300, 2)
    distance = ((flat[:, None] - flat[None]) ** 2).sum(2)
    np.fill_diagonal(distance, np.inf)
    assert (y[distance.argmin(1)] == y).mean() > 0.99


def test_equal_rows_get_one_place():
    z, _ = rows()
    twice = umap(np.concatenate([z, z]), seed=0)
    np.testing.assert_array_equal(twice[:300], twice[300:])


def test_nothing_of_the_process_is_changed(monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    z, _ = rows()
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), torch.backends.cudnn.deterministic
    first = umap(z, seed=3)
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])
    assert torch.backends.cudnn.deterministic == before[2]
    assert os.environ["PYTHONHASHSEED"] == "77"
    torch.manual_seed(5)
    np.testing.assert_array_equal(first, umap(z, seed=3))


def test_too_few_distinct_rows_are_named():
    with pytest.raises(InputError, match="at least 17 distinct rows. Got 2"):
        umap(np.repeat(np.eye(2), 50, axis=0), seed=0)
