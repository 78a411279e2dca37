"""Groups within groups."""

import numpy as np
import pytest
from diptest import dipstat

from coterie.criteria import nested_groups
from coterie.criteria.nesting import VALLEY, divided, valley
from coterie.criteria.replication import Halving


def pairs(rng, n=150, d=4, near=7.0):
    """Return three far places with two round groups each."""
    centers = np.zeros((6, d))
    centers[2:4, 0] = centers[4:, 1] = 60.0
    centers[1, 2] = centers[3, 2] = centers[5, 3] = near
    return np.repeat(centers, n, axis=0) + rng.normal(size=(6 * n, d))


def halving(first, a, second, votes):
    return Halving((np.arange(len(a)), np.arange(len(votes))), (first, second), {(2, 0): (a, votes, votes)})


def test_groups_that_are_alike_in_pairs_are_found_within_the_coarse_ones():
    state = np.random.get_state()[1].copy()
    z = pairs(np.random.default_rng(0))
    found = nested_groups(z, [2, 3, 4], seed=0)
    assert found.within == (2, 2, 2) and found.n == 6
    assert found.replication[3] == pytest.approx(1.0)
    assert found == nested_groups(z, [2, 3, 4], seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_where_and_in_what_unit_they_lie_does_not_matter():
    z = pairs(np.random.default_rng(1))
    turned = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    assert nested_groups(z @ turned * 1e3 + 5.0, [2, 3, 4], seed=0).n == nested_groups(z, [2, 3, 4], seed=0).n == 6


@pytest.mark.parametrize("n", [220, 800])
@pytest.mark.parametrize("kind", ["normal", "uniform", "long", "heavy"])
def test_a_cloud_is_one_however_often_it_is_halved_alike(kind, n):
    rng = np.random.default_rng(3)
    z = {
        "normal": rng.normal(size=(n, 5)),
        "uniform": rng.uniform(size=(n, 3)),
        "long": rng.normal(size=(n, 1)) * 9 + 0.5 * rng.normal(size=(n, 3)),
        "heavy": rng.standard_t(3, size=(n, 4)),
    }[kind]
    found = nested_groups(z, [2, 3, 4], seed=0)
    assert found.within == (1,) and found.n == 1


def test_too_few_rows_have_no_groups():
    far = np.repeat([[0.0, 0.0], [50.0, 0.0]], 20, axis=0) + np.random.default_rng(0).normal(size=(40, 2))
    assert nested_groups(far, [2], seed=0) == nested_groups(np.ones((200, 2)), [2], seed=0)
    assert nested_groups(far, [2], seed=0).n == 1


def test_the_valley_is_the_dip_of_the_other_half():
    rng = np.random.default_rng(4)
    y = np.arange(400) % 2
    first, second = (np.array([[0, 0], [6, 0]])[y] + rng.normal(size=(400, 2)) for _ in range(2))
    expected = dipstat(second[:, 0])  # as many of both, told apart by the first column alone
    found = valley(halving(first, y, second, y), (2, 0), seed=0)
    assert found == pytest.approx(expected, rel=0.1) and found > VALLEY
    # In the half that it was learned on, too many columns would always tell.
    wide, other = rng.normal(size=(2, 100, 80))
    assert valley(halving(wide, np.arange(100) % 2, other, np.arange(100) % 2), (2, 0), seed=0) < VALLEY


def test_a_small_group_beside_a_large_one_has_a_valley_too():
    rng = np.random.default_rng(5)
    y = (np.arange(1000) % 15 == 0).astype(int)
    first, second = (np.array([[0, 0], [7, 0]])[y] + rng.normal(size=(1000, 2)) for _ in range(2))
    assert valley(halving(first, y, second, y), (2, 0), seed=0) > 2 * VALLEY


def test_chance_makes_no_valley_of_few_rows():
    rng = np.random.default_rng(8)
    few, enough = np.arange(60) % 2, np.arange(120) % 2
    assert np.mean([dipstat(rng.uniform(size=30)) > VALLEY for _ in range(200)]) > 0.5  # it would, of thirty
    assert {valley(halving(a, few, b, few), (2, 0), seed=0) for a, b in rng.uniform(size=(200, 2, 60, 1))} == {0.0}
    found = [valley(halving(a, enough, b, enough), (2, 0), seed=0) for a, b in rng.uniform(size=(200, 2, 120, 1))]
    assert 0.0 < np.mean(found) < VALLEY and np.mean(np.array(found) > VALLEY) < 0.05


def test_a_cluster_that_one_halving_lacks_is_no_group():
    rng = np.random.default_rng(9)
    y = np.arange(600) % 3
    first, second = (np.array([[0, 0], [9, 0], [0, 9]])[y] + rng.normal(size=(600, 2)) for _ in range(2))
    rows = np.arange(600), np.arange(600, 1200)
    whole = Halving(rows, (first, second), {(3, 0): (y, y, y)})
    lacking = Halving(rows, (first, second), {(3, 0): (np.minimum(y, 1), np.minimum(y, 1), np.minimum(y, 1))})
    assert [len(group) for group in divided([whole, whole], {(3, 0): 0.99}, seed=0)] == [400, 400, 400]
    assert divided([lacking, whole], {(3, 0): 0.99}, seed=0) == []
    assert divided([whole, whole], {(3, 0): 0.8}, seed=0) == []  # is not found again


def test_the_least_valley_counts_and_a_cluster_of_a_few_rows_has_none():
    rng = np.random.default_rng(6)
    y = np.arange(600) % 3
    first, second = (np.array([[0, 0], [0.5, 0], [30, 0]])[y] + rng.normal(size=(600, 2)) for _ in range(2))
    three = Halving((np.arange(600), np.arange(600)), (first, second), {(3, 0): (y, y, y)})
    assert valley(three, (3, 0), seed=0) < VALLEY
    few = (np.arange(600) >= 595).astype(int)
    assert valley(halving(first, few, second, few), (2, 0), seed=0) == 0.0
