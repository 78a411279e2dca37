"""Data from a path: arrays, tables and folders of images."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.delimited import read_delimited
from coterie.data.forms import is_delimited
from coterie.data.idx import is_idx, read_idx_array
from coterie.data.images import load_folder
from coterie.data.table import MissingColumn, Table, tidy_known, tidy_labels
from coterie.data.wording import DAMAGE, in_short, named
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = "end in .npy, .npz, .csv, .tsv, .csv.gz or .tsv.gz, be named as IDX files are (such as images-idx3-ubyte.gz)"
_TABLES = (".xlsx", ".xls", ".ods", ".parquet", ".feather")  # of other programs, which can write CSV too
_X_KEYS = (("x",), ("data",), ("x_train", "x_test"), ("x_train",), ("arr_0",))
_Y_KEYS = (("y",), ("labels",), ("target",), ("y_train", "y_test"), ("y_train",))

# An archive may unpack to 8 GiB in all, and beyond 256 MiB to 200 times its size at most.
_MOST_ENTRIES, _MOST_BYTES = 1000, 8 << 30
_ANY_RATIO_BYTES, _MOST_RATIO = 256 << 20, 200


def load_file(  # noqa: PLR0913 - each column of a table that is no feature, and how to read what is no table
    path: str | Path,
    *,
    strict: bool = False,
    column: str | int | None = None,
    known: str | None = None,
    names: str | int | None = None,
    drop: Sequence[str | int] = (),
    complete: bool = True,
    image_shape: Sequence[int] | None = None,
    max_side: int = 64,
    deep: bool | None = None,
) -> Table:
    r"""Read a data file or a folder of images.

    Parameters
    ----------
    path : str or Path
        A .npy file (memory-mapped), a .npz file (keys x, X, data or arr_0, or x_train and x_test one after the other;
        labels y likewise), a CSV or TSV file of numbers (plain or .gz), an IDX file (plain or .gz, such as
        ``train-images-idx3-ubyte.gz``), or a folder of images, searched with its subfolders.
    strict : bool, default=False
        Refuse a folder in which an image cannot be read, instead of leaving that image out with a warning.
    column : str or int or None, default=None
        A column of a CSV or TSV file to take out as labels, by name or by number from 0; a key of a .npz file; or
        "folder" for images that lie in one folder a class.
    known : str or None, default=None
        A column or key to take out as labels of some rows, in the same way.
    names : str or int or None, default=None
        A column of a CSV or TSV file with the names of its rows, by name or by number from 0.
    drop : sequence of str or int, default=()
        Columns of a CSV or TSV file to leave out, by name or by number from 0, such as remarks.
    complete : bool, default=True
        Refuse labels that some rows lack; -1 is no label. False for data whose labels nobody will look at, and which
        may lack columns of names or to drop.
    image_shape : (H, W) or (H, W, C) or None, default=None
        Size and channels (1 or 3) of the images; None lets the images decide, as `max_side` says.
    max_side : int, default=64
        Largest side of the images in pixels. Their size is the one that at least half of them have, else the median
        height and width; reduced to `max_side` on the longer side.
    deep : bool or None, default=None
        Depth of grey images in the result: True scales 8-bit ones up to 16 bits, False scales deeper ones down to 8;
        give what the fitted images had. None decides by the images: deep if all of them are.

    Returns
    -------
    Table
        The rows as stored, and names, labels and columns where there are any.

    Raises
    ------
    InputError
        If the path is missing, of an unknown kind, damaged, or holds something else than rows of numbers.

    Warns
    -----
    DataWarning
        If images were left out.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from coterie.data import load_file
    >>> path = Path(tempfile.mkdtemp()) / "plants.csv"
    >>> _ = path.write_text("height,width,kind\n1.5,2,oak\n3,4,elm\n")
    >>> table = load_file(path, column="kind")
    >>> table.feature_names, table.y.tolist()
    (['height', 'width'], ['oak', 'elm'])
    """
    path = Path(path)
    if (drop or names is not None) and complete and not is_delimited(path):
        what = "columns to drop" if drop else "a column of names"
        raise InputError(f"Only a CSV or TSV file has {what}. Got {path.name!r} instead.")
    if path.is_dir():
        _refuse_column(path, known)
        return load_folder(path, strict=strict, column=column, image_shape=image_shape, max_side=max_side, deep=deep)
    if not path.is_file():
        raise InputError(f"There is no file or folder {str(path)!r}.")
    ending = path.suffix.lower()
    if ending == ".npy":
        _refuse_column(path, known)
        return _read_npy(path, column)
    if ending == ".npz":
        return _read_npz(path, column, known, complete=complete)
    if is_delimited(path):
        return read_delimited(path, column=column, known=known, names=names, drop=drop, complete=complete)
    if is_idx(path):
        _refuse_column(path, column)
        _refuse_column(path, known)
        return Table(X=read_idx_array(path))
    advice = " Save the table as CSV." if ending in _TABLES else ""
    raise InputError(f"A data file must {_KINDS}, or be a folder of images. Got {path.name!r} instead.{advice}")


def read_npz_labels(path: Path) -> np.ndarray:
    """Return the labels in a .npz file, or its only array.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray of shape (n,)
        As stored.

    Raises
    ------
    InputError
        If the file is damaged or holds several arrays of which none is called y.
    """
    with _Archive(path) as archive:
        found = archive.first_of(_Y_KEYS)
        if found is None and len(archive.keys) == 1:
            found = tuple(archive.keys)
        if found is None:
            raise InputError(f"{path.name!r} must hold labels as y. Its keys are {named(list(archive.keys))}.")
        return archive.read(found)


def _refuse_column(path: Path, column: str | int | None) -> None:
    if column is not None:
        what = "is a folder" if path.is_dir() else "is one array"
        raise MissingColumn(f"{path.name!r} {what} and has no column {column!r}: pass the labels in a file.")


def _read_npy(path: Path, column: str | int | None) -> Table:
    _refuse_column(path, column)
    try:
        return Table(X=np.load(path, mmap_mode="r", allow_pickle=False))
    except DAMAGE as error:
        raise InputError(f"{path.name!r} cannot be read as an array of numbers: {in_short(error)}.") from error


def _read_npz(path: Path, column: str | int | None, known: str | None, *, complete: bool) -> Table:
    with _Archive(path) as archive:
        for key in (column, known):
            if key is not None and str(key).lower() not in archive.keys:
                raise MissingColumn(f"{path.name!r} has no key {key!r}. Its keys are {named(list(archive.keys))}.")
        found = archive.first_of(_X_KEYS)
        if found is None and column is None and len(archive.keys) == 1:
            found = tuple(archive.keys)
        if found is None:
            keys = named(list(archive.keys.values()))
            raise InputError(
                f"{path.name!r} must hold its rows as x, data, arr_0, or x_train and x_test. Its keys are {keys}."
            )
        usual = [keys for keys in _Y_KEYS if known is None or keys != (known.lower(),)]
        labels = archive.first_of(usual) if column is None else (str(column).lower(),)
        y = None if labels is None else _labels_of(archive, labels, path, asked=column is not None, complete=complete)
        part = None if known is None else tidy_known(archive.read((known.lower(),)), f"The labels {known!r}")
        X = archive.read(found)
    if y is not None and (X.ndim == 0 or len(y) != len(X)):
        key = column if column is not None else "/".join(labels or ())
        raise InputError(
            f"{path.name!r} holds {len(y)} labels ({key}) for rows of shape {X.shape}; "
            "give the key of others, or leave these out of the file."
        )
    if part is not None and (X.ndim == 0 or len(part) != len(X)):
        raise InputError(f"{path.name!r} holds {len(part)} labels called {known!r} for rows of shape {X.shape}.")
    return Table(X=X, y=y, y_name=None if y is None or labels is None else str(column or labels[0]), known=part)


def _labels_of(
    archive: _Archive, keys: tuple[str, ...], path: Path, *, asked: bool, complete: bool
) -> np.ndarray | None:
    """Return the labels of all rows; None, with a warning, where nobody asked for them and they are none."""
    try:
        return (tidy_labels if complete else tidy_known)(archive.read(keys), f"The labels in {path.name!r}")
    except InputError as error:
        if asked:
            raise
        warn(f"Rows are not compared with {'/'.join(keys)} of {path.name!r}. {error}", DataWarning)
        return None


class _Archive:
    """The arrays of a .npz file, read one at a time after their sizes were checked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _Archive:
        try:
            self._check_sizes()
            self._arrays = np.load(self._path, allow_pickle=False)
            self.keys = {key.lower(): key for key in self._arrays.files}
            if len(self.keys) < len(self._arrays.files):
                names = ", ".join(map(repr, sorted(self._arrays.files, key=str.lower)))
                self._arrays.close()
                raise InputError(f"{self._path.name!r} has keys that differ only in case; its keys are {names}.")
        except DAMAGE as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self._path.name!r} is not a .npz archive of arrays: {error}.") from error
        return self

    def __exit__(self, *details: object) -> None:
        self._arrays.close()

    def _check_sizes(self) -> None:
        with zipfile.ZipFile(self._path) as archive:
            entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        ratio = unpacked / max(self._path.stat().st_size, 1)
        if (
            len(entries) > _MOST_ENTRIES
            or unpacked > _MOST_BYTES
            or (unpacked > _ANY_RATIO_BYTES and ratio > _MOST_RATIO)
        ):
            raise InputError(
                f"{self._path.name!r} would unpack to {unpacked:,} bytes in {len(entries)} arrays, more than a data "
                "set should: save the rows as .npy."
            )

    def first_of(self, choices: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
        """Return the first choice whose keys are all there."""
        return next((keys for keys in choices if all(key in self.keys for key in keys)), None)

    def read(self, keys: tuple[str, ...]) -> np.ndarray:
        """Return the arrays of these keys one after the other."""
        try:
            parts = [self._arrays[self.keys[key]] for key in keys]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
        except DAMAGE as error:
            raise InputError(f"{self._path.name!r} cannot be read: {error}.") from error
