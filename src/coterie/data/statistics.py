"""Ranges, means and the choice of scaling, read in blocks so that no second copy of the data ever exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.wording import named
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BLOCK = 1 << 20  # numbers looked at together: 8 MB as float64
_PIXEL_MAX, _BRIGHT = 255, 128
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_FLOAT32_TINY = float(np.finfo(np.float32).tiny)  # below it deviations would vanish when squared or divided by
FARTHEST = 1e15  # scaled value beyond which one is as far as another: its square, summed, still is a float32
_SAME = 8 * np.finfo(np.float64).eps  # a column whose relative range is below this is constant
_NAMED = 5
_ALIKE = "All rows are the same, or differ by too little for float32: clustering needs rows that differ."

SCALINGS = ("auto", "none", "unit", "standard")


@dataclass(frozen=True)
class Ranges:
    """Smallest and largest value of each column, and whether all values are whole numbers."""

    low: np.ndarray  # (d,) float64
    high: np.ndarray
    whole: bool

    @property
    def constant(self) -> np.ndarray:
        """Which columns hold one value only, as far as numbers tell, shape (d,)."""
        rounding = _SAME * np.maximum(np.abs(self.low), np.abs(self.high))
        return self.high - self.low <= np.maximum(rounding, _FLOAT32_TINY)

    @property
    def lost(self) -> np.ndarray:
        """Which columns hold one value only once they are float32, shape (d,)."""
        return (self.low.astype(np.float32) == self.high.astype(np.float32)) | self.constant

    @property
    def within_unit(self) -> bool:
        """Whether everything lies in [0, 1]."""
        return bool(self.low.min() >= 0 and self.high.max() <= 1)


def blocks(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first row number and the rows, as (b, d), of one piece of the data after the other."""
    width = int(np.prod(array.shape[1:]))
    step = max(1, _BLOCK // width)
    for start in range(0, len(array), step):
        rows = array[start : start + step]
        yield start, rows.reshape(len(rows), width)


def measure_ranges(array: np.ndarray, *, name: str, feature_names: Sequence[str] | None = None) -> Ranges:
    """Find the range of each column, and refuse what is not finite.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        At least one row of numbers.
    name : str
        What messages call the data.
    feature_names : sequence of str or None, default=None
        Names of the columns, for messages.

    Returns
    -------
    Ranges
        Of the columns of the flattened rows.

    Raises
    ------
    InputError
        If a value is NaN, infinite, or too large for float32; the first one's row and column are named.
    """
    width = int(np.prod(array.shape[1:]))
    low, high, whole = np.full(width, np.inf), np.full(width, -np.inf), True
    for start, rows in blocks(array):
        least, most = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        # A NaN or an infinity always shows in the extremes, so finite data need no further pass.
        if not max(np.abs(least).max(), np.abs(most).max()) <= _FLOAT32_MAX:
            raise InputError(_first_bad(start, rows, shape=array.shape, name=name, feature_names=feature_names))
        whole = whole and (rows.dtype.kind != "f" or bool((rows == np.rint(rows)).all()))
        low, high = np.minimum(low, least), np.maximum(high, most)
    return Ranges(low, high, whole)


def choose_scaling(
    array: np.ndarray, ranges: Ranges, *, kind: str, scaling: str = "auto", feature_names: Sequence[str] | None = None
) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Choose how rows are scaled for the networks.

    The rule for "auto", first line that fits:

    1. everything in [0, 1], as in binary or already scaled data: "none";
    2. images: "unit", which divides bytes (whole numbers from 0 to 255 that reach 128) by 255 and maps anything else
       from the range of the whole set to [0, 1];
    3. vectors that are bytes of pixels (uint8 reaching 128, or whole numbers from exactly 0 to exactly 255): "unit";
    4. other vectors: "standard", each column to mean 0 and variance 1.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        Finite rows.
    ranges : Ranges
        Of these rows.
    kind : {"images", "vectors"}
        Images share one offset and scale; vectors have one for each column.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        The user's wish.
    feature_names : sequence of str or None, default=None
        Names of the columns, for messages.

    Returns
    -------
    scaling : {"none", "unit", "standard"}
        What was chosen.
    offset, scale : tuple of float
        Of length 1, or one number a column.

    Raises
    ------
    InputError
        If `scaling` is none of these, or all rows are the same, as they are or unscaled in float32.

    Warns
    -----
    DataWarning
        If some columns that would be scaled are constant; they are only centred. If some that are not scaled become
        constant in float32.
    """
    if scaling not in SCALINGS:
        options = ", ".join(map(repr, SCALINGS))
        raise InputError(f"The 'scaling' parameter must be one of {options}. Got {scaling!r} instead.")
    if ranges.constant.all():
        raise InputError(
            "There is one sample: clustering needs several rows that differ." if len(array) == 1 else _ALIKE
        )
    pixels = _are_pixels(ranges, certain=kind == "images" or array.dtype == np.uint8)
    if scaling == "auto":
        scaling = "none" if ranges.within_unit else "unit" if kind == "images" or pixels else "standard"
    if scaling == "none":
        _check_kept(ranges, kind=kind, feature_names=feature_names)
        return scaling, (0.0,), (1.0,)
    if scaling == "unit" and pixels:
        return scaling, (0.0,), (float(_PIXEL_MAX),)
    if scaling == "unit":
        low, high = ranges.low, ranges.high
        offset, scale = (low, high - low) if kind == "vectors" else (low.min()[None], (high.max() - low.min())[None])
    else:
        offset, scale = mean_and_deviation(array, pooled=kind == "images")
    if kind == "vectors" and ranges.constant.any():
        _warn_constant(np.flatnonzero(ranges.constant), feature_names)
        scale = np.where(ranges.constant, 1.0, scale)
    return scaling, tuple(offset.tolist()), tuple(scale.tolist())


def mean_and_deviation(array: np.ndarray, *, pooled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (dividing by n) of each column, or of all numbers together if `pooled`."""
    n, mean, squares = 0, np.zeros(1), np.zeros(1)
    for _, rows in blocks(array):
        values = rows.astype(np.float64)
        b, block_mean = len(values), values.mean(axis=0)
        values -= block_mean
        shift = block_mean - mean
        # Chan's update: sums of squares about the running mean do not lose digits to a large mean.
        squares = squares + np.einsum("ij,ij->j", values, values) + shift**2 * (n * b / (n + b))
        mean = mean + shift * (b / (n + b))
        n += b
    variance = squares / n
    if pooled:
        centre = mean.mean(keepdims=True)
        return centre, np.sqrt((variance + (mean - centre) ** 2).mean(keepdims=True))
    return mean, np.sqrt(variance)


def _are_pixels(ranges: Ranges, *, certain: bool) -> bool:
    """Whether the values are bytes; without the word of a dtype or a picture only the full range will do."""
    low, high = ranges.low.min(), ranges.high.max()
    if not ranges.whole:
        return False
    return bool(low >= 0 and _BRIGHT <= high <= _PIXEL_MAX) if certain else (low, high) == (0, _PIXEL_MAX)


def _check_kept(ranges: Ranges, *, kind: str, feature_names: Sequence[str] | None) -> None:
    """Raise where float32 holds nothing of how unscaled rows differ, and warn of columns of which it holds nothing."""
    hint = "scaling='standard' takes their mean away first."
    if ranges.lost.all():  # images have one mean for all pixels, whose differences may be lost all the same
        raise InputError(f"{_ALIKE} {hint}" if kind == "vectors" else _ALIKE)
    lost = np.flatnonzero(ranges.lost & ~ranges.constant).tolist()
    if max(-ranges.low.min(), ranges.high.max()) > FARTHEST:
        warn(f"Unscaled values beyond {FARTHEST:g} count as {FARTHEST:g}; scaling='standard' keeps them.", DataWarning)
    if lost and kind == "vectors":
        labels = [feature_names[j] if feature_names else j for j in lost]
        message = f"Unscaled columns that differ by too little for float32 count for nothing: {named(labels, _NAMED)}; "
        warn(message + hint, DataWarning)


def _warn_constant(columns: np.ndarray, feature_names: Sequence[str] | None) -> None:
    labels = [feature_names[j] if feature_names else int(j) for j in columns]
    message = f"Constant columns say nothing about groups and are only centred: {named(labels, _NAMED)}."
    warn(message, DataWarning)


def _first_bad(
    start: int, rows: np.ndarray, *, shape: tuple[int, ...], name: str, feature_names: Sequence[str] | None
) -> str:
    bad = ~(np.abs(rows.astype(np.float64)) <= _FLOAT32_MAX)
    row, column = np.argwhere(bad)[0]
    value = rows[row, column]
    place = f"column {feature_names[column]!r}" if feature_names else f"column {column}"
    if len(shape) > 2:  # not rows and columns: images
        place = f"pixel {tuple(int(i) for i in np.unravel_index(column, shape[1:]))}"
    what = "NaN" if np.isnan(value) else "infinity" if np.isinf(value) else "a value too large for dtype('float32')"
    return f"Input {name} contains {what}, first in row {start + row}, {place}."
