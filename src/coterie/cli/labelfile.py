"""``labels.csv``: a row's number, its name if it has one, its cluster, and how sure that is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from coterie.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four are full-width


def write_labels(path: str | Path, labels: np.ndarray, confidence: np.ndarray, *, names: Sequence[str] | None) -> None:
    """Write clusters as CSV, atomically.

    Parameters
    ----------
    path : path
        The file to make or replace.
    labels : ndarray of shape (n,)
        Clusters.
    confidence : ndarray of shape (n,)
        Probability of that cluster, in [0, 1].
    names : sequence of str or None
        A name for each row, such as its file's.
    """
    text = io.StringIO()
    # Python's writer leaves a bare carriage return unquoted, which readers take for the end of a line.
    quoting = csv.QUOTE_ALL if any("\r" in name for name in names or ()) else csv.QUOTE_MINIMAL
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow(["row", *(["name"] if names is not None else []), "cluster", "confidence"])
    shares = [f"{value:.6f}" for value in confidence.tolist()]
    if names is None:
        writer.writerows(zip(range(len(labels)), labels.tolist(), shares, strict=True))
    else:
        writer.writerows(zip(range(len(labels)), map(defuse, names), labels.tolist(), shares, strict=True))
    write_text(path, text.getvalue())


def defuse(name: str) -> str:
    """Return a name that a spreadsheet takes for text: one that it would run as a formula gets a ``'`` in front.

    Parameters
    ----------
    name : str
        Name of a row, perhaps chosen by a stranger.

    Returns
    -------
    str
        The name, made harmless.

    Examples
    --------
    >>> defuse("=cmd()"), defuse("cat.png")
    ("'=cmd()", 'cat.png')
    """
    return f"'{name}" if name.startswith(_FORMULA) else name
