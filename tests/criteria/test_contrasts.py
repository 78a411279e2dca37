"""Clusters against the rest: the arithmetic, against NumPy on all rows at once."""

from __future__ import annotations

import numpy as np
import pytest

from coterie.criteria import are_words, contrast

RNG = np.random.default_rng(100)
X = RNG.normal(size=(500, 6)) * [1, 2, 3, 0.1, 5, 1] + 4
X[:, 5] = 7.0
X[RNG.random(X.shape) < 0.4] = 0
X[:, 5] = 7.0
LABELS = RNG.integers(0, 4, 500)
LABELS[LABELS == 2] = 3  # cluster 2 is empty


def blocks(x: np.ndarray, size: int) -> list[np.ndarray]:
    return [x[start : start + size] for start in range(0, len(x), size)]


@pytest.mark.parametrize("size", [1, 7, 500])
def test_means_shares_and_effects_do_not_depend_on_the_blocks(size: int) -> None:
    found = contrast(blocks(X, size), LABELS, 4)
    assert found.counts.tolist() == np.bincount(LABELS, minlength=4).tolist()
    assert (found.low, found.high) == (X.min(), X.max())
    np.testing.assert_allclose(found.mean, X.mean(0))
    np.testing.assert_allclose(found.sd, X.std(0), atol=1e-12)
    assert found.zeros == pytest.approx((X == 0).mean())
    for k in (0, 1, 3):
        here, elsewhere = X[k == LABELS], X[k != LABELS]
        np.testing.assert_allclose(found.means[k], here.mean(0))
        np.testing.assert_allclose(found.elsewhere[k], elsewhere.mean(0))
        np.testing.assert_allclose(found.present[k], (here != 0).mean(0))
        np.testing.assert_allclose(found.present_elsewhere[k], (elsewhere != 0).mean(0))
        expected = (here.mean(0) - elsewhere.mean(0))[:5] / X.std(0)[:5]
        np.testing.assert_allclose(found.effects[k], [*expected, 0.0], atol=1e-12)


def test_an_empty_cluster_and_one_that_holds_all_have_no_effects() -> None:
    found = contrast([X], LABELS, 4)
    assert np.isnan(found.means[2]).all() and not found.effects[2].any()
    np.testing.assert_allclose(found.elsewhere[2], X.mean(0))
    alone = contrast([X], np.zeros(500, int), 1)
    assert np.isnan(alone.elsewhere).all() and not alone.effects.any()
    assert alone.columns(0, list("abcdef"), 3) == [] == alone.words(0, list("abcdef"), 3)


def test_effects_survive_a_large_offset() -> None:
    far = X.copy()
    far[:, 0] += 1e9
    np.testing.assert_allclose(contrast([far], LABELS, 4).effects, contrast([X], LABELS, 4).effects, atol=1e-5)


def test_columns_and_words_are_named_by_the_size_and_the_sign_of_their_effects() -> None:
    x = np.array([[5.0, 0.0, 1.0, 2.0], [5.0, 0.0, 1.0, 2.0], [0.0, 4.0, 1.0, 1.9], [0.0, 0.0, 1.0, 2.1]])
    found = contrast([x], np.array([0, 0, 1, 1]), 2)
    columns = found.columns(0, ["a", "b", "c", "d"], 2)
    assert [(entry["name"], entry["column"], entry["mean"], entry["elsewhere"]) for entry in columns] == [
        ("a", 0, 5.0, 0.0),
        ("b", 1, 0.0, 2.0),
    ]
    assert columns[0]["effect"] == pytest.approx(2.0) and columns[1]["effect"] < 0
    words = found.words(0, ["a", "b", "c", "d"], 9)
    assert [(word["name"], word["share"], word["elsewhere"]) for word in words] == [("a", 1.0, 0.0)]


@pytest.mark.parametrize(
    ("names", "zeros", "low", "expected"),
    [
        (["word", "it's", "naïve"] * 20, 0.95, 0.0, True),
        (["word", "it's", "naïve"] * 20, 0.5, 0.0, False),
        (["word", "it's", "naïve"] * 20, 0.95, -0.1, False),
        (["word"] * 10, 0.95, 0.0, False),
        ([f"colour={i}" for i in range(60)], 0.98, 0.0, False),
        (None, 0.98, 0.0, False),
    ],
    ids=["words", "dense", "negative", "few", "dummies", "unnamed"],
)
def test_words_are_told_from_other_columns(names, zeros, low, expected) -> None:
    assert are_words(names, zeros=zeros, low=low) is expected
