"""Pictures in the page show the numbers in the data."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from coterie.report.images import data_uri, sheet, shrink, thumbnails, to_bytes, value_range


def opened(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_an_address_holds_the_whole_picture(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(opened(data_uri(picture)), picture)


def test_few_colours_stay_close():
    ramp = np.linspace(0, 255, 40).astype(np.uint8)
    picture = np.stack(
        [np.tile(ramp, (40, 1)), np.tile(ramp[:, None], (1, 40)), np.full((40, 40), 90, np.uint8)], axis=-1
    )
    again = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(data_uri(picture, few_colours=True)[22:]))).convert("RGB")
    )
    assert np.abs(again.astype(int) - picture).mean() < 12
    assert len(np.unique(again.reshape(-1, 3), axis=0)) <= 64


def test_black_and_white_are_where_they_were_put():
    raw = np.array([[[-1.0, 0.0, 1.0, 9.0, np.nan]]])
    assert to_bytes(raw, np.array([-1.0, 1.0])).tolist() == [[[0, 128, 255, 255, 0]]]


def test_odd_channels_are_shown_in_grey_or_cut_to_three():
    two = np.stack([np.zeros((1, 2, 2)), np.ones((1, 2, 2))], axis=-1)
    assert to_bytes(two, np.array([0.0, 1.0])).tolist() == [[[128, 128], [128, 128]]]
    assert to_bytes(np.ones((1, 2, 2, 4)), np.array([0.0, 1.0])).shape == (1, 2, 2, 3)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "limits"),
    [("uint8", 0, 250, [0, 255]), ("uint8", 0, 16, [0, 16]), ("float32", -1, 1, [-1, 1]), ("float64", 3, 3, [3, 4])],
)
def test_value_range(dtype, low, high, limits):
    assert value_range(np.dtype(dtype), low, high).tolist() == limits


def test_shrinking_averages():
    picture = np.zeros((1, 4, 8), np.uint8)
    picture[0, :2, :2] = 200
    small = shrink(picture, 4)
    assert small.shape == (1, 2, 4)
    assert small[0, 0].tolist() == [200, 0, 0, 0]
    assert shrink(picture, 8) is picture
    assert shrink(np.zeros((2, 100, 1), np.uint8), 10).shape == (2, 10, 1)


def test_a_sheet_holds_every_picture_in_its_place():
    pictures = np.arange(7 * 2 * 3, dtype=np.uint8).reshape(7, 2, 3)
    grid, columns = sheet(pictures)
    for i, picture in enumerate(pictures):
        top, left = i // columns * 2, i % columns * 3
        np.testing.assert_array_equal(grid[top : top + 2, left : left + 3], picture)


def test_thumbnails_keep_to_their_budget():
    large = np.random.default_rng(0).integers(0, 256, (3, 64, 48, 3), dtype=np.uint8)
    small = thumbnails(lambda rows: large[rows % 3], np.arange(5000), np.array([0, 255]))
    assert small.shape[1:] == (28, 21, 3)
    assert 0.9 * 2_000_000 < small.nbytes <= 2_000_000
    grey = thumbnails(lambda rows: large[rows % 3, :28, :28, 0], np.arange(5000), np.array([0, 255]))
    assert grey.shape == (5000, 28, 28)
    assert np.abs(grey[:3].astype(int) - large[:, :28, :28, 0]).max() <= 9  # sixteen shades
