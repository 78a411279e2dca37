"""Agreement of partitions: invariance to numbers, matching, votes."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.matching import align_all
from coterie.selection import agreement, align, consensus

Y = np.repeat(np.arange(4), [30, 20, 10, 5])


def shuffled(share, seed):
    """Y with a share of its rows drawn anew, under other numbers."""
    rng = np.random.default_rng(seed)
    found = np.where(rng.random(len(Y)) < share, rng.integers(0, 4, len(Y)), Y)
    return rng.permutation(4)[found]


def test_numbers_do_not_matter():
    partitions = [shuffled(0.2, seed) for seed in range(3)]
    renumbered = [7 - labels for labels in partitions]
    np.testing.assert_array_equal(agreement(partitions), agreement(renumbered))
    np.testing.assert_array_equal(consensus(partitions).support, consensus(renumbered).support)
    assert np.ptp(agreement([Y, 3 - Y, Y + 5])) == 0


def test_unrelated_partitions_agree_as_by_chance():
    rng = np.random.default_rng(0)
    found = agreement([rng.integers(0, 5, 5000) for _ in range(3)])
    assert np.abs(found[~np.eye(3, dtype=bool)]).max() < 0.01
    assert (np.diag(found) == 1).all()


def test_alignment_is_the_best_of_all_one_to_one_numberings():
    from itertools import permutations

    a = shuffled(0.5, 1)
    best = max((np.take(order, a) == Y).sum() for order in permutations(range(4)))
    assert (align(a, Y) == Y).sum() == best
    np.testing.assert_array_equal(align(3 - Y, Y), Y)


@pytest.mark.parametrize(("few", "many"), [(np.minimum(Y, 2), Y), (Y, np.arange(len(Y)) // 8)])
def test_clusters_without_a_counterpart_have_numbers_of_their_own(few, many):
    found = align(many, few)
    assert len(set(found)) == len(set(many))
    assert len({*zip(found, many, strict=True)}) == len(set(many))  # the same groups
    assert set(few) <= set(found)
    assert set(align(few, many)) <= set(many)


def test_clusters_that_share_no_row_are_no_counterparts():
    assert align([0] * 6 + [1] * 3, [0] * 5 + [1] + [0] * 3).tolist() == [0] * 6 + [2] * 3


def test_most_votes_win_and_tell_how_many_there_were():
    wrong = Y.copy()
    wrong[0] = 3
    other = (Y + 1) % 4
    found = consensus([wrong, Y, other])
    np.testing.assert_array_equal(align(found.labels, Y), Y)
    assert found.support[0] == pytest.approx(2 / 3)
    assert (found.support[1:] == 1).all()
    assert found.central in (1, 2)
    assert found.stability[found.labels[0]] == pytest.approx(1 - 1 / 3 / 30)
    np.testing.assert_array_equal(found.aligned[1], found.aligned[2])


def test_numbers_may_be_as_large_as_dates():
    found = consensus([[20190101, 20190101, 20260712], [20190101, 20190101, 20260712], [7, 8, 8]])
    assert found.labels.tolist() == [20190101, 20190101, 20260712]
    assert found.support.round(2).tolist() == [1.0, 0.67, 1.0]


def test_a_single_partition_agrees_with_itself():
    found = consensus([Y])
    assert (found.support == 1).all()
    assert found.agreement.tolist() == [[1.0]]


@pytest.mark.parametrize("wrong", [[], [[0, 1], [0]], [[[0, 1]]], [[]], [[0.5, 1.0]], [[-1, 0]], [["a", "b"]]])
def test_what_is_no_partition_of_the_same_rows_is_refused(wrong):
    with pytest.raises(InputError, match="partition|Partitions"):
        consensus(wrong)


def test_clusters_that_the_reference_lacks_are_matched_with_each_other():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 4, 200)
    one, other = groups.copy(), np.array([3, 1, 0, 2])[groups]
    for reference in (np.zeros(200, dtype=np.int64), np.minimum(groups, 1), np.where(groups == 2, 7, 0)):
        first, second, third = align_all([one, other, reference], reference)
        assert (first == second).all() and (third == reference).all()
        for found, given in ((first, one), (second, other)):  # the same groups in other numbers
            assert agreement([found, given])[0, 1] == 1
    crumb = np.where(np.arange(200) == 5, 4, other)
    first, second = align_all([one, crumb], np.zeros(200, dtype=np.int64))
    assert (first == second).sum() == 199 and second[5] > first.max()


def test_a_cluster_that_loses_every_vote_has_no_stability():
    found = consensus([[0, 0, 1, 1, 2], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 1, 1, 2]])
    K = found.aligned[found.central].max() + 1
    assert found.stability.shape == (K,)
    assert found.stability[2] == 0
    narrow = consensus([[0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 0]])
    assert len(narrow.stability) == narrow.aligned[narrow.central].max() + 1
