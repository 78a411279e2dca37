"""Label files of text: which column holds the labels, and which says whose they are."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.delimited import records
from coterie.data.forms import guess_form
from coterie.data.rownames import are_names, own_names
from coterie.data.spreadsheets import as_given
from coterie.data.table import MISSING
from coterie.data.wording import named
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from pathlib import Path

    from coterie.data.table import Table

_LABEL_COLUMNS = ("label", "labels", "class", "target", "y", "cluster")  # the first of these that is there
# Headings of names, besides "row".
_NAMING = ("name", "id", "file", "filename", "file_name", "path", "image", "image_id")
_NUMBERS = "row"  # heading of the rows' numbers
MOST_NAMES = 0.5  # share of a column's fields that must be names of rows for it to say whose the labels are


def read_text_labels(path: Path, table: Table, *, known: bool) -> list[str]:
    """Return the labels in a text file, one for each row.

    Parameters
    ----------
    path : Path
        A .csv, .tsv or .txt file with one label a line, with or without a heading, or with several columns, of which
        one may say by name or number whose each label is.
    table : Table
        The rows.
    known : bool
        Whether labels may be missing.

    Returns
    -------
    list of str of length n
        As they stand there; "" where one is missing.

    Raises
    ------
    InputError
        If they are not as many as the rows, or it cannot be told which column holds them, or whose they are.
    """
    what = f"The label file {path.name!r}"
    rows = _lines(path, known) if path.suffix.lower() == ".txt" else _fields(path, known)
    rows = [fields or [""] for fields in _without_last_line(rows, len(table), what)]
    if not rows:
        raise InputError(f"{what} is empty.")
    names = table.names or []
    header = _has_header(rows, len(table)) or _heads_names(rows, names)
    columns = [field.strip().lower() for field in rows[0]] if header else [""] * len(rows[0])
    given, rows = rows[0], rows[1:] if header else rows
    j = next((columns.index(name) for name in _LABEL_COLUMNS if name in columns), None)
    key = _key(columns, rows, names, besides=j) if rows and len(columns) > 1 else None
    if j is None and len(columns) == 2 and key is not None:
        j = 1 - key
    elif j is None and len(columns) == 2 and _numbered(rows, columns) is not None:
        j = 1 - columns.index(_NUMBERS)
    elif j is None:
        j = _only_column(given if header else [], len(columns) if rows else 1, what)
    if key is not None:
        called = own_names([fields[key] for fields in rows], names)
        return _by_name(
            list(zip(called, (as_given(fields[j].strip()) for fields in rows), strict=True)), names, what, known=known
        )
    numbers = None if _NUMBERS in columns and columns.index(_NUMBERS) == j else _numbered(rows, columns)
    if numbers is None and names and len(columns) > 1:
        _check_order(columns, rows, names, besides=j, what=what)
    if numbers is None or not known:
        check_count(len(rows), table, what)
    labels = [as_given(fields[j].strip()) for fields in rows]
    return labels if numbers is None else _by_number(list(zip(numbers, labels, strict=True)), len(table), what)


def _key(columns: list[str], rows: list[list[str]], names: list[str], *, besides: int | None) -> int | None:
    """Return the column, not that of the labels, that says by name whose they are; None if there is none."""
    called = columns.index("name") if "name" in columns else None
    shares = _shares_of_names(rows, names) if names else []
    says_nothing = called is None or not names or len(set(names)) < len(names) or shares[called] < MOST_NAMES
    if not names or (_NUMBERS in columns and says_nothing):
        return None
    # Numbers of folds and the like may be names of rows too, but come again and again.
    distinct = [len({fields[c] for fields in rows}) / len(rows) for c in range(len(columns))]
    able = [c for c, share in enumerate(shares) if share >= MOST_NAMES and (c == called or distinct[c] >= MOST_NAMES)]
    able = [c for c in able if c != besides and columns[c] != _NUMBERS]
    return max(able, key=lambda c: (shares[c], c == called, distinct[c]), default=called)


def _check_order(columns: list[str], rows: list[list[str]], names: list[str], *, besides: int, what: str) -> None:
    """Refuse labels beside names that no row has, and warn where nothing says whose they are."""
    told = f"no row is called as its columns have it; rows are called {names[0]!r} and the like"
    for c, column in enumerate(columns):
        fields = [field for fields in rows if (field := fields[c].strip()).lower() not in MISSING]
        # What stands behind the labels and is not called as names are may be anything about the rows.
        naming = c != besides and (c < besides or column in _NAMING or are_names(fields, names))
        if not naming or len(set(fields)) < len(fields) or len(fields) < 2:
            continue
        if not _are_numbers(fields):
            raise InputError(f"{what} has names such as {fields[0]!r} beside its labels, but {told}.")
        if all(map(str.isdecimal, fields)) and {int(b) - int(a) for a, b in itertools.pairwise(fields)} != {1}:
            said = f"has numbers such as {fields[0]!r} beside its labels, but {told}"
            warn(f"{what} {said}: the labels are taken in their order.", DataWarning)


def _heads_names(rows: list[list[str]], names: list[str]) -> bool:
    """Return whether the first line is a heading above names of rows, however many of them follow."""
    first, below = rows[0], rows[1:]
    if not names or not below or len(first) == 1:
        return False
    if "name" in [field.strip().lower() for field in first]:
        return True
    shares = _shares_of_names(below, names)
    key = int(np.argmax(shares))
    called = own_names([row[key] for row in rows], names)[0]  # beside the others, as these lack an ending or a folder
    return shares[key] >= MOST_NAMES and (first[key].strip().lower() in _NAMING or called not in names)


def _shares_of_names(rows: list[list[str]], names: list[str]) -> list[float]:
    """Return which share of each column's fields are names of rows."""
    known = set(names)
    columns = [own_names([fields[c] for fields in rows], names) for c in range(len(rows[0]))]
    return [sum(name in known for name in column) / len(column) for column in columns]


