"""How a delimited file is written, guessed from its beginning."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from coterie.data.table import MISSING
from coterie.data.wording import named
from coterie.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDINGS = (".csv", ".tsv")
_PEEK = 1 << 16  # characters from which separator, header and text columns are guessed
_SEPARATORS = "\t;,|"  # in this order: a comma is often found inside fields, and a bar in those of any other file
_COUNTED = 3  # a first line of numbers that follow each other may be a header from this many on
_WHOLE = re.compile(r"\s*\d{1,9}\s*")
_DECIMAL = re.compile(r"\s*\d{1,9}(\.\d{1,9})?\s*")
_SIGN = re.compile(r"\s*([#№%]|\d+\+|\d+-\d+|\d{4}\*)\s*")  # names without a letter; others stand for values
_YEAR = re.compile(r"\s*(19|20)\d\d\s*")


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
    with opened(path) as file:
        lines = list(io.StringIO(file.read(_PEEK) + file.readline(), newline=""))  # whole lines, however long
    try:
        separator, sample = _split(lines)
    except csv.Error as error:
        raise InputError(f"{path.name!r} is not a table of text: {error}.") from error
    if not sample:
        raise InputError(f"{path.name!r} is empty.")
    decimal = decimal_of(separator, sample)
    if header is None and _lacks_a_corner(sample[0], sample[1:], separator):
        sample[0], header = ["", *sample[0]], True
    if header is None:
        header = _has_header(sample[0], sample[1:], decimal)
    columns = [field.strip() for field in sample[0]] if header else [""] * len(sample[0])
    row_names = header and len(columns) > 1 and columns[0] == "" and all(columns[1:])
    columns = [name or f"column {j}" for j, name in enumerate(columns)]
    repeated = [name for name, times in Counter(columns).items() if times > 1]
    if repeated:
        raise InputError(f"{path.name!r} has several columns of the same name: {named(repeated)}.")
    return Form(separator, decimal, header, tuple(columns), row_names), sample[1:] if header else sample


@contextmanager
def opened(path: Path) -> Iterator:
    """Open a text file in UTF-8, plain or .gz, with or without a byte order mark, with errors of one sentence."""
    how: Any = {"mode": "rt", "encoding": "utf-8-sig", "newline": ""}
    try:
        with gzip.open(path, **how) if path.suffix.lower() == ".gz" else path.open(**how) as file:
            yield file
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name!r} is not UTF-8 text ({error.reason}): save it as UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def is_delimited(path: Path) -> bool:
    """Return whether a name is that of a CSV or TSV file, plain or .gz."""
    return path.name.lower().removesuffix(".gz").endswith(ENDINGS)


def _split(lines: list[str]) -> tuple[str, list[list[str]]]:
    """Choose the separator under which most rows have the same number of fields, more than one."""
    best, chosen = -1.0, (",", [])
    for separator in _SEPARATORS:
        rows = [record for record in csv.reader(lines, delimiter=separator) if record]
        width, times = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        score = times / len(rows) if width > 1 else 0.0
        # A comma also stands for files of one column.
        if score > best or (separator == "," and best == 0):
            best, chosen = score, (separator, rows)
    return chosen


def decimal_of(separator: str, sample: list[list[str]]) -> str:
    """Return the decimal sign that most of the fields show."""
    if separator == ",":
        return "."
    fields = [field for record in sample for field in record]
    commas = sum(not is_number(field, ".") and is_number(field, ",") for field in fields)
    points = sum("." in field and is_number(field, ".") for field in fields)
    return "," if commas > points else "."


def is_number(field: str, decimal: str) -> bool:
    """Return whether a field holds a number, NaN included, written with this decimal sign."""
    try:
        float(field if decimal == "." else field.replace(",", "."))
    except ValueError:
        return False
    return "_" not in field  # 2021_01 is a name to all but Python


def is_place(text: str) -> bool:
    """Return whether a text can be the number of a column, counted from 0 or, if negative, from the end."""
    return re.fullmatch(r"-?\d{1,9}", text) is not None


def is_text(field: str, decimal: str) -> bool:
    """Return whether a field holds something that is neither missing nor a number."""
    return field.strip().lower() not in MISSING and not is_number(field, decimal)


def _has_header(first: list[str], rows: list[list[str]], decimal: str) -> bool:
    text = [is_text(field, decimal) for field in first]
    if any(text) and not any(is_number(field, decimal) for field in first):
        return True
    words = [
        t and (any(map(str.isalpha, field)) or _SIGN.fullmatch(field) is not None)
        for t, field in zip(text, first, strict=True)
    ]
    if rows and any(word and is_number(field, decimal) for word, field in zip(words, rows[0], strict=False)):
        return True
    numbers = [j for j, field in enumerate(first) if _DECIMAL.fullmatch(field)]
    others = len(first) - len(numbers) - (first[0] == "")  # where the first column has the names of the rows
    return sum(text) == others and (_counts(first, rows, numbers) or _measures(first, rows, numbers))


def _lacks_a_corner(first: list[str], rows: list[list[str]], separator: str) -> bool:
    """Return whether rows have one field more than the first line, as R writes names of rows with nothing above."""
    names = [row[0] for row in rows if row]
    if {len(row) for row in rows} != {len(first) + 1} or len(set(names)) < len(names):
        return False
    if not all(is_number(name, ".") or is_number(name, ",") for name in names):
        return True
    # Numbers are names where they cannot be values: not where a decimal comma may have made two fields of one.
    whole = all(_WHOLE.fullmatch(name) for name in names) and not any(is_number(field, ".") for field in first)
    return whole and len(first) > 1 and separator != ","


def _counts(first: list[str], rows: list[list[str]], numbers: list[int]) -> bool:
    """Return whether the numbers of a first line count its columns, as 2019, 2020, 2021 do, and are no values."""
    start = _run_start(first, numbers)
    if start is None:
        return False
    below = _run_start(rows[0], numbers) if rows and len(rows[0]) == len(first) else None
    if start in (0, 1) and len(numbers) == len(first):
        # So a data frame writes columns without names, whatever it holds, unless the rows go on counting.
        return below is None or not start < below <= start + len(first)
    # Any other run may be a row by chance, but then some value of it comes again in its column.
    again = any(field.strip() == name.strip() for row in rows for field, name in zip(row, first, strict=False))
    return bool(rows) and below is None and not again


def _measures(first: list[str], rows: list[list[str]], numbers: list[int]) -> bool:
    """Return whether the numbers of a first line are steps of a scale, as wavelengths or two years are.

    They are equally far from each other, the row below is no such row, and each lies outside its column: a year by any
    distance, another number by more than any two neighbouring values are apart, as the first of sorted rows may be.
    """
    years = len(numbers) > 1 and _are_years(first, numbers)
    if not rows or not (years or len(numbers) >= _COUNTED) or not _even_steps(first, numbers):
        return False
    if _are_years(rows[0], numbers) or (len(numbers) >= _COUNTED and _even_steps(rows[0], numbers)):
        return False
    for j in numbers:
        column = sorted(float(row[j]) for row in rows if len(row) == len(first) and is_number(row[j], "."))
        gap = max((right - left for left, right in itertools.pairwise(column)), default=0.0)
        around = 0.0 if years else gap
        if gap == 0 or column[0] - around <= float(first[j]) <= column[-1] + around:
            return False
    return True


def _are_years(fields: list[str], numbers: list[int]) -> bool:
    return all(j < len(fields) and _YEAR.fullmatch(fields[j]) for j in numbers)


def _even_steps(fields: list[str], numbers: list[int]) -> bool:
    """Return whether the numbers at these places rise, or fall, by the same each."""
    if not all(j < len(fields) and _DECIMAL.fullmatch(fields[j]) for j in numbers):
        return False
    scale = [Decimal(fields[j].strip()) for j in numbers]
    steps = {right - left for left, right in itertools.pairwise(scale)}
    return len(steps) == 1 and 0 not in steps


def _run_start(fields: list[str], numbers: list[int]) -> int | None:
    """Return where the numbers at these places start, if they are whole and each is the last one plus 1."""
    if len(numbers) < _COUNTED or not all(_WHOLE.fullmatch(fields[j]) for j in numbers):
        return None
    run = [int(fields[j]) for j in numbers]
    return run[0] if run == list(range(run[0], run[0] + len(run))) else None
