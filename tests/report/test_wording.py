"""Sentences say what the figures say, also when that is unwelcome."""

from __future__ import annotations

import pytest

from coterie.report.wording import (
    baseline_name,
    beside,
    duration,
    figure,
    headline,
    listing,
    percent,
    warnings_about,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9731, ".97"), (0.9984, ".998"), (0.0012, ".001"), (1.0, "1"), (0, "0"), (0.9996, ".999"), (0.0004, ".001"),
     (-0.0, "0"), (-0.0001, "-.001"), (-0.052, "-.05"), (12.346, "12.35"),
     (-1.42, "-1.42"), (None, "–"), (float("nan"), "–"), (0.5, ".50")],
)  # fmt: skip
def test_figures(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.97, "97 %"), (0.9996, "99.9 %"), (0.00001, "0.1 %"), (0.05, "5 %"), (0.083, "8.3 %")],
)
def test_shares_reach_the_ends_only_when_nothing_is_missing(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.234, "1.2 s"), (58.2, "58 s"), (200, "3 min 20 s"), (7512, "2 h 5 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_lists_count_what_they_leave_out():
    assert listing([1]) == "1"
    assert listing([1, 2, 3]) == "1, 2 and 3"
    assert listing(list(range(20))) == "0, 1, 2, 3, 4, 5, 6 and 13 more"


def test_headline_tells_the_accuracy_or_else_the_sizes():
    sizes = [600, 400]
    assert headline({"accuracy": 0.97}, sizes=sizes, noun="images", sure=0.5) == (
        "2 groups in 1,000 images; accuracy .97 against your labels."
    )
    assert headline({"accuracy": 0.97}, sizes=sizes, noun="rows", sure=0.5, n_known=30) == (
        "2 groups in 1,000 rows; accuracy .97 against your labels (of them 30 rows were known in training)."
    )
    assert headline({}, sizes=sizes, noun="rows", sure=0.912) == (
        "2 groups in 1,000 rows, of 400 to 600; 91 % of them placed with confidence above .9."
    )
    assert "of 400 to 600" in headline({}, sizes=[600, 0, 400], noun="rows", sure=0.912)
    assert "2 groups (and 1 empty) in 1,000 rows" in headline({}, sizes=[600, 0, 400], noun="rows", sure=0.912)
    assert headline({}, sizes=[7], noun="rows", sure=1.0) == "1 group in 7 rows: there is nothing to tell apart."


def test_a_better_baseline_is_said_to_be_better():
    own, noun = {"accuracy": 0.80}, "images"
    worse = beside(own, {"kmeans": {"accuracy": 0.55}, "autoencoder_kmeans": {"accuracy": 0.7}}, noun=noun)
    assert worse == "K-means reaches .55 on the raw pixels and .70 on the autoencoder’s code."
    better = beside(own, {"kmeans": {"accuracy": 0.55}, "autoencoder_kmeans": {"accuracy": 0.9}}, noun=noun)
    assert better.endswith("On this figure k-means on the autoencoder’s code does better than this run.")
    alike = beside(own, {"kmeans": {"accuracy": 0.798}}, noun=noun)
    assert alike.endswith("On this figure k-means on the raw pixels does as well as this run.")


def test_without_labels_the_silhouette_is_compared():
    said = beside({"silhouette": 0.31}, {"kmeans": {"silhouette": 0.08}}, noun="rows")
    assert said == "The silhouette is .31; k-means reaches .08 on the columns."
    assert beside({"silhouette": 0.31}, {}, noun="rows") == ""
    assert beside({}, {"kmeans": {"silhouette": 0.08}}, noun="rows") == ""


def test_a_baseline_of_another_name_is_called_by_it():
    assert baseline_name("spectral", "rows") == "k-means by spectral"
    assert baseline_name("code_kmeans", "rows") == "k-means on the code"
    assert baseline_name("taught_code_kmeans", "rows") == "k-means on the code, which learned from labels"


def test_collapse_is_said_plainly():
    assert warnings_about([10, 12, 9], noun="rows") == []
    (one,) = warnings_about([10, 0, 9], noun="rows")
    assert one.startswith("Cluster 1 is empty: no rows ended there.")
    many = warnings_about([100, 0, 0, 1], noun="images")
    assert many[0].startswith("Clusters 1 and 2 are empty")
    assert many[1].startswith("Cluster 0 has swallowed 99.0 % of the images".replace("99.0", "99"))
    assert warnings_about([90, 10], noun="rows") == []


def test_more_classes_than_clusters_is_explained():
    (said,) = warnings_about([10, 10], noun="rows", n_classes=5)
    assert "name 5 classes and there are 2 clusters: only 2" in said
    assert any("too many to draw" in each for each in warnings_about([10, 10], noun="rows", n_classes=500))
