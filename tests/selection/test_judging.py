"""Judgements of partitions: agreement with their definitions, and with which of two is right."""

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from coterie import Shallow
from coterie.criteria import Calibration
from coterie.criteria.calibration import margin
from coterie.data import make_source
from coterie.selection import Judgement, judge_partitions, ranked
from coterie.selection.judging import NEIGHBOURS, criterion
from coterie.selection.ranking import make_space


def test_what_neighbours_tell_is_information_over_entropy():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    distance = np.square(z[:, None] - z[None]).sum(2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :NEIGHBOURS]
    own, theirs = np.repeat(labels, NEIGHBOURS), labels[nearest].ravel()
    joint = np.zeros((3, 3))
    np.add.at(joint, (own, theirs), 1 / len(own))
    told = sum(p * np.log(p / (joint[i].sum() * joint[:, j].sum())) for (i, j), p in np.ndenumerate(joint))
    share = np.bincount(labels) / 60
    found = judge_partitions(z, [labels])[0]
    assert found.told == pytest.approx(told / -(share * np.log(share)).sum())
    assert found.cut == pytest.approx(
        np.mean([(labels[nearest] != labels[:, None])[labels == k].mean() for k in range(3)])
    )
    assert normalized_mutual_info_score(own, theirs) < 0.2  # nothing to see in noise


def test_the_right_partition_is_first_whatever_the_numbers_of_its_clusters():
    z, y = make_moons(500, noise=0.05, random_state=0)
    cut = (z[:, 0] > 0.5).astype(int)
    one = np.zeros(500, dtype=int)
    for right in (y, 1 - y, 5 + 2 * y):
        judged = judge_partitions(z, [cut, right, one])
        assert criterion(judged, 2, n=500, d=2) == "neighbours"
        assert ranked(judged, 2, by="neighbours") == [1, 0, 2]


def test_where_groups_touch_the_likelihood_decides():
    rng = np.random.default_rng(0)
    y = np.arange(2000) % 2
    z = np.where(y[:, None] == 0, rng.normal(size=(2000, 2)) * (3, 0.3), rng.normal(size=(2000, 2)) * (0.3, 3))
    by_side = (z.sum(1) > 0).astype(int)
    judged = judge_partitions(z, [by_side, y])
    assert criterion(judged, 2, n=2000, d=2) == "likelihood"
    assert ranked(judged, 2, by="likelihood") == [1, 0]


def test_fewer_clusters_than_asked_for_come_last():
    few, poor = (
        Judgement(cut=0.0, told=1.0, likelihood=9.0, clusters=2),
        Judgement(cut=0.5, told=0.1, likelihood=0.0, clusters=3),
    )
    assert ranked([few, poor], 3, by="neighbours") == ranked([few, poor], 3, by="likelihood") == [1, 0]


def test_crumbs_beside_one_large_cluster_are_worth_less_than_they_keep():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(c, 1.0, (300, 2)) for c in ((0, 0), (3.4, 0), (0, 3.4))])
    groups = np.repeat(np.arange(3), 300)
    far = np.argsort(-np.square(z - z.mean(0)).sum(1))[:30]
    crumbs = np.zeros(900, dtype=int)
    crumbs[far[z[far, 0] > z[far, 1]]], crumbs[far[z[far, 0] <= z[far, 1]]] = 1, 2
    right, wrong = judge_partitions(z, [groups, crumbs])
    assert right.evenness == pytest.approx(1.0)
    share = np.bincount(crumbs) / 900
    assert wrong.evenness == pytest.approx(-(share * np.log(share)).sum() / np.log(3))
    assert wrong.worth < wrong.kept * 0.8
    tiny = Judgement(cut=0.17, told=0.926, likelihood=0.0, clusters=26, evenness=0.32)
    even = Judgement(cut=0.08, told=0.851, likelihood=0.0, clusters=26, evenness=0.93)
    assert tiny.kept > even.kept - 0.02
    assert ranked([tiny, even], 26, by="neighbours") == [1, 0]


