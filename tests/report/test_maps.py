"""Maps keep what belongs together together, the same way every time, whatever the code looks like."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from coterie.errors import InputError
from coterie.report import map2d

METHODS = ("umap", "tsne", "pca")


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    return rng.normal(scale=0.3, size=(180, 6)) + np.eye(6)[labels] * 8, labels


@pytest.mark.parametrize("method", METHODS)
def test_blobs_stay_apart(method, blobs):
    z, labels = blobs
    places, rows = map2d(z, method=method)
    assert sorted(rows.tolist()) == list(range(180))
    assert KNeighborsClassifier(5).fit(places, labels[rows]).score(places, labels[rows]) == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_alone_decides(method, blobs):
    first, second = (map2d(blobs[0], method=method, seed=4, max_rows=90) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert set(map2d(blobs[0], method="pca", seed=5, max_rows=90)[1]) != set(first[1])


@pytest.mark.parametrize("method", METHODS)
def test_global_state_is_left_alone(method, blobs):
    def state():
        numpy = np.random.get_state()
        flags = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
        return random.getstate(), numpy[1].tolist(), numpy[2], torch.get_rng_state().tolist(), dict(os.environ), flags

    before = state()
    map2d(blobs[0], method=method)
    assert state() == before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "z",
    [
        np.ones((1, 3)),
        np.ones((40, 3)),
        np.repeat(np.eye(3), 20, axis=0),
        np.random.default_rng(0).normal(size=(17, 3)),
        np.random.default_rng(0).normal(size=(5, 3)),
    ],
    ids=["one row", "equal rows", "three places", "few rows", "fewer rows"],
)
def test_odd_codes_get_finite_places(method, z):
    places, rows = map2d(z, method=method)
    assert places.shape == (len(z), 2)
    assert np.isfinite(places).all()
    assert len(rows) == len(z)


def test_codes_of_the_plane_are_shown_as_they_are():
    z = np.random.default_rng(0).normal(size=(30, 2))
    places, rows = map2d(z)
    np.testing.assert_allclose(places, z[rows], rtol=1e-6)
    line, rows = map2d(z[:, :1])
    np.testing.assert_allclose(line, np.column_stack([z[rows, 0], np.zeros(30)]), rtol=1e-6)


def test_an_unknown_method_is_named():
    with pytest.raises(InputError, match=r"'method' parameter of map2d must be one of .* Got 'globe'"):
        map2d(np.eye(3), method="globe")
