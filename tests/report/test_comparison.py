"""Runs beside each other: what is matched, what moved, and the page about it."""

from __future__ import annotations

import re

import numpy as np
from pages import Balanced, told
from sklearn.metrics import adjusted_rand_score

from coterie.report.comparison import compared, render_comparison

HOSTILE = "</script><img src=x onerror=alert(1)>"
A, B, C = [0] * 6 + [1] * 4, [1] * 5 + [0] * 5, [4] * 6 + [2, 2, 9, 9]


def test_clusters_are_numbered_as_in_the_first_run_and_called_as_in_their_own():
    found = compared(["a", "b", "c"], [A, B, C], called=[{0: "oak"}, {1: "elm"}, {}], learned=[0, 30, 0])
    first, second = found.pairs
    assert [(each.called, each.there, each.sizes) for each in first.clusters] == [
        ("0 oak", "1 elm", (6, 5, 5)),
        ("1", "0", (4, 5, 4)),
    ]
    assert [each.overlap for each in first.clusters] == [5 / 6, 4 / 5]
    assert (first.differ, [(n, i.cluster, j.cluster) for n, i, j in first.moves]) == (1, [(1, 0, 1)])
    assert second.clusters[-1].sizes == (0, 2, 0)  # which the first run does not have
    assert found.agreement[0, 2] == adjusted_rand_score(A, C)
    np.testing.assert_allclose(found.support[:6], [1, 1, 1, 1, 1, 2 / 3])
    assert found.learned == [0, 30, 0]


def test_the_page_shows_agreement_what_moved_and_which_rows():
    found = compared(["a", "b"], [A, B], called=[{}, {}], learned=[0, 1], names=[f"{i}.png" for i in range(10)])
    text = render_comparison(found)
    assert not [tag for tag, _ in Balanced(text).seen if tag == "script"]
    said = told(text)
    assert "Both runs agree on 90 % of 10 rows." in said
    assert "b learned from 1 label " in said
    assert re.search(r"1 of 10 rows is in another cluster", said)
    assert re.search(r"Share 0 1 6 5 5 83 % 1 0 4 5 4 80 %", said)
    assert re.search(r"To, in b 1 0 0 ", said)  # what b itself calls 0 is matched with 1
    assert re.search(r"Row a b 5.png 0 1 ", said)
    assert "All of them. With --out" in said
    assert 'class="h10">1.00<' in text


def test_three_runs_show_the_rows_that_fewest_agree_on_and_no_row_is_without_a_name():
    found = compared(["a", "b", "c"], [A, B, [0] * 5 + [2] * 5], called=[{}, {}, {}], names=["", "x.png"] + [""] * 8)
    said = told(render_comparison(found))
    assert re.search(r"Agree row 5 0 1 1 67 %", said)
    assert "All of them, those first that the fewest runs agree on. With --out" in said


def test_runs_that_agree_have_no_rows_to_show():
    text = render_comparison(compared(["a", "b"], [A, A], called=[{}, {}]))
    Balanced(text)
    assert "Both runs agree on 100 % of 10 rows." in told(text)
    assert 'id="rows"' not in text and "What moved" not in text and "learned" not in text


def test_rows_are_matched_by_order_unless_all_runs_have_their_names():
    def said(**more):
        return compared(["a", "b"], [A, B], called=[{}, {}], data=["x.npy", "y.csv"], **more).matched_by_order

    names = [f"{i}.png" for i in range(10)]
    assert "x.npy, y.csv: rows are matched by their order alone" in said(names=names, by_name=False)
    assert said(names=names) == ""
    assert said() != ""


def test_names_do_no_harm_and_only_so_many_rows_are_shown():
    labels = [np.zeros(200, int), np.arange(200) % 2]
    text = render_comparison(compared([HOSTILE, "b"], labels, called=[{0: HOSTILE}, {}], names=[HOSTILE] * 200))
    assert not [tag for tag, _ in Balanced(text).seen if tag in ("script", "img")]
    assert "The first 60 of 100. With --out" in told(text)
