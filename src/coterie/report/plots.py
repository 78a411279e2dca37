"""Geometry of the drawings: numbers in, places on the paper out. The templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coterie.report.wording import amount, figure, percent

WIDTH, HEIGHT = 360.0, 190.0  # units of a drawing; text is sized for these
WIDE = 760.0  # of one that has the page to itself
_COLUMNS = 50  # of a histogram of scores, about
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 10.0, 14.0, 30.0
_TENTH = 1e-3  # a tenth of a percent
_LOG_RATIO = 30.0  # values that span more than this are drawn on a logarithmic scale


def line_chart(
    steps: Sequence[float],
    values: Sequence[float],
    *,
    title: str,
    limits: tuple[float, float] | None = None,
    shares: bool = False,
    marked: int = -1,
) -> dict[str, Any]:
    """Place a curve, its axes and a sentence for those who cannot see it.

    Parameters
    ----------
    steps, values : sequence of float of the same length >= 2
        The curve.
    title : str
        What it shows.
    limits : (float, float) or None, default=None
        Values at the bottom and the top; found from the values if None.
    shares : bool, default=False
        Write values as percentages.
    marked : int, default=-1
        Which point has a dot and its value told; the last one.

    Returns
    -------
    dict
        ``title``; ``unit`` of the horizontal axis; ``line`` and ``area``, SVG paths; ``x_ticks`` and ``y_ticks``, pairs
        of place and text; ``end`` (x, y, text) of the marked point; ``log``; ``sentence``.
    """
    log = limits is None and min(values) > 0 and max(values) > _LOG_RATIO * min(values)
    y_ticks, low, high = _axis(values, limits, log=log)
    x_low, x_high = min(steps), max(steps)

    def x(step: float) -> float:
        return _LEFT + (step - x_low) / ((x_high - x_low) or 1) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        place = (_lift(value, log=log) - _lift(low, log=log)) / ((_lift(high, log=log) - _lift(low, log=log)) or 1)
        return HEIGHT - _BOTTOM - min(max(place, 0), 1) * (HEIGHT - _TOP - _BOTTOM)

    points = [(x(step), y(value)) for step, value in zip(steps, values, strict=True)]
    line = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    base = HEIGHT - _BOTTOM
    write = _share if shares else _short
    return {
        "title": title,
        "unit": " steps",
        "line": line,
        "area": f"{line}L{points[-1][0]:.1f} {base}L{points[0][0]:.1f} {base}Z",
        "x_ticks": [
            (round(x(step), 1), _count(step))
            for step in _ticks(x_low, x_high, 4, whole=True)
            if x_low <= step <= x_high
        ],
        "y_ticks": [(round(y(value), 1), write(value)) for value in y_ticks],
        "end": (round(points[marked][0], 1), round(points[marked][1], 1), write(values[marked])),
        "log": log,
        "sentence": f"{title}: from {write(values[0])} to {write(values[-1])} over {_count(x_high)} steps.",
    }


def histogram(counts: Sequence[int], edges: Sequence[float], *, title: str) -> dict[str, Any]:
    """Place the columns of a histogram over [0, 1].

    Parameters
    ----------
    counts : sequence of int
        Rows in each bin.
    edges : sequence of float
        Limits of the bins, one more than bins.
    title : str
        What it shows.

    Returns
    -------
    dict
        ``title``; ``unit``; ``columns`` (x, y, width, height, tooltip); ``x_ticks`` and ``y_ticks``, pairs of place and
        text; ``base``; ``sentence``.
    """
    total, span = max(sum(counts), 1), WIDTH - _LEFT - _RIGHT
    shares = [count / total for count in counts]
    ticks, _, high = _axis([0.0, *shares], None, log=False)

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - share / high * (HEIGHT - _TOP - _BOTTOM)

    columns = []
    for i, share in enumerate(shares):
        left, right = _LEFT + edges[i] * span, _LEFT + edges[i + 1] * span
        tooltip = f"{counts[i]:,} between {edges[i]:.2f} and {edges[i + 1]:.2f}"
        height = HEIGHT - _BOTTOM - y(share)
        columns.append(
            (round(left + 0.75, 2), round(y(share), 2), round(right - left - 1.5, 2), round(height, 2), tooltip)
        )
    return {
        "title": title,
        "unit": "",
        "columns": columns,
        "x_ticks": [(round(_LEFT + value * span, 1), figure(value)) for value in (0, 0.25, 0.5, 0.75, 1)],
        "y_ticks": [(round(y(value), 1), percent(value)) for value in ticks],
        "base": HEIGHT - _BOTTOM,
        "sentence": title,
    }


def threshold_histogram(values: Sequence[float], usual: Sequence[float], *, threshold: float) -> dict[str, Any]:
    """Place the columns of a histogram, the outline of another one, and a threshold.

    Parameters
    ----------
    values : sequence of float of length >= 1
        What the columns count.
    usual : sequence of float of length >= 1
        What the outline counts.
    threshold : float
        Values beyond it are flagged.

    Returns
    -------
    dict
        ``width``; ``columns`` (x, y, width, height, tooltip, whether beyond the threshold); ``usual``, an SVG path;
        ``cut``, where the threshold is; ``threshold``; ``beyond``, the largest value where the last column holds what
        is beyond it, else None; ``x_ticks``, ``y_ticks``, ``base``, ``unit``, ``sentence``.

    Examples
    --------
    >>> from coterie.report.plots import threshold_histogram
    >>> chart = threshold_histogram([1.0, 2.0, 9.0], [1.0, 2.0], threshold=3.0)
    >>> chart["threshold"], chart["beyond"], chart["sentence"]
    ('3', None, 'Scores up to 9; the threshold is 3.')
    """
    given, known = np.asarray(values, dtype=np.float64), np.asarray(usual, dtype=np.float64)
    edges, top = _edges_around(threshold, given, known)
    shares, outline = (
        np.histogram(np.clip(each, edges[0], edges[-1]), edges)[0] / len(each) for each in (given, known)
    )
    ticks, _, tallest = _axis([0.0, float(shares.max()), float(outline.max())], None, log=False)

    def x(value: float) -> float:
        return _LEFT + (value - edges[0]) / (edges[-1] - edges[0]) * (WIDE - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - share / tallest * (HEIGHT - _TOP - _BOTTOM)

    columns, line = [], f"M{x(edges[0]):.1f} {HEIGHT - _BOTTOM}"
    for i, share in enumerate(shares.tolist()):
        left, right = x(edges[i]), x(edges[i + 1])
        tooltip = f"{percent(share)} from {_short(edges[i])} to {_short(edges[i + 1] if i + 1 < len(shares) else top)}"
        place = (round(left + 0.5, 2), round(y(share), 2), round(right - left - 1.0, 2))
        columns.append((*place, round(HEIGHT - _BOTTOM - y(share), 2), tooltip, bool(edges[i] >= threshold)))
        line += f"V{y(outline[i]):.1f}H{right:.1f}"
    beyond = _short(top) if top > edges[-1] else None
    return {
        "width": WIDE,
        "unit": "",
        "columns": columns,
        "usual": line,
        "cut": round(x(threshold), 1),
        "threshold": amount(threshold),
        "beyond": beyond,
        "x_ticks": [(round(x(t), 1), _short(t)) for t in _ticks(edges[0], edges[-1], 8) if edges[0] <= t <= edges[-1]],
        "y_ticks": [(round(y(value), 1), percent(value)) for value in ticks],
        "base": HEIGHT - _BOTTOM,
        "sentence": f"Scores up to {_short(given.max())}; the threshold is {amount(threshold)}.",
    }


def _edges_around(threshold: float, given: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float]:
    """Return limits of about fifty columns, one of them the threshold, and the largest value, perhaps beyond them."""
    low = float(min(given.min(), known.min(), threshold))
    top = float(max(given.max(), known.max(), threshold))
    # A few rows far out must not press all others into one column.
    high = min(top, max(2 * threshold - low, *(float(np.quantile(each, 0.98)) for each in (given, known))))
    high = top if top <= high + 0.25 * (high - low) else high
    high = high if high > low else low + 1.0
    below = round((threshold - low) / (high - low) * _COLUMNS)
    width = (threshold - low) / below if below else (high - low) / _COLUMNS
    below = below or int(threshold > low)  # what is below the threshold has a column of its own, however narrow
    first = threshold - below * width
    return first + width * np.arange(below + max(1, math.ceil((high - threshold) / width - 1e-9)) + 1), top


def bars(values: Sequence[float]) -> list[tuple[float, float]]:
    """Place horizontal bars on a scale of 0 to 100 that holds zero, and 1 if no value is beyond it.

    Parameters
    ----------
    values : sequence of float
        Lengths; may be negative.

    Returns
    -------
    list of (float, float)
        Left end and length of each bar.

    Examples
    --------
    >>> from coterie.report.plots import bars
    >>> bars([0.5, 1.0])
    [(0.0, 50.0), (0.0, 100.0)]
    >>> bars([-1.0, 1.0])
    [(0.0, 50.0), (50.0, 50.0)]
    """
    low, high = min(0.0, *values), max(1.0, *values)
    span = high - low
    return [(round((min(v, 0) - low) / span * 100, 2), round(abs(v) / span * 100, 2)) for v in values]


def _axis(
    values: Sequence[float], limits: tuple[float, float] | None, *, log: bool
) -> tuple[list[float], float, float]:
    """Ticks, bottom and top of a value axis."""
    low, high = limits or (min(values), max(values))
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        stride = max(1, (last - first) // 4)
        return [10.0**i for i in range(first, last + 1, stride)], 10.0**first, 10.0**last
    if limits is None:
        low = 0.0 if low >= 0 else low
        high = high if high > low else low + 1.0
    ticks = _ticks(low, high, 4)
    return (
        [t for t in ticks if limits is None or low - 1e-12 <= t <= high + 1e-12],
        min(low, ticks[0]),
        max(high, ticks[-1]),
    )


def _ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """About `count` round numbers whose range holds [low, high]."""
    if high <= low:
        return [low]
    rough = max((high - low) / count, 1.0) if whole else (high - low) / count
    unit = 10.0 ** math.floor(math.log10(rough))
    stride = next(unit * m for m in ((1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)) if unit * m >= rough * 0.999)
    first, last = math.floor(low / stride + 1e-9), math.ceil(high / stride - 1e-9)
    return [round(i * stride, 12) for i in range(first, last + 1)]


def _lift(value: float, *, log: bool) -> float:
    return math.log10(value) if log else value


def _share(value: float) -> str:
    """Write a share, also the small ones of a logarithmic axis, which must not read alike."""
    return percent(value) if value == 0 or value >= _TENTH else f"{100 * value:.1g} %"


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 10_000:
        return f"{value:.3g}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3g}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def _count(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,.0f}"
