"""Every error and warning that coterie raises on purpose; each says in one sentence what to change."""

from __future__ import annotations

__all__ = [
    "CollapseWarning",
    "CoterieError",
    "DataWarning",
    "DatasetMissingError",
    "InputError",
    "Interrupted",
    "ModelFileError",
    "NonFiniteLossError",
]


class CoterieError(Exception):
    """Base of coterie's own errors.

    The command line prints the message alone and ends with exit code 2.
    """


class InputError(CoterieError, ValueError):
    """Data or a parameter that cannot be used; also a ``ValueError``."""


class ModelFileError(CoterieError, ValueError):
    """A model folder that is damaged, truncated, written by a newer format, or not coterie's."""


class DatasetMissingError(CoterieError, FileNotFoundError):
    """A benchmark data set that is neither stored on this machine nor reachable."""


class NonFiniteLossError(CoterieError, FloatingPointError):
    """A loss term that became NaN or infinite; the message names the term and the step."""


class Interrupted(KeyboardInterrupt):
    """Training stopped by Ctrl-C; the message says how to go on from what is done."""


class CollapseWarning(UserWarning):
    """A cluster became empty or swallowed most rows; the message says what to try."""


class DataWarning(UserWarning):
    """Something about the data that coterie works around, such as constant columns or corrupt files."""
