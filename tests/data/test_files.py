"""Array files, and paths that lead nowhere."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from coterie.data import load_file, make_source
from coterie.data.files import read_npz_labels
from coterie.errors import DataWarning, InputError

RNG = np.random.default_rng(3)
X = RNG.integers(0, 256, (12, 5, 4), dtype=np.uint8)
Y = np.arange(12) % 3


def test_npy_stays_on_the_disk(tmp_path):
    np.save(tmp_path / "x.npy", X)
    table = load_file(tmp_path / "x.npy")
    assert isinstance(table.X, np.memmap) and not table.X.flags.writeable
    np.testing.assert_array_equal(make_source(table.X).raw(np.array([11, 0])), X[[11, 0]])


def test_text_paths_are_paths(tmp_path):
    np.save(tmp_path / "x.npy", X)
    assert len(load_file(str(tmp_path / "x.npy"))) == 12


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": X, "y": Y},
        {"X": X, "Y": Y.astype(float)},
        {"data": X, "target": Y},
        {"arr_0": X, "labels": Y[:, None]},
        {"x_train": X[:9], "x_test": X[9:], "y_train": Y[:9], "y_test": Y[9:]},
        {"X_train": X, "y_train": Y.astype(np.uint8)},
    ],
)
def test_npz_keys(tmp_path, arrays):
    np.savez_compressed(tmp_path / "d.npz", **arrays)
    table = load_file(tmp_path / "d.npz")
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, Y)
    assert table.X.dtype == np.uint8 and table.y.dtype == np.int64


def test_npz_labels_with_gaps_may_only_be_known(tmp_path):
    part = np.where(np.arange(12) < 4, Y, -1)
    np.savez(tmp_path / "d.npz", x=X, y=part)
    with pytest.raises(InputError, match=r"The labels in 'd.npz': -1 in row 4 .*--known"):
        load_file(tmp_path / "d.npz", column="y")
    with pytest.warns(DataWarning, match=r"not compared with y of 'd.npz'. The labels in 'd.npz': -1 in row 4"):
        assert load_file(tmp_path / "d.npz").y is None  # nobody asked for them
    table = load_file(tmp_path / "d.npz", known="y")
    assert table.y is None
    np.testing.assert_array_equal(table.known, part)
    np.testing.assert_array_equal(load_file(tmp_path / "d.npz", complete=False).y, part)


def test_npz_with_one_array_or_a_named_label(tmp_path):
    np.savez(tmp_path / "one.npz", pictures=X)
    table = load_file(tmp_path / "one.npz")
    np.testing.assert_array_equal(table.X, X)
    assert table.y is None and table.y_name is None
    np.savez(tmp_path / "two.npz", x=X, kind=np.array(["a", "b", "c"] * 4))
    table = load_file(tmp_path / "two.npz", column="kind")
    assert table.y[:3].tolist() == ["a", "b", "c"] and table.y_name == "kind"
    assert read_npz_labels(tmp_path / "one.npz").shape == X.shape


@pytest.mark.parametrize(
    ("arrays", "column", "message"),
    [
        ({"left": X, "right": X}, None, "must hold its rows as x.*'left', 'right'"),
        ({"x": X, "y": Y}, "kind", "has no key 'kind'"),
        ({"x": X, "y": Y[:5]}, None, "5 labels .y. for rows of shape"),
        ({"x_train": X, "x_test": X[:, :2]}, None, "cannot be read"),
        ({"x": np.array([{}], dtype=object)}, None, "cannot be read.*allow_pickle"),
    ],
)
def test_npz_that_is_no_data_set(tmp_path, arrays, column, message):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load_file(tmp_path / "d.npz", column=column)


def test_known_labels_of_rows_that_are_none(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.array(5), kind=np.array([1, 2]))
    with pytest.raises(InputError, match=r"2 labels called 'kind' for rows of shape \(\)"):
        load_file(tmp_path / "d.npz", known="kind")


@pytest.mark.parametrize("shape", ["(2, 3", "(1{}, 16)".format("0" * 22)])
def test_array_files_with_an_impossible_header(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    text = (header.ljust(117) + "\n").encode()
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(48))
    with pytest.raises(InputError, match="'d.npy' cannot be read as an array of numbers"):
        load_file(tmp_path / "d.npy")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("keep", [0, 1, 40, 400])
def test_truncated_array_files(tmp_path, name, keep):
    path = tmp_path / name
    (np.save if name.endswith("y") else np.savez)(path, RNG.normal(size=(50, 5)))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=rf"'{name}' (cannot be read|is not a)"):
        load_file(path)


def test_npy_of_objects_is_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    np.save(tmp_path / "x.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        load_file(tmp_path / "x.npy")
    assert not (tmp_path / "sprung").exists()


def test_an_archive_whose_bytes_were_changed(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x=X)
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="cannot be read"):
        load_file(path)


def test_zip_bombs_are_not_unpacked(tmp_path):
    many = tmp_path / "many.npz"
    with zipfile.ZipFile(many, "w") as archive:
        for i in range(1001):
            archive.writestr(f"{i}.npy", b"")
    wide = tmp_path / "wide.npz"
    with (
        zipfile.ZipFile(wide, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.npy", "w") as file,
    ):
        for _ in range(17):
            file.write(bytes(1 << 24))
    for path in (many, wide):
        with pytest.raises(InputError, match="would unpack to"):
            load_file(path)


def test_paths_that_are_no_data(tmp_path):
    (tmp_path / "notes.docx").write_text("hello")
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(InputError, match="There is no file or folder"):
        load_file(tmp_path / "absent.npy")
    with pytest.raises(InputError, match=r"must end in \.npy, \.npz, \.csv, \.tsv, .*'notes\.docx'"):
        load_file(tmp_path / "notes.docx")
    (tmp_path / "Table.XLSX").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"'Table\.XLSX' instead\. Save the table as CSV\.$"):
        load_file(tmp_path / "Table.XLSX")
    with pytest.raises(InputError, match="has no column 'kind'"):
        load_file(tmp_path / "x.npy", column="kind")


def test_keys_that_differ_only_in_case_are_not_chosen_among(tmp_path):
    np.savez(tmp_path / "two.npz", x=np.zeros((3, 2)), X=np.ones((3, 2)))
    with pytest.raises(InputError, match=r"'two.npz' has keys that differ only in case; its keys are '[xX]', '[xX]'"):
        load_file(tmp_path / "two.npz")
