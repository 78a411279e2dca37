"""Matching of clusters and classes, against trying every matching."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from coterie.errors import InputError
from coterie.metrics import accuracy, evaluate, match, per_class, per_class_f, purity

labelings = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n), st.lists(st.integers(-1, 3), min_size=n, max_size=n)
    )
)


def best_of_all_matchings(y: list[int], labels: list[int]) -> float:
    """Give every cluster a class of its own, or none, in every possible way."""
    classes, clusters = sorted(set(y)), sorted(set(labels))
    places = [*classes, *[None] * len(clusters)]
    best = 0
    for given_classes in set(itertools.permutations(places, len(clusters))):
        mapping = dict(zip(clusters, given_classes, strict=True))
        best = max(best, sum(mapping[label] == truth for truth, label in zip(y, labels, strict=True)))
    return best / len(y)


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_accuracy_is_the_best_of_all_matchings(pair: tuple[list[int], list[int]]) -> None:
    y, labels = pair
    assert accuracy(y, labels) == pytest.approx(best_of_all_matchings(y, labels))


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_match_reaches_the_accuracy_and_shows_every_row(pair: tuple[list[int], list[int]]) -> None:
    y, labels = pair
    found = match(y, labels)
    assert found.accuracy == pytest.approx(accuracy(y, labels))
    agreeing = np.mean([found.mapping.get(label, "none") == truth for truth, label in pair_rows(y, labels)])
    assert found.accuracy == pytest.approx(agreeing)
    assert len(set(found.mapping.values())) == len(found.mapping) == min(len(set(y)), len(set(labels)))
    for (row, truth), (column, label) in itertools.product(enumerate(found.classes), enumerate(found.clusters)):
        assert found.confusion[row, column] == sum(pair == (truth, label) for pair in pair_rows(y, labels))
    for place in range(len(found.mapping)):
        assert found.mapping[found.clusters[place]] == found.classes[place]
    assert sorted(found.classes) == sorted(set(y))
    assert sorted(found.clusters) == sorted(set(labels))


@settings(max_examples=50, deadline=None)
@given(labelings)
def test_per_class_f_is_the_f_score_of_the_matched_cluster(pair: tuple[list[int], list[int]]) -> None:
    y, labels = pair
    cluster_of = {truth: cluster for cluster, truth in match(y, labels).mapping.items()}
    scores = per_class_f(y, labels)
    assert list(scores) == sorted(set(y))
    for truth, score in scores.items():
        hits = sum(row == (truth, cluster_of.get(truth)) for row in pair_rows(y, labels))
        if hits == 0:
            assert score == 0
            continue
        precision, recall = hits / labels.count(cluster_of[truth]), hits / y.count(truth)
        assert score == pytest.approx(2 * precision * recall / (precision + recall))


def pair_rows(y: list[int], labels: list[int]) -> list[tuple[int, int]]:
    return list(zip(y, labels, strict=True))


def test_more_clusters_than_classes() -> None:
    y = ["a"] * 5 + ["b"] * 5
    labels = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
    assert accuracy(y, labels) == 0.7
    found = match(y, labels)
    assert found.mapping == {0: "a", 2: "b"}
    assert found.confusion.tolist() == [[3, 0, 2, 0], [0, 4, 0, 1]]
    assert found.clusters.tolist() == [0, 2, 1, 3]
    assert purity(y, labels) == 1


def test_fewer_clusters_than_classes() -> None:
    y = [0, 0, 1, 1, 1, 2, 2, 2, 2]
    labels = ["x", "x", "x", "x", "x", "y", "y", "y", "y"]
    found = match(y, labels)
    assert found.accuracy == pytest.approx(7 / 9)
    assert found.mapping == {"x": 1, "y": 2}
    assert found.classes.tolist() == [1, 2, 0]
    assert found.confusion.tolist() == [[3, 0], [0, 4], [2, 0]]
    assert per_class_f(y, labels) == {0: 0.0, 1: pytest.approx(0.75), 2: 1.0}


def test_greedy_matching_would_be_wrong() -> None:
    y = [0] * 4 + [1] * 7
    labels = [0] * 4 + [0] * 5 + [1] * 2  # the largest cell, (1, 0) with 5 rows, is not part of the best matching
    assert accuracy(y, labels) == pytest.approx(6 / 11)


def test_minus_one_is_a_cluster_like_any_other() -> None:
    assert accuracy([0, 0, 1, 1], [-1, -1, 0, 0]) == 1
    assert match([0, 0, 1, 1], [-1, -1, 0, 0]).mapping == {-1: 0, 0: 1}


@pytest.mark.parametrize(
    "y",
    [
        ["a", "a", "b"],
        np.array(["a", "a", "b"], dtype=object),
        [True, True, False],
        [1.0, 1.0, 2.0],
        np.array([3, 3, 9], dtype=np.uint8),
        [b"x", b"x", b"y"],
    ],
)
def test_any_kind_of_name_for_a_class(y: object) -> None:
    assert accuracy(y, ["two", "two", "one"]) == 1  # type: ignore[arg-type]
    assert list(match(y, [7, 7, 8]).mapping) in ([7, 8], [8, 7])  # type: ignore[arg-type]


def test_frames_and_categories_are_taken() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"y": pandas.Categorical(["a", "b", "a"]), "k": [1, 0, 1]}, index=[9, 8, 7])
    assert accuracy(frame["y"], frame["k"]) == 1


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1], r"same length, got 2 and 3"),
        ([], r"y must be a non-empty one-dimensional array, got shape \(0,\)"),
        (3, r"got shape \(\)"),
        ([[0, 1, 2]], r"got shape \(1, 3\)"),
        ([0.0, 0.5, 1.0], r"y must hold whole numbers or names, got 0\.5 at row 1"),
        ([0.0, 1.0, np.nan], r"got nan at row 2"),
        ([np.inf, 1.0, 0.0], r"got inf at row 0"),
        (["a", None, "b"], r"got None at row 1"),
        (np.array(["a", "b", np.nan], dtype=object), r"got nan at row 2"),
        (np.array(["a", 1, "b"], dtype=object), r"values of one kind"),
        ([1j, 2j, 3j], r"got complex128"),
    ],
)
def test_unusable_labels_are_named(y: object, message: str) -> None:
    for score in (accuracy, match, per_class, per_class_f, purity, evaluate):
        with pytest.raises(InputError, match=message):
            score(y, [0, 1, 2])  # type: ignore[arg-type]
    with pytest.raises(InputError):
        accuracy([0, 1, 2], y)  # type: ignore[arg-type]


@pytest.mark.parametrize("n_clusters", [3, 4, 6])
def test_per_class_figures_are_those_of_scikit_learn_on_matched_clusters(n_clusters: int) -> None:
    rng = np.random.default_rng(n_clusters)
    y, labels = rng.integers(0, 4, 300), rng.integers(0, n_clusters, 300)
    labels[:200] = y[:200] % n_clusters
    mapping = match(y, labels).mapping
    renamed = np.array([mapping.get(label, -1) for label in labels])
    expected = precision_recall_fscore_support(y, renamed, labels=range(4), zero_division=0)
    found = per_class(y, labels)
    for key, values in zip(("precision", "recall", "f", "rows"), expected, strict=True):
        np.testing.assert_allclose([entry[key] for entry in found], values)
    assert [mapping.get(entry["cluster"]) for entry in found if entry["cluster"] is not None] == [
        entry["class"] for entry in found if entry["cluster"] is not None
    ]
    assert sum(entry["cluster"] is None for entry in found) == max(0, 4 - n_clusters)


def test_masked_labels_are_refused():
    masked = np.ma.array([0, 1, 1, 1], mask=[0, 0, 1, 1])
    with pytest.raises(InputError, match="y contains masked entries"):
        accuracy(masked, [0, 1, 0, 0])
    assert accuracy(np.ma.array([0, 1, 1, 1]), [1, 0, 0, 0]) == 1


@pytest.mark.parametrize("y", [["a", float("nan"), "a"], ["a", None, "a"], ["a", 1, "1"]])
def test_missing_classes_and_mixtures_in_lists_are_no_classes(y: list[object]) -> None:
    with pytest.raises(InputError, match="y must hold"):
        match(y, [0, 1, 0])


def test_whole_numbers_are_classes_whatever_holds_them() -> None:
    assert accuracy(np.array([1.0, 2.0, 2.0], dtype=object), [0, 1, 1]) == 1.0
    assert accuracy(["a", "b", "b"], (0, 1, 1)) == 1.0
