"""IDX files of every kind, and those that are damaged."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from coterie.data import Table, load_file, load_labels, make_source
from coterie.data.idx import is_idx, read_idx_array, stem_of
from coterie.errors import InputError

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
X = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def idx(values: np.ndarray) -> bytes:
    """The bytes of an IDX file, by the format's description."""
    kind = values.dtype.kind + str(values.dtype.itemsize)
    header = bytes([0, 0, CODES[kind], values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", CODES)
def test_every_number_type_is_read_with_its_values(tmp_path, kind, zipped):
    values = (np.random.default_rng(1).normal(0, 40, (5, 3, 2)) % 100).astype(kind)
    path = tmp_path / "x-idx3-any"
    path.write_bytes(gzip.compress(idx(values)) if zipped else idx(values))
    found = read_idx_array(path)
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype and found.dtype.isnative


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte"])
def test_images_and_labels_come_by_the_usual_names(tmp_path, name):
    content, labels = idx(X), idx(np.arange(6, dtype=np.uint8) % 3)
    pack = gzip.compress if name.endswith("gz") else bytes
    (tmp_path / name).write_bytes(pack(content))
    (tmp_path / name.replace("images", "labels")).write_bytes(pack(labels))
    table = load_file(tmp_path / name)
    np.testing.assert_array_equal(table.X, X)
    assert make_source(table.X).describe == "6 grey images 4 x 3, uint8, divided by 255"
    known = load_labels(tmp_path / name.replace("images", "labels"), table)
    assert known.tolist() == [0, 1, 2, 0, 1, 2] and known.dtype == np.int64
    assert stem_of(tmp_path / name) == "train-images"


def test_plain_bytes_stay_on_the_disk(tmp_path):
    (tmp_path / "x.idx").write_bytes(idx(X))
    found = read_idx_array(tmp_path / "x.idx")
    assert isinstance(found, np.memmap) and not found.flags.writeable


def test_other_names_are_not_taken_for_idx():
    assert not any(map(is_idx, ["idx.csv", "midx", "rows.npy", "index.gz", "my-idx.csv.gz"]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file: it begins with the bytes of nothing"),
        (b"\x89PNG....", "is not an IDX file: it begins with the bytes 89 50 4e 47"),
        (b"\0\0\x0a\x01\0\0\0\x01a", "is not an IDX file"),
        (b"\0\0\x08\x00", "is not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\x05", "cut short within its header"),
        (idx(X)[:-1], r"shape \(6, 4, 3\), 72 bytes, and 71 are there"),
        (idx(X.astype("f4"))[:-5], "288 bytes, and 283 are there"),
        (idx(X) + b"\0", "holds more than the array"),
        (b"\0\0\x0e\x03" + b"\xff" * 12, "its header may be damaged"),
    ],
    ids=["empty", "png", "type", "no-axes", "header", "values", "floats", "longer", "huge"],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damaged_files_are_refused(tmp_path, content, message, zipped):
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(InputError, match=message):
        load_file(path)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_gzip_is_refused(tmp_path, damage):
    whole = gzip.compress(idx(np.random.default_rng(2).integers(0, 256, (40, 9, 9), dtype=np.uint8)))
    path = tmp_path / "x-idx3-ubyte.gz"
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    path.write_bytes(whole[:-12] if damage == "cut" else flipped)
    with pytest.raises(InputError, match="cannot be read"):
        load_file(path)


def test_labels_must_be_one_for_each_row_and_no_column(tmp_path):
    (tmp_path / "y-idx1-ubyte").write_bytes(idx(np.arange(5, dtype=np.uint8)))
    with pytest.raises(InputError, match="one label for each of the 6 rows. Got 5"):
        load_labels(tmp_path / "y-idx1-ubyte", Table(X=X))
    (tmp_path / "y-idx3-ubyte").write_bytes(idx(X))
    with pytest.raises(InputError, match="must be one column"):
        load_labels(tmp_path / "y-idx3-ubyte", Table(X=X))
    with pytest.raises(InputError, match="has no column 'kind'"):
        load_file(tmp_path / "y-idx3-ubyte", column="kind")
