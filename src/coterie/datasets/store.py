"""Where the benchmark sets are kept, how they get there, and how they are checked."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Literal, overload

import numpy as np

from coterie.data.table import Table
from coterie.data.wording import DAMAGE
from coterie.datasets.formats import READERS
from coterie.datasets.registry import Dataset, RemoteFile, find
from coterie.errors import DatasetMissingError, InputError

__all__ = ["data_home", "load", "load_mnist10k", "rows_digest", "status"]

logger = logging.getLogger(__name__)
_EMBEDDED = Path(__file__).parent / "embedded"
_LARGEST_SMALL = 32_000  # thousandths


def data_home() -> Path:
    """Return the folder in which downloaded data sets are kept.

    Returns
    -------
    pathlib.Path
        ``$COTERIE_DATA_HOME`` where that is set, else a folder in the user's cache. It need not exist yet.

    Examples
    --------
    >>> data_home().is_absolute()
    True
    """
    chosen = os.environ.get("COTERIE_DATA_HOME")
    if chosen:
        return Path(os.path.expanduser(chosen)).absolute()  # as it stands where it names no user
    from platformdirs import user_cache_path

    return user_cache_path("coterie", appauthor=False) / "datasets"


def status(dataset: str | Dataset) -> Literal["embedded", "stored", "not stored"]:
    """Tell whether a data set can be loaded without a download.

    Parameters
    ----------
    dataset : str or Dataset
        A key of ``DATASETS``, or a description of another set.

    Returns
    -------
    str
        ``"embedded"`` for a set that coterie ships, ``"stored"`` for one whose files are in the data home, else
        ``"not stored"``. Checksums are only looked at when the set is loaded.

    Raises
    ------
    InputError
        If there is no set of that name.

    Examples
    --------
    >>> status("mnist10k")
    'embedded'
    """
    info = dataset if isinstance(dataset, Dataset) else find(dataset)
    if info.embedded:
        return "embedded"
    home = data_home()
    files = [home / info.name / file.name for file in info.files]
    stored = (home / info.archive).is_file() or (bool(files) and all(file.is_file() for file in files))
    return "stored" if stored else "not stored"


@overload
def load(dataset: str | Dataset, *, return_table: Literal[True] = True) -> Table: ...
@overload
def load(dataset: str | Dataset, *, return_table: Literal[False]) -> tuple[np.ndarray, np.ndarray]: ...
def load(dataset: str | Dataset, *, return_table: bool = True) -> Table | tuple[np.ndarray, np.ndarray]:
    """Load a benchmark set, train and test parts together; download it on first use.

    A ready-made file in the data home (``mnist.npz`` and so on, see ``Dataset.archive``) is preferred.
    Otherwise the files of the set's own host are taken from the data home or downloaded to it. Either way the content
    is checked against a sha256 before it is used.

    Parameters
    ----------
    dataset : str or Dataset
        A key of ``DATASETS``: ``"mnist10k"``, ``"mnist"``, ``"fashion-mnist"``, ``"usps"``, ``"pendigits"``,
        ``"emnist"``, ``"letter"``, ``"college"``, ``"20newsgroups"``; or a description of another set in one of the
        known layouts.
    return_table : bool, default=True
        Give a :class:`coterie.data.Table`; otherwise only the two arrays.

    Returns
    -------
    table : Table
        With rows ``X``, labels ``y`` and the names of the columns. Only if `return_table`.
    X : ndarray, shape (n, height, width) or (n, features)
        The rows: uint8 from 0 to 255 for the MNIST family, float32 from -1 to 1 for USPS, uint8 from 0 to 100 for
        Pendigits and from 0 to 15 for Letter, float64 for College, float32 TF-IDF (see
        :func:`coterie.datasets.texts.tfidf`) for 20 Newsgroups. Only if not `return_table`.
    y : ndarray of int64, shape (n,)
        The labels, from 0. Only if not `return_table`.

    Raises
    ------
    InputError
        If there is no set of that name, or a file in the data home holds something else.
    DatasetMissingError
        If the set is not stored and cannot be downloaded.

    Examples
    --------
    >>> table = load("mnist10k")
    >>> table.X.shape, table.X.dtype
    ((10000, 28, 28), dtype('uint8'))
    """
    info = dataset if isinstance(dataset, Dataset) else find(dataset)
    if info.embedded:
        table = _read_npz(_EMBEDDED / info.archive)
    elif (data_home() / info.archive).is_file():
        table = _load_archive(info, data_home() / info.archive)
    else:
        table = _load_published(info)
    if not return_table:
        assert table.y is not None  # every set has labels, or it would be no benchmark
        return table.X, table.y
    return replace(table, feature_names=list(info.feature_names)) if info.feature_names else table


def load_mnist10k() -> tuple[np.ndarray, np.ndarray]:
    """Load the embedded MNIST-10k: the 10,000 test images of MNIST.

    Returns
    -------
    X : ndarray of uint8, shape (10000, 28, 28)
        Grey images of handwritten digits, 0 (paper) to 255 (ink).
    y : ndarray of int64, shape (10000,)
        The digits. Clustering never needs them; they are for judging a result.

    Examples
    --------
    >>> X, y = load_mnist10k()
    >>> X.shape, y[:5].tolist()
    ((10000, 28, 28), [7, 2, 1, 0, 4])
    """
    return load("mnist10k", return_table=False)


def rows_digest(x: np.ndarray, y: np.ndarray) -> str:
    """Compute the sha256 of labelled rows, whatever their order and however they were compressed.

    Floats count in whole thousandths, so that the same values stored in half and in single precision agree; small
    ones as 16-bit numbers, larger ones as 64-bit numbers.

    Parameters
    ----------
    x : ndarray, shape (n, ...)
        The rows: unsigned bytes, or floats.
    y : ndarray, shape (n,)
        The labels, from 0 to 255.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> x, y = np.arange(4, dtype=np.uint8).reshape(2, 2), np.array([0, 1])
    >>> rows_digest(x, y) == rows_digest(x[::-1], y[::-1])
    True
    """
    if np.issubdtype(x.dtype, np.floating):
        thousandths = np.rint(x.astype(np.float64) * 1000)
        x = thousandths.astype("<i2" if np.abs(thousandths).max(initial=0) <= _LARGEST_SMALL else "<i8")
    rows = np.ascontiguousarray(x)
    hashes = sorted(
        hashlib.sha256(row.tobytes() + bytes([label])).digest() for row, label in zip(rows, y.tolist(), strict=True)
    )
    return hashlib.sha256(b"".join(hashes)).hexdigest()


def _load_archive(info: Dataset, path: Path) -> Table:
    """Read a ready-made archive of the data home and make sure it holds the right set."""
    if info.layout == "newsgroups":
        known = hashlib.sha256(path.read_bytes()).hexdigest() == info.digest
        table = READERS[info.layout]([path]) if known else None
    else:
        table = _read_npz(path) if path.suffix == ".npz" else READERS[info.layout]([path])
        known = _fits(info, table) and _digest(table) == info.digest
    if table is None or not known or not _fits(info, table):
        raise InputError(
            f"{path} does not hold {_short(info)} (its sha256 differs); move it away{_if_downloadable(info)}, or set "
            "COTERIE_DATA_HOME to another folder."
        )
    return table


def _read_npz(path: Path) -> Table:
    """Read rows and labels from an archive, in one part (x, y) or two (x_train, ..., y_test)."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            parts = [part for part in ("", "_train", "_test") if f"x{part}" in arrays]
            x = np.concatenate([arrays[f"x{part}"] for part in parts])
            y = np.concatenate([arrays[f"y{part}"] for part in parts]).astype(np.int64)
    except DAMAGE as error:
        raise InputError(f"{path} is not an .npz file with the arrays x and y ({error}).") from error
    return Table(X=x.astype(np.float32) if np.issubdtype(x.dtype, np.floating) else x, y=y)


