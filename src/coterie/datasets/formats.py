"""The file formats in which the benchmark sets are published."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from coterie.errors import InputError

__all__ = ["READERS", "read_csv_zip", "read_idx", "read_libsvm"]

_IDX_UINT8 = 8  # the type code of unsigned bytes in an IDX header


def read_idx(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read gzipped IDX files, images and labels in turn, and join the parts.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Images, labels, images, labels and so on, each gzipped.

    Returns
    -------
    x : ndarray of uint8, shape (n, height, width)
        The images, in pixels from 0 to 255.
    y : ndarray of int64, shape (n,)
        The labels.

    Raises
    ------
    InputError
        If a file is not gzipped IDX of unsigned bytes, or is cut short.
    """
    arrays = [_read_one_idx(path) for path in paths]
    return np.concatenate(arrays[0::2]), np.concatenate(arrays[1::2]).astype(np.int64)


def _read_one_idx(path: Path) -> np.ndarray:
    """Decode one gzipped IDX file of unsigned bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError) as error:
        raise InputError(f"{path} is not a readable gzip file ({error}).") from error
    # The header: two zero bytes, a type code, the number of axes, then each axis as a big-endian 32-bit count.
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _IDX_UINT8:
        raise InputError(f"{path} is not an IDX file of unsigned bytes.")
    start = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    values = np.frombuffer(content, dtype=np.uint8, offset=min(start, len(content)))
    if len(shape) != content[3] or values.size != np.prod(shape, dtype=np.int64):
        raise InputError(f"{path} is cut short: its header promises an array of shape {shape}.")
    return values.reshape(shape)


def read_libsvm(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read square images in LIBSVM's text format, whose labels count from 1, and join the parts.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files of lines ``label 1:value 2:value ...``, plain, ``.gz`` or ``.bz2``; all of one width.

    Returns
    -------
    x : ndarray of float32, shape (n, side, side)
        The images, in the units of the files.
    y : ndarray of int64, shape (n,)
        The labels, from 0.

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
    return x.reshape(len(x), side, side), y


def read_csv_zip(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read whole numbers from the ``.tra`` and ``.tes`` members of a zip archive; the last column is the label.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One archive.

    Returns
    -------
    x : ndarray of uint8, shape (n, features)
        The rows, training part first, in the units of the file (0 to 100).
    y : ndarray of int64, shape (n,)
        The labels.

    Raises
    ------
    InputError
        If the archive cannot be read or lacks a part.
    """
    (path,) = paths
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for ending in (".tra", ".tes") for name in archive.namelist() if name.endswith(ending)]
            parts = []
            for name in names:
                with archive.open(name) as stream:
                    parts.append(np.loadtxt(stream, delimiter=",", dtype=np.int64, ndmin=2, encoding="ascii"))
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read as a zip archive of comma-separated numbers ({error}).") from error
    if not parts:
        raise InputError(f"{path} holds no .tra or .tes file.")
    table = np.concatenate(parts)
    return table[:, :-1].astype(np.uint8), table[:, -1]


READERS: dict[str, Callable[[Sequence[Path]], tuple[np.ndarray, np.ndarray]]] = {
    "idx": read_idx,
    "libsvm": read_libsvm,
    "csv-zip": read_csv_zip,
}
