"""``labels.csv`` and its like: a row's number, its name if it has one, its cluster, and what else is known of it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coterie.data.spreadsheets import as_given, defuse
from coterie.errors import InputError
from coterie.files import write_text
from coterie.runfiles import LABELS

if TYPE_CHECKING:
    import numpy as np

    from coterie.report.comparison import Comparison

_LARGEST = 2**53  # number of a cluster: spreadsheets hold whole numbers exactly up to here
_OWN_COLUMNS = {"row", "name", "agreement"}  # of what compare writes, beside those of the runs
_SEPARATORS = ",;\t"  # ours, and those of spreadsheets where the comma is the decimal sign


def write_labels(
    path: str | Path,
    labels: np.ndarray,
    confidence: np.ndarray,
    *,
    names: Sequence[str] | None,
    more: Mapping[str, Sequence[str]] | None = None,
    cluster_names: Sequence[str | None] = (),
) -> None:
    """Write clusters as CSV, atomically.

    Parameters
    ----------
    path : path
        The file to make or replace.
    labels : ndarray of shape (n,)
        Clusters.
    confidence : ndarray of shape (n,)
        Probability of that cluster, in [0, 1].
    names : sequence of str or None
        A name for each row, such as its file's.
    more : mapping of str to sequence of str, default=None
        Further columns, by their headings.
    cluster_names : sequence of str or None of length K, default=()
        Names of clusters; where one has a name there is a column ``cluster_name``, since ``name`` is the row's.
    """
    columns: dict[str, Sequence[object]] = {"cluster": labels.tolist()}
    if any(cluster_names):
        called = [defuse(name or "") for name in cluster_names]
        columns["cluster_name"] = [called[k] for k in labels.tolist()]
    columns["confidence"] = [f"{value:.6f}" for value in confidence.tolist()]
    write_rows(path, columns | dict(more or {}), names=names)


def write_rows(
    path: str | Path, columns: Mapping[str, Sequence[object]], *, names: Sequence[str] | None = None
) -> None:
    """Write what there is to say of each row as CSV, atomically.

    Parameters
    ----------
    path : path
        The file to make or replace.
    columns : mapping of str to sequence
        Values by the column's heading; the row's number, and its name if it has one, come before them.
    names : sequence of str or None, default=None
        A name for each row.
    """
    _write(path, list(columns), list(columns.values()), names=names)


def _write(
    path: str | Path, headings: list[str], columns: list[Sequence[object]], *, names: Sequence[str] | None
) -> None:
    named = [] if names is None else [list(map(defuse, names))]
    headings = ["row", *(["name"] if named else []), *headings]
    write_text(path, as_csv([headings, *zip(range(len(columns[0])), *named, *columns, strict=True)]))


def as_csv(lines: Sequence[Sequence[object]]) -> str:
    """Return the text of a CSV file.

    Parameters
    ----------
    lines : sequence of sequence
        The cells of each line, the headings first.

    Returns
    -------
    str
        Text that readers take apart into the same cells.
    """
    # Python's writer leaves a bare carriage return unquoted, which readers take for the end of a line.
    bare = any("\r" in cell for line in lines for cell in line if isinstance(cell, str))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL).writerows(lines)
    return text.getvalue()


def rows_in_order(
    path: Path, n: int | None = None, *, whole: bool = False, partial: bool = False
) -> list[dict[str, str]]:
    """Read a file that :func:`write_rows` wrote, by the numbers of its rows: a spreadsheet may have sorted the lines.

    Parameters
    ----------
    path : Path
        The file.
    n : int or None, default=None
        Number of rows that it is for; None is as many as it has.
    whole : bool, default=False
        Refuse two columns with the same heading, of which only the last is returned: for files to be written again.
    partial : bool, default=False
        Let rows be missing, which have nothing in each column then.

    Returns
    -------
    list of dict of length n
        What each row has in each column, row 0 first; a column without a heading is called "".

    Raises
    ------
    InputError
        If it cannot be read, its rows are not numbered from 0 to n - 1, each once, or two columns have one heading.
    """
    try:
        headings, lines = _columns(path)
        rows = [dict(zip(headings, line, strict=True)) for line in lines]
        numbers = [int(row["row"]) for row in rows]
    except (KeyError, TypeError, ValueError, csv.Error):
        raise InputError(f"{path} has no column of whole numbers called 'row'.") from None
    if whole:
        _refuse_repeated(headings, path)
    n = len(rows) if n is None else n
    placed = dict(zip(numbers, rows, strict=True))
    if partial and len(placed) == len(rows) and placed.keys() < set(range(n)):
        placed |= {i: dict.fromkeys(headings, "") | {"row": str(i)} for i in set(range(n)) - placed.keys()}
    elif len(rows) != n or placed.keys() != set(range(n)):
        told = f"{len(rows):,} rows" if len(rows) != n else _odd_number(numbers)
        raise InputError(f"The rows of {path} must be numbered from 0 to {n - 1}, each once. Got {told} instead.")
    return [placed[i] for i in range(n)]


def _columns(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return headings and lines of one length, without the empty columns that spreadsheets add."""
    # Spreadsheets put a mark in front; names of files that are not UTF-8 stand there as the bytes they are.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        text = file.read()

    def taken_apart(separator: str) -> Iterator[list[str]]:
        return filter(any, csv.reader(io.StringIO(text, newline=""), delimiter=separator))

    separator = next((each for each in _SEPARATORS if "row" in next(taken_apart(each), [])), ",")
    lines = list(taken_apart(separator))
    width = max(map(len, lines), default=0)
    lines = [line + [""] * (width - len(line)) for line in lines]
    filled = [j for j, column in enumerate(zip(*lines, strict=True)) if any(column)]
    headings, *lines = [[line[j] for j in filled] for line in lines] or [[]]
    return headings, lines


