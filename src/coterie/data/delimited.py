"""CSV and TSV files as tables of numbers."""

from __future__ import annotations

import csv
import math
import re
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.forms import Form, decimal_of, guess_form, is_number, is_place, is_text, opened
from coterie.data.table import MISSING, MissingColumn, Table, tidy_known, tidy_labels
from coterie.data.wording import named
from coterie.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ONE_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(\.\d{3})+\s*")


def read_delimited(
    path: Path,
    *,
    column: str | int | None = None,
    known: str | None = None,
    names: str | int | None = None,
    drop: Sequence[str | int] = (),
    complete: bool = True,
) -> Table:
    """Read a CSV or TSV file of numbers.

    The separator (comma, semicolon, tab or |), decimal commas and a header are found by looking. A first column without
    a name in the header, as data frames write their index, gives the names of the rows where no other does.

    Parameters
    ----------
    path : Path
        The file, in UTF-8 with or without a byte order mark.
    column : str or int or None, default=None
        A column to take out as labels, by name or by number from 0; it may hold text.
    known : str or None, default=None
        A column to take out as labels of some rows, in the same way; it may hold nothing in others.
    names : str or int or None, default=None
        A column with the names of the rows, such as identifiers, found as those of `drop` are; it may hold any text.
    drop : sequence of str or int, default=()
        Columns to leave out, by name, or by number from 0; text of digits is a number only where the file has no
        header. They may hold anything.
    complete : bool, default=True
        Refuse a `column` that has no label in some rows, and a column of `names` or to `drop` that is not there.

    Returns
    -------
    Table
        With float64 rows of shape (n, d).

    Raises
    ------
    InputError
        If the file is no such table; the message names line and column.
    """
    form, sample = guess_form(path)
    label = None if column is None else _find_column(form, column, path)
    partly = None if known is None else _find_column(form, known, path)
    called = 0 if form.row_names else None
    called = next(iter(_find_columns(form, () if names is None else [names], path, complete=complete)), called)
    aside: dict[int, list[str]] = {j: [] for j in (label, partly, called) if j is not None}
    taken = aside.keys() | _find_columns(form, drop, path, complete=complete) | ({0} if form.row_names else set())
    kept = [j for j in range(len(form.columns)) if j not in taken]
    numbers = [[field for j, field in enumerate(record) if j not in taken] for record in sample]
    form = replace(form, decimal=decimal_of(form.separator, numbers))  # in which what is no feature has no say
    if form.decimal == ",":
        _refuse_thousands(numbers, path)
    if not kept:
        raise InputError(
            f"{path.name!r} has no column of numbers besides {'those set aside' if drop or names else 'its labels'}."
        )
    _refuse_text_columns(form, sample, kept, path=path, complete=complete)
    X = _read_numbers(path, form, taken, aside=aside)
    tidy = tidy_labels if complete else tidy_known
    return Table(
        X=X,
        names=None if called is None else [field.strip() for field in aside[called]],
        y=None if label is None else tidy(aside[label], f"The column {form.columns[label]!r} of {path.name!r}"),
        feature_names=[form.columns[j] for j in kept] if form.header else None,
        y_name=None if label is None else form.columns[label],
        known=None if partly is None else tidy_known(aside[partly], f"The column {form.columns[partly]!r}"),
    )


def _read_numbers(path: Path, form: Form, taken: set[int], *, aside: dict[int, list[str]]) -> np.ndarray:
    """Return the columns that are not taken out, and put the fields of some that are into lists."""
    kept = [j for j in range(len(form.columns)) if j not in taken]
    to_number = float if form.decimal == "." else _with_comma
    last_first, values = sorted(taken, reverse=True), array("d")
    for line, record in records(path, form):
        for j in last_first:
            field = record.pop(j)
            if j in aside:
                aside[j].append(field)
        try:
            if "_" in "".join(record):
                raise ValueError("_")  # which Python's numbers may hold, and nobody else's
            values.extend(map(to_number, record))
        except ValueError as error:
            raise InputError(_cell_message(form, record, kept, place=f"{path.name!r}, line {line}")) from error
    X = np.frombuffer(values, dtype=np.float64).reshape(-1, len(kept))
    if not len(X):
        raise InputError(f"{path.name!r} has no rows.")
    _refuse_nan(X, form, kept, path=path)
    return X


