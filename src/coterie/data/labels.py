"""Classes of rows, from a file of their own or from the data: of all rows to evaluate, or of a few to learn from."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.delimited import records
from coterie.data.files import read_npz_labels
from coterie.data.forms import guess_form
from coterie.data.idx import is_idx, read_idx_array
from coterie.data.spreadsheets import as_given
from coterie.data.table import MISSING, tidy_known, tidy_labels
from coterie.data.wording import in_short, named
from coterie.errors import DataWarning, InputError

if TYPE_CHECKING:
    from coterie.data.table import Table

_LABEL_COLUMNS = ("cluster", "label", "labels", "class", "target", "y")
MOST_NAMES = 0.5  # share of a column's fields that must be names of rows for it to say whose the labels are
_TEXT_ENDINGS = (".csv", ".tsv", ".txt")


def load_labels(origin: str | Path, table: Table) -> np.ndarray:
    """Return the known class of each row.

    Parameters
    ----------
    origin : str or Path
        The column that `load_file` took out of the data, or a file: .npy, .npz (key y), IDX (plain or .gz, such as
        ``train-labels-idx1-ubyte.gz``), or text (.csv, .tsv, .txt) with one label a line, with or without a header. Of
        several columns the one called cluster, label, labels, class, target or y is taken. Where rows have names, a
        column called name, or else one that holds such names, says which row a label belongs to; where there is none,
        one called row may hold their numbers from 0.
    table : Table
        The data that the labels are for.

    Returns
    -------
    ndarray of shape (n,)
        int64 if all labels are whole numbers, else str.

    Raises
    ------
    InputError
        If there is no such file or column, the labels are not as many as the rows, one is missing or -1, or a name has
        two.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import Table, load_labels
    >>> table = Table(X=np.zeros((2, 3)), y=np.array([0, 1]), y_name="kind")
    >>> load_labels("kind", table)
    array([0, 1])
    """
    if table.y is not None and str(origin) == table.y_name:
        return table.y
    return _read(Path(origin), table, known=False)


def load_known(origin: str | Path, table: Table) -> np.ndarray:
    """Return the classes of some rows, for a fit that uses them.

    Parameters
    ----------
    origin : str or Path
        The column that was taken out of the data as ``known``, or a file as :func:`load_labels` reads it, in which -1,
        NaN or nothing stands where a label is unknown. In a file with a column of names, rows may be missing.
    table : Table
        The data that the labels are for.

    Returns
    -------
    ndarray of shape (n,)
        int64 with -1, or str with "", where a label is unknown.

    Raises
    ------
    InputError
        If there is no such file or column, the labels are not as many as the rows, none is known, or a name has two.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import Table
    >>> from coterie.data.labels import load_known
    >>> load_known("kind", Table(X=np.zeros((2, 3)), known=np.array([0, -1])))
    array([ 0, -1])
    """
    found = table.known if table.known is not None else _read(Path(origin), table, known=True)
    if (found == ("" if found.dtype.kind == "U" else -1)).all():
        raise InputError(f"The known labels {Path(origin).name!r} name no row's class; leave them out to fit without.")
    return found


def number_classes(known: np.ndarray, n_clusters: object = "auto") -> tuple[np.ndarray, list[str] | None]:
    """Return what :func:`load_known` returned as numbers of clusters.

    Parameters
    ----------
    known : ndarray of shape (n,)
        Classes, int64 or str.
    n_clusters : object, default="auto"
        K, or what leaves it open. Whole numbers are numbers of clusters where all are below K or, if K is open, count
        from 0 without a gap; else, as with years or classes that count from 1, they are names.

    Returns
    -------
    labels : ndarray of shape (n,)
        int64, -1 where unknown.
    names : list of str or None
        The name of each number, texts in alphabetical order; None where classes are numbers of clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data.labels import number_classes
    >>> number_classes(np.array(["oak", "", "elm"]))
    (array([ 1, -1,  0]), ['elm', 'oak'])
    >>> number_classes(np.array([3, -1, 1]), 3), number_classes(np.array([3, -1, 1]), 4)
    ((array([ 1, -1,  0]), ['1', '3']), (array([ 3, -1,  1]), None))
    """
    unknown: str | int = "" if known.dtype.kind == "U" else -1
    found, places = np.unique(known[known != unknown], return_inverse=True)
    whole = known.dtype.kind != "U"
    enough = n_clusters if isinstance(n_clusters, int) else len(found)
    if whole and found[0] >= 0 and found[-1] < enough:
        return known, None
    numbers = np.full(len(known), -1, dtype=np.int64)
    numbers[known != unknown] = places
    return numbers, [str(name) for name in found.tolist()]


def _read(path: Path, table: Table, *, known: bool) -> np.ndarray:
    if not path.is_file():
        raise InputError(_not_found(str(path), table))
    what = f"The label file {path.name!r}"
    ending = path.suffix.lower()
    if ending == ".npy":
        stored = _read_npy(path)
    elif ending == ".npz":
        stored = read_npz_labels(path)
    elif is_idx(path):
        stored = read_idx_array(path)
    elif ending in _TEXT_ENDINGS:
        stored = _from_text(path, table, what, known=known)
    else:
        raise InputError(f"{what} must end in .npy, .npz, .csv, .tsv or .txt, or be named as IDX files are.")
    labels = tidy_known(stored, what) if known else tidy_labels(stored, what)
    _check_count(len(labels), table, what)
    return labels


def _from_text(path: Path, table: Table, what: str, *, known: bool) -> list[str]:
    rows = _lines(path, known) if path.suffix.lower() == ".txt" else _fields(path, known)
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
    elif j is None:
        j = _only_column(given if header else [], len(columns) if rows else 1, what)
    if key is not None:
        called = _own_names([fields[key] for fields in rows], names)
        return _by_name(
            list(zip(called, (fields[j].strip() for fields in rows), strict=True)), names, what, known=known
        )
    _check_count(len(rows), table, what)
    if "row" in columns and columns.index("row") != j:
        rows = _in_order(rows, columns.index("row"), what)
    return [fields[j] for fields in rows]


def _key(columns: list[str], rows: list[list[str]], names: list[str], *, besides: int | None) -> int | None:
    """Return the column, not that of the labels, that says by name whose they are; None if there is none."""
    called = columns.index("name") if "name" in columns else None
    by_number = "row" in columns and (called is None or len(set(names)) < len(names))
    if not names or by_number:
        return None
    shares = _shares_of_names(rows, names)
    # Numbers of folds and the like may be names of rows too, but come again and again.
    distinct = [len({fields[c] for fields in rows}) / len(rows) for c in range(len(columns))]
    able = [c for c, share in enumerate(shares) if share >= MOST_NAMES and (c == called or distinct[c] >= MOST_NAMES)]
    able = [c for c in able if c != besides]
    return max(able, key=lambda c: (shares[c], c == called, distinct[c]), default=called)


def _heads_names(rows: list[list[str]], names: list[str]) -> bool:
    """Return whether the first line is a heading above names of rows, however many of them follow."""
    first, below = rows[0], rows[1:]
    if not names or not below or len(first) == 1:
        return False
    shares = _shares_of_names(below, names)
    key = int(np.argmax(shares))
    return "name" in first or (shares[key] >= MOST_NAMES and not _shares_of_names([first], names)[key])


def _shares_of_names(rows: list[list[str]], names: list[str]) -> list[float]:
    """Return which share of each column's fields are names of rows."""
    known = set(names)
    columns = [_own_names([fields[c] for fields in rows], names) for c in range(len(rows[0]))]
    return [sum(name in known for name in column) / len(column) for column in columns]


