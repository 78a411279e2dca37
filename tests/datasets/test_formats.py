from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from coterie.datasets.formats import read_csv_zip, read_idx, read_libsvm
from coterie.errors import InputError

from .conftest import csv_zip, idx, libsvm


def _store(folder: Path, *contents: bytes) -> list[Path]:
    paths = [folder / f"part{i}" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_idx_joins_the_parts_in_order(tmp_path: Path) -> None:
    x = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    y = np.array([9, 0, 4])
    read_x, read_y = read_idx(_store(tmp_path, idx(x[:1]), idx(y[:1]), idx(x[1:]), idx(y[1:])))
    np.testing.assert_array_equal(read_x, x)
    np.testing.assert_array_equal(read_y, y)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"plain", "not a readable gzip file"),
        (idx(np.zeros(50))[:-12], "not a readable gzip file"),
        (gzip.compress(b""), "not an IDX file of unsigned bytes"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\x01abcd"), "not an IDX file of unsigned bytes"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcd"), r"promises an array of shape \(5,\)"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\x05"), "is cut short"),
    ],
    ids=["plain", "cut-gzip", "empty", "doubles", "cut-values", "cut-header"],
)
def test_idx_refuses_other_files(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_idx(_store(tmp_path, content, content))


def test_libsvm_fills_left_out_values_with_zero_and_counts_labels_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("10 1:-1 4:0.5\n1 2:1\n")
    x, y = read_libsvm([path])
    np.testing.assert_array_equal(x, [[[-1, 0], [0, 0.5]], [[0, 1], [0, 0]]])
    np.testing.assert_array_equal(y, [9, 0])


def test_libsvm_parts_share_one_width(tmp_path: Path) -> None:
    first, second = tmp_path / "a.bz2", tmp_path / "b.bz2"
    x = np.array([[[0.25, 0], [0, -1.0]], [[1, 0], [0, 0]]], dtype=np.float32)
    first.write_bytes(libsvm(x[:1], np.array([3])))
    second.write_bytes(libsvm(x[1:], np.array([4])))
    read_x, read_y = read_libsvm([first, second])
    np.testing.assert_array_equal(read_x, x)
    np.testing.assert_array_equal(read_y, [3, 4])


@pytest.mark.parametrize(
    ("text", "reason"), [("1 1:a\n", "cannot be read as LIBSVM"), ("1 3:1\n", "square images: its rows have 3 values")]
)
def test_libsvm_refuses_other_text(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "rows"
    path.write_text(text)
    with pytest.raises(InputError, match=reason):
        read_libsvm([path])


def test_csv_zip_puts_the_training_part_first(tmp_path: Path) -> None:
    table = np.array([[100, 0, 7], [3, 50, 1], [8, 8, 0]])
    paths = _store(tmp_path, csv_zip({"a.tes": table[2:], "a.tra": table[:2]}))
    x, y = read_csv_zip(paths)
    np.testing.assert_array_equal(x, table[:, :2])
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(y, [7, 1, 0])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no zip", "cannot be read as a zip archive"),
        (csv_zip({}), "holds no .tra or .tes file"),
        (csv_zip({"a.tra": np.array([[1, 2]])}).replace(b"  1,  2", b"  1,two"), "cannot be read as a zip archive"),
    ],
    ids=["text", "no-parts", "words"],
)
def test_csv_zip_refuses_other_files(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_csv_zip(_store(tmp_path, content))
