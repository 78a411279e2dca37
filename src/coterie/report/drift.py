"""The page about tomorrow's rows: how many are unlike any of the training rows, and how the clusters' shares moved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.files import write_text
from coterie.report.html import still_page
from coterie.report.scored import Scored, strangest
from coterie.report.wording import amount, percent

if TYPE_CHECKING:
    from coterie.selection import Drift

_MANY = 5  # times the usual share of rows unlike any of training, beyond which the page warns


def write_drift(path: str | os.PathLike[str], scored: Scored, found: Drift) -> None:
    """Write the page, atomically.

    Parameters
    ----------
    path : path-like
        The HTML file to make or replace.
    scored : Scored
        The rows, with how strange each is.
    found : Drift
        How they differ from the training rows.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.report import Scored, write_drift
    >>> from coterie.selection import Drift
    >>> source, s, labels = make_source(np.eye(3)), np.array([1.0, 2.0, 9.0]), np.zeros(3, int)
    >>> about = {"strangeness": s, "usual": s, "clusters": labels, "n_clusters": 1, "threshold": 5.0}
    >>> scored = Scored(title="three rows", facts=[], score_in_words="made up", source=source, **about)
    >>> found = Drift(strangeness=s, threshold=5.0, labels=labels, usual=np.ones(1), shift=0.5, n_fitted=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_drift(folder + "/drift.html", scored, found)
    """
    write_text(Path(path), render_drift(scored, found))


def render_drift(scored: Scored, found: Drift) -> str:
    """Render the page.

    Parameters
    ----------
    scored : Scored
        The rows, with how strange each is.
    found : Drift
        How they differ from the training rows.

    Returns
    -------
    str
        One HTML page without a script.
    """
    n, count = len(found.strange), int(found.strange.sum())
    share = count / n
    verb = "is" if count == 1 else "are"
    return still_page(
        "drift.html.j2",
        title=scored.title,
        headline=f"{count:,} of {n:,} {scored.noun} {verb} unlike any seen in training.",
        beside=f"That is {percent(share)}, where {percent(found.expected)} is usual. The shares of the clusters differ "
        f"by {percent(found.moved)}, where up to {percent(found.chance)} is expected by chance; the mean "
        f"{scored.noun[:-1]} moved by {amount(found.shift)} of the {scored.noun}’ spread.",
        many=share > _MANY * found.expected,
        facts=scored.facts,
        clusters=_clusters(scored, found),
        **strangest(scored),
    )


def _clusters(scored: Scored, found: Drift) -> list[dict[str, Any]]:
    """Return each cluster's share then and now, the one that differs most first."""
    k = len(found.shares)
    moved, clear = found.shares - found.usual, found.differs
    sizes, strange = (np.bincount(scored.clusters[of], minlength=k) for of in (slice(None), found.strange))
    return [
        {
            "cluster": int(i),
            "rows": int(sizes[i]),
            "strange": int(strange[i]),
            "then": float(found.usual[i]),
            "now": float(found.shares[i]),
            "moved": "" if not clear[i] else "more" if moved[i] > 0 else "less",
        }
        for i in np.argsort(-np.abs(moved), kind="stable")
    ]
