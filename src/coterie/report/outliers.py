"""The page about outlier scores: how strange rows are, which are the strangest, and in which clusters they fall."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coterie.criteria import Contrast, are_words, contrast
from coterie.data import Source
from coterie.figures import percentage
from coterie.files import write_text
from coterie.report.cards import strongest
from coterie.report.html import make_environment, page_style, policy_for
from coterie.report.images import as_pictures, data_uri, shrink, to_bytes, value_range
from coterie.report.plots import threshold_histogram
from coterie.report.wording import amount, percent

_PICTURES, _ROWS, _SIDE = 60, 25, 96  # shown at most; longest side of a picture, pixels
_WIDE = 8  # columns of a table that fit a page
_FAR = 3.0  # standard deviations from the mean beyond which a value is marked
_ROUNDING = 1e-6  # between the same value in two formats, such as text and float32
_BLOCK = 4_096  # rows read at a time


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with their outlier scores.

    Parameters
    ----------
    title : str
        What was scored, by which run.
    facts : sequence of (str, str)
        What else to say of both.
    score_in_words : str
        What the score is, to follow "The score is".
    strangeness : ndarray of shape (n,)
        The larger, the stranger.
    threshold : float
        Rows beyond it are flagged.
    usual : ndarray of shape (m,)
        Strangeness of the training rows.
    clusters : ndarray of shape (n,)
        Cluster of each row.
    n_clusters : int
        K.
    source : Source
        The n rows.
    names : sequence of str or None, default=None
        A name for each.
    cluster_names : sequence of str or None, default=()
        Names of the K clusters, None for one without; empty where none has any.
    mean, sd : ndarray of shape (d,) or None, default=None
        Mean and standard deviation of the columns of the training rows, beside which values are shown; None takes those
        of the n rows.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.report import Scored
    >>> source, s = make_source(np.eye(3)), np.array([1.0, 2.0, 9.0])
    >>> about = {"strangeness": s, "usual": s[:2], "clusters": np.zeros(3, int), "n_clusters": 1, "threshold": 5.0}
    >>> Scored(title="three rows", facts=[], score_in_words="made up", source=source, **about).flagged.tolist()
    [False, False, True]
    """

    title: str
    facts: Sequence[tuple[str, str]]
    score_in_words: str
    strangeness: np.ndarray
    threshold: float
    usual: np.ndarray
    clusters: np.ndarray
    n_clusters: int
    source: Source
    names: Sequence[str] | None = None
    cluster_names: Sequence[str | None] = ()
    mean: np.ndarray | None = None
    sd: np.ndarray | None = None

    @property
    def flagged(self) -> np.ndarray:
        """Whether each row is an outlier, shape (n,)."""
        return self.strangeness > self.threshold

    def sentence(self) -> str:
        """Return how many rows are flagged, and how many of the training rows, in one line."""
        n, usual = len(self.strangeness), self.usual > self.threshold
        count = int(self.flagged.sum())
        share = percentage(count / max(n, 1))
        return (
            f"{count:,} of {n:,} {self.noun} ({share}) {_flagged(count)}; of the {len(usual):,} "
            f"training {self.noun}, from which the threshold comes, {percentage(usual.mean())} are."
        )

    @property
    def noun(self) -> str:
        """What the rows are called."""
        return "images" if self.source.spec.kind == "images" else "rows"


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
    images = scored.noun == "images"
    order = np.argsort(-scored.strangeness, kind="stable")[: _PICTURES if images else _ROWS]
    count, n, share = (
        int(scored.flagged.sum()),
        len(scored.strangeness),
        float((scored.usual > scored.threshold).mean()),
    )
    style = page_style()
    return (
        make_environment()
        .get_template("outliers.html.j2")
        .render(
            style=style,
            policy=policy_for(style, ""),
            title=scored.title,
            headline=f"{count:,} of {n:,} {scored.noun} {_flagged(count)}.",
            beside=f"That is {percent(count / max(n, 1))}; of the {len(scored.usual):,} training {scored.noun}, from "
            f"which the threshold comes, it is {percent(share)}.",
            facts=scored.facts,
            noun=scored.noun,
            total=n,
            score_in_words=scored.score_in_words,
            threshold=amount(scored.threshold),
            chart=threshold_histogram(scored.strangeness.tolist(), scored.usual.tolist(), threshold=scored.threshold),
            rows=[_row(scored, int(i)) for i in order],
            clusters=_clusters(scored),
            called=scored.cluster_names or [None] * scored.n_clusters,
            beside_training=scored.mean is not None,
            pictures=_pictures(scored, order) if images else None,
            **({} if images else _table(scored, order)),
        )
    )


