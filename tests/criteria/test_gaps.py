"""Groups that lie apart, whatever their shape; and none on noise."""

import numpy as np
import pytest
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from coterie.criteria import find_groups


def round_groups(k, d=4, each=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(k * each) % k
    centers = rng.permutation(np.stack(np.meshgrid(*[np.arange(4)] * d), -1).reshape(-1, d))[:k] * 12.0
    return centers[y] + rng.normal(size=(len(y), d)), y


@pytest.mark.parametrize("k", [2, 5, 17, 50])
def test_round_groups_are_counted_exactly(k):
    z, y = round_groups(k)
    found = find_groups(z, seed=1)
    assert found.n == k
    assert adjusted_rand_score(y, found.labels) == 1.0


@pytest.mark.parametrize(
    "rows", [make_moons(1000, noise=0.06, random_state=3), make_circles(1000, noise=0.05, factor=0.5, random_state=3)]
)
def test_groups_of_any_shape_are_found(rows):
    z, y = rows
    assert adjusted_rand_score(y, find_groups(z, seed=0).labels) == 1.0


@pytest.mark.parametrize("d", [2, 10, 60])
def test_noise_hangs_together(d):
    rng = np.random.default_rng(d)
    noise = [draw((1000, d)) for draw in (rng.standard_normal, rng.random) for _ in range(3)]
    assert [find_groups(z, seed=0).n for z in noise] == [1] * 6


def test_a_handful_of_wide_rows_is_one_group():
    assert find_groups(np.random.default_rng(0).normal(size=(5, 20)), seed=0).n == 1


def test_a_few_outliers_are_no_group():
    z, y = round_groups(3, each=300)
    z = np.concatenate([z, z.max(0) + 100 + np.zeros((2, 4))])
    found = find_groups(z, seed=0)
    assert found.n == 3
    assert adjusted_rand_score(y, found.labels[:-2]) == 1.0


def test_the_unit_and_the_place_of_the_rows_do_not_matter():
    z, _ = round_groups(4)
    np.testing.assert_array_equal(find_groups(z, seed=0).labels, find_groups(1e-3 * z + 7, seed=0).labels)


@pytest.mark.parametrize("z", [np.zeros((30, 2)), np.zeros((1, 3)), np.repeat([[0.0], [9.0]], 2, axis=0)])
def test_a_handful_of_places_is_one_group(z):
    assert find_groups(z, seed=0).n == 1
