"""Silhouette, sizes and entropy against their definitions."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.criteria import assignment_entropy, judge, log_likelihood, silhouette, sizes
from coterie.errors import InputError


def blobs(n: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n)
    return rng.normal(size=(n, 2)) + gap * np.eye(3)[labels][:, :2], labels


def silhouette_by_definition(z: np.ndarray, labels: np.ndarray) -> float:
    values = []
    for i, row in enumerate(z):
        distance = np.linalg.norm(z - row, axis=1)
        own = (labels == labels[i]) & (np.arange(len(z)) != i)
        if not own.any():
            values.append(0.0)
            continue
        inside = distance[own].mean()
        outside = min(distance[labels == k].mean() for k in set(labels.tolist()) - {labels[i]})
        values.append((outside - inside) / max(inside, outside))
    return float(np.mean(values))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=15).filter(lambda labels: len(set(labels)) > 1))
def test_silhouette_is_the_mean_over_rows(labels: list[int]) -> None:
    z = np.random.default_rng(len(labels)).normal(size=(len(labels), 3))
    assert silhouette(z, labels) == pytest.approx(silhouette_by_definition(z, np.array(labels)))


def test_silhouette_of_a_sample_is_near_that_of_all_and_repeatable() -> None:
    z, labels = blobs(3000, gap=6)
    everything = silhouette(z, labels, sample=3000)
    sampled = silhouette(z, labels, sample=500)
    assert sampled != everything
    assert sampled == pytest.approx(everything, abs=0.03)
    assert sampled == silhouette(z, labels, sample=500)
    assert sampled != silhouette(z, labels, sample=500, random_state=1)
    assert everything > 0.6 > silhouette(*blobs(500, gap=1))


def test_silhouette_is_zero_where_it_is_undefined() -> None:
    z = np.random.default_rng(0).normal(size=(5, 2))
    assert silhouette(z, [3] * 5) == 0
    assert silhouette(z, range(5)) == 0  # type: ignore[arg-type]
    assert silhouette(z[:1], [0]) == 0
    assert silhouette(np.zeros((4, 2)), [0, 0, 1, 1]) == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_sizes_count_rows_and_show_empty_clusters(labels: list[int]) -> None:
    assert sizes(labels, 6).tolist() == [labels.count(cluster) for cluster in range(6)]


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3]])
def test_sizes_refuse_labels_out_of_range(labels: list[int]) -> None:
    with pytest.raises(InputError, match=r"labels must be from 0 to 2, got"):
        sizes(labels, 3)


@pytest.mark.parametrize("labels", [[], [0.0, 1.0], [[0, 1]], ["a"]])
def test_labels_must_be_integers_in_one_dimension(labels: object) -> None:
    for criterion in (lambda labels: sizes(labels, 3), lambda labels: silhouette(np.zeros((2, 2)), labels)):
        with pytest.raises(InputError, match="labels must be a non-empty one-dimensional integer array"):
            criterion(labels)


def test_entropy_is_that_of_the_definition() -> None:
    q = np.random.default_rng(0).dirichlet(np.ones(7) / 3, size=50)
    by_rows = [-sum(p * np.log(p) for p in row if p > 0) / np.log(7) for row in q]
    assert assignment_entropy(q) == pytest.approx(np.mean(by_rows))
    assert assignment_entropy(torch.from_numpy(q).float()) == pytest.approx(np.mean(by_rows), abs=1e-6)


def test_entropy_at_its_ends() -> None:
    assert assignment_entropy(np.eye(5)) == 0
    assert assignment_entropy(np.full((4, 5), 0.2)) == pytest.approx(1)
    assert assignment_entropy(np.ones((4, 1))) == 0


@pytest.mark.parametrize("q", [[[0.5, 0.4]], [[1.2, -0.2]], [[np.nan, 1.0]], [[np.inf, 0.0]]])
def test_entropy_refuses_what_is_not_a_probability(q: list[list[float]]) -> None:
    with pytest.raises(InputError, match="q must hold probabilities"):
        assignment_entropy(q)


def test_entropy_refuses_other_shapes() -> None:
    for q in ([0.5, 0.5], np.zeros((0, 3))):
        with pytest.raises(InputError, match="q must be a non-empty two-dimensional array"):
            assignment_entropy(q)


def test_judge_holds_each_criterion_under_its_name() -> None:
    z, labels = blobs(200, gap=3)
    q = np.random.default_rng(1).dirichlet(np.ones(3), size=200)
    assert judge(z, q, labels) == {
        "silhouette": silhouette(z, labels),
        "entropy": assignment_entropy(q),
        "log_likelihood": log_likelihood(z, labels),
    }
    assert judge(z, None, labels)["entropy"] == 0


@pytest.mark.parametrize("labels", [np.zeros(6, int), np.arange(6), np.array([0, 0, 0, 0, 0, 5])])
@pytest.mark.parametrize("z", [np.zeros((6, 2)), np.arange(12.0).reshape(6, 2), np.full((6, 3), 1e6)])
def test_judge_stays_finite_on_collapsed_codes(z: np.ndarray, labels: np.ndarray) -> None:
    json.dumps(judge(z.astype(np.float32), None, labels), allow_nan=False)


@pytest.mark.parametrize("criterion", [silhouette, log_likelihood])
@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.zeros(3), "z must be a two-dimensional array"),
        (np.zeros((3, 0)), "z must be a two-dimensional array"),
        (np.array([["a"]] * 3), "z must be a two-dimensional array"),
        (np.zeros((4, 2)), "must have the same length, got 4 and 3"),
        (np.array([[0.0], [np.nan], [0.0]]), "z must be finite"),
        (np.array([[0.0], [np.inf], [0.0]]), "z must be finite"),
    ],
)
def test_unusable_codes_are_named(criterion: Callable[..., float], z: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        criterion(z, [0, 1, 1])


def test_sample_must_allow_a_comparison() -> None:
    with pytest.raises(InputError, match="sample must be at least 2, got 1"):
        silhouette(np.zeros((3, 1)), [0, 1, 1], sample=1)


def test_global_random_state_is_left_alone() -> None:
    z, labels = blobs(3000, gap=2)
    before = np.random.get_state()[1].copy()
    judge(z, None, labels)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_judge_refuses_probabilities_of_other_rows_and_what_are_none() -> None:
    z, labels = np.arange(4.0)[:, None], [0, 0, 1, 1]
    with pytest.raises(InputError, match="q and labels must have the same length, got 1 and 4"):
        judge(z, [[1.0, 0.0]], labels)
    with pytest.raises(InputError, match="two-dimensional array of numbers"):
        assignment_entropy([["a", "b"]])
    for q, known in ((0.5, labels), ([[1.0, 0.0]] * 4, 3)):
        with pytest.raises(InputError, match="must be a non-empty"):
            judge(z, q, known)


@pytest.mark.parametrize(("shift", "unit"), [(1e9, 1.0), (0.0, 1e20), (0.0, 1e-25)])
def test_silhouette_depends_on_neither_the_origin_nor_the_unit(shift: float, unit: float) -> None:
    z, labels = np.array([[0.0, 0], [1, 0], [8, 0], [9, 1]]), [0, 0, 1, 1]
    assert silhouette(z * unit + shift, labels) == pytest.approx(silhouette(z, labels), rel=1e-5)
    if not shift:
        assert silhouette((z * unit).astype(np.float32), labels) == pytest.approx(silhouette(z, labels), rel=1e-5)
