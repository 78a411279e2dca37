"""The page about tomorrow's rows: what it says, how it places then beside now, and that data cannot change it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pages import Balanced, told

from coterie.data import make_source
from coterie.report import Scored
from coterie.report.drift import render_drift
from coterie.selection import Drift

HOSTILE = "</script><img src=x onerror=alert(1)>"


def page(clusters, strangeness, usual, *, shape=(3,), **more):
    """The page about rows in these clusters, where training rows had these shares."""
    clusters, s = np.asarray(clusters), np.asarray(strangeness, float)
    x = np.random.default_rng(0).integers(0, 255, (len(s), *shape)).astype(np.uint8)
    scored = Scored(
        title="new rows",
        facts=[("System", "DEC")],
        score_in_words="made up",
        strangeness=s,
        threshold=2.0,
        usual=np.linspace(0.5, 2.1, 100),
        clusters=clusters,
        n_clusters=len(usual),
        source=make_source(x),
        **more,
    )
    return render_drift(scored, Drift(s, 2.0, clusters, np.asarray(usual), shift=0.25, n_fitted=100_000))


def test_clusters_stand_then_and_now_the_largest_difference_first():
    clusters = [0] * 55 + [1] * 25 + [2] * 20
    text = page(clusters, np.r_[np.full(97, 1.0), 3, 4, 5], [0.34, 0.25, 0.41])
    Balanced(text)
    said = told(text)
    assert "3 of 100 rows are unlike any seen in training." in said
    assert "That is 3 %, where 1 % is usual." in said
    assert "The shares of the clusters differ by 21 %, where up to 5.6 % is expected by chance" in said
    assert re.search(r"Now 0 55 0 34 % 55 % 2 20 3 41 % 20 % 1 25 0 25 % 25 % ", said)
    assert "the mean row moved by 0.25 of the rows’ spread." in said
    assert '<b class="more">55 %</b>' in text
    assert '<b class="less">20 %</b>' in text
    assert text.count('<b class="more">') == text.count('<b class="less">') == 1  # 25 % is 25 %
    # The longest bar is the largest share; the line across it is the share in training.
    assert re.search(r'width="100.0" height="1"/><line class="expected" x1="61.82"', text)
    assert "Look here" not in said


@pytest.mark.parametrize(("strange", "warned"), [(5, False), (6, True)])
def test_many_rows_unlike_any_are_a_warning(strange, warned):
    said = told(page([0] * 100, np.r_[np.full(100 - strange, 1.0), np.full(strange, 9.0)], [1.0]))
    assert ("Look here." in said) is warned


def test_the_strangest_images_come_first_under_the_names_of_rows_and_clusters():
    names = [f"{i}.png" for i in range(40)]
    names[7] = HOSTILE
    scores = np.ones(40)
    scores[7] = 8
    text = page([0, 1] * 20, scores, [0.5, 0.5], shape=(6, 6), names=names, cluster_names=["cats", HOSTILE])
    seen = Balanced(text).seen
    assert next(attrs["alt"] for tag, attrs in seen if tag == "img") == HOSTILE
    assert not [tag for tag, _ in seen if tag == "script"]
    assert "1 of 40 images is unlike any seen in training." in text
    assert "0 cats" in told(text)
