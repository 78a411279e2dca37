"""What the whole process has only one of, such as torch's random numbers, is used by one thread at a time."""

from __future__ import annotations

import threading

GLOBAL_STATE = threading.RLock()  # held while global random states or switches differ from the caller's
