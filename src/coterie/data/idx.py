"""IDX files, the format of the MNIST family: plain or gzipped, of every number type the format has."""

from __future__ import annotations

import gzip
import re
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from coterie.errors import InputError

__all__ = ["is_idx", "read_idx_array", "stem_of"]

# The third byte of a file says what its numbers are; all are big-endian.
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8  # more are a sign of a damaged header; images in colour have four
_MOST_BYTES = 8 << 30
_NAME = re.compile(r"[-_.]idx\d?(-\w+)?(\.gz)?$", re.IGNORECASE)


def is_idx(path: str | Path) -> bool:
    """Tell by its name whether a file is written in IDX.

    Parameters
    ----------
    path : str or Path
        A file.

    Returns
    -------
    bool
        True for names such as ``train-images-idx3-ubyte``, ``t10k-labels.idx1-ubyte.gz`` and ``rows.idx``.

    Examples
    --------
    >>> from coterie.data.idx import is_idx
    >>> is_idx("train-images-idx3-ubyte.gz"), is_idx("rows.csv.gz")
    (True, False)
    """
    return _NAME.search(Path(path).name) is not None


def stem_of(path: str | Path) -> str:
    """Return the name of an IDX file without what marks it as one.

    Parameters
    ----------
    path : str or Path
        A file of which :func:`is_idx` is true.

    Returns
    -------
    str
        ``train-images`` for ``train-images-idx3-ubyte.gz``.
    """
    return _NAME.sub("", Path(path).name)


def read_idx_array(path: Path) -> np.ndarray:
    """Read one IDX file.

    Parameters
    ----------
    path : Path
        The file; gzipped if its first two bytes say so, whatever its name.

    Returns
    -------
    ndarray
        Of the type and shape that the header says, in the byte order of this machine; memory-mapped if the file is
        plain and holds bytes.

    Raises
    ------
    InputError
        If the file is missing, damaged, cut short, longer than its header says, or no IDX file.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        if zipped:
            with gzip.open(path) as stream:
                return _read(stream, path, zipped=True)
        with path.open("rb") as stream:
            return _read(stream, path, zipped=False)
    except (EOFError, OSError, MemoryError, zlib.error) as error:
        raise InputError(f"The IDX file {str(path)!r} cannot be read: {error}.") from error


def _read(stream: BinaryIO | gzip.GzipFile, path: Path, *, zipped: bool) -> np.ndarray:
    # The header: two zero bytes, a type code, the number of axes, then each axis as a big-endian 32-bit count.
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= _MOST_AXES:
        raise InputError(
            f"{str(path)!r} is not an IDX file: it begins with the bytes {magic.hex(' ') or 'of nothing'}."
        )
    dtype, axes = np.dtype(_TYPES[magic[2]]), magic[3]
    counts = stream.read(4 * axes)
    if len(counts) < 4 * axes:
        raise InputError(f"The IDX file {str(path)!r} is cut short within its header.")
    shape = tuple(np.frombuffer(counts, dtype=">u4").tolist())
    size = prod(shape) * dtype.itemsize
    if size > _MOST_BYTES:
        raise InputError(f"The IDX file {str(path)!r} promises {size:,} bytes; its header may be damaged.")
    if not zipped and dtype.itemsize == 1 and path.stat().st_size == 4 + 4 * axes + size and size:
        return np.memmap(path, dtype=dtype.newbyteorder("="), mode="r", offset=4 + 4 * axes, shape=shape)
    content = stream.read(size)
    if len(content) < size:
        raise InputError(
            f"The IDX file {str(path)!r} is cut short: its header promises an array of shape {shape}, {size:,} bytes, "
            f"and {len(content):,} are there."
        )
    if stream.read(1):  # also makes gzip compare its checksum
        raise InputError(f"The IDX file {str(path)!r} holds more than the array of shape {shape} its header promises.")
    values = np.frombuffer(content, dtype=dtype).reshape(shape)
    return values if dtype.itemsize == 1 else values.astype(dtype.newbyteorder("="))
