"""labels.csv: what is in it, and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coterie.cli.labelfile import defuse, write_labels

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


def test_an_ordinary_name_is_left_alone() -> None:
    assert defuse("a-b=c@d+e.png") == "a-b=c@d+e.png"
