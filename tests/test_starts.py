"""Starts: clusters found, ties with the seed, and nothing global touched."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors
from small import wide_and_tight

from coterie import starts
from coterie.criteria import told_by_neighbours
from coterie.starts import make_start

KINDS = ("kmeans", "mixture", "manifold")


def groups(n=600, seed=0, stretch=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0]])[y] + rng.normal(size=(n, 3)) * stretch, y


@pytest.mark.parametrize("kind", KINDS)
def test_groups_are_found_with_their_means_and_spread(kind):
    z, y = groups()
    start = make_start(kind, z, 3, seed=0)
    assert adjusted_rand_score(y, start.labels) == 1.0
    for k in range(3):
        np.testing.assert_allclose(start.centers[k], z[start.labels == k].mean(0), rtol=1e-5, atol=1e-5)
    assert start.spread == pytest.approx(np.sqrt(((z - start.centers[start.labels]) ** 2).sum(1).mean()), rel=1e-5)


@pytest.mark.parametrize("kind", ["mixture", "manifold"])
def test_a_tight_group_in_a_wide_one_is_found(kind):
    z, y = wide_and_tight()
    assert adjusted_rand_score(y, make_start("kmeans", z, 2, seed=0).labels) < 0.7
    assert adjusted_rand_score(y, make_start(kind, z, 2, seed=0).labels) > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_start_whatever_the_global_state(kind):
    z, _ = groups(stretch=(3.0, 3.0, 3.0))
    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = make_start(kind, z, 3, seed=5)
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])
    np.random.seed(2)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first.labels, make_start(kind, z, 3, seed=5).labels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_units_of_the_code_do_not_matter(kind, factor):
    z, _ = groups(stretch=(2.0, 2.0, 2.0))
    assert (
        adjusted_rand_score(make_start(kind, z, 3, seed=0).labels, make_start(kind, z * factor, 3, seed=0).labels)
        > 0.95
    )


def test_rows_beyond_the_sample_follow_their_neighbours(monkeypatch):
    monkeypatch.setattr("coterie.starts.SAMPLE", 300)
    z, y = groups(n=900)
    assert adjusted_rand_score(y, make_start("manifold", z, 3, seed=0).labels) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_one_cluster_holds_all(kind):
    z, _ = groups(n=60)
    start = make_start(kind, z, 1, seed=0)
    assert set(start.labels) == {0}
    np.testing.assert_allclose(start.centers[0], z.mean(0), rtol=1e-5, atol=1e-5)


def test_identical_rows_have_a_spread_that_can_be_divided_by():
    start = make_start("kmeans", np.ones((8, 2)), 2, seed=0)
    assert start.spread == 1.0
    assert np.isfinite(start.centers).all()


def test_a_handful_of_distinct_rows_needs_no_manifold():
    start = make_start("manifold", np.repeat(np.eye(5), 20, axis=0), 5, seed=0)
    assert sorted(np.bincount(start.labels)) == [20] * 5


def test_a_map_that_merges_two_groups_and_cuts_a_third_loses():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), [250, 200, 150, 200])
    z = np.array([[0.0, 0], [9, 0], [0, 9], [9, 9]])[y] + rng.normal(size=(800, 2))
    neighbours = NearestNeighbors(n_neighbors=15).fit(z).kneighbors()[1]
    wrong = np.where(y == 2, 1, y)
    wrong[(y == 0) & (z[:, 0] > 0)] = 2
    assert told_by_neighbours(y, neighbours) > told_by_neighbours(wrong, neighbours)
    assert told_by_neighbours(np.zeros(800, dtype=int), neighbours) == pytest.approx(0, abs=1e-9)


def test_three_maps_are_drawn_and_the_one_kept_is_told_best_by_neighbours(monkeypatch):
    z, y = groups()
    drawn = [np.where(y == 2, 1, y), y, np.zeros_like(y)]
    rest = iter(drawn)
    monkeypatch.setattr(starts, "_on_a_map", lambda *_, **__: (np.arange(len(z)), next(rest)))
    np.testing.assert_array_equal(starts.manifold(z, 3, seed=0, n_init=20), y)
