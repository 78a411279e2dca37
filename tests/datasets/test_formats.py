from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from coterie.data import Table
from coterie.datasets.formats import read_college, read_csv_zip, read_idx, read_letter_zip, read_libsvm
from coterie.datasets.texts import read_newsgroups, tfidf, without_header
from coterie.errors import InputError

from .conftest import college_csv, csv_zip, idx, letter_zip, libsvm, newsgroups_json


def _store(folder: Path, *contents: bytes) -> list[Path]:
    paths = [folder / f"part{i}" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def _pair(table: Table) -> tuple[np.ndarray, np.ndarray]:
    assert table.y is not None
    return table.X, table.y


def test_idx_joins_the_parts_in_order(tmp_path: Path) -> None:
    x = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    y = np.array([9, 0, 4])
    read_x, read_y = _pair(read_idx(_store(tmp_path, idx(x[:1]), idx(y[:1]), idx(x[1:]), idx(y[1:]))))
    np.testing.assert_array_equal(read_x, x)
    np.testing.assert_array_equal(read_y, y)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"plain", "is not an IDX file"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\x01abcd"), "not an IDX file of unsigned bytes"),
    ],
    ids=["plain", "floats"],
)
def test_idx_refuses_other_files(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_idx(_store(tmp_path, content, content))


def test_libsvm_fills_left_out_values_with_zero_and_counts_labels_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("10 1:-1 4:0.5\n1 2:1\n")
    x, y = _pair(read_libsvm([path]))
    np.testing.assert_array_equal(x, [[[-1, 0], [0, 0.5]], [[0, 1], [0, 0]]])
    np.testing.assert_array_equal(y, [9, 0])


def test_libsvm_parts_share_one_width(tmp_path: Path) -> None:
    first, second = tmp_path / "a.bz2", tmp_path / "b.bz2"
    x = np.array([[[0.25, 0], [0, -1.0]], [[1, 0], [0, 0]]], dtype=np.float32)
    first.write_bytes(libsvm(x[:1], np.array([3])))
    second.write_bytes(libsvm(x[1:], np.array([4])))
    read_x, read_y = _pair(read_libsvm([first, second]))
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
    x, y = _pair(read_csv_zip(paths))
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


def test_letter_zip_numbers_the_letters(tmp_path: Path) -> None:
    rows = np.array([[15, 0], [3, 7], [1, 1]])
    x, y = _pair(read_letter_zip(_store(tmp_path, letter_zip(rows, np.array([25, 0, 7])))))
    np.testing.assert_array_equal(x, rows)
    np.testing.assert_array_equal(y, [25, 0, 7])
    with pytest.raises(InputError, match=r"holds no \.data file"):
        read_letter_zip(_store(tmp_path, csv_zip({})))
    with pytest.raises(InputError, match="cannot be read as a zip archive"):
        read_letter_zip(_store(tmp_path, letter_zip(rows, np.array([0, 1, 2])).replace(b"B,3,7", b"BB,3,")))


def test_college_is_refused_where_private_is_neither_yes_nor_no(tmp_path: Path) -> None:
    (path,) = _store(tmp_path, college_csv(np.ones((4, 17)), np.array([0, 1, 1, 0])))
    assert _pair(read_college([path]))[1].tolist() == [0, 1, 1, 0]
    path.write_bytes(path.read_bytes().replace(b",No,", b",Maybe,"))
    with pytest.raises(InputError, match="must hold Yes or No. Got 'Maybe'"):
        read_college([path])


def test_tfidf_is_that_of_its_formula_and_does_not_depend_on_the_order() -> None:
    texts = ["Ship ship sails, 1993!", "the harbour's ship", "sails of a harbour", "of it"]
    x, words = tfidf(texts)
    assert words == ["harbour", "sails", "ship"]
    counts = np.array([[0, 1, 2], [1, 0, 1], [1, 1, 0], [0, 0, 0]])
    expected = counts * (np.log(5 / (1 + (counts > 0).sum(0))) + 1)
    expected[:3] /= np.linalg.norm(expected[:3], axis=1, keepdims=True)
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    np.testing.assert_allclose(tfidf(texts[::-1])[0][::-1], x, rtol=1e-6)
    with pytest.raises(InputError, match="hold no words"):
        tfidf(["1 2 3"])


def test_headers_end_at_the_first_blank_line() -> None:
    assert without_header("From: a\tSubject: b\t\tHello\t\tBye") == "Hello\n\nBye"
    assert without_header("no header at all") == "no header at all"


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"[1, 2]"), gzip.compress(b"{}"), newsgroups_json(["a b c"] * 9, None, 4)[:-9]],
    ids=["empty", "text", "list", "no-keys", "cut-short"],
)
@pytest.mark.parametrize("name", ["n.json.gz", "n.tar.gz"])
def test_newsgroups_refuse_other_files(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as the messages"):
        read_newsgroups([path])