def test_groups_of_unlike_sizes_are_worth_more_than_parts_of_the_largest():
    rng = np.random.default_rng(0)
    sizes, centers = (2000, 60, 60, 60), 9.0 * np.eye(4)
    y = np.repeat(np.arange(4), sizes)
    z = centers[y] + rng.normal(size=(len(y), 4))
    split = np.where(y == 0, (z[:, 1] > 0) + 2 * (z[:, 2] > 0), 0)  # the largest in quarters, each small one to one
    right, wrong = judge_partitions(z, [y, split])
    assert right.evenness < 0.5 < wrong.evenness
    assert ranked([wrong, right], 4, by="neighbours") == [1, 0]


def test_margins_are_differences_of_the_two_largest():
    q = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    expected = [np.diff(np.log(np.sort(row))[-2:])[0] for row in q]
    np.testing.assert_allclose(margin(np.log(q)), expected)
    assert margin(np.zeros((3, 1))).tolist() == [0, 0, 0]


def test_calibration_never_falls_and_is_right_on_average():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 5000)
    log_q = np.log(np.stack([p, 1 - p], 1))
    other = (rng.random(5000) > p).astype(int)  # agrees with probability p
    curve = Calibration.learned(log_q, other == 0)
    assert (np.diff(curve.probabilities) >= 0).all()
    assert np.abs(curve(log_q) - p).mean() < 0.03
    again = Calibration.from_dict(curve.to_dict())
    np.testing.assert_array_equal(again(log_q), curve(log_q))
    assert curve(log_q).min() > 0 and curve(log_q).max() < 1  # so many rows cannot show that none will ever differ


def test_a_cluster_that_no_other_run_has_is_not_sure_however_large_its_margins():
    rng = np.random.default_rng(0)
    labels, sure = rng.integers(0, 4, 4000), rng.uniform(0.7, 0.99, 4000)
    q = np.repeat((1 - sure)[:, None] / 3, 4, axis=1)
    q[np.arange(4000), labels] = sure
    same = (labels != 1) & (rng.random(4000) < sure)
    found = Calibration.learned(np.log(q), same)(np.log(q))
    means = [found[labels == k].mean() for k in range(4)]
    assert means[1] < 0.1
    np.testing.assert_allclose([means[k] for k in (0, 2, 3)], 0.845, atol=0.03)
    shares = Calibration.learned(np.log(q), np.where(labels == 2, 0.5, 1.0))(np.log(q))  # half of the other runs
    assert abs(shares[labels == 2].mean() - 0.5) < 0.05


def test_calibrations_of_earlier_versions_are_read():
    old = Calibration.from_dict({"margins": [0.0, 1.0], "probabilities": [0.25, 0.75]})
    np.testing.assert_allclose(old(np.log([[0.5, 0.5], [0.9, 0.1]])), [0.25, 0.75])


def test_of_weights_of_words_it_decides_what_they_tell():
    rng = np.random.default_rng(0)
    topics, y = rng.dirichlet(np.full(300, 0.05), 3), np.arange(600) % 3
    x = np.stack([rng.multinomial(12, 0.5 * topics[c] + 0.5 / 300) for c in y]) * rng.uniform(0.01, 1, (600, 1))
    source = make_source(x.astype(np.float32), scaling="none")
    space = make_space(source, n_clusters=3, seed=0)
    assert space.weights is not None
    by_length = np.digitize(np.linalg.norm(space.z, axis=1), np.quantile(np.linalg.norm(space.z, axis=1), (0.33, 0.67)))
    judged = [space.judge(labels) for labels in (by_length, y)]
    assert criterion(judged, 3, n=600, d=50) == "columns"
    assert ranked(judged, 3, by="columns") == [1, 0]
    for other in (-source.take(slice(None)), source.take(slice(None)) + 0.1, source.take(slice(None))[:, :60]):
        few = make_space(make_source(other.numpy(), scaling="none"), n_clusters=3, seed=0)
        assert few.weights is None and few.judge(y).columns is None
    # The lengths of the rows are nothing that a method sees.
    found = Shallow(n_clusters=3, method="kmeans", random_state=0).fit(source)
    assert adjusted_rand_score(y, found.labels_) > 0.9
    np.testing.assert_array_equal(found.predict(source), found.labels_)


def test_where_rows_lie_does_not_matter():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    z = rng.normal(size=(120, 3)) + 8 * y[:, None]
    wrong = rng.integers(2, size=120)
    for shift in (0, 1e9):
        right, other = judge_partitions(z + shift, [y, wrong])
        assert right.kept == pytest.approx(1.0) and right.worth > other.worth
