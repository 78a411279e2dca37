"""The file formats in which the benchmark sets are published."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from coterie.data.delimited import read_delimited
from coterie.data.idx import read_idx_array
from coterie.data.table import Table
from coterie.data.wording import DAMAGE
from coterie.datasets.texts import read_newsgroups
from coterie.errors import InputError

__all__ = ["READERS", "read_college", "read_csv_zip", "read_idx", "read_letter_zip", "read_libsvm"]


def read_idx(paths: Sequence[Path]) -> Table:
    """Read IDX files, images and labels in turn, and join the parts.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Images, labels, images, labels and so on, plain or gzipped.

    Returns
    -------
    Table
        With the images in pixels from 0 to 255, uint8 of shape (n, height, width), and the labels.

    Raises
    ------
    InputError
        If a file is not IDX of unsigned bytes, or is damaged.
    """
    arrays = [read_idx_array(path) for path in paths]
    for path, values in zip(paths, arrays, strict=True):
        if values.dtype != np.uint8:
            raise InputError(f"{path} is not an IDX file of unsigned bytes.")
    return Table(X=np.concatenate(arrays[0::2]), y=np.concatenate(arrays[1::2]).astype(np.int64))


def read_libsvm(paths: Sequence[Path]) -> Table:
    """Read square images in LIBSVM's text format, whose labels count from 1, and join the parts.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files of lines ``label 1:value 2:value ...``, plain, ``.gz`` or ``.bz2``; all of one width.

    Returns
    -------
    Table
        With the images in the units of the files, float32 of shape (n, side, side), and the labels from 0.

    Raises
    ------
    InputError
        If a file cannot be read, or its rows are no square images.
    """
    from sklearn.datasets import load_svmlight_files

    try:
        parts = load_svmlight_files([str(path) for path in paths], dtype=np.float32, zero_based=False)
    except (EOFError, OSError, ValueError) as error:
        names = ", ".join(str(path) for path in paths)
        raise InputError(f"{names} cannot be read as LIBSVM text ({error}).") from error
    x = np.concatenate([part.toarray() for part in parts[0::2]])
    y = np.concatenate(parts[1::2]).astype(np.int64) - 1
    side = round(x.shape[1] ** 0.5)
    if side * side != x.shape[1]:
        raise InputError(f"{paths[0]} does not hold square images: its rows have {x.shape[1]} values.")
    return Table(X=x.reshape(len(x), side, side), y=y)


def read_csv_zip(paths: Sequence[Path]) -> Table:
    """Read whole numbers from the ``.tra`` and ``.tes`` members of a zip archive; the last column is the label.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One archive.

    Returns
    -------
    Table
        With the rows, training part first, in the units of the file (0 to 100), uint8, and the labels.

    Raises
    ------
    InputError
        If the archive cannot be read or lacks a part.
    """
    table = _whole_numbers(paths[0], (".tra", ".tes"))
    return Table(X=table[:, :-1].astype(np.uint8), y=table[:, -1])


def read_letter_zip(paths: Sequence[Path]) -> Table:
    """Read the ``.data`` member of a zip archive: a capital letter, then whole numbers.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One archive.

    Returns
    -------
    Table
        With the rows in the units of the file (0 to 15), uint8, and the labels, 0 for A.

    Raises
    ------
    InputError
        If the archive cannot be read or lacks the member.
    """
    table = _whole_numbers(paths[0], (".data",), {0: lambda letter: ord(letter.strip()) - ord("A")})
    return Table(X=table[:, 1:].astype(np.uint8), y=table[:, 0])


def read_college(paths: Sequence[Path]) -> Table:
    """Read the College table, with the colleges' names in its first column or without them.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One CSV file.

    Returns
    -------
    Table
        With the 17 columns of numbers, float64, and the labels: 1 where ``Private`` is Yes.

    Raises
    ------
    InputError
        If the file is no such table.
    """
    table = read_delimited(paths[0], column="Private")
    assert table.y is not None  # a column was named
    odd = set(table.y.tolist()) - {"No", "Yes"}
    if odd:
        raise InputError(f"The column 'Private' of {paths[0]} must hold Yes or No. Got {odd.pop()!r} instead.")
    return replace(table, y=(table.y == "Yes").astype(np.int64))


def _whole_numbers(path: Path, endings: Sequence[str], converters: Any = None) -> np.ndarray:
    """Read the members of a zip archive with these endings, in this order, as one table."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for ending in endings for name in archive.namelist() if name.endswith(ending)]
            parts = []
            for name in names:
                with archive.open(name) as stream:
                    table = np.loadtxt(
                        stream, delimiter=",", dtype=np.int64, ndmin=2, encoding="ascii", converters=converters
                    )
                    parts.append(table)
    except DAMAGE as error:
        raise InputError(f"{path} cannot be read as a zip archive of comma-separated numbers ({error}).") from error
    if not parts:
        raise InputError(f"{path} holds no {' or '.join(endings)} file.")
    return np.concatenate(parts)


READERS: dict[str, Callable[[Sequence[Path]], Table]] = {
    "idx": read_idx,
    "libsvm": read_libsvm,
    "csv-zip": read_csv_zip,
    "letter-zip": read_letter_zip,
    "college": read_college,
    "newsgroups": read_newsgroups,
}
