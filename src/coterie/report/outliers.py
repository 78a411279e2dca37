"""The page about outlier scores: how strange rows are, which are the strangest, and in which clusters they fall."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from coterie.files import write_text
from coterie.report.html import still_page
from coterie.report.scored import Scored, flagged_in_words, strangest
from coterie.report.wording import percent


def write_outliers(path: str | os.PathLike[str], scored: Scored) -> None:
    """Write the page, atomically.

    Parameters
    ----------
    path : path-like
        The HTML file to make or replace.
    scored : Scored
        What it tells.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.report import Scored, write_outliers
    >>> source, s = make_source(np.eye(3)), np.array([1.0, 2.0, 9.0])
    >>> about = {"strangeness": s, "usual": s, "clusters": np.zeros(3, int), "n_clusters": 1, "threshold": 5.0}
    >>> scored = Scored(title="three rows", facts=[], score_in_words="made up", source=source, **about)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_outliers(folder + "/outliers.html", scored)
    """
    write_text(Path(path), render_outliers(scored))


def render_outliers(scored: Scored) -> str:
    """Render the page.

    Parameters
    ----------
    scored : Scored
        What it tells.

    Returns
    -------
    str
        One HTML page without a script.
    """
    count, n = int(scored.flagged.sum()), len(scored.strangeness)
    share = float((scored.usual > scored.threshold).mean())
    return still_page(
        "outliers.html.j2",
        title=scored.title,
        headline=f"{count:,} of {n:,} {scored.noun} {flagged_in_words(count)}.",
        beside=f"That is {percent(count / max(n, 1))}; of the {len(scored.usual):,} training {scored.noun}, from "
        f"which the threshold comes, it is {percent(share)}.",
        facts=scored.facts,
        clusters=_clusters(scored),
        **strangest(scored),
    )


def _clusters(scored: Scored) -> list[dict[str, Any]]:
    """Return how many rows of each cluster are flagged, the largest share first."""
    k = scored.n_clusters
    sizes, flagged = (np.bincount(scored.clusters[of], minlength=k) for of in (slice(None), scored.flagged))
    shares = flagged / np.maximum(sizes, 1)
    return [
        {"cluster": int(i), "rows": int(sizes[i]), "flagged": int(flagged[i]), "share": float(shares[i])}
        for i in np.argsort(-shares, kind="stable")
    ]
