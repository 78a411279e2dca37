"""What the whole process has only one of, such as torch's random numbers, is used by one thread at a time."""

from __future__ import annotations

import os
import threading

GLOBAL_STATE = threading.RLock()  # held while global random states or switches differ from the caller's
_begin_anew = getattr(GLOBAL_STATE, "_at_fork_reinit", None)
if _begin_anew is not None and hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)  # the thread that held it is not in the child
