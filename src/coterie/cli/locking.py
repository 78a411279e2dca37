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
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run that is under way; a finished one has nothing to lock, and needs no lock."""
    if fcntl is None or not folder.is_dir():
        yield
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"Another process is at work in {folder.parent}.") from None
        except OSError:
            logger.debug("no locks on the file system of %s", folder)
        yield
    finally:
        os.close(lock)
