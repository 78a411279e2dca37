"""Every error and warning that coterie raises on purpose; each says in one sentence what to change."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping

__all__ = [
    "CollapseWarning",
    "CoterieError",
    "DataWarning",
    "DatasetMissingError",
    "InputError",
    "Interrupted",
    "ModelFileError",
    "NonFiniteLossError",
    "OtherFitError",
]

_BETWEEN = ("coterie", "sklearn", "joblib", "contextlib")  # packages that a call passes on its way from the user's line


class CoterieError(Exception):
    """Base of coterie's own errors.

    The command line prints the message alone and ends with exit code 2.
    """


class InputError(CoterieError, ValueError):
    """Data or a parameter that cannot be used; also a ``ValueError``."""


class OtherFitError(InputError):
    """A checkpoint that belongs to another fit.

    Parameters
    ----------
    message : str
        What to say.
    differs : mapping of str to tuple
        What was and what is now, by name; ``rows``, ``known`` and ``warm`` are digests.
    """

    def __init__(self, message: str, differs: Mapping[str, tuple[object, object]]) -> None:
        super().__init__(message)
        self.differs = dict(differs)

    def __reduce__(self) -> tuple[type[OtherFitError], tuple[str, dict[str, tuple[object, object]]]]:
        """Return how to make it again, in another process too."""
        return type(self), (str(self), self.differs)


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


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's own that led here, however deep within the library.

    Parameters
    ----------
    message : str
        What to say.
    category : type
        :class:`DataWarning` or :class:`CollapseWarning`.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__") or "").partition(".")[0] in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