def records(path: Path, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1) and fields of each row, and refuse rows of another length than the first.

    Parameters
    ----------
    path : Path
        A file in UTF-8.
    form : Form
        What `guess_form` found.

    Yields
    ------
    line : int
        The last line of the row.
    fields : list of str
        One a column.

    Raises
    ------
    InputError
        If the file is not UTF-8 text, or a row is too long, too short or damaged.
    """
    with opened(path) as file:
        reader = csv.reader(file, delimiter=form.separator)
        try:
            found = (record for record in reader if record)
            if form.header:
                next(found)
            for record in found:
                if len(record) != len(form.columns):
                    raise InputError(
                        f"{path.name!r}, line {reader.line_num}: {len(record)} fields where "
                        f"{len(form.columns)} are expected."
                    )
                yield reader.line_num, record
        except csv.Error as error:
            raise InputError(f"{path.name!r}, line {reader.line_num}: {error}.") from error


def _with_comma(field: str) -> float:
    """Return the number in a field with a decimal comma; whether 1.000 is one or a thousand, only its writer knows."""
    if _THOUSANDS.fullmatch(field):
        raise ValueError(field)
    return float(field.replace(",", "."))


def _refuse_thousands(sample: list[list[str]], path: Path) -> None:
    """Refuse commas that all stand before three digits, in a column with whole numbers far from such decimals."""
    fields = [field.strip() for record in sample for field in record if "," in field]
    if not all(map(_ONE_THOUSAND.fullmatch, fields)):
        return
    for j in range(min(map(len, sample), default=0)):
        column = [record[j].strip() for record in sample]
        parted = [field for field in column if "," in field]
        values = [_with_comma(field) for field in parted]
        whole = [int(field) for field in column if _WHOLE.fullmatch(field)]
        if parted and whole and (min(whole) < math.floor(min(values)) or max(whole) > math.ceil(max(values))):
            raise InputError(
                f"{path.name!r} holds {parted[0]!r} beside numbers without a comma, which may be a thousand or a "
                "decimal: write numbers without signs between thousands, or all with their decimals."
            )


def _find_column(form: Form, column: str | int, path: Path, *, by_number: bool = True) -> int:
    if isinstance(column, str) and column in form.columns:
        return form.columns.index(column)
    if by_number and (isinstance(column, int) or is_place(column)):
        j = int(column)
        if -len(form.columns) <= j < len(form.columns):
            j %= len(form.columns)
            if form.row_names and j == 0:
                raise InputError(
                    f"{path.name!r} has the names of its rows in column 0, which is no column of the data."
                )
            return j
    nor = ", and there is no such file" if "." in str(column) else ""
    raise MissingColumn(f"{path.name!r} has no column {column!r}{nor}; its columns are {named(form.labelled)}.")


def _find_columns(form: Form, columns: Sequence[str | int], path: Path, *, complete: bool) -> set[int]:
    """Return the places of columns; of those that are there, where the file need not have all."""
    found = set()
    for column in columns:
        try:
            found.add(_find_column(form, column, path, by_number=isinstance(column, int) or not form.header))
        except MissingColumn:
            if complete:
                raise
    return found


def _refuse_text_columns(form: Form, sample: list[list[str]], kept: list[int], *, path: Path, complete: bool) -> None:
    def mostly_text(j: int) -> bool:
        fields = [record[j] for record in sample if len(record) > j]
        filled = [field for field in fields if field.strip().lower() not in MISSING]
        return 2 * sum(is_text(field, form.decimal) for field in filled) > len(filled)

    odd = [form.columns[j] for j in kept if mostly_text(j)]
    if odd and not complete:
        raise InputError(f"{path.name!r} has columns that are not numbers: {named(odd)}.")
    if odd:
        raise InputError(
            f"{path.name!r} has columns that are not numbers: {named(odd)}. Encode them as numbers or leave them "
            "out (drop=, --drop NAME); one column can name the rows (names=, --names NAME), another be taken out as "
            "labels."
        )


def _cell_message(form: Form, record: list[str], kept: list[int], *, place: str) -> str:
    for j, field in zip(kept, record, strict=True):
        if field.strip().lower() in MISSING - {"nan"}:
            return f"{place}: the value of column {form.columns[j]!r} is missing; fill it or drop the row."
        if form.decimal == "," and _THOUSANDS.fullmatch(field):
            return (
                f"{place}: column {form.columns[j]!r} holds {field[:40]!r} beside decimal commas, where a point parts "
                "thousands: write numbers without it."
            )
        if not is_number(field, form.decimal):
            return f"{place}: column {form.columns[j]!r} holds {field[:40]!r}, which is not a number."
    raise AssertionError(record)


def _refuse_nan(X: np.ndarray, form: Form, kept: list[int], *, path: Path) -> None:
    bad = np.isnan(X)
    if bad.any():
        row, j = np.argwhere(bad)[0]
        place = f"row {row}, column {form.columns[kept[j]]!r}"
        raise InputError(f"{path.name!r} contains NaN, first in {place}; fill it or drop the row.")
