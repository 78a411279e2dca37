"""What a file, a folder or a benchmark set holds, before anything is checked or scaled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?"})  # as they stand in files, in lower case
# A -1 as data frames and spreadsheets write it beside cells that are empty, and numpy.savetxt; -1,000 is a thousand.
_MINUS_ONE = re.compile(r"-1(\.0*([eE][+-]?0+)?|,0{0,2})?")
_WORDS = ("na", "null", "none")  # those of them that could as well be a class
# Numbers as spreadsheets, data frames and numpy.savetxt write them; 007 is none.
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)(?P<float>(?:\.\d*)?(?:[eE][+-]?\d+)?)")
_EXACT = 2**53  # below which a float64 holds every whole number
_DIGITS = 20  # from which on a number is beyond that, whatever it is
_TWO_CLASSES = {-1, 1}  # as support vector machines and outlier detectors call them


class MissingColumn(InputError):
    """A column to take out of data that have none of that name; data without their labels may be read without it."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as they were stored, with what is known about them.

    Attributes
    ----------
    X : ndarray of shape (n, d), (n, H, W) or (n, H, W, C)
        The rows in their own dtype and units; memory-mapped where the file allows it.
    names : list of str of length n or None, default=None
        A name for each row: the file's path inside a folder of images, or the row names of a CSV file.
    y : ndarray of shape (n,) or None, default=None
        Known classes, integers or strings, if the data came with any. They only ever serve to evaluate.
    feature_names : list of str of length d or None, default=None
        Names of the columns of `X`.
    y_name : str or None, default=None
        The column that `y` was taken from.
    skipped : tuple of (str, str), default=()
        File name and reason for each file that could not be read.
    known : ndarray of shape (n,) or None, default=None
        Classes of some rows that a fit may use, as :func:`tidy_known` returns them.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import Table
    >>> len(Table(X=np.zeros((3, 2))))
    3
    """

    X: np.ndarray
    names: list[str] | None = None
    y: np.ndarray | None = None
    feature_names: list[str] | None = None
    y_name: str | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    known: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)


def tidy_labels(values: Sequence[str] | np.ndarray, what: str) -> np.ndarray:
    """Return labels as integers where all are whole numbers, else as strings.

    Parameters
    ----------
    values : sequence of str or ndarray of shape (n,) or (n, 1)
        Labels as they were stored.
    what : str
        What messages call them.

    Returns
    -------
    ndarray of shape (n,)
        Of dtype int64 or str.

    Raises
    ------
    InputError
        If a label is missing or -1, or the labels are no single column. Where all are -1 or 1, these are two classes.
    """
    labels, missing = _column(values, what)
    if missing.any():
        raise InputError(f"{what}: there is no label in row {int(np.argmax(missing))}; every row needs one.")
    labels = _whole_if_all_are(labels)
    unknown = labels == ("-1" if labels.dtype.kind == "U" else -1)
    if unknown.any() and set(labels.tolist()) != _TWO_CLASSES:
        raise InputError(
            f"{what}: -1 in row {int(np.argmax(unknown))} stands for a label that is not known; every row "
            "needs one, only labels to learn from (--known) may have gaps."
        )
    return labels


def tidy_known(values: Sequence[str] | np.ndarray, what: str) -> np.ndarray:
    """Return labels of which some are missing, as integers where all others are whole numbers, else as strings.

    Parameters
    ----------
    values : sequence of str or ndarray of shape (n,) or (n, 1)
        Labels as they were stored; -1, NaN, NA, none, null, ? or nothing where one is unknown.
    what : str
        What messages call them.

    Returns
    -------
    ndarray of shape (n,)
        Of dtype int64 with -1, or str with "", where a label is unknown.

    Raises
    ------
    InputError
        If the labels are no single column.

    Warns
    -----
    DataWarning
        If na, none or null stands for no label beside labels that are words: it could be one of them.

    Examples
    --------
    >>> from coterie.data.table import tidy_known
    >>> tidy_known(["3", "", "0"], "This"), tidy_known(["elm", "-1", "oak"], "This").tolist()
    (array([ 3, -1,  0]), ['elm', '', 'oak'])
    """
    labels, missing = _column(values, what)
    missing |= _is_minus_one(labels) if labels.dtype.kind == "U" else labels == -1
    found = _whole_if_all_are(labels[~missing])
    if found.dtype.kind == "U":
        _warn_of_words(labels[missing], what)
    whole = np.full(len(labels), -1 if found.dtype.kind == "i" else "", dtype=found.dtype)
    whole[~missing] = found
    return whole


def is_missing(label: str) -> bool:
    """Return whether a text in a file of known labels says that there is none.

    Parameters
    ----------
    label : str
        Without spaces around it.

    Returns
    -------
    bool
        True for "-1", also with a decimal point as other programs write it, "NA" and the like.

    Examples
    --------
    >>> from coterie.data.table import is_missing
    >>> is_missing("NA"), is_missing("-1.0"), is_missing("oak")
    (True, True, False)
    """
    return _MINUS_ONE.fullmatch(label) is not None or label.lower() in MISSING


def _is_minus_one(labels: np.ndarray) -> np.ndarray:
    return np.array([_MINUS_ONE.fullmatch(label) is not None for label in labels.tolist()], dtype=bool)


def _column(values: Sequence[str] | np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as one column, and where they are missing."""
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "buifUST":
        raise InputError(f"{what} must be one column of numbers or text. Got {labels.dtype} of shape {labels.shape}.")
    if labels.dtype.kind in "bui":
        wide = labels.dtype.kind == "u" and labels.size > 0 and int(labels.max()) > np.iinfo(np.int64).max
        return labels.astype(np.str_ if wide else np.int64), np.zeros(len(labels), dtype=bool)
    if labels.dtype.kind == "f":
        return labels, np.isnan(labels)
    if labels.dtype.kind == "T":  # which NumPy does not turn into text of one width
        labels = np.array([str(text) for text in labels.tolist()], dtype=np.str_)
    labels = np.char.strip(labels.astype(np.str_))
    return labels, np.isin(np.char.lower(labels), list(MISSING))


def _warn_of_words(taken: np.ndarray, what: str) -> None:
    """Warn where a word that may be a class was taken for a label that is not known."""
    words = {str(word): int(n) for word, n in zip(*np.unique(taken, return_counts=True), strict=True)}
    if told := [f"{word!r} in {n:,} rows" for word, n in words.items() if word.lower() in _WORDS]:
        message = f"{what}: {', '.join(told)} stands for no label; if it is a class, write another word for it."
        warn(message, DataWarning)


def _whole_if_all_are(labels: np.ndarray) -> np.ndarray:
    """Return labels as int64 if all are whole numbers as they are usually written, else as text: 007 is no 7."""
    if labels.dtype.kind == "i":
        return labels
    if labels.dtype.kind == "f":
        whole = bool((np.abs(labels) < _EXACT).all() and (labels == np.rint(labels)).all())
        return labels.astype(np.int64) if whole else labels.astype(np.str_)
    numbers = [_whole(text) for text in labels.tolist()]
    return labels.astype(np.str_) if None in numbers else np.array(numbers, dtype=np.int64)


def _whole(text: str) -> int | None:
    """Return the whole number that a text stands for, None for anything else."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    number = float(text) if found["float"] or len(text) > _DIGITS else int(text)
    return int(number) if abs(number) < _EXACT and number == int(number) else None
