"""Classes of rows, from a file of their own or from the data: of all rows to evaluate, or of a few to learn from."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.files import read_npz_labels
from coterie.data.idx import is_idx, read_idx_array
from coterie.data.labeltext import check_count, read_text_labels
from coterie.data.table import tidy_known, tidy_labels
from coterie.data.wording import in_short
from coterie.errors import InputError

if TYPE_CHECKING:
    from coterie.data.table import Table

_TEXT_ENDINGS = (".csv", ".tsv", ".txt")


def load_labels(origin: str | Path, table: Table) -> np.ndarray:
    """Return the known class of each row.

    Parameters
    ----------
    origin : str or Path
        The column that `load_file` took out of the data, or a file: .npy, .npz (key y), IDX (plain or .gz, such as
        ``train-labels-idx1-ubyte.gz``), or text (.csv, .tsv, .txt) with one label a line, with or without a header. Of
        several columns the first is taken that is there of label, labels, class, target, y and cluster. Where rows have
        names, a column called name, or else one that holds such names, says which row a label belongs to; where there
        is none, one called row may hold their numbers from 0.
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
        NaN or nothing stands where a label is unknown. In a file with a column of names, or of numbers from 0 that is
        called row, rows may be missing.
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
    enough = int(n_clusters) if isinstance(n_clusters, Integral) else len(found)
    if whole and (len(found) == 0 or (found[0] >= 0 and found[-1] < enough)):
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
        stored = read_text_labels(path, table, known=known)
    else:
        raise InputError(f"{what} must end in .npy, .npz, .csv, .tsv or .txt, or be named as IDX files are.")
    labels = tidy_known(stored, what) if known else tidy_labels(stored, what)
    check_count(len(labels), table, what)
    return labels


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise InputError(f"The label file {path.name!r} cannot be read: {in_short(error)}.") from error


def _not_found(origin: str, table: Table) -> str:
    if table.feature_names and origin in table.feature_names:
        return (
            f"The column {origin!r} is still one of the features: name it when the data are loaded, so that it is not."
        )
    taken = f"; the data's labels are called {table.y_name!r}" if table.y_name else ""
    return f"The labels {origin!r} are neither a file nor a label column of the data{taken}."
