"""CSV and TSV files as tables of numbers."""

from __future__ import annotations

import csv
from array import array
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.table import MISSING, Table, tidy_known, tidy_labels
from coterie.data.wording import named
from coterie.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PEEK = 1 << 16  # characters from which separator, header and text columns are guessed
_SEPARATORS = "\t;,"  # in this order: a comma is often found inside fields, the others hardly ever
_COUNTED = 3  # a first line 0, 1, 2 is taken for a header from this many columns


@dataclass(frozen=True)
class Form:
    """How a delimited file is written, as guessed from its beginning."""

    separator: str
    decimal: str
    header: bool
    columns: tuple[str, ...]
    row_names: bool  # the first column is unnamed, as data frames write their index

    @property
    def labelled(self) -> tuple[str, ...]:
        """Names that a user can refer to."""
        return self.columns[1:] if self.row_names else self.columns


def read_delimited(path: Path, *, column: str | int | None = None, known: str | None = None) -> Table:
    """Read a CSV or TSV file of numbers.

    The separator (comma, semicolon or tab), decimal commas and a header are found by looking. A first column without a
    name in the header, as data frames write their index, gives the names of the rows.

    Parameters
    ----------
    path : Path
        The file, in UTF-8 with or without a byte order mark.
    column : str or int or None, default=None
        A column to take out as labels, by name or by number from 0; it may hold text.
    known : str or None, default=None
        A column to take out as labels of some rows, in the same way; it may hold nothing in others.

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
    asked = {j for j in (label, partly) if j is not None}
    taken = sorted(asked | ({0} if form.row_names else set()))
    kept = [j for j in range(len(form.columns)) if j not in taken]
    if not kept:
        raise InputError(f"{path.name!r} has no column of numbers besides its labels.")
    _refuse_text_columns(form, sample, kept, path=path)
    values, aside = array("d"), {j: [] for j in taken}
    for line, record in records(path, form):
        for j in sorted(taken, reverse=True):
            aside[j].append(record.pop(j))
        try:
            values.extend(map(float, record) if form.decimal == "." else (float(f.replace(",", ".")) for f in record))
        except ValueError as error:
            raise InputError(_cell_message(form, record, kept, place=f"{path.name!r}, line {line}")) from error
    X = np.frombuffer(values, dtype=np.float64).reshape(-1, len(kept))
    if not len(X):
        raise InputError(f"{path.name!r} has no rows.")
    _refuse_nan(X, form, kept, path=path)
    names = [form.columns[j] for j in kept]
    return Table(
        X=X,
        names=aside[0] if form.row_names else None,
        y=None if label is None else tidy_labels(aside[label], f"The column {form.columns[label]!r} of {path.name!r}"),
        feature_names=names if form.header else None,
        y_name=None if label is None else form.columns[label],
        known=None if partly is None else tidy_known(aside[partly], f"The column {form.columns[partly]!r}"),
    )


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
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=form.separator)
        try:
            if form.header:
                next(reader)
            for record in reader:
                if not record:
                    continue
                if len(record) != len(form.columns):
                    raise InputError(
                        f"{path.name!r}, line {reader.line_num}: {len(record)} fields where "
                        f"{len(form.columns)} are expected."
                    )
                yield reader.line_num, record
        except csv.Error as error:
            raise InputError(f"{path.name!r}, line {reader.line_num}: {error}.") from error


def guess_form(path: Path, *, header: bool | None = None) -> tuple[Form, list[list[str]]]:
    """Guess how a file is written.

    Parameters
    ----------
    path : Path
        A file in UTF-8.
    header : bool or None, default=None
        Whether the first line names the columns; None to guess.

    Returns
    -------
    form : Form
        Separator, decimal sign, names of the columns.
    sample : list of list of str
        The first rows after the header.

    Raises
    ------
    InputError
        If the file is empty, not UTF-8 text, or names two columns alike.
    """
    with _opened(path) as file:
        lines = (file.read(_PEEK) + file.readline()).splitlines(keepends=True)  # whole lines, however long
    try:
        separator, sample = _split(lines)
    except csv.Error as error:
        raise InputError(f"{path.name!r} is not a table of text: {error}.") from error
    if not sample:
        raise InputError(f"{path.name!r} is empty.")
    decimal = _decimal(separator, sample)
    if header is None:
        header = _has_header(sample[0], sample[1] if len(sample) > 1 else None, decimal)
    columns = [field.strip() for field in sample[0]] if header else [""] * len(sample[0])
    row_names = header and len(columns) > 1 and columns[0] == "" and all(columns[1:])
    columns = [name or f"column {j}" for j, name in enumerate(columns)]
    repeated = [name for name, times in Counter(columns).items() if times > 1]
    if repeated:
        raise InputError(f"{path.name!r} has several columns of the same name: {named(repeated)}.")
    return Form(separator, decimal, header, tuple(columns), row_names), sample[1:] if header else sample


@contextmanager
def _opened(path: Path) -> Iterator:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name!r} is not UTF-8 text ({error.reason}): save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error


def _split(lines: list[str]) -> tuple[str, list[list[str]]]:
    """Choose the separator under which most rows have the same number of fields, more than one."""
    best, chosen = -1.0, (",", [])
    for separator in _SEPARATORS:
        rows = [record for record in csv.reader(lines, delimiter=separator) if record]
        width, times = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        score = times / len(rows) if width > 1 else 0.0
        # A comma comes last and so also stands for files of one column.
        if score > best or (separator == "," and best == 0):
            best, chosen = score, (separator, rows)
    return chosen


def _decimal(separator: str, sample: list[list[str]]) -> str:
    if separator == ",":
        return "."
    fields = [field for record in sample for field in record]
    commas = sum(not _is_number(field, ".") and _is_number(field, ",") for field in fields)
    points = sum("." in field and _is_number(field, ".") for field in fields)
    return "," if commas > points else "."


def _is_number(field: str, decimal: str) -> bool:
    try:
        float(field if decimal == "." else field.replace(",", "."))
    except ValueError:
        return False
    return True


def _is_text(field: str, decimal: str) -> bool:
    return field.strip().lower() not in MISSING and not _is_number(field, decimal)


def _has_header(first: list[str], second: list[str] | None, decimal: str) -> bool:
    text = [_is_text(field, decimal) for field in first]
    if any(text) and not any(_is_number(field, decimal) for field in first):
        return True
    if second is not None and any(t and _is_number(field, decimal) for t, field in zip(text, second, strict=False)):
        return True
    # A data frame without names for its columns writes their numbers as the header.
    d = len(first)
    return d >= _COUNTED and first in ([str(j) for j in range(d)], [str(j + 1) for j in range(d)])


def _find_column(form: Form, column: str | int, path: Path) -> int:
    if isinstance(column, str) and column in form.columns:
        return form.columns.index(column)
    if isinstance(column, int) or column.lstrip("-").isdecimal():
        j = int(column)
        if -len(form.columns) <= j < len(form.columns):
            j %= len(form.columns)
            if form.row_names and j == 0:
                raise InputError(f"{path.name!r} has the names of its rows in column 0, so it is no label.")
            return j
    raise InputError(f"{path.name!r} has no column {column!r}; its columns are {named(form.labelled)}.")


def _refuse_text_columns(form: Form, sample: list[list[str]], kept: list[int], *, path: Path) -> None:
    def mostly_text(j: int) -> bool:
        fields = [record[j] for record in sample if len(record) > j]
        filled = [field for field in fields if field.strip().lower() not in MISSING]
        return 2 * sum(_is_text(field, form.decimal) for field in filled) > len(filled)

    odd = [form.columns[j] for j in kept if mostly_text(j)]
    if odd:
        raise InputError(
            f"{path.name!r} has columns that are not numbers: {named(odd)}. Encode them as numbers or drop them; one "
            "column can be taken out as labels."
        )


def _cell_message(form: Form, record: list[str], kept: list[int], *, place: str) -> str:
    for j, field in zip(kept, record, strict=True):
        if field.strip().lower() in MISSING - {"nan"}:
            return f"{place}: the value of column {form.columns[j]!r} is missing; fill it or drop the row."
        if not _is_number(field, form.decimal):
            return f"{place}: column {form.columns[j]!r} holds {field[:40]!r}, which is not a number."
    raise AssertionError(record)


def _refuse_nan(X: np.ndarray, form: Form, kept: list[int], *, path: Path) -> None:
    bad = np.isnan(X)
    if bad.any():
        row, j = np.argwhere(bad)[0]
        place = f"row {row}, column {form.columns[kept[j]]!r}"
        raise InputError(f"{path.name!r} contains NaN, first in {place}; fill it or drop the row.")
