"""The k-means that stands beside every result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from coterie.baselines import _plan, code_kmeans, raw_kmeans
from coterie.data import make_source
from coterie.errors import InputError
from coterie.metrics import accuracy


def blobs(n: int, k: int = 3, d: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % k
    return rng.normal(size=(n, d)) + 30 * rng.normal(size=(k, d))[y], y


def images(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 6, 5), dtype=np.uint8)


def test_separated_blobs_are_found() -> None:
    X, y = blobs(300)
    for found in (raw_kmeans(make_source(X), 3, seed=0), code_kmeans(X, 3, seed=0)):
        assert accuracy(y, found.labels) == 1
        assert (found.n_init, found.rows_fitted) == (20, 300)
        assert found.labels.dtype == np.int64
        assert found.seconds > 0


def test_it_is_plain_kmeans_of_the_flat_scaled_rows() -> None:
    X = images(200)
    found = raw_kmeans(make_source(X), 4, seed=3)
    flat = (X.reshape(200, -1) / 255).astype(np.float32)
    plain = KMeans(4, n_init=20, random_state=3).fit(flat)
    np.testing.assert_array_equal(found.labels, plain.labels_)
    np.testing.assert_allclose(found.centers, plain.cluster_centers_, atol=1e-5)


def test_a_small_budget_fits_a_sample_and_still_labels_every_row() -> None:
    X, y = blobs(9000)
    found = raw_kmeans(make_source(X), 3, seed=0, budget_seconds=1e-4)
    assert found.rows_fitted == 2000
    assert found.n_init == 3
    assert found.labels.shape == (9000,)
    assert accuracy(y, found.labels) == 1


def test_the_sample_is_random_and_follows_the_seed() -> None:
    X = np.sort(np.random.default_rng(0).normal(size=(6000, 1)), axis=0)  # the first rows alone would mislead
    first, again, other = (code_kmeans(X, 2, seed=seed, budget_seconds=1e-6).centers.ravel() for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(np.sort(first), [-0.8, 0.8], atol=0.1)  # of a standard normal: sqrt(2 / pi)


def test_the_same_seed_gives_the_same_labels() -> None:
    source = make_source(images(500))
    first, again = (raw_kmeans(source, 5, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)
    np.testing.assert_array_equal(first.centers, again.centers)


@pytest.mark.parametrize(
    ("budget", "plan"),
    [
        (float("inf"), (20, 70_000)),
        (110.0, (20, 70_000)),  # one start on all rows counts as 5.488 seconds
        (109.0, (19, 70_000)),
        (20.0, (3, 70_000)),
        (16.47, (3, 70_000)),
        (8.23201, (3, 35_000)),
        (0.01, (3, 2_000)),
        (0.0, (3, 2_000)),
    ],
)
def test_starts_are_given_up_before_rows(budget: float, plan: tuple[int, int]) -> None:
    assert _plan(70_000, 784, 10, budget_seconds=budget) == plan


def test_a_sample_has_room_for_all_clusters() -> None:
    assert _plan(70_000, 784, 500, budget_seconds=0.0) == (3, 5_000)
    assert _plan(100, 784, 90, budget_seconds=0.0) == (3, 100)


def test_one_cluster_single_row_and_duplicate_rows() -> None:
    assert code_kmeans(np.ones((1, 2)), 1, seed=0).labels.tolist() == [0]
    same = code_kmeans(np.ones((6, 2)), 3, seed=0)
    assert len(set(same.labels.tolist())) == 1
    assert same.centers.shape == (3, 2)


@pytest.mark.parametrize("n_clusters", [0, 5])
def test_number_of_clusters_must_fit_the_rows(n_clusters: int) -> None:
    with pytest.raises(InputError, match=rf"n_clusters must be from 1 to the number of rows, 4, got {n_clusters}"):
        code_kmeans(np.eye(4), n_clusters, seed=0)


def test_unusable_budget_and_code_are_named() -> None:
    for budget in (-1.0, float("nan")):
        with pytest.raises(InputError, match="budget_seconds must be 0 or more"):
            code_kmeans(np.eye(4), 2, seed=0, budget_seconds=budget)
    for z in (np.zeros(3), np.full((3, 1), np.nan)):
        with pytest.raises(InputError, match="z must be two-dimensional and finite"):
            code_kmeans(z, 2, seed=0)


def test_inputs_and_global_random_states_are_left_alone() -> None:
    z = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    kept, numpy_state, torch_state = z.copy(), np.random.get_state()[1].copy(), torch.get_rng_state()
    code_kmeans(z, 3, seed=0)
    code_kmeans(torch.from_numpy(z), 3, seed=0)
    raw_kmeans(make_source(z), 3, seed=0)
    np.testing.assert_array_equal(z, kept)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)
