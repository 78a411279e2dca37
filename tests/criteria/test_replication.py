"""Clusters of one half of the rows, found again in the other."""

import itertools

import numpy as np
import pytest

from coterie.criteria import mean_cut, replication
from coterie.criteria.replication import weakest


def test_the_weakest_cluster_is_that_with_the_least_pairs_together():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    shares = []
    for k in range(4):
        pairs = [(b[i] == b[j]) for i, j in itertools.combinations(np.flatnonzero(a == k), 2)]
        shares.append(np.mean(pairs))
    assert weakest(a, b, 4) == pytest.approx(min(shares))


def test_an_empty_cluster_has_no_strength():
    assert weakest(np.array([0, 0, 2, 2]), np.array([0, 0, 1, 1]), 3) == 0.0


def test_the_number_of_groups_stands_out_and_noise_has_none():
    rng = np.random.default_rng(0)
    y = np.arange(900) % 3
    z = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0]])[y] + rng.normal(size=(900, 3))
    state = np.random.get_state()[1].copy()
    found = replication(z, [2, 3, 4, 5], seed=0)
    assert found[3] > 0.98
    assert max(found[4], found[5]) < 0.85
    assert max(replication(rng.normal(size=(900, 3)), [2, 3, 4], seed=0).values()) < 0.65
    assert found == replication(z, [2, 3, 4, 5], seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_too_few_rows_for_a_map_say_nothing():
    assert replication(np.random.default_rng(0).normal(size=(20, 2)), [2, 3], seed=0) == {}


def test_the_mean_cut_counts_every_cluster_alike():
    nearest = np.array([[1, 2], [0, 2], [0, 3], [2, 4], [3, 2]])
    labels = np.array([0, 0, 0, 1, 1])
    expected = np.mean([(0 + 0 + 0.5) / 3, (0.5 + 0.5) / 2])
    assert mean_cut(labels, nearest) == pytest.approx(expected)
    assert mean_cut(1 - labels, nearest) == pytest.approx(expected)
