"""What makes a cluster, told by every fitted system."""

from __future__ import annotations

from functools import partialmethod

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie import KMeans
from coterie.criteria import Calibration
from coterie.data import Source, make_source
from coterie.datasets import load_mnist10k
from coterie.errors import InputError

RNG = np.random.default_rng(100)


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, KMeans]:
    x = make_blobs(300, centers=[[0, 0, 5], [9, 0, 5], [0, 9, 5]], cluster_std=0.5, random_state=100)[0]
    return x, KMeans(n_clusters=3, random_state=100).fit(x)


def test_columns_are_told_with_means_and_effects_in_raw_units(blobs, monkeypatch):
    x, model = blobs
    monkeypatch.setattr(Source, "blocks", partialmethod(Source.blocks, 37))
    described = model.describe(x, top=2)
    assert [entry["cluster"] for entry in described] == [0, 1, 2]
    q = model.predict_proba(x)
    for entry in described:
        own = model.labels_ == entry["cluster"]
        assert entry["rows"] == own.sum() and entry["share"] == pytest.approx(1 / 3)
        assert entry["confidence"] == pytest.approx(q[own].max(1).mean(), rel=1e-5)
        assert len(entry["columns"]) == 2 and {column["name"] for column in entry["columns"]} == {
            "column 0",
            "column 1",
        }
        first = entry["columns"][0]
        j = first["column"]
        assert first["mean"] == pytest.approx(x[own, j].mean()) and first["elsewhere"] == pytest.approx(
            x[~own, j].mean()
        )
        assert first["effect"] == pytest.approx((first["mean"] - first["elsewhere"]) / x[:, j].std())


def test_confidence_is_the_calibrated_one_as_everywhere_else(blobs):
    X, _ = blobs
    model = KMeans(n_clusters=3, random_state=0).fit(X)
    log_q = np.log(model.predict_proba(X).clip(1e-12))
    model.calibration_ = Calibration.learned(log_q, model.labels_ != 1)  # another run does not have cluster 1
    sure = model.predict_confidence(X)
    for entry in model.describe(X):
        own = model.labels_ == entry["cluster"]
        assert entry["confidence"] == pytest.approx(sure[own].mean(), rel=1e-5)
    assert model.describe(X)[1]["confidence"] < 0.5


def test_rows_of_one_cluster_leave_the_others_empty_and_nothing_to_compare_with(blobs):
    x, model = blobs
    described = model.describe(x[model.labels_ == 1])
    assert [entry["rows"] for entry in described] == [0, 100, 0]
    assert described[0]["confidence"] is None and described[0]["columns"] == [] == described[1]["columns"]
    with pytest.raises(ValueError, match="X has 2 features"):
        model.describe(x[:, :2])


def test_images_are_told_by_their_mean_and_their_difference_from_the_rest():
    x = load_mnist10k()[0][:400]
    model = KMeans(n_clusters=4, n_init=1, random_state=100).fit(x)
    for entry in model.describe(x):
        own = model.labels_ == entry["cluster"]
        np.testing.assert_allclose(entry["mean"], x[own].mean(0))
        np.testing.assert_allclose(entry["difference"], x[own].mean(0) - x[~own].mean(0), atol=1e-9)
    alone = KMeans(n_clusters=1, n_init=1, random_state=100).fit(x).describe(x)[0]
    assert alone["difference"] is None and alone["mean"].shape == (28, 28)


def test_texts_are_told_by_words_that_are_commoner_here():
    words = ["orbit", "rocket", "puck", "goalie", *(f"{a}{b}filler" for a in "abcdefgh" for b in "abcdefgh")]
    x = (RNG.random((200, len(words))) < 0.03).astype(np.float32)
    x[:100, :2] = x[100:, 2:4] = 1.0
    source = make_source(x, feature_names=words)
    model = KMeans(n_clusters=2, random_state=100).fit(source)
    for entry in model.describe(source, top=2):
        assert {word["name"] for word in entry["words"]} in ({"orbit", "rocket"}, {"puck", "goalie"})
        for word in entry["words"]:
            assert word["share"] == 1.0 and word["elsewhere"] < 0.1 and word["effect"] > 1


@pytest.mark.parametrize("top", [0, -1, "3", 1.5])
def test_a_number_of_columns_is_checked(blobs, top):
    x, model = blobs
    with pytest.raises(InputError, match="'top' argument must be an integer >= 1"):
        model.describe(x, top=top)
