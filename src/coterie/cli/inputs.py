"""DATA and --labels: from what is typed to rows and known classes."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.cli.columns import ALL_FEATURES, Aside, check_columns, check_width, holds_features_alone
from coterie.data import DataSpec, Source, Table, load_file, load_labels, make_source
from coterie.data.forms import is_delimited
from coterie.data.idx import is_idx, stem_of
from coterie.data.labels import load_known, number_classes
from coterie.data.table import MissingColumn
from coterie.datasets import DATASETS, Dataset, load
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coterie.cli.settings import RunSettings

_CLASSES = ("label", "labels", "class", "target")  # columns called so are rarely features
_COUNTED = 10  # rows from which a column of 1, 2, 3, ... is no chance


@dataclass(frozen=True, eq=False)
class Data:
    """Rows that were opened and checked.

    Attributes
    ----------
    name : str
        What to call them.
    source : Source
        The rows.
    names : list of str or None
        A name for each row.
    y : ndarray of shape (n,) or None
        Classes that only ever serve to evaluate.
    known : ndarray of shape (n,) or None
        Classes that the fit learns from, -1 where unknown.
    classes : list of str or None
        The names of those classes, by number, where they have any.
    """

    name: str
    source: Source
    names: list[str] | None = None
    y: np.ndarray | None = None
    known: np.ndarray | None = None
    classes: list[str] | None = None


def resolve_data(text: str, folder: Path | None = None) -> str:
    """Return a benchmark set's name as it is, and anything else as an absolute path.

    Parameters
    ----------
    text : str
        DATA as typed. Where a file has the name of a benchmark set, ``./name`` means the file.
    folder : Path or None, default=None
        Where a relative path starts; None is the working folder.

    Returns
    -------
    str
        Name or path.
    """
    return text if text in DATASETS else _absolute(text, folder)


def resolve_labels(text: str, folder: Path | None = None) -> str:
    """Return the absolute path of a label file that exists, and a column's name as it is.

    Parameters
    ----------
    text : str
        FILE or COLUMN as typed.
    folder : Path or None, default=None
        Where a relative path starts; None is the working folder.

    Returns
    -------
    str
        Path or column.
    """
    path = _absolute(text, folder)
    return path if os.path.isfile(path) else text


def open_data(
    data: str,
    *,
    aside: Aside = ALL_FEATURES,
    strict: bool = False,
    image_shape: Sequence[int] | None = None,
    scaling: str = "auto",
    n_clusters: object = "auto",
    spec: DataSpec | None = None,
) -> Data:
    """Read rows to fit on.

    Parameters
    ----------
    data : str
        What :func:`resolve_data` returned.
    aside : Aside, default=ALL_FEATURES
        What is no feature; labels as :func:`resolve_labels` returned them.
    strict : bool, default=False
        Refuse a folder with unreadable images.
    image_shape : sequence of int or None, default=None
        Makes images of flat rows, and all images of a folder this size.
    scaling : str, default="auto"
        As in :func:`coterie.data.make_source`.
    n_clusters : object, default="auto"
        K, which tells numbers of clusters from other known classes (:func:`coterie.data.labels.number_classes`).
    spec : DataSpec or None, default=None
        What the rows must look like, where a fit goes on from another one; their scaling is that of then.

    Returns
    -------
    Data
        The rows with names and known classes where there are any.

    Raises
    ------
    InputError
        If rows or labels cannot be used.

    Warns
    -----
    DataWarning
        If a column of the features is called as classes are, or counts the rows.
    """
    how: dict[str, Any] = {"image_shape": image_shape}
    if spec is not None:
        how = {"image_shape": spec.image_shape, "deep": _depth(spec)}
    table = _read(data, aside, strict=strict, **how)
    _warn_of_no_features(table)
    labels, known = aside.labels, aside.known
    y = table.y
    if labels and (y is None or data in DATASETS or os.path.isabs(labels)):
        y = load_labels(labels, table)  # else a column, which reading has taken out by name or by number
    if spec is None:
        how = {"image_shape": image_shape, "scaling": scaling, "feature_names": table.feature_names}
        source = make_source(table.X, **how, name="DATA")
    else:
        check_columns(table.feature_names, spec, name_of(data))
        source = make_source(table.X, spec=spec, name="DATA", feature_names=table.feature_names or spec.feature_names)
    part, classes = (None, None) if known is None else number_classes(load_known(known, table), n_clusters)
    return Data(name_of(data), source, table.names, y, part, classes)


def _warn_of_no_features(table: Table) -> None:
    """Warn of columns that are clustered and are likely to tell of no property of the rows."""
    for j, name in enumerate(table.feature_names or []):
        flag = shlex.quote(name)
        if name.strip().lower() in _CLASSES:
            said = f"if it holds classes, say --labels {flag} to compare with them, or else --drop {flag}"
        elif len(table) >= _COUNTED and (np.diff(table.X[:, j]) == 1).all():
            said = f"it counts the rows: --names {flag} makes it their name, --drop {flag} leaves it out"
        else:
            continue
        warn(f"The column {name!r} is clustered as a feature; {said}.", DataWarning)


def open_like(data: str, spec: DataSpec, *, aside: Aside = ALL_FEATURES, strict: bool = False) -> Data:
    """Read rows for a fitted model.

    Parameters
    ----------
    data : str
        What :func:`resolve_data` returned.
    spec : DataSpec
        What the rows of the fit were.
    aside : Aside, default=ALL_FEATURES
        Columns that were no features of the fit; set aside here too where they are found.
    strict : bool, default=False
        Refuse a folder with unreadable images.

    Returns
    -------
    Data
        The rows.

    Raises
    ------
    InputError
        If they are not of the kind that was fitted.
    """
    if aside and data not in DATASETS and holds_features_alone(Path(data), spec):
        aside = ALL_FEATURES  # a number would take one of them out
    check_width(Path(data), spec, aside)
    how: dict[str, Any] = {"strict": strict, "image_shape": spec.image_shape, "complete": False, "deep": _depth(spec)}
    try:
        table = _read(data, aside, **how)
    except MissingColumn:
        table = _read_new(data, aside, **how)
    check_columns(table.feature_names, spec, name_of(data))
    names = table.feature_names or spec.feature_names  # of columns, for messages
    return Data(name_of(data), make_source(table.X, spec=spec, name="DATA", feature_names=names), table.names)


def reopen(settings: RunSettings, spec: DataSpec, data: str | None = None, *, strict: bool | None = None) -> Data:
    """Read the rows of a run again, or others for its model, without the columns that it took for classes.

    Parameters
    ----------
    settings : RunSettings
        What the run was begun with.
    spec : DataSpec
        What the rows of the fit were.
    data : str or None, default=None
        What :func:`resolve_data` returned; None is the data of the run.
    strict : bool or None, default=None
        Refuse a folder with unreadable images; None is what the run did.

    Returns
    -------
    Data
        The rows.

    Raises
    ------
    InputError
        If they are not there, or not of the kind that was fitted.
    """
    where, strict = settings.data if data is None else data, settings.strict if strict is None else strict
    return open_like(where, spec, aside=settings.aside, strict=strict)


def name_of(data: str) -> str:
    """Return what to call a data set: its name, or the last part of its path without a file's ending."""
    path = Path(data)
    if is_idx(path):
        return stem_of(path)
    if is_delimited(path):
        return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    return path.stem if path.suffix.lower() in (".npy", ".npz") else path.name


