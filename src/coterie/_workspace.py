"""Hidden folders in which a file or a folder is built before it is moved into place.

A workspace lies beside its target, so that moving is one rename on one file system. The process that uses it holds a
lock on it, which the system drops when the process dies: so a dead writer is told from a living one, and its workspace
cleared away.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: age stands in for the lock there
    fcntl = None

_SWAP_SECONDS = 5.0  # a swap, two renames, never takes longer
_BUILD_SECONDS = 3600.0  # building, where locks are missing, is given up after this long without a new entry


@contextmanager
def workspace(target: Path) -> Iterator[Path]:
    """Make and lock a workspace for `target`, and remove it with all it holds at the end.

    Parameters
    ----------
    target : pathlib.Path
        What is going to be made or replaced; parent folders are made.

    Yields
    ------
    pathlib.Path
        The empty workspace.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    folder, lock = _claim(target)
    try:
        yield folder
    finally:
        if target.exists() or not is_halfway(folder):  # else it holds the only copies, which could not be put back
            shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def keep_mode(before: Path, now: Path) -> None:
    """Give what is going to replace a file or a folder its permissions.

    Parameters
    ----------
    before, now : pathlib.Path
        What is replaced, if it is there, and by what.
    """
    with suppress(OSError):  # a file system may have none
        own = stat.S_IMODE(before.stat().st_mode)
        now.chmod(own | stat.S_IRWXU if now.is_dir() else own)  # a folder must be moved, or removed again


def in_use(target: Path) -> bool:
    """Return whether a folder cannot be replaced: a file system begins there, or this process is at work in it.

    Parameters
    ----------
    target : pathlib.Path
        The folder, with its links followed.

    Returns
    -------
    bool
        False if it is not there.
    """
    with suppress(OSError):  # the folder that this process is in may have been removed
        here = Path.cwd()
        return os.path.ismount(target) or target in (here, *here.parents)
    return os.path.ismount(target)


def sweep(target: Path) -> None:
    """Finish the swaps that dead writers of `target` began and remove their workspaces.

    Parameters
    ----------
    target : pathlib.Path
        The file or folder the workspaces belong to.
    """
    for folder in workspaces(target):
        with suppress(FileNotFoundError), _abandoned(folder) as abandoned:
            if abandoned:
                settle(folder, target)
                shutil.rmtree(folder, ignore_errors=True)


def workspaces(target: Path) -> list[Path]:
    """Return the workspaces that lie beside `target`, of living and dead writers.

    Parameters
    ----------
    target : pathlib.Path
        The file or folder the workspaces belong to.

    Returns
    -------
    list of pathlib.Path
        Folders; empty if the parent folder does not exist.
    """
    try:
        with os.scandir(target.parent) as entries:
            names = [entry.name for entry in entries if is_workspace(entry.name, of=target.name)]
    except OSError:
        return []
    return [target.parent / name for name in sorted(names)]


def is_workspace(name: str, of: str | None = None) -> bool:
    """Return whether a folder's name is that of a workspace.

    Parameters
    ----------
    name : str
        The name.
    of : str or None, default=None
        Name of the target that it must belong to; None is any.

    Returns
    -------
    bool
        True of what :func:`workspace` makes, which a killed writer leaves behind.
    """
    target = ".+" if of is None else re.escape(of)
    return re.fullmatch(rf"\.{target}\.coterie-[0-9a-f]{{16}}", name) is not None


def swap(folder: Path, target: Path) -> None:
    """Move ``folder / "new"`` to `target`, and what was there to ``folder / "old…"``.

    Parameters
    ----------
    folder : pathlib.Path
        A workspace whose ``new`` is complete and on disk.
    target : pathlib.Path
        The folder to make or replace.
    """
    attempts = 100
    try:
        for attempt in range(attempts):
            with suppress(FileNotFoundError):
                target.rename(folder / f"old{attempt}")
            try:
                (folder / "new").rename(target)
            except OSError as error:
                # Another writer may have put its folder here between the two renames: then this one goes on top of it.
                if attempt + 1 == attempts or not _is_taken(target, error):
                    raise
            else:
                return
    finally:
        settle(folder, target)


def settle(folder: Path, target: Path) -> None:
    """Finish a swap that stopped between its two renames.

    Parameters
    ----------
    folder : pathlib.Path
        A workspace.
    target : pathlib.Path
        The folder it was made for.
    """
    if target.exists() or not is_halfway(folder):
        return
    try:
        (folder / "new").rename(target)
    except OSError as error:
        if _is_taken(target, error):  # another writer was faster
            return
        max(folder.glob("old*"), key=lambda old: old.stat().st_ctime).rename(target)
    sync(target.parent)


def is_halfway(folder: Path) -> bool:
    """Tell whether a workspace holds the old and the new folder, which it does only between the two renames of a swap.

    Parameters
    ----------
    folder : pathlib.Path
        A workspace.

    Returns
    -------
    bool
        True if the new folder is complete and the old one was moved aside.
    """
    try:
        names = os.listdir(folder)
    except FileNotFoundError:  # its writer has just ended
        return False
    return "new" in names and any(name.startswith("old") for name in names)


def sync(path: Path) -> None:
    """Ask the system to put a file, or the names in a folder, on disk.

    Parameters
    ----------
    path : pathlib.Path
        A file or a folder.
    """
    windows = os.name == "nt"
    if windows and path.is_dir():  # Windows cannot open folders
        return
    descriptor = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Ask the system to put a folder and all it holds on disk.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; symbolic links in it are not followed.
    """
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            if not (Path(parent) / name).is_symlink():
                sync(Path(parent) / name)
        sync(Path(parent))


def _is_taken(target: Path, error: OSError) -> bool:
    """Tell whether a rename to `target` failed because another writer's folder lay there, if only for that moment."""
    return error.errno in (errno.ENOTEMPTY, errno.EEXIST) or target.exists()


def _claim(target: Path) -> tuple[Path, int | None]:
    """Make a workspace and lock it; the lock is None where there are none."""
    while True:
        folder = target.parent / f".{target.name}.coterie-{secrets.token_hex(8)}"
        folder.mkdir()
        if fcntl is None:
            return folder, None
        # Until the lock is there, another process may take the folder for abandoned and remove it: then make another.
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


@contextmanager
def _abandoned(folder: Path) -> Iterator[bool]:
    """Tell whether the writer of a workspace is dead; if so the workspace stays locked during the block."""
    if fcntl is None:
        yield _is_old(folder)
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            abandoned = folder.exists()
        except BlockingIOError:
            abandoned = False
        except OSError:  # a file system without locks
            abandoned = _is_old(folder)
        yield abandoned
    finally:
        os.close(lock)


def _is_old(folder: Path) -> bool:
    """Tell by age alone whether a workspace is abandoned."""
    age = time.time() - folder.stat().st_mtime
    return age > (_SWAP_SECONDS if is_halfway(folder) else _BUILD_SECONDS)
