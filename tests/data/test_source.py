"""Rows by number: what comes out is the raw row, scaled, and nothing else is ever made."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coterie import KMeans
from coterie.data import DataSpec, Source, make_source
from coterie.errors import DataWarning, InputError

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (50, 6, 5), dtype=np.uint8)


@pytest.mark.parametrize("index", [torch.tensor([3, 3, 49, 0]), np.array([3, 3, 49, 0]), slice(7, 11), slice(None)])
def test_take_scales_exactly_the_rows_asked_for(index):
    source = make_source(BYTES)
    rows = BYTES[index.numpy() if isinstance(index, torch.Tensor) else index]
    x = source.take(index)
    assert x.dtype == torch.float32
    assert torch.equal(x, torch.from_numpy(rows.astype(np.float32) / np.float32(255))[:, None])
    np.testing.assert_array_equal(source.raw(index), rows)


def test_take_gives_memory_of_its_own_and_leaves_the_data_alone():
    kept = BYTES.copy()
    source = make_source(BYTES.astype(np.float32) / 255)
    for index in (slice(0, 4), torch.arange(4)):
        source.take(index).zero_()
    np.testing.assert_array_equal(source.raw(slice(None)), kept.astype(np.float32) / 255)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("shape", [(20, 4), (20, 4, 3), (20, 4, 3, 2)])
def test_every_integer_dtype_is_scaled_like_float64(dtype, shape):
    data = RNG.integers(0, 2 if dtype == "bool" else 120, shape).astype(dtype)
    spec = make_source(data).spec
    expected = make_source(data.astype(np.float64)).take(slice(None))
    got = make_source(data)
    assert got.dtype == np.dtype(dtype) and spec.dtype == dtype
    torch.testing.assert_close(got.take(slice(None)), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", ">f4", ">f8", ">i2"])
def test_floating_and_foreign_byte_orders(dtype):
    data = (RNG.normal(size=(30, 3)) * 7 + 2).astype(dtype)
    source = make_source(data)
    x = source.take(torch.arange(30)).double().numpy()
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)


def test_a_column_far_from_zero_keeps_its_digits():
    seconds = 1.7e9 + np.arange(100.0)
    x = make_source(np.column_stack([seconds, RNG.normal(size=100)])).take(slice(None))[:, 0].numpy()
    expected = (np.arange(100.0) - 49.5) / np.arange(100.0).std()
    np.testing.assert_allclose(x, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "options", "shape", "layout"),
    [
        (BYTES, {}, (1, 6, 5), "HW"),
        (BYTES[..., None], {}, (1, 6, 5), "HWC"),
        (RNG.integers(0, 256, (9, 6, 5, 3)), {}, (3, 6, 5), "HWC"),
        (BYTES.reshape(50, 30), {"image_shape": (6, 5)}, (1, 6, 5), "flat"),
        (BYTES.reshape(50, 30), {"image_shape": (2, 5, 3)}, (3, 2, 5), "flat"),
        (BYTES.reshape(50, 30), {}, (30,), "vector"),
    ],
)
def test_layouts(data, options, shape, layout):
    source = make_source(data, **options)
    assert (source.spec.shape, source.spec.layout) == (shape, layout)
    x = source.take(slice(None))
    assert x.shape == (len(data), *shape)
    if len(shape) == 3:  # channels lie last in the data and first for the networks
        last = data.reshape(len(data), shape[1], shape[2], shape[0])
        np.testing.assert_allclose(x[:, -1].numpy() * 255, last[..., -1], rtol=1e-6)


@pytest.mark.parametrize("arrange", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[:, ::-1]])
def test_order_in_memory_does_not_matter(arrange):
    data = RNG.normal(size=(40, 6))
    assert torch.equal(
        make_source(arrange(data)).take(torch.arange(40)), make_source(arrange(data).copy()).take(slice(None))
    )


@pytest.mark.parametrize("fortran", [False, True])
def test_a_memory_map_stays_one_and_costs_little(tmp_path, fortran):
    images = np.zeros((70_000, 28, 28), dtype=np.uint8, order="F" if fortran else "C")
    images[::7] = RNG.integers(0, 256, (28, 28), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = images[[5, 69_999]]
    del images
    tracemalloc.start()
    source = make_source(mapped)
    source.take(torch.randint(70_000, (1024,)))
    assert source.fingerprint
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6
    np.testing.assert_array_equal(source.raw(np.array([5, 69_999])), expected)


def test_statistics_of_vectors_are_read_in_blocks():
    data = RNG.normal(size=(200_000, 16)).astype(np.float32)
    tracemalloc.start()
    make_source(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 2**20 * 8 + 1e6  # a few blocks; a float64 copy alone would be 25.6 MB more


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=5),
        elements={"min_value": 0, "max_value": 250},
    ),
    st.sampled_from(["auto", "none", "unit", "standard"]),
)
@example(np.array([[2.0, 0.0], [5e-324, 5e-324]]), "standard")
@example(np.array([[2.0, 0.0], [5.0, 1e-200]]), "unit")
@settings(max_examples=150, deadline=None)
def test_to_raw_is_the_way_back(data, scaling):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            source = make_source(data, scaling=scaling)
        except InputError as error:
            assert any(
                said in str(error) for said in ("All rows are the same", "There is one sample", "channels first")
            )
            return
    back = source.spec.to_raw(source.take(slice(None)))
    assert back.shape == data.shape
    np.testing.assert_allclose(back, data, rtol=1e-5, atol=1e-5 * max(1.0, float(np.ptp(data.astype(float)))))


def test_to_raw_of_flat_rows_is_flat():
    flat = RNG.integers(0, 256, (8, 30), dtype=np.uint8)
    source = make_source(flat, image_shape=(2, 5, 3))
    np.testing.assert_allclose(source.spec.to_raw(source.take(slice(None))), flat, rtol=1e-6)


def test_new_rows_get_the_scaling_of_the_fit():
    fitted = make_source(RNG.normal(5, 3, (100, 4)))
    other = make_source(np.full((2, 4), 5.0), spec=fitted.spec)
    expected = (5 - np.asarray(fitted.spec.offset)) / np.asarray(fitted.spec.scale)
    np.testing.assert_allclose(other.take(slice(None))[1].numpy(), expected, rtol=1e-5)
    assert other.spec is fitted.spec
    assert len(make_source(np.empty((0, 4)), spec=fitted.spec, min_rows=0)) == 0


@pytest.mark.parametrize("rows", [np.ones((3, 5)), np.ones((3, 2, 2)), np.ones((3, 2, 2, 1))])
def test_new_rows_of_another_shape_are_refused(rows):
    spec = make_source(RNG.normal(size=(9, 4))).spec
    with pytest.raises(InputError, match=r"the rows of the fit had the shape \(4,\)"):
        make_source(rows, spec=spec)


def test_new_rows_must_be_finite():
    spec = make_source(RNG.normal(size=(9, 2))).spec
    with pytest.raises(InputError, match="NaN, first in row 1, column 0"):
        make_source([[0.0, 1.0], [np.nan, 1.0]], spec=spec)


def test_rows_in_other_units_than_the_fit_are_noticed():
    fitted = make_source(BYTES).spec
    with pytest.warns(DataWarning, match=r"lies in \[0, 1\] while the fit saw bytes"):
        make_source(BYTES / 255, spec=fitted)
    whole = make_source(BYTES.astype(np.float32)).spec
    with pytest.warns(DataWarning, match=r"lies in \[0, 1\] while the fit saw bytes"):
        make_source(BYTES.astype(np.float32) / 255, spec=whole)
    with pytest.warns(DataWarning, match="holds bytes while the fit saw float64"):
        make_source(BYTES, spec=make_source(BYTES / 255).spec)
    assert torch.equal(
        make_source(BYTES.astype(np.float64), spec=fitted).take(slice(None)),
        make_source(BYTES).take(slice(None)),
    )


def test_a_source_is_taken_as_it_is_or_checked_against_a_spec():
    source = make_source(BYTES)
    assert make_source(source) is source
    assert make_source(source, spec=source.spec) is source
    darker = DataSpec(**{**source.spec.to_dict(), "shape": (1, 6, 5), "offset": (0.0,), "scale": (510.0,)})
    assert torch.equal(make_source(source, spec=darker).take(slice(None)), source.take(slice(None)) / 2)
    with pytest.raises(InputError, match="minimum of 51"):
        make_source(source, min_rows=51)


def test_fingerprint_tells_data_and_scaling_apart():
    base = make_source(BYTES).fingerprint
    changed = BYTES.copy()
    changed[-1, -1, -1] ^= 1
    assert base == make_source(BYTES.copy()).fingerprint
    others = [
        make_source(changed),
        make_source(BYTES, scaling="standard"),
        make_source(BYTES[:-1]),
        make_source(BYTES.reshape(50, 30)),
        make_source(BYTES.astype(np.int16)),
    ]
    assert len({base, *(other.fingerprint for other in others)}) == 6


def test_no_row_is_left_out_of_the_fingerprint():
    X = RNG.normal(size=(5000, 3))
    prints = {make_source(X, scaling="none").fingerprint}
    for row in (1, 2, 2499, 4998):
        other = X.copy()
        other[row, 1] += 1e-9
        prints.add(make_source(other, scaling="none").fingerprint)
    assert len(prints) == 5


def test_description_in_words():
    assert make_source(BYTES).describe == "50 grey images 6 x 5, uint8, divided by 255"
    assert make_source(BYTES[:1], spec=make_source(BYTES).spec).describe == "1 grey image 6 x 5, uint8, divided by 255"
    assert make_source(np.eye(3)).describe == "3 rows of 3 columns, float64, as they are"
    table = make_source(RNG.normal(size=(1200, 2)))
    assert table.describe == "1,200 rows of 2 columns, float64, scaled each column to mean 0 and variance 1"
    odd = make_source(np.linspace(-1, 1, 3 * 4 * 4 * 3).reshape(3, 4, 4, 3))
    assert odd.describe == "3 colour images 4 x 4, float64, scaled from [-1, 1] to [0, 1]"


def test_names_of_columns_reach_the_spec_and_messages():
    data = RNG.normal(size=(5, 2))
    assert make_source(data, feature_names=["a", "b"]).spec.feature_names == ("a", "b")
    with pytest.raises(InputError, match="There are 3 names for the 2 columns of X"):
        make_source(data, feature_names=["a", "b", "c"])
    data[3, 1] = np.inf
    with pytest.raises(InputError, match="infinity, first in row 3, column 'b'"):
        make_source(data, feature_names=["a", "b"])


def test_source_of_a_plain_array_needs_no_checks():
    spec = make_source(BYTES).spec
    assert torch.equal(Source(BYTES, spec).take(slice(0, 1)), make_source(BYTES).take(slice(0, 1)))


def test_rows_from_the_end_of_the_world_stay_finite():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = KMeans(n_clusters=2, random_state=0).fit(X)
    for far in (1e20, -1e30, 1e37):
        found = model.predict_proba(np.full((1, 4), far))
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1.0)
    assert np.isfinite(model.strangeness(np.full((1, 4), 1e30))).all()


def test_blocks_are_all_rows_in_their_order():
    source = make_source(np.arange(22.0).reshape(11, 2), scaling="none")
    blocks = list(source.blocks(4))
    assert [(block.start, block.stop) for block in blocks] == [(0, 4), (4, 8), (8, 11)]
    assert np.array_equal(np.concatenate([source.take(block).numpy() for block in blocks]), source.raw(slice(0, 11)))


def test_whole_numbers_however_large_are_rows_like_others():
    X = np.r_[np.zeros((30, 8)), np.full((30, 8), 9.0)] + np.arange(60)[:, None] / 100
    model = KMeans(2, random_state=0).fit(X)
    far = np.full((2, 8), 2**63 - 1)
    np.testing.assert_array_equal(model.predict_proba(far), model.predict_proba(far.astype(float)))
    np.testing.assert_array_equal(model.strangeness(far), model.strangeness(far.astype(float)))
    ends = np.where(X > 5, np.iinfo("i8").max, np.iinfo("i8").min)
    with pytest.warns(DataWarning, match=r"beyond 1e\+15 count as 1e\+15"):
        assert np.bincount(KMeans(2, scaling="none").fit(ends).labels_).tolist() == [30, 30]
