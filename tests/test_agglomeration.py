"""Merging on the neighbour graph: against the formula on dense matrices, and what becomes of hard cases."""

import itertools

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, is_valid_linkage
from sklearn.metrics import adjusted_rand_score
from small import blobs

from coterie.agglomeration import agglomerate
from coterie.neighbours import affinity_graph, chains, neighbours


def merged(z, n_clusters, n_neighbours=20, labels=None, **parameters):
    nearest, squared = neighbours(z, n_neighbours)
    labels = chains(nearest, n_clusters) if labels is None else labels
    return agglomerate(z, affinity_graph(nearest, squared), labels, n_clusters=n_clusters, **parameters)


def dense_graph(z, n_neighbours, width=1.0):
    distance = ((z[:, None] - z[None]) ** 2).sum(2)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1)[:, :n_neighbours]
    edge = np.zeros(distance.shape, dtype=bool)
    np.put_along_axis(edge, order, True, axis=1)
    return np.where(edge, np.exp(-distance / (width * distance[edge].mean())), 0.0)


def affinity_by_hand(w, a, b):
    one_a, one_b = np.ones(len(a)), np.ones(len(b))
    ab, ba = w[np.ix_(a, b)], w[np.ix_(b, a)]
    return one_a @ ab @ ba @ one_a / len(a) ** 2 + one_b @ ba @ ab @ one_b / len(b) ** 2


def merged_by_hand(w, labels, n_clusters, n_near):
    groups = [np.flatnonzero(labels == k).tolist() for k in np.unique(labels)]
    affinities = []
    while len(groups) > n_clusters:
        table = np.zeros((len(groups), len(groups)))
        for i, j in itertools.combinations(range(len(groups)), 2):
            table[i, j] = table[j, i] = affinity_by_hand(w, groups[i], groups[j])
        largest = -np.sort(-np.pad(table, ((0, 0), (0, n_near))), axis=1)[:, :n_near]
        score = largest[:, 0] + (largest[:, :1] - largest[:, 1:]).sum(1) / (n_near - 1)
        i = int(score.argmax())
        j = int(table[i].argmax())
        affinities.append(table[i, j])
        groups[i] = groups[i] + groups[j]
        del groups[j]
    found = np.empty(len(labels), dtype=int)
    for k, rows in enumerate(groups):
        found[rows] = k
    return found, affinities


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_merges_are_those_of_the_formula(seed):
    z = np.random.default_rng(seed).normal(size=(80, 3)).astype(np.float32)
    nearest, squared = neighbours(z, 8)
    w = dense_graph(z.astype(np.float64), 8)
    graph = affinity_graph(nearest, squared)
    np.testing.assert_allclose(graph.toarray(), w, rtol=1e-5)
    labels = chains(nearest)
    tree = agglomerate(z, graph, labels, n_clusters=4, n_near=3, least_share=0.0)
    found, affinities = merged_by_hand(w, labels, 4, 3)
    assert adjusted_rand_score(found, tree.labels) == 1.0
    begun = labels.max() + 1
    np.testing.assert_allclose(tree.affinities[: begun - 4], affinities, rtol=1e-5)


def test_the_order_of_the_rows_does_not_matter():
    z = np.random.default_rng(3).normal(size=(300, 2)).astype(np.float32)
    order = np.random.default_rng(4).permutation(300)
    assert adjusted_rand_score(merged(z, 7).labels[order], merged(z[order], 7).labels) == 1.0


def test_the_record_is_a_dendrogram_whose_first_merges_lead_to_the_labels():
    z = np.random.default_rng(5).normal(size=(400, 2)).astype(np.float32)
    tree = merged(z, 6, n_leaves=30)
    assert tree.merges.shape == (29, 4)
    assert tree.affinities.shape == (29,)
    assert is_valid_linkage(tree.merges)
    assert len(dendrogram(tree.merges, no_plot=True)["leaves"]) == 30
    labels = tree.leaves.copy()
    for i, (a, b, number, leaves) in enumerate(tree.merges):
        labels[np.isin(labels, (a, b))] = 30 + i
        assert (number, leaves) == (i + 1, len(np.unique(tree.leaves[labels == 30 + i])))
        if len(np.unique(labels)) == 6:
            assert adjusted_rand_score(labels, tree.labels) == 1.0
    assert set(labels) == {58}


def test_long_and_round_groups_of_other_sizes_are_told_apart():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 1200)
    ring = np.c_[np.cos(angle), np.sin(angle)] * 4 + rng.normal(0, 0.15, (1200, 2))
    z = np.concatenate([ring, rng.normal(0, 0.4, (150, 2))]).astype(np.float32)
    y = np.repeat([0, 1], [1200, 150])
    assert adjusted_rand_score(y, merged(z, 2).labels) == 1.0


def test_a_few_outliers_are_no_cluster_of_their_own_unless_asked_for():
    X, y = blobs(n=300)
    z = np.concatenate([X, [[40.0, 40, 40, 40], [40.1, 40, 40, 40]]]).astype(np.float32)
    tree = merged(z, 3)
    assert adjusted_rand_score(y, tree.labels[:300]) == 1.0
    assert adjusted_rand_score(y, merged(z, 3, least_share=0.0).labels[:300]) < 1.0
    assert (tree.labels[300:] < 3).all()


@pytest.mark.parametrize("n_clusters", [1, 3, 5, 40])
def test_groups_that_no_edge_joins_still_merge_to_any_number(n_clusters):
    X, _ = blobs(n=200, k=5, d=5)
    tree = merged(X.astype(np.float32), n_clusters, n_neighbours=3)
    assert set(tree.labels) == set(range(n_clusters))


def test_rows_that_are_all_alike_or_alone():
    alike = merged(np.zeros((30, 2), np.float32), 4)
    assert set(alike.labels) == set(range(4))
    assert np.isfinite(alike.affinities).all()
    assert merged(np.zeros((1, 2), np.float32), 1).labels.tolist() == [0]


def test_neighbours_are_exact_far_from_zero_and_never_the_row_itself():
    z = np.repeat(np.random.default_rng(0).normal(size=(40, 3)), 3, axis=0).astype(np.float32)
    nearest, squared = neighbours(z, 7)
    assert (nearest != np.arange(120)[:, None]).all()
    assert all(len(set(row)) == 7 for row in nearest.tolist())
    np.testing.assert_array_equal(squared[:, :2], 0.0)  # the two doubles come first
    expected = ((z[:, None].astype(float) - z[nearest]) ** 2).sum(2)
    np.testing.assert_allclose(squared, expected, rtol=1e-5)
    assert neighbours(z[:4], 20)[0].shape == (4, 3)


@pytest.mark.parametrize("far", [0.0, 1000.0])
def test_neighbours_are_exact_also_far_from_the_origin(far):
    z = (far + np.random.default_rng(0).normal(size=(600, 64))).astype(np.float32)
    apart = np.square(z[:, None].astype(np.float64) - z).sum(2)
    np.fill_diagonal(apart, np.inf)
    nearest, squared = neighbours(z, 15)
    np.testing.assert_array_equal(nearest, apart.argsort(1)[:, :15])
    np.testing.assert_allclose(squared, np.sort(apart, axis=1)[:, :15], rtol=1e-4)
