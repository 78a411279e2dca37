"""Scores against their definitions written out over rows, pairs of rows and orders of rows."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.metrics import accuracy, ami, ari, evaluate, nmi, purity, v_measure

Labels = list[int]

labelings = st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2))
short = st.integers(2, 5).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 2), min_size=n, max_size=n)] * 2))


def entropy(labels: Labels) -> float:
    return -sum(count / len(labels) * math.log(count / len(labels)) for count in Counter(labels).values())


def information(y: Labels, labels: Labels) -> float:
    n, of_y, of_labels = len(y), Counter(y), Counter(labels)
    return sum(
        count / n * math.log(count * n / (of_y[a] * of_labels[b]))
        for (a, b), count in Counter(zip(y, labels, strict=True)).items()
    )


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_nmi_is_information_over_the_arithmetic_mean_of_entropies(pair: tuple[Labels, Labels]) -> None:
    y, labels = pair
    mean = (entropy(y) + entropy(labels)) / 2
    assert nmi(y, labels) == pytest.approx(information(y, labels) / mean if mean else 1.0, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_v_measure_equals_nmi(pair: tuple[Labels, Labels]) -> None:
    assert v_measure(*pair) == pytest.approx(nmi(*pair), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_ari_counts_pairs_of_rows(pair: tuple[Labels, Labels]) -> None:
    y, labels = pair
    pairs = list(itertools.combinations(range(len(y)), 2))
    same_y = np.array([y[i] == y[j] for i, j in pairs])
    same_labels = np.array([labels[i] == labels[j] for i, j in pairs])
    expected = same_y.sum() * same_labels.sum() / len(pairs)
    most = (same_y.sum() + same_labels.sum()) / 2
    value = (np.sum(same_y & same_labels) - expected) / (most - expected) if most != expected else 1.0
    assert ari(y, labels) == pytest.approx(value, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(short)
def test_ami_subtracts_the_mean_over_all_orders_of_the_rows(pair: tuple[Labels, Labels]) -> None:
    y, labels = pair
    by_chance = np.mean([information(y, list(order)) for order in itertools.permutations(labels)])
    room = (entropy(y) + entropy(labels)) / 2 - by_chance
    if abs(room) > 1e-9:  # else both numerator and denominator vanish
        assert ami(y, labels) == pytest.approx((information(y, labels) - by_chance) / room, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_purity_takes_the_largest_class_of_each_cluster(pair: tuple[Labels, Labels]) -> None:
    y, labels = pair
    largest = [max(Counter(a for a, b in zip(y, labels, strict=True) if b == k).values()) for k in set(labels)]
    assert purity(y, labels) == pytest.approx(sum(largest) / len(y))
    assert purity(y, labels) >= accuracy(y, labels)


@settings(max_examples=50, deadline=None)
@given(labelings, st.permutations(range(4)))
def test_names_of_clusters_do_not_matter(pair: tuple[Labels, Labels], names: list[int]) -> None:
    y, labels = pair
    renamed = [f"cluster {names[label]}" for label in labels]
    assert evaluate(y, renamed) == pytest.approx(evaluate(y, labels), abs=1e-9)


def test_evaluate_holds_each_score_under_its_name() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 300)
    labels = np.where(rng.random(300) < 0.7, (y + 2) % 5, rng.integers(0, 7, 300))
    scores = {"accuracy": accuracy, "nmi": nmi, "ari": ari, "ami": ami, "purity": purity, "v_measure": v_measure}
    result = evaluate(y, labels)
    assert list(result) == list(scores)
    assert result == {name: score(y, labels) for name, score in scores.items()}
    assert all(type(value) is float for value in result.values())


def test_perfect_and_senseless_partitions() -> None:
    y = np.repeat(np.arange(4), 50)
    assert evaluate(y, 3 - y) == pytest.approx(dict.fromkeys(evaluate(y, y), 1.0))
    one = evaluate(y, np.zeros(200, dtype=int))
    assert one == pytest.approx({"accuracy": 0.25, "purity": 0.25, "nmi": 0, "ari": 0, "ami": 0, "v_measure": 0})
    chance = evaluate(y, np.random.default_rng(0).integers(0, 4, 200))
    assert abs(chance["ari"]) < 0.05
    assert abs(chance["ami"]) < 0.05


def test_variable_width_strings_are_names():
    names = np.array(["elm", "oak", "elm"], dtype=np.dtypes.StringDType())
    assert evaluate(names, names) == evaluate(["elm", "oak", "elm"], ["elm", "oak", "elm"])
