"""What messages about data share: phrases, and which errors tell of a damaged file."""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What NumPy and its parsers run into in files of arrays that are damaged, or something else.
DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, lzma.LZMAError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


def named(labels: Sequence[object], most: int = 10) -> str:
    """Join up to `most` names, quoted so that no character in them can break a line, and count the others."""
    shown = ", ".join(repr(label) for label in labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown


def in_short(error: Exception) -> str:
    """Return what a library says of a file, without its advice."""
    said = str(error).split(". ", maxsplit=1)[0].rstrip(".")
    odd = any(word in said.lower() for word in ("pickle", "python object"))
    return "it is damaged, or holds something else than arrays" if odd else said
