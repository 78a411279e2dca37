"""The rule of "auto", and statistics against NumPy's own on all rows at once."""

from __future__ import annotations

import numpy as np
import pytest

from coterie.data import make_source
from coterie.data.statistics import blocks, mean_and_deviation, measure_ranges
from coterie.errors import DataWarning, InputError

RNG = np.random.default_rng(1)
BYTES = RNG.integers(0, 256, (40, 6, 6)).astype(np.uint8)
BYTES[0, 0, :2] = 0, 255


@pytest.mark.parametrize(
    ("data", "scaling", "offset", "scale"),
    [
        (BYTES, "unit", 0, 255),
        (BYTES.astype(np.float32), "unit", 0, 255),
        (BYTES.astype(np.int64), "unit", 0, 255),
        (BYTES > 99, "none", 0, 1),
        ((BYTES > 99).astype(np.uint8), "none", 0, 1),
        (BYTES / 255, "none", 0, 1),
        (BYTES / 127.5 - 1, "unit", -1, 2),
        ((BYTES // 16).astype(np.uint8), "unit", 0, 15),
        (BYTES.astype(np.uint16) * 257, "unit", 0, 65535),
        (BYTES.reshape(40, 36), "unit", 0, 255),
        (BYTES.reshape(40, 36).astype(np.float64), "unit", 0, 255),
        (BYTES.reshape(40, 36) / 255, "none", 0, 1),
    ],
)
def test_auto_for_images_and_pixels(data, scaling, offset, scale):
    spec = make_source(data).spec
    assert spec.scaling == scaling
    np.testing.assert_allclose([spec.offset, spec.scale], [[offset], [scale]], rtol=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        RNG.normal(size=(50, 3)),
        RNG.integers(0, 101, (50, 3)).astype(np.uint8),  # bytes, but not of pixels
        RNG.integers(1, 190, (50, 3)),  # ages and heights
        np.column_stack([RNG.normal(size=50) * 1e6, RNG.normal(size=50) * 1e-6]),
    ],
)
def test_auto_standardises_the_columns_of_tables(data):
    spec = make_source(data).spec
    assert spec.scaling == "standard"
    np.testing.assert_allclose(spec.offset, data.mean(axis=0, dtype=float), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(spec.scale, data.std(axis=0, dtype=float), rtol=1e-10)


def test_scaling_on_request():
    table = RNG.normal(size=(30, 2)) * 9
    unit = make_source(table, scaling="unit")
    x = unit.take(slice(None)).numpy()
    np.testing.assert_allclose([x.min(axis=0), x.max(axis=0)], [[0, 0], [1, 1]], atol=1e-6)
    assert make_source(table, scaling="none").take(slice(None)).numpy() == pytest.approx(table.astype(np.float32))
    images = make_source(BYTES, scaling="standard")
    assert images.spec.offset == pytest.approx([BYTES.mean()])
    assert images.spec.scale == pytest.approx([BYTES.std()])


def test_unknown_scaling():
    with pytest.raises(InputError, match="'scaling' parameter must be one of 'auto', 'none', 'unit', 'standard'"):
        make_source(BYTES, scaling="robust")


def test_blocks_and_moments_are_those_of_the_whole():
    data = RNG.normal(1e6, 1, size=(3000, 700))
    pieces = list(blocks(data))
    assert len(pieces) > 2
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in pieces]), data)
    mean, deviation = mean_and_deviation(data)
    np.testing.assert_allclose(mean, data.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(deviation, data.std(axis=0), rtol=1e-7)
    mean, deviation = mean_and_deviation(data, pooled=True)
    np.testing.assert_allclose([*mean, *deviation], [data.mean(), data.std()], rtol=1e-7)


def test_constant_columns_are_named_and_only_centred():
    data = RNG.normal(size=(20, 9))
    data[:, 1:8] = 0.1 * 3
    with pytest.warns(DataWarning, match="Constant columns .* 1, 2, 3, 4, 5 and 2 more"):
        source = make_source(data)
    assert source.spec.scale[1:8] == (1.0,) * 7
    assert source.take(slice(None))[:, 1:8].abs().max() < 1e-6
    with pytest.warns(DataWarning, match="'b' and 0|'b'"):
        make_source([[1.0, 7.0], [2.0, 7.0]], feature_names=["a", "b"])


@pytest.mark.parametrize("data", [np.ones((5, 3)), np.stack([BYTES[0]] * 4), np.array([[3.0, 4.0]])])
def test_rows_that_do_not_differ_are_refused(data):
    with pytest.raises(InputError, match="All rows are the same|There is one sample"):
        make_source(data)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (np.nan, "NaN"),
        (np.inf, "infinity"),
        (-np.inf, "infinity"),
        (1e200, r"a value too large for dtype\('float32'\)"),
    ],
)
@pytest.mark.parametrize("row", [0, 2999])
def test_the_first_value_that_is_not_finite_is_named(value, word, row):
    data = np.zeros((3000, 700))
    data[row, 13] = data[2999, 600] = value
    with pytest.raises(InputError, match=f"Input X contains {word}, first in row {row}, column 13"):
        measure_ranges(data, name="X")
    with pytest.raises(InputError, match=rf"first in row {row}, pixel \(0, 13\)"):
        make_source(data.reshape(3000, 20, 35))


def test_what_float32_does_not_hold_of_unscaled_rows_is_told():
    X = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(InputError, match="differ by too little for float32.*scaling='standard'"):
        make_source(X + 1e10, scaling="none")
    with pytest.warns(DataWarning, match="too little for float32 count for nothing: 1; scaling='standard'"):
        make_source(X + np.array([0, 1e12, 0]), scaling="none")
    with pytest.warns(DataWarning, match=r"Unscaled values beyond 1e\+15 count as 1e\+15; scaling='standard'"):
        make_source(X * 1e16, scaling="none")
    assert len(make_source(X + 1e10).take(slice(None)).unique(dim=0)) == 60
