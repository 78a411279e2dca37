"""Drawings are true to scale."""

from __future__ import annotations

import re

import pytest

from coterie.report import plots


def points(path):
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([^MLZ]+)", path)]


def test_a_curve_is_drawn_to_scale():
    chart = plots.line_chart([0, 50, 100], [1.0, 0.5, 0.0], title="Loss")
    (x0, y0), (x1, y1), (x2, y2) = points(chart["line"])
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y1 - y0 == pytest.approx(y2 - y1) and y0 < y1  # y grows downwards
    assert dict((text, y) for y, text in chart["y_ticks"])["0"] == pytest.approx(y2)
    assert dict((text, x) for x, text in chart["x_ticks"])["100"] == pytest.approx(x2)
    assert chart["sentence"] == "Loss: from 1 to 0 over 100 steps."


def test_values_over_many_decades_get_a_logarithmic_scale():
    chart = plots.line_chart([0, 1, 2], [10.0, 0.1, 0.001], title="Loss")
    assert chart["log"]
    (_, y0), (_, y1), (_, y2) = points(chart["line"])
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.11)  # equal ratios, equal distances


@pytest.mark.parametrize("values", [[0.0, 0.0], [3.0, 3.0], [-2.0, -1.0], [1e-7, 2e-7], [0.0, 1e9], [-5.0, 5.0]])
def test_no_curve_leaves_the_paper(values):
    chart = plots.line_chart([10, 20], values, title="Term")
    for x, y in points(chart["area"]):
        assert 40 <= x <= 350 and 14 <= y <= 160
    assert all(13.9 <= y <= 160.1 for y, _ in chart["y_ticks"])
    assert len({text for _, text in chart["y_ticks"]}) == len(chart["y_ticks"]) >= 2


def test_steps_are_counted_in_whole_numbers():
    for last in (3, 60, 130, 12_345):
        texts = [text for _, text in plots.line_chart([1, last], [1.0, 2.0], title="Loss")["x_ticks"]]
        assert len(set(texts)) == len(texts) >= 2
        assert not any("." in text for text in texts if not text.endswith("k"))


def test_fixed_limits_are_kept():
    chart = plots.line_chart([0, 1], [0.96, 0.97], title="Accuracy", limits=(0.0, 1.0))
    assert [text for _, text in chart["y_ticks"]] == ["0", ".25", ".5", ".75", "1"]


def test_columns_are_as_high_as_their_bins_are_full():
    chart = plots.histogram([1, 0, 3], [0, 1 / 3, 2 / 3, 1], title="Confidence")
    heights = [column[3] for column in chart["columns"]]
    assert heights[1] == 0
    assert heights[2] == pytest.approx(3 * heights[0], abs=0.05)
    assert chart["columns"][2][4] == "3 between 0.67 and 1.00"


def test_bars_share_one_scale_with_zero():
    assert plots.bars([0.5, 0.25]) == [(0.0, 50.0), (0.0, 25.0)]
    assert plots.bars([2.0, 1.0]) == [(0.0, 100.0), (0.0, 50.0)]
    assert plots.bars([-0.5, 1.0]) == [(0.0, 33.33), (33.33, 66.67)]


def test_small_shares_on_a_logarithmic_axis_do_not_read_alike():
    chart = plots.line_chart([0, 1, 2], [0.05, 0.002, 0.0006], title="moved", shares=True)
    written = [text for _, text in chart["y_ticks"]]
    assert len(set(written)) == len(written)
    assert "0.01 %" in written
    assert chart["end"][2] == "0.06 %"