def _flagged(count: int) -> str:
    return "is flagged as an outlier" if count == 1 else "are flagged as outliers"


def _row(scored: Scored, i: int) -> dict[str, Any]:
    return {
        "name": f"row {i}" if scored.names is None else scored.names[i],
        "score": amount(float(scored.strangeness[i])),
        "flagged": bool(scored.flagged[i]),
        "cluster": int(scored.clusters[i]),
    }


def _clusters(scored: Scored) -> list[dict[str, Any]]:
    """Return how many rows of each cluster are flagged, the largest share first."""
    k = scored.n_clusters
    sizes, flagged = (np.bincount(scored.clusters[of], minlength=k) for of in (slice(None), scored.flagged))
    shares = flagged / np.maximum(sizes, 1)
    return [
        {"cluster": int(i), "rows": int(sizes[i]), "flagged": int(flagged[i]), "share": float(shares[i])}
        for i in np.argsort(-shares, kind="stable")
    ]


def _pictures(scored: Scored, order: np.ndarray) -> list[str]:
    source, all_rows = scored.source, overview(scored.source)
    limits = value_range(source.dtype, all_rows.low, all_rows.high)
    raw = as_pictures(np.asarray(source.raw(order)), source.spec)
    return [data_uri(each, few_colours=True) for each in shrink(to_bytes(raw, limits), _SIDE)]


def _table(scored: Scored, order: np.ndarray) -> dict[str, Any]:
    """Return the values of the strangest rows in their most unusual columns, or their strongest words."""
    spec, all_rows = scored.source.spec, overview(scored.source)
    names = list(spec.feature_names or [f"column {j}" for j in range(spec.n_features_in)])
    rows = np.asarray(scored.source.raw(order), dtype=np.float64)
    if are_words(spec.feature_names, zeros=all_rows.zeros, low=all_rows.low):
        cells = [[(strongest(row, names), False)] for row in rows]
        return {"in_words": True, "columns": ["Strongest words"], "of": 1, "cells": cells}
    mean = all_rows.mean if scored.mean is None else scored.mean
    spread = all_rows.sd if scored.sd is None else scored.sd
    # Where training rows do not vary, any other value is far.
    other = np.where(np.isclose(rows, mean, rtol=_ROUNDING, atol=0), 0.0, np.inf)
    apart = np.divide(np.abs(rows - mean), spread, out=other, where=spread > 0)
    columns = np.sort(np.argsort(-apart.mean(0), kind="stable")[:_WIDE])
    cells = [
        [(amount(row[j]), bool(far[j] > _FAR)) for j in columns] for row, far in zip(rows.tolist(), apart, strict=True)
    ]
    return {"in_words": False, "columns": [names[j] for j in columns], "of": len(names), "cells": cells}


def overview(source: Source) -> Contrast:
    """Return mean, spread and range of the columns, in one pass over the rows.

    Parameters
    ----------
    source : Source
        Rows.

    Returns
    -------
    Contrast
        Of all of them as one cluster.
    """
    blocks = (np.asarray(source.raw(slice(i, i + _BLOCK))) for i in range(0, len(source), _BLOCK))
    return contrast(blocks, np.zeros(len(source), np.int64), 1)
