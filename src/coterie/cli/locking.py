"""One process at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coterie.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path, run: Path | None = None) -> Iterator[None]:
    """Keep other processes out of a run, while it is made or edited, by a lock on a folder of it.

    Parameters
    ----------
    folder : Path
        What is locked; nothing if it is no folder, as the checkpoint of a finished run is none.
    run : Path or None, default=None
        The run; None is the folder's parent.

    Raises
    ------
    InputError
        If another process holds the lock.
    """
    if fcntl is None or not folder.is_dir():
        yield
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"Another process is at work in {run or folder.parent}.") from None
        except OSError:
            logger.debug("no locks on the file system of %s", folder)
        if not _is_there(lock, folder):  # a run that ends takes its folder away
            raise InputError(f"Another process is at work in {run or folder.parent}.")
        yield
    finally:
        os.close(lock)


def _is_there(lock: int, folder: Path) -> bool:
    """Return whether what was opened is still the folder of that name."""
    try:
        return os.path.samestat(os.fstat(lock), folder.stat())
    except FileNotFoundError:
        return False
