"""Arrays as pictures: small, and whole inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from coterie.data import DataSpec

THUMB_SIDE = 28  # longest side of a picture on the map, pixels
_GREY_BYTES, _COLOUR_BYTES = 4_000_000, 2_000_000  # of all pictures on the map, before compression
_GREY_LEVELS, _COLOURS = 16, 64  # enough for a glance, and a third of the bytes
_BYTE = 255
_DIM = 127  # a set of bytes that never gets lighter than this is stretched to be seen
_COLOUR_CHANNELS = 3
_MORE, _LESS = (226, 98, 18), (54, 110, 232)  # seen on a light and on a dark ground


def as_pictures(rows: np.ndarray, spec: DataSpec) -> np.ndarray:
    """Give image rows of any layout the shape (b, H, W) or (b, H, W, C); leave vectors alone.

    Parameters
    ----------
    rows : ndarray of shape (b, H, W), (b, H, W, C) or (b, d)
        Rows as they came.
    spec : DataSpec
        What they are.

    Returns
    -------
    ndarray
        The same numbers.
    """
    if spec.kind != "images":
        return rows.reshape(len(rows), -1)
    channels, height, width = spec.shape
    return rows.reshape(len(rows), height, width, *([channels] if channels > 1 else []))


def value_range(dtype: np.dtype, low: float, high: float) -> np.ndarray:
    """Return the values drawn as black and as white: those of the type for ordinary bytes, else the extremes found.

    Parameters
    ----------
    dtype : dtype
        Type of the raw values.
    low, high : float
        Smallest and largest of them.

    Returns
    -------
    ndarray of shape (2,)
        Float64.
    """
    if dtype == np.uint8 and high > _DIM:
        return np.array([0.0, 255.0])
    return np.array([low, high if high > low else low + 1.0])


def to_bytes(pictures: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Turn raw values into bytes, grey (..., H, W) or colour (..., H, W, 3).

    Parameters
    ----------
    pictures : ndarray of shape (b, H, W) or (b, H, W, C)
        Raw values; NaN is drawn black.
    limits : ndarray of shape (2,)
        Values drawn as black and as white; beyond them is clipped.

    Returns
    -------
    ndarray of uint8
        Grey if there are fewer than three channels, whose mean is taken; of more than three the first three are kept.
    """
    low, high = (float(value) for value in limits)
    exact = np.float32 if pictures.dtype.itemsize <= 2 else np.float64
    finite = np.nan_to_num(pictures.astype(exact), nan=low, posinf=high, neginf=low)
    scaled = ((finite - low) * (_BYTE / (high - low))).clip(0, _BYTE)
    if scaled.ndim == 4:
        scaled = scaled[..., :_COLOUR_CHANNELS] if scaled.shape[-1] >= _COLOUR_CHANNELS else scaled.mean(-1)
    return np.round(scaled).astype(np.uint8)


def signed(values: np.ndarray) -> np.ndarray:
    """Draw differences on any ground: orange where there is more, blue where there is less, clear where nothing.

    Parameters
    ----------
    values : ndarray of shape (b, H, W) or (b, H, W, C)
        From -1 to 1; channels are averaged, NaN is clear.

    Returns
    -------
    ndarray of uint8 of shape (b, H, W, 4)
        Red, green, blue and how opaque.
    """
    flat = np.nan_to_num(values.mean(-1) if values.ndim == 4 else values)
    colours = np.where(flat[..., None] > 0, _MORE, _LESS)
    opaque = np.round(_BYTE * np.abs(flat).clip(0, 1))
    return np.concatenate([colours, opaque[..., None]], axis=-1).astype(np.uint8)


def shrink(pictures: np.ndarray, side: int) -> np.ndarray:
    """Average pictures down until their longer side is at most `side`; smaller ones stay as they are.

    Parameters
    ----------
    pictures : ndarray of uint8 of shape (b, H, W), (b, H, W, 3) or (b, H, W, 4)
        Pictures.
    side : int
        Pixels.

    Returns
    -------
    ndarray of uint8
        Pictures of one size.
    """
    height, width = pictures.shape[1:3]
    factor = side / max(height, width)
    if factor >= 1 or not len(pictures):
        return pictures
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX)) for each in pictures])


def thumbnails(read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return small pictures of the first rows, as many as a page can carry.

    Parameters
    ----------
    read : callable
        Takes row numbers, returns raw pictures (b, H, W) or (b, H, W, C).
    rows : ndarray of shape (m,)
        Row numbers.
    limits : ndarray of shape (2,)
        Values drawn as black and as white.

    Returns
    -------
    ndarray of uint8 of shape (t, h, w) or (t, h, w, 3)
        t <= m, longer side at most 28 pixels, in few shades so that they compress.
    """
    one = shrink(to_bytes(read(rows[:1]), limits), THUMB_SIDE)
    grey = one.ndim == 3
    count = min(len(rows), (_GREY_BYTES if grey else _COLOUR_BYTES) // one[0].size)
    blocks = [rows[start : min(start + 500, count)] for start in range(0, count, 500)]
    small = np.concatenate([shrink(to_bytes(read(block), limits), THUMB_SIDE) for block in blocks])
    if not grey:
        return small
    step = _BYTE / (_GREY_LEVELS - 1)
    return (np.round(small / step) * step).astype(np.uint8)


def data_uri(picture: np.ndarray, *, few_colours: bool = False) -> str:
    """Return a picture as a ``data:`` address holding a PNG file.

    Parameters
    ----------
    picture : ndarray of uint8 of shape (H, W), (H, W, 3) or (H, W, 4)
        The picture.
    few_colours : bool, default=False
        Use a palette of 64 colours for colour pictures.

    Returns
    -------
    str
        The address.
    """
    image = Image.fromarray(picture)
    if few_colours and picture.ndim == 3:
        image = image.quantize(_COLOURS)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def sheet(pictures: np.ndarray) -> tuple[np.ndarray, int]:
    """Lay pictures of one size side by side on one sheet.

    Parameters
    ----------
    pictures : ndarray of shape (t, h, w) or (t, h, w, 3)
        At least one picture.

    Returns
    -------
    sheet : ndarray of shape (rows * h, columns * w) or with 3 channels
        Row by row from the top left.
    columns : int
        Pictures in a row.
    """
    count, height, width = pictures.shape[:3]
    columns = int(np.ceil(np.sqrt(count)))
    lines = -(-count // columns)
    padded = np.zeros((columns * lines, *pictures.shape[1:]), dtype=pictures.dtype)
    padded[:count] = pictures
    grid = padded.reshape(lines, columns, *pictures.shape[1:]).swapaxes(1, 2)
    return grid.reshape(lines * height, columns * width, *pictures.shape[3:]), columns