def _own_names(found: list[str], names: list[str]) -> list[str]:
    """Return names as the rows have them: some were made harmless for spreadsheets, or stand among spaces."""
    known = set(names)
    ways = [(name, name.strip(), as_given(name), as_given(name.strip())) for name in found]
    return [next((way for way in tried if way in known), tried[0]) for tried in ways]


def _in_order(rows: list[list[str]], column: int, what: str) -> list[list[str]]:
    """Return rows by their numbers: a file that coterie wrote may have been sorted by something else since."""
    try:
        numbers = [int(fields[column]) for fields in rows]
    except ValueError:
        return rows  # a column of that name with something else in it
    if sorted(numbers) != list(range(len(rows))):
        raise InputError(f"{what} must have each row's number from 0 to {len(rows) - 1} once in its column 'row'.")
    return [fields for _, fields in sorted(zip(numbers, rows, strict=True))]


def _has_header(rows: list[list[str]], n: int) -> bool:
    """Return whether the first line is a heading. A label taken for one, or the reverse, would move all by a row."""
    first, one_more = [field.strip() for field in rows[0]], len(rows) == n + 1
    usual = any(field.lower() in _LABEL_COLUMNS for field in first)
    if len(first) > 1:
        return usual or one_more
    below = {fields[0].strip() for fields in rows[1:]}
    if first[0] in below:  # where a class is called y, say, only the number of lines tells
        return usual and one_more
    # Above numbers a number is one of them, but for 0, which data frames write above a column without a name.
    filled = [field for field in below if field.lower() not in MISSING]
    return usual or (one_more and (first[0] == "0" or not _are_numbers([*first, *filled])))


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool(np.isfinite(np.array(fields).astype(np.float64)).all())
    except ValueError:
        return False


def _fields(path: Path, known: bool) -> list[list[str]]:
    form, _ = guess_form(path, header=False)
    if known and len(form.columns) == 1:  # where an empty line is no record, but a row without a label
        return [record or [""] for record in csv.reader(line for (line,) in _lines(path, known))]
    return [fields for _, fields in records(path, form)]


def _lines(path: Path, known: bool) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"The label file {path.name!r} cannot be read as UTF-8 text: {error}.") from error
    return [[line] for line in text.splitlines() if known or line.strip()]


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
        warnings.warn(f"{said} and the like. Their labels are not used.", DataWarning, stacklevel=5)
    return [labels.get(name, "") for name in names]


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise InputError(f"The label file {path.name!r} cannot be read: {in_short(error)}.") from error


def _check_count(count: int, table: Table, what: str) -> None:
    if count != len(table):
        raise InputError(f"{what} must have one label for each of the {len(table)} rows. Got {count} instead.")


def _not_found(origin: str, table: Table) -> str:
    if table.feature_names and origin in table.feature_names:
        return (
            f"The column {origin!r} is still one of the features: name it when the data are loaded, so that it is not."
        )
    taken = f"; the data's labels are called {table.y_name!r}" if table.y_name else ""
    return f"The labels {origin!r} are neither a file nor a label column of the data{taken}."