def _load_published(info: Dataset) -> Table:
    """Read a set from its host's own files, downloading those that the data home lacks."""
    folder = data_home() / info.name
    paths = [_fetch(info, folder, file) for file in info.files]
    if not paths:
        raise DatasetMissingError(
            f"The data set {info.name!r} cannot be downloaded ({info.advice}): put {info.archive} into {data_home()}, "
            "or set COTERIE_DATA_HOME to a folder that holds it."
        )
    table = READERS[info.layout](paths)
    # Files with a published checksum were checked by pooch; rows from the others must be the known ones.
    known = all(file.sha256 for file in info.files) or _digest(table) == info.digest
    if not (_fits(info, table) and known):
        raise InputError(
            f"The files in {folder} do not hold {_short(info)} as it was published; delete them to have the set "
            "downloaded again."
        )
    return table


def _digest(table: Table) -> str:
    """Return the digest of a table that has labels."""
    assert table.y is not None
    return rows_digest(table.X, table.y)


def _if_downloadable(info: Dataset) -> str:
    return " to have the set downloaded" if info.mirrors else ""


def _fetch(info: Dataset, folder: Path, file: RemoteFile) -> Path:
    """Return one published file, from the data home if it is whole there, else from the first mirror that serves it."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # else it writes on the screen what it downloads
    if not (folder / file.name).exists():
        logger.info("downloading %s of %s", file.name, info.title)
    failures = []
    for mirror in info.mirrors:
        whole = {} if mirror.endswith("/") else {file.name: mirror}
        source = pooch.create(folder, mirror, registry={file.name: file.sha256}, urls=whole)
        try:
            return Path(source.fetch(file.name))
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong checksum is a ValueError
            failures.append(f"{mirror}: {_brief(error)}")
    names = " and ".join(other.name for other in info.files)
    raise DatasetMissingError(
        f"The data set {info.name!r} is not in {data_home()} and could not be downloaded ({'; '.join(failures)}): "
        f"connect to the internet once, or put {info.archive} there, or {names} into its folder {info.name}, or set "
        "COTERIE_DATA_HOME to a folder that holds it."
    )


def _brief(error: Exception) -> str:
    """Say in a few words why a download failed."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"status {response.status_code}"
    if isinstance(error, PermissionError):
        return "the folder cannot be written"
    # requests' own errors can be ValueErrors too; only pooch raises a plain one, for a checksum.
    return "wrong sha256" if type(error) is ValueError else type(error).__name__


def _fits(info: Dataset, table: Table) -> bool:
    """Whether rows and labels have the numbers and shape that the set must have."""
    x, y = table.X, table.y
    return x.shape == (info.rows, *info.shape) and (
        y is None or (y.shape == (info.rows,) and y.min() >= 0 and y.max() < len(info.classes))
    )


def _short(info: Dataset) -> str:
    return info.title.split(":", maxsplit=1)[0]
