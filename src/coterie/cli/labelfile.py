"""``labels.csv`` and its like: a row's number, its name if it has one, its cluster, and what else is known of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coterie.errors import InputError
from coterie.files import write_text

if TYPE_CHECKING:
    import numpy as np

OWN_COLUMNS = ("row", "name", "cluster", "cluster_name", "confidence")  # the others come from elsewhere
LABELS = "labels.csv"

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four are full-width


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
    text = io.StringIO()
    # Python's writer leaves a bare carriage return unquoted, which readers take for the end of a line.
    quoting = csv.QUOTE_ALL if any("\r" in name for name in names or ()) else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    named = {} if names is None else {"name": list(map(defuse, names))}
    every = {"row": range(len(next(iter(columns.values())))), **named, **columns}
    writer.writerow(every)
    writer.writerows(zip(*every.values(), strict=True))
    write_text(path, text.getvalue())


def defuse(name: str) -> str:
    """Return a name that a spreadsheet takes for text: one that it would run as a formula gets a ``'`` in front.

    Parameters
    ----------
    name : str
        Name of a row, perhaps chosen by a stranger.

    Returns
    -------
    str
        The name, made harmless.

    Examples
    --------
    >>> defuse("=cmd()"), defuse("cat.png")
    ("'=cmd()", 'cat.png')
    """
    return f"'{name}" if name.startswith(_FORMULA) else name


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
    called : dict of int to str
        Names of clusters of the first run.
    """

    titles: list[str]
    labels: list[np.ndarray]
    names: list[str] | None
    called: dict[int, str]


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
    if len(runs) < len(("one", "another")):
        raise InputError(f"compare needs at least two runs. Got {len(runs)}.")
    names, labels, called = zip(*(_read(run / LABELS if run.is_dir() else run) for run in runs), strict=True)
    for run, named, found in zip(runs[1:], names[1:], labels[1:], strict=True):
        if len(found) != len(labels[0]):
            raise InputError(f"{runs[0]} and {run} are not of the same rows: {len(labels[0]):,} and {len(found):,}.")
        other = next((i for i, pair in enumerate(zip(names[0], named, strict=True)) if pair[0] != pair[1]), None)
        if other is not None:
            told = f"row {other} is {names[0][other]!r} in one and {named[other]!r} in the other"
            raise InputError(f"{runs[0]} and {run} are not of the same rows: {told}.")
    return Labelled(_titles(runs), list(labels), list(names[0]) if any(names[0]) else None, called[0])


def _read(path: Path) -> tuple[list[str], np.ndarray, dict[int, str]]:
    import numpy as np

    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        labels = np.array([int(row["cluster"]) for row in rows], dtype=np.int64)
        called = {int(row["cluster"]): row["cluster_name"] for row in rows if row.get("cluster_name")}
        return [row.get("name") or "" for row in rows], labels, called
    except FileNotFoundError:
        raise InputError(f"There is no {path}; compare takes finished runs.") from None
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} has no column of whole numbers called 'cluster'.") from None


def _titles(runs: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that differ; paths that are the same are numbered."""
    parts = [run.resolve().parts for run in runs]
    for size in range(1, max(map(len, parts)) + 1):
        titles = ["/".join(each[-size:]) for each in parts]
        if len(set(titles)) == len(titles):
            return titles
    return [f"{title} ({number})" for number, title in enumerate(titles, 1)]


def write_comparison(path: str | Path, runs: Labelled, support: np.ndarray) -> None:
    """Write the clusters of each row in every run as CSV, atomically.

    Parameters
    ----------
    path : path
        The file to make or replace.
    runs : Labelled
        The runs, their clusters numbered alike.
    support : ndarray of shape (n,)
        Share of the runs that agree on the row's cluster, in (0, 1].
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    named = [] if runs.names is None else [list(map(defuse, runs.names))]
    writer.writerow(["row", *(["name"] if named else []), *map(defuse, runs.titles), "agreement"])
    shares = [f"{value:.6f}" for value in support.tolist()]
    writer.writerows(zip(range(len(support)), *named, *(each.tolist() for each in runs.labels), shares, strict=True))
    write_text(path, text.getvalue())