def _refuse_repeated(headings: list[str], path: Path) -> None:
    heading, times = max(Counter(headings).items(), key=lambda pair: pair[1], default=("", 1))
    if times > 1:
        told = f"called {heading!r}" if heading else "without a heading"
        raise InputError(f"Each column of {path} must have a heading of its own. Got {times} columns {told} instead.")


def _odd_number(numbers: list[int]) -> str:
    """Return the first number that as many rows cannot have, in words."""
    times, n = Counter(numbers), len(numbers)
    odd = next(i for i in numbers if times[i] > 1 or not 0 <= i < n)
    return f"{times[odd]} rows of number {odd}" if times[odd] > 1 else f"a row of number {odd}"


@dataclass(frozen=True)
class Labelled:
    """The clusters of the same rows in several runs.

    Parameters
    ----------
    titles : list of str
        What to call each run: the shortest end of its path that no other one has.
    labels : list of ndarray of shape (n,)
        Clusters in each run, int64.
    names : list of str or None
        The rows' names, where they have any.
    all_named : bool
        Whether all runs have them.
    called : list of dict of int to str
        Names of clusters of each run, by their numbers there.
    """

    titles: list[str]
    labels: list[np.ndarray]
    names: list[str] | None
    all_named: bool
    called: list[dict[int, str]]


def read_runs(runs: Sequence[Path]) -> Labelled:
    """Read the clusters of several runs.

    Parameters
    ----------
    runs : sequence of path
        Run folders, or files like their ``labels.csv``; at least two.

    Returns
    -------
    Labelled
        Their clusters.

    Raises
    ------
    InputError
        If there are too few, one cannot be read, or they are not of the same rows.
    """
    if len(runs) < 2:
        raise InputError(f"compare needs at least two runs. Got {len(runs)}.")
    names, labels, called = zip(*(_read(run / LABELS if run.is_dir() else run) for run in runs), strict=True)
    for run, found in zip(runs[1:], labels[1:], strict=True):
        if len(found) != len(labels[0]):
            raise InputError(f"{runs[0]} and {run} are not of the same rows: {len(labels[0]):,} and {len(found):,}.")
    with_names = [(run, named) for run, named in zip(runs, names, strict=True) if any(named)]
    for run, named in with_names[1:]:
        first, theirs = with_names[0]
        other = next((i for i, pair in enumerate(zip(theirs, named, strict=True)) if pair[0] != pair[1]), None)
        if other is not None:
            told = f"row {other} is {theirs[other]!r} in one and {named[other]!r} in the other"
            raise InputError(f"{first} and {run} are not of the same rows: {told}.")
    all_named, named = len(with_names) == len(runs), with_names[0][1] if with_names else None
    return Labelled(_titles(runs), list(labels), named, all_named, list(called))


def _read(path: Path) -> tuple[list[str], np.ndarray, dict[int, str]]:
    import numpy as np

    try:
        rows = rows_in_order(path)
    except FileNotFoundError:
        raise InputError(f"There is no {path}; compare takes finished runs.") from None
    try:
        labels = np.array([int(row["cluster"]) for row in rows], dtype=np.int64)
        called = {int(row["cluster"]): as_given(row["cluster_name"]) for row in rows if row.get("cluster_name")}
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(f"{path} has no column of whole numbers called 'cluster'.") from None
    if (wrong := (labels < 0) | (labels > _LARGEST)).any():  # as some write rows that are in no cluster
        row = int(wrong.argmax())
        raise InputError(
            f"The clusters of {path} must be numbers from 0 to {_LARGEST}. Got {labels[row]} in row {row} instead."
        )
    return [as_given(row.get("name") or "") for row in rows], labels, called


def _titles(runs: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that differ and head a column; paths that are the same are numbered."""
    parts = [run.resolve().parts for run in runs]
    for size in range(1, max(map(len, parts)) + 1):
        titles = [str(Path(*each[-size:])) for each in parts]
        if len(set(titles)) == len(titles) and not _OWN_COLUMNS & set(titles):
            return titles
    return [f"{title} ({number})" for number, title in enumerate(titles, 1)]


def write_compared(path: str | Path, found: Comparison) -> None:
    """Write the clusters of each row in every run as CSV, atomically.

    Parameters
    ----------
    path : path
        The file to make or replace.
    found : Comparison
        The runs.
    """
    shares = [f"{value:.6f}" for value in found.support.tolist()]
    _write(path, [*map(defuse, found.titles), "agreement"], [*found.labels.tolist(), shares], names=found.names)
