"""The page about outliers: what it says, what it draws, and that nothing in the data can change it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pages import Balanced, told

from coterie.data import make_source
from coterie.report import Scored, write_outliers
from coterie.report.cards import strongest
from coterie.report.outliers import render_outliers
from coterie.report.plots import HEIGHT, WIDE, threshold_histogram
from coterie.report.scored import overview

HOSTILE = "</script><img src=x onerror=alert(1)>"


def scored(source, strangeness, *, threshold=5.0, usual=None, clusters=None, **more):
    n = len(strangeness)
    return Scored(
        title="Outliers among things",
        facts=[("Score", "made up")],
        score_in_words="made up",
        strangeness=np.asarray(strangeness, float),
        threshold=threshold,
        usual=np.linspace(0, 5.5, 200) if usual is None else np.asarray(usual, float),
        clusters=np.zeros(n, int) if clusters is None else clusters,
        n_clusters=3,
        source=source,
        **more,
    )


def test_images_are_shown_the_strangest_first_with_their_clusters():
    pictures = np.random.default_rng(0).integers(0, 255, (100, 9, 9), dtype=np.uint8)
    scores = np.arange(100) / 10
    page = scored(make_source(pictures), scores, clusters=np.arange(100) % 2, names=[f"{i}.png" for i in range(100)])
    text = render_outliers(page)
    seen = Balanced(text).seen
    images = [attrs for tag, attrs in seen if tag == "img"]
    assert len(images) == 60
    assert [attrs["alt"] for attrs in images[:3]] == ["99.png", "98.png", "97.png"]
    assert all((attrs["src"] or "").startswith("data:image/png;base64,") for attrs in images)
    assert not [tag for tag, _ in seen if tag == "script"]
    assert "49 of 100 images are flagged as outliers." in text
    assert "script-src &#39;none&#39;" in text
    assert re.search(r"Cluster Images Flagged Share 1 50 25 50 % 0 50 24 48 % 2 0 0 –", told(text))


def test_a_tables_most_unusual_columns_are_shown_and_far_values_marked():
    x = np.random.default_rng(0).normal(size=(200, 12))
    x[7, 10] = 40.0
    scores = np.zeros(200)
    scores[7] = 9
    source = make_source(x, feature_names=[f"measure {j}" for j in range(12)])
    text = render_outliers(scored(source, scores))
    Balanced(text)
    assert "1 of 200 rows is flagged as an outlier." in text
    assert "8 of 12 columns" in told(text)
    assert re.search(r">row 7</th><td>9</td><td>yes</td>", text)
    assert "<b>40</b>" in text
    assert "measure 10" in text
    assert "<img" not in text


@pytest.mark.filterwarnings("ignore::coterie.errors.DataWarning")  # of columns that do not vary
def test_values_stand_beside_those_of_the_training_rows():
    train = np.random.default_rng(0).normal(size=(500, 12))
    train[:, 4] = 0.1  # never varied
    x = train[:10].astype(np.float32)
    x[:, 3] = 50  # all of them, so that they are usual among themselves
    x[0, 4] = 0.2
    source, scores = make_source(x, feature_names=[f"measure {j}" for j in range(12)]), np.arange(10.0, 0.0, -1.0)
    usual = overview(make_source(train))
    text = render_outliers(scored(source, scores, mean=usual.mean, sd=usual.sd))
    Balanced(text)
    assert "those in which these rows differ most from the training rows" in told(text)
    assert "standard deviations from the mean of the training rows." in told(text)
    assert [f"measure {j}" in text for j in (3, 4)] == [True, True]
    assert text.count("<b>50</b>") == 10
    assert text.count("<b>0.2</b>") == 1
    assert "<b>0.1</b>" not in text
    alone = render_outliers(scored(source, scores))
    assert "<b>50" not in alone
    assert "standard deviations from the mean of all rows." in told(alone)


@pytest.mark.parametrize("shape", [(30, 3), (30, 5, 5)])
def test_clusters_are_called_by_their_names(shape):
    x = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    names = [None, f"first {HOSTILE}", None]
    text = render_outliers(scored(make_source(x), np.arange(30.0), clusters=np.arange(30) % 3, cluster_names=names))
    Balanced(text)
    assert HOSTILE not in text
    assert text.count("first &lt;/script&gt;") >= 9  # each row of the cluster, and the table of clusters


def test_one_row_is_one_outlier():
    source = make_source(np.random.default_rng(0).normal(size=(20, 3)))
    assert scored(source, np.arange(20.0) / 4 + 0.3).sentence().startswith("1 of 20 rows (5.0%) is flagged as an out")
    assert scored(source, np.arange(20.0)).sentence().startswith("14 of 20 rows (70.0%) are flagged as outliers;")


def test_texts_are_shown_by_their_strongest_words():
    words = ["alpha", "beta", "gamma", *(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60))]
    x = np.zeros((80, len(words)))
    x[np.arange(80), np.arange(80) % 60 + 3] = 1.0
    x[5, :2] = [0.2, 0.9]
    scores = np.zeros(80)
    scores[5] = 9
    text = render_outliers(scored(make_source(x, feature_names=words), scores))
    Balanced(text)
    assert "Strongest words" in text
    assert re.search(r"row 5</th>.*?beta · alpha", text, flags=re.DOTALL)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, bool])
def test_counts_of_any_type_have_strongest_words(dtype):
    row = np.array([0, 3, 0, 1], dtype=dtype)
    wanted = "b · d"
    assert strongest(row, ["a", "b", "c", "d"]) == wanted


def test_training_rows_below_the_threshold_stand_left_of_it():
    usual, given = np.linspace(0, 1, 1000), np.linspace(90, 110, 50)
    chart = threshold_histogram(given, usual, threshold=0.99)
    left = [x for x, _, _, _, _, flagged in chart["columns"] if not flagged]
    assert left
    assert min(left) < chart["cut"]


@pytest.mark.parametrize("where", ["names", "columns"])
def test_hostile_names_stay_text(where, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3))
    names = [HOSTILE] * 20 if where == "names" else None
    source = make_source(x, feature_names=[HOSTILE, "b", "c"] if where == "columns" else None)
    write_outliers(tmp_path / "page.html", scored(source, np.arange(20.0), names=names))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not [tag for tag, _ in Balanced(text).seen if tag in ("img", "script")]
    assert "&lt;img src=x" in text


@pytest.mark.parametrize(
    ("values", "usual", "threshold"),
    [
        ([1.0, 2.0, 3.0, 9.0], np.linspace(0, 4, 100), 3.9),
        ([2.0, 2.0], [2.0, 2.0], 2.0),  # all alike
        ([1e9, *np.linspace(0, 1, 99)], np.linspace(0, 1, 50), 0.99),  # one row far out
        ([0.1, 0.2], np.linspace(5, 6, 50), 5.99),  # all far inside
        (np.linspace(10, 12, 30), np.linspace(0, 1, 50), 0.99),  # all far outside
    ],
)
def test_columns_end_at_the_threshold_and_hold_every_row(values, usual, threshold):
    chart = threshold_histogram(values, usual, threshold=threshold)
    floor = chart["base"]
    heights = np.array([height for _, _, _, height, _, _ in chart["columns"]])
    tallest = max((floor - y for y, _ in chart["y_ticks"]), default=0)
    top_share = float(chart["y_ticks"][-1][1].rstrip(" %")) / 100
    assert heights.sum() / tallest * top_share == pytest.approx(1, abs=0.02)
    beyond = np.array([flagged for *_, flagged in chart["columns"]])
    assert heights[beyond].sum() / heights.sum() == pytest.approx(np.mean(np.asarray(values) >= threshold), abs=0.02)
    for x, y, width, height, _, flagged in chart["columns"]:
        assert x >= 0 and x + width <= WIDE and y >= 0 and y + height <= HEIGHT
        assert (x >= chart["cut"] - 0.1) == flagged
    assert len(chart["columns"]) < 120
    assert (chart["beyond"] is not None) == (max(values) > 1e6)
