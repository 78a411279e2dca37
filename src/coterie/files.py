"""Writing files and folders so that a crash never leaves half of one.

Everything is built in a hidden folder beside the target and moved into place with renames once it is whole and on disk.
A process that is killed leaves at most such a hidden folder behind; the next write to the same target, or
:func:`recover_folder`, clears it away.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from coterie._workspace import in_use, is_halfway, keep_mode, swap, sweep, sync, sync_tree, workspace, workspaces
from coterie.errors import InputError

_WAIT_SECONDS = 30.0  # for another process that is in the middle of a swap


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and move it to `path` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        The file to make or replace. Missing parent folders are made. A symbolic link is followed.

    Yields
    ------
    pathlib.Path
        A path of the same name, so that writers which look at the ending work; on the same file system as `path`.

    Raises
    ------
    InputError
        If `path` is something other than a regular file, for example a folder or a device.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError(f"{target} cannot be written: it is not a regular file.")
    with workspace(target) as folder:
        temporary = folder / target.name
        yield temporary
        sync(temporary)
        keep_mode(target, temporary)
        temporary.replace(target)
        sync(target.parent)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes to a file, atomically.

    Parameters
    ----------
    path : path-like
        The file to make or replace.
    content : bytes
        What the file shall hold.

    Raises
    ------
    InputError
        If `path` is something other than a regular file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "a.bin", bytes([1, 2]))
    ...     (Path(folder) / "a.bin").stat().st_size
    2
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write text to a file as UTF-8, atomically; line ends stay as they are.

    Parameters
    ----------
    path : path-like
        The file to make or replace.
    text : str
        What the file shall hold. File names that are not valid UTF-8 come out as the bytes they were.

    Raises
    ------
    InputError
        If `path` is something other than a regular file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.csv", "row,cluster\n0,3\n")
    ...     (Path(folder) / "a.csv").read_bytes()
    b'row,cluster\n0,3\n'
    """
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write a value as strict, indented JSON, atomically.

    Parameters
    ----------
    path : path-like
        The file to make or replace.
    value : object
        None, booleans, numbers, strings, and lists and dictionaries of them.

    Raises
    ------
    InputError
        If `value` holds something JSON cannot express, NaN and infinity included, or `path` is not a regular file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", {"k": 10})
    ...     (Path(folder) / "a.json").read_text().split()
    ['{', '"k":', '10', '}']
    """
    write_bytes(path, json_bytes(value, name=Path(path).name))


def json_bytes(value: Any, *, name: str = "value") -> bytes:
    """Return a value as strict, indented JSON in UTF-8.

    Parameters
    ----------
    value : object
        None, booleans, numbers, strings, and lists and dictionaries of them.
    name : str, default="value"
        What the error message calls the value.

    Returns
    -------
    bytes
        The JSON text with a line end.

    Raises
    ------
    InputError
        If `value` holds something JSON cannot express, NaN and infinity included.

    Examples
    --------
    >>> json_bytes({"k": None}).split()
    [b'{', b'"k":', b'null', b'}']
    """
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{name} cannot be written as JSON: {error}.") from error
    # A lone surrogate (from an undecodable file name) becomes the \udcXX escape that JSON has for it.
    return (text + "\n").encode("utf-8", "backslashreplace")


@contextmanager
def replace_folder(path: str | os.PathLike[str], *, known: Collection[str] | None = None) -> Iterator[Path]:
    """Give an empty folder to fill, and swap it in for `path` when the block ends without an error.

    A process killed at any moment leaves the old folder or the new one, whole; only between the two renames of the swap
    itself is `path` missing, and :func:`recover_folder` then puts the new one there.

    Parameters
    ----------
    path : path-like
        The folder to make or replace, with all it holds. Missing parent folders are made. A symbolic link is followed.
    known : collection of str, default=None
        Names or patterns (``*.npz``) that a folder of this kind may hold; an existing folder that holds anything else
        is not touched. None replaces whatever is there.

    Yields
    ------
    pathlib.Path
        An empty folder on the same file system.

    Raises
    ------
    InputError
        If `path` is a file, or holds something that is not in `known`; if it cannot be moved, since this process is at
        work in it or a file system begins there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replace_folder(Path(folder) / "model") as new:
    ...         _ = (new / "a.txt").write_text("whole")
    ...     sorted(p.name for p in (Path(folder) / "model").iterdir())
    ['a.txt']
    """
    target = Path(os.path.realpath(path))
    if in_use(target):
        raise InputError(f"{target} cannot be replaced, since it is in use; give a folder within it.")
    recover_folder(target)
    _refuse_foreign(target, known)
    with workspace(target) as folder:
        new = folder / "new"
        new.mkdir()
        yield new
        sync_tree(new)
        keep_mode(target, new)
        swap(folder, target)
        sync(target.parent)


def recover_folder(path: str | os.PathLike[str]) -> None:
    """Finish a swap that :func:`replace_folder` was killed in, and clear away what dead writers left.

    Parameters
    ----------
    path : path-like
        The folder as it was given to :func:`replace_folder`. Nothing happens if no swap of it was under way.

    Raises
    ------
    InputError
        If another process is in the middle of a swap of this folder and does not end it within 30 seconds.

    Examples
    --------
    >>> recover_folder("a-folder-that-never-was")
    """
    target = Path(os.path.realpath(path))
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        halfway = not target.exists() and any(is_halfway(folder) for folder in workspaces(target))
        sweep(target)
        if target.exists() or not halfway:
            return
        if time.monotonic() > deadline:
            raise InputError(f"{target} is being written by another process.")
        time.sleep(0.01)


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content.

    Parameters
    ----------
    path : path-like
        The file, read in blocks.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "empty", b"")
    ...     sha256(Path(folder) / "empty")[:8]
    'e3b0c442'
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_foreign(folder: Path, known: Collection[str] | None) -> None:
    """Raise if `folder` is not one that may be replaced."""
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):  # looked at once: another writer may be swapping it
            raise InputError(f"{folder} cannot be made a folder: there is a file of that name.")
        names = sorted(entry.name for entry in folder.iterdir()) if known is not None else []
    except FileNotFoundError:
        return
    if known is None:
        return
    foreign = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in known)]
    if foreign:
        raise InputError(
            f"{folder} would be replaced, but it holds {foreign[0]!r}, which is not part of it; choose another folder."
        )