def _depth(spec: DataSpec) -> bool | None:
    """Return whether images of more than 8 bits a pixel were fitted; None where their values do not tell."""
    if spec.dtype == "uint8":
        return False
    return True if spec.dtype.startswith("float") and spec.scaling == "unit" and not spec.divides_bytes else None


def _read_new(data: str, aside: Aside, **how: Any) -> Table:
    """Read rows that may lack one column with labels, or both."""
    if aside.labels is not None and aside.known is not None:
        for kept in (replace(aside, known=None), replace(aside, labels=None)):
            try:
                return _read(data, kept, **how)
            except MissingColumn:
                continue
    return _read(data, replace(aside, labels=None, known=None), **how)


def _read(
    data: str,
    aside: Aside,
    *,
    strict: bool,
    image_shape: Sequence[int] | None,
    complete: bool = True,
    deep: bool | None = None,
) -> Table:
    if data in DATASETS:
        odd = aside.drop or ((aside.names,) if aside.names else ())
        if odd and complete:
            what = "columns to drop" if aside.drop else "column of names"
            raise InputError(f"A benchmark set has no {what}. Got {', '.join(odd)} for {data!r}.")
        return _with_named_classes(load(data), DATASETS[data])
    path = Path(data)
    if not path.exists():
        raise InputError(
            f"There is no file or folder {data!r}, and no benchmark set of that name ({', '.join(DATASETS)})."
        )
    columns = aside.columns
    shape = image_shape if path.is_dir() else None
    how: dict[str, Any] = {"strict": strict, "complete": complete, "image_shape": shape, "deep": deep}
    return load_file(path, column=columns.labels, known=columns.known, names=columns.names, drop=columns.drop, **how)


def _with_named_classes(table: Table, info: Dataset) -> Table:
    """Call classes by their names in the place of their numbers, unless these are the same."""
    if table.y is None or info.classes == tuple(map(str, range(len(info.classes)))):
        return table
    return replace(table, y=np.array(info.classes)[table.y])


def _absolute(text: str, folder: Path | None) -> str:
    return os.path.abspath(Path(folder or "") / os.path.expanduser(text))  # as it stands where it names no user
