"""labels.csv: what is in it, and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coterie.cli.labelfile import rows_in_order, write_labels
from coterie.data.spreadsheets import defuse
from coterie.errors import InputError

LABELS, SURE = np.array([1, 0, 1]), np.array([0.5, 0.25, 1.0])


def test_rows_without_names(tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.csv", LABELS, SURE, names=None)
    assert (
        tmp_path / "labels.csv"
    ).read_bytes() == b"row,cluster,confidence\n0,1,0.500000\n1,0,0.250000\n2,1,1.000000\n"


def test_names_with_separators_and_quotes_come_back(tmp_path: Path) -> None:
    names = ['a,"b".png', "two\nlines", "ä/ö.png"]
    write_labels(tmp_path / "labels.csv", LABELS, SURE, names=names)
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["row", "name", "cluster", "confidence"]
    assert [row[1] for row in rows[1:]] == names


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_a_name_that_would_run_as_a_formula_becomes_text(tmp_path: Path, name: str) -> None:
    write_labels(tmp_path / "labels.csv", LABELS, SURE, names=[name, "b", "c"])
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        first = list(csv.reader(file))[1][1]
    assert first == f"'{name}"


def test_rows_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    write_labels(path, LABELS, SURE, names=["a", "b", "c"])
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n")
    assert [row["name"] for row in rows_in_order(path, 3)] == ["a", "b", "c"]
    with pytest.raises(InputError, match=r"numbered from 0 to 3, each once\. Got 3 rows instead"):
        rows_in_order(path, 4)
    path.write_bytes(b"row,cluster\n0,\xff\n")
    assert rows_in_order(path, 1) == [{"row": "0", "cluster": "\udcff"}]  # bytes of a name come through as they are


@pytest.mark.parametrize("more", ["two\rlines", "plain"])
def test_a_carriage_return_in_any_column_stays_in_its_field(tmp_path: Path, more: str) -> None:
    write_labels(tmp_path / "labels.csv", LABELS, SURE, names=None, more={"known": [more, "b", "c"]})
    assert [row["known"] for row in rows_in_order(tmp_path / "labels.csv", 3)] == [more, "b", "c"]


def test_an_ordinary_name_is_left_alone() -> None:
    assert defuse("a-b=c@d+e.png") == "a-b=c@d+e.png"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_file_that_a_spreadsheet_wrote_with_other_separators_is_read(tmp_path: Path, separator: str) -> None:
    lines = [["row", "cluster", "confidence", "notes"], ["1", "0", "0,5", "a, b"], ["0", "1", "1", ""]]
    text = "\r\n".join(map(separator.join, lines)) + "\r\n"
    (tmp_path / "labels.csv").write_text("\ufeff" + text, encoding="utf-8", newline="")
    rows = rows_in_order(tmp_path / "labels.csv", 2)
    assert [row["notes"] for row in rows] == ["", "a, b"]
    assert [row["confidence"] for row in rows] == ["1", "0,5"]


def test_columns_that_share_a_heading_are_refused_where_they_would_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("row,cluster,note,note\n0,1,a,b\n")
    assert rows_in_order(path, 1)[0]["cluster"] == "1"
    with pytest.raises(InputError, match=r"a heading of its own\. Got 2 columns called 'note' instead\."):
        rows_in_order(path, 1, whole=True)
    path.write_text("row,cluster\n0,1,a,b\n1,0\n")
    with pytest.raises(InputError, match=r"Got 2 columns without a heading instead\."):
        rows_in_order(path, 2, whole=True)


def test_empty_columns_without_a_heading_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("row,cluster,,,\n0,1,,,\n1,0,,,,\n")
    rows = rows_in_order(tmp_path / "labels.csv", 2, whole=True)
    assert rows == [{"row": "0", "cluster": "1"}, {"row": "1", "cluster": "0"}]