def _numbered(rows: list[list[str]], columns: list[str]) -> list[int] | None:
    """Return the rows' numbers: a file that coterie wrote may have been sorted by something else since."""
    if not rows or _NUMBERS not in columns:
        return None
    column = columns.index(_NUMBERS)
    found = [re.fullmatch(r"(-?\d{1,18})(\.0*)?", fields[column].strip()) for fields in rows]  # 3.0 once had gaps below
    numbers = [int(number[1]) for number in found if number is not None]
    return numbers if len(numbers) == len(rows) else None  # else it has something else in it


def _by_number(pairs: list[tuple[int, str]], n: int, what: str) -> list[str]:
    """Return a label for each of n rows, "" for those that are not there."""
    found = dict(pairs)
    odd = next((i for i in found if not 0 <= i < n), None)
    if odd is not None or len(found) < len(pairs):
        told = "two lines of one number" if odd is None else f"row {odd}"
        raise InputError(
            f"{what} must have each row's number from 0 to {n - 1} once in its column 'row'. Got {told} instead."
        )
    return [found.get(i, "") for i in range(n)]


def _has_header(rows: list[list[str]], n: int) -> bool:
    """Return whether the first line is a heading. A label taken for one, or the reverse, would move all by a row."""
    first, one_more = [field.strip() for field in rows[0]], len(rows) == n + 1
    usual = any(field.lower() in _LABEL_COLUMNS for field in first)
    if len(first) > 1:
        return usual or one_more or _numbered(rows[1:], [field.lower() for field in first]) is not None
    below = {fields[0].strip() for fields in rows[1:]}
    if first[0] in below:  # where a class is called y, say, only the number of lines tells
        return usual and one_more
    return usual or (one_more and _may_be_heading(first[0], below))


def _may_be_heading(first: str, below: Collection[str]) -> bool:
    """Return whether a field above others, which it is not among, may be what they are called."""
    # Above numbers a number is one of them, but for 0, which data frames write above a column without a name.
    filled = [field for field in below if field.lower() not in MISSING]
    return first not in below and (first == "0" or not _are_numbers([first, *filled]))


def _without_last_line(rows: list[list[str]], n: int, what: str) -> list[list[str]]:
    """Return the lines without an empty one at the end that is one too many, unless it is the heading that is."""
    if len(rows) != n + 1 or any(field.strip() for field in rows[-1]) or rows[-1] == [""]:
        return rows
    first, *below = (fields[0].strip() if fields else "" for fields in rows)
    if first.lower() in _LABEL_COLUMNS and first not in below:
        return rows
    if first and _may_be_heading(first, below):
        raise InputError(
            f"{what} has {n + 1} lines for {n} rows: either {first!r} is a heading, or the empty line at the end is "
            "one too many. Call the heading 'label', or leave the last line out."
        )
    return rows[:-1]


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool(np.isfinite(np.array(fields).astype(np.float64)).all())
    except ValueError:
        return False


def _fields(path: Path, known: bool) -> list[list[str]]:
    form, _ = guess_form(path, header=False)
    if known and len(form.columns) == 1:  # where an empty line is a row without a label
        try:
            return list(csv.reader(io.StringIO(_text(path), newline="")))
        except csv.Error as error:
            raise InputError(f"The label file {path.name!r} cannot be read: {error}.") from error
    return [fields for _, fields in records(path, form)]


def _lines(path: Path, known: bool) -> list[list[str]]:
    # Not with splitlines, which cuts at characters that may stand within a label too.
    lines = (line.rstrip("\n") for line in io.StringIO(_text(path), newline=None))
    return [[line] if line.strip() else [] for line in lines if known or line.strip()]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"The label file {path.name!r} cannot be read as UTF-8 text: {error}.") from error


def _only_column(columns: list[str], width: int, what: str) -> int:
    """Return the first column where there is no other, none of them having the heading of labels."""
    if width == 1:
        return 0
    found = f"Its columns are {named(columns)}" if columns else "It has no header"
    raise InputError(f"{what} must have one column, or name one of {', '.join(_LABEL_COLUMNS)}. {found}.")


def _by_name(pairs: list[tuple[str, str]], names: list[str], what: str, *, known: bool) -> list[str]:
    labels: dict[str, str] = {}
    for name, label in pairs:
        if labels.setdefault(name, label) != label:
            raise InputError(f"{what} must have one label for {name!r}. Got {named([labels[name], label])} instead.")
    missing = [name for name in names if name not in labels]
    if missing and not known:
        raise InputError(f"{what} has no label for {named(missing)}.")
    rows = set(names)
    strangers = [name for name in labels if name not in rows]
    if strangers and known:
        said = f"{what} names {len(strangers)} that no row has, such as {strangers[0]!r}; rows are called {names[0]!r}"
        if len(strangers) == len(labels):
            raise InputError(f"{said} and the like.")
        warn(f"{said} and the like. Their labels are not used.", DataWarning)
    return [labels.get(name, "") for name in names]


def check_count(count: int, table: Table, what: str) -> None:
    """Refuse labels that are not as many as the rows.

    Parameters
    ----------
    count : int
        Their number.
    table : Table
        The rows.
    what : str
        What messages call the labels.

    Raises
    ------
    InputError
        If there are more, or fewer.
    """
    if count != len(table):
        raise InputError(f"{what} must have one label for each of the {len(table)} rows. Got {count} instead.")
