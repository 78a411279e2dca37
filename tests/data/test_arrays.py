"""What counts as rows of numbers, and what each refusal says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from coterie import KMeans
from coterie.data import make_source
from coterie.data.arrays import resolve_layout, to_array
from coterie.errors import InputError

TABLE = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "rows",
    [
        TABLE.tolist(),
        tuple(map(tuple, TABLE)),
        list(TABLE),
        TABLE.astype(object),
        torch.from_numpy(TABLE),
        torch.from_numpy(TABLE).requires_grad_() * 1,
        torch.from_numpy(TABLE).bfloat16(),
        torch.from_numpy(TABLE).T.contiguous().T,
        [torch.tensor(row) for row in TABLE],
        np.ma.MaskedArray(TABLE, mask=np.zeros_like(TABLE, dtype=bool)),
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE, columns=list("abc")).astype({"a": "int8", "b": "Int64", "c": "Float32"}),
        pd.DataFrame(TABLE, columns=list("abc")).astype(object),
        pd.DataFrame(TABLE, columns=list("abc")).astype(pd.SparseDtype("float32")),
    ],
)
def test_rows_of_any_origin(rows):
    array, _ = to_array(rows)
    np.testing.assert_array_equal(array.astype(float), TABLE)


def test_arrays_and_tensors_are_not_copied():
    assert np.shares_memory(to_array(TABLE)[0], TABLE)
    tensor = torch.zeros(3, 2)
    assert np.shares_memory(to_array(tensor)[0], tensor.numpy())


def test_frames_give_names_only_where_all_are_text():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False]})
    array, names = to_array(frame)
    assert names == ["a", "b"]
    np.testing.assert_array_equal(array, [[1, 1], [2, 0]])
    assert to_array(pd.DataFrame({0: [1.0], 1: [2.0]}))[1] is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), "columns do not: 'b'"),
        (pd.DataFrame({"a": [1.0, 2.0], "b": pd.Categorical(["x", "y"])}), "columns do not: 'b'"),
        (pd.DataFrame({"a": pd.to_datetime(["2020", "2021"])}), "columns do not: 'a'"),
        (pd.DataFrame({"a": [1j, 2, 3]}), "columns do not: 'a'"),
        (pd.DataFrame({"a": pd.arrays.SparseArray(pd.to_datetime(["2020", "2021"]))}), "columns do not: 'a'"),
        (pd.DataFrame({"a": pd.arrays.SparseArray(np.array(["1", "2"], dtype=object))}), "columns do not: 'a'"),
        (pd.DataFrame({"a": pd.period_range("2020", periods=2, freq="D")}), "columns do not: 'a'"),
        (pd.DataFrame({"a": [1.0, np.nan]}), "row 1, column 'a'"),
        (pd.DataFrame({"a": pd.arrays.SparseArray([1.0, np.nan])}), "row 1, column 'a'"),
        (pd.DataFrame({"a": [1, None]}, dtype="Int64"), "row 1, column 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "name of its own for each column"),
        (pd.DataFrame(index=range(3)), "0 feature"),
    ],
)
def test_frames_that_are_refused(frame, message):
    with pytest.raises(InputError, match=message):
        make_source(frame)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (sparse.csr_matrix(TABLE), "Sparse data was passed for X"),
        (sparse.coo_array(TABLE), "Sparse data was passed for X"),
        (torch.eye(3).to_sparse(), "Sparse data was passed for X"),
        (TABLE * 1j, "Complex data not supported"),
        (torch.eye(3) * 1j, "Complex data not supported"),
        ([["a", "b"]], "holds text"),
        ("rows.csv", "load_file"),
        (np.array([["1", {"foo": 1}]], dtype=object), "argument must be a string or a real number"),
        (np.array([["1", "high"]], dtype=object), "could not convert string to float: 'high'"),
        (np.array([["2020", "2021"]], dtype="datetime64[Y]"), "dtype datetime64"),
        ([[1, 2], [3]], "all have one length"),
        (np.ma.MaskedArray(TABLE, mask=TABLE > 3), "masked entries"),
        (np.arange(3.0), "Expected 2D array.*Reshape your data"),
        (np.float64(3), "Expected 2D array"),
        (None, "Expected 2D array|must hold numbers"),
        (np.zeros((2, 2, 2, 2, 2)), "got 5D array"),
        (np.empty((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\) for X while a minimum of 1 is required"),
        (np.empty((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) for X while a minimum of 1 is required"),
        (np.empty((3, 4, 0)), r"0 feature\(s\)"),
        (np.zeros((9, 3, 32, 32)), "channels first"),
    ],
)
def test_what_is_no_rows_of_numbers_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        make_source(rows)


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(InputError, match=r"4 sample\(s\).*minimum of 5"):
        make_source(TABLE, min_rows=5)


@pytest.mark.parametrize("image_shape", [(5, 6), (3,), (4, 2, 0), (2.5, 2), "no", 12, (3, 1, 1, 1)])
def test_image_shape_must_be_one_and_fit(image_shape):
    with pytest.raises(InputError, match="'image_shape' parameter must"):
        resolve_layout((9, 12), image_shape, "X")


def test_image_shape_of_images_is_only_compared():
    assert resolve_layout((9, 4, 3), (4, 3, 1), "X") == ("images", (1, 4, 3), "HW")
    with pytest.raises(InputError, match="must fit the rows"):
        resolve_layout((9, 4, 3), (3, 4), "X")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [0.0, 1.0, 2.0], "z": ["red", "red", "blue"]}, "these columns do not: 'z'"),
        ({"a": [0.0, 1.0, 2.0], "z": pd.Categorical(["red", "red", "blue"])}, "these columns do not: 'z'"),
        ({"a": [0.0, 1.0, 2.0], "z": pd.to_datetime(["2024-01-01"] * 3)}, "these columns do not: 'z'"),
        ({"a": [0.0, 1.0, 2.0], "z": [1.0, np.nan, 0.0]}, "missing values, first in row 1, column 'z'"),
    ],
)
def test_a_system_names_the_column_of_a_frame_that_it_cannot_use(columns, said):
    with pytest.raises(InputError, match=said):
        KMeans(n_clusters=2).fit(pd.DataFrame(columns))


def test_a_system_refuses_columns_of_one_name():
    with pytest.raises(InputError, match="a name of its own for each column"):
        KMeans(n_clusters=2).fit(pd.DataFrame(np.eye(3), columns=["a", "a", "b"]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame[["b", "a"]], "in the same order as they were in fit"),
        (lambda frame: frame.assign(c=1.0), "unseen at fit time: c"),
        (lambda frame: frame[["a"]], "yet now missing: b"),
        (lambda frame: frame.set_axis(["a", 1], axis=1), "only supported if all input features have string names"),
        (lambda frame: frame.to_numpy()[0], r"Reshape your data: X.reshape\(-1, 1\) if it is one column"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_other_rows_than_those_of_the_fit_are_refused_in_one_line(change, said):
    frame = pd.DataFrame({"a": [0.0, 1.0, 5.0], "b": [2.0, 2.5, 9.0]})
    model = KMeans(n_clusters=2, random_state=0).fit(frame)
    with pytest.raises(InputError, match=said) as refused:
        model.predict(change(frame))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["red", "blue", "green"], "^X must hold numbers, but it holds text"),
        (np.array([["red"], ["blue"]], dtype=object), "^X must hold numbers only, but one entry is none: could not"),
        (None, r"got 0D array instead for X\.$"),
        ([[10**400], [1]], "^X must hold numbers only, but one entry is none: int too large"),
        (np.zeros((2, 3, 3, 1, 1)), r"images \(n, H, W\) or \(n, H, W, C\), got 5D array instead"),
        (np.array([[1, 2], [3, np.inf]], dtype=np.float16), "^Input X contains infinity, first in row 1, column 1"),
    ],
)
def test_a_system_says_what_is_wrong_with_an_array_and_where(rows, said):
    with pytest.raises(InputError, match=said):
        KMeans(n_clusters=2).fit(rows)


def test_columns_that_only_differ_in_kind_are_refused():
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(InputError, match="a name of its own for each column: two are called the same"):
        KMeans(2).fit(pd.DataFrame({1: X[:, 0], "1": X[:, 1]}))


def test_tensors_that_numpy_has_not_are_refused_in_one_sentence():
    with pytest.raises(InputError, match="^X "):
        KMeans(2).fit(torch.zeros(6, 2).to(torch.float8_e4m3fn))


def test_rows_that_have_gradients_are_as_good_as_others():
    X = torch.arange(12.0).reshape(6, 2)
    rows = [row.clone().requires_grad_() for row in X]
    assert KMeans(2, random_state=0).fit(rows).labels_.tolist() == KMeans(2, random_state=0).fit(X).labels_.tolist()
