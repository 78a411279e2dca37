"""Rows with a score for how strange each is, and what a page shows of the strangest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coterie.criteria import Contrast, are_words, contrast
from coterie.data import Source
from coterie.figures import percentage
from coterie.report.cards import strongest
from coterie.report.images import as_pictures, data_uri, shrink, to_bytes, value_range
from coterie.report.plots import threshold_histogram
from coterie.report.wording import amount

_PICTURES, _ROWS, _SIDE = 60, 25, 96  # shown at most; longest side of a picture, pixels
_WIDE = 8  # columns of a table that fit a page
_FAR = 3.0  # standard deviations from the mean beyond which a value is marked
_ROUNDING = 1e-6  # between the same value in two formats, such as text and float32


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
            f"{count:,} of {n:,} {self.noun} ({share}) {flagged_in_words(count)}; of the {len(usual):,} "
            f"training {self.noun}, from which the threshold comes, {percentage(usual.mean())} are."
        )

    @property
    def noun(self) -> str:
        """What the rows are called."""
        return "images" if self.source.spec.kind == "images" else "rows"


def strangest(scored: Scored) -> dict[str, Any]:
    """Gather what a page shows of scores and of the strangest rows.

    Parameters
    ----------
    scored : Scored
        The rows.

    Returns
    -------
    dict
        What ``strangest.html.j2`` draws: ``noun``, ``total``, ``score_in_words``, ``threshold``, ``called`` and the
        ``chart``; ``rows``, the strangest first, with ``pictures`` of images, else ``in_words``, ``columns``, ``of``
        and ``cells``; ``beside_training``, whether values stand beside those of training rows.
    """
    images = scored.noun == "images"
    order = np.argsort(-scored.strangeness, kind="stable")[: _PICTURES if images else _ROWS]
    values = (scored.strangeness.tolist(), scored.usual.tolist())
    return {
        "noun": scored.noun,
        "total": len(scored.strangeness),
        "score_in_words": scored.score_in_words,
        "threshold": amount(scored.threshold),
        "chart": threshold_histogram(*values, threshold=scored.threshold),
        "rows": [_row(scored, int(i)) for i in order],
        "called": scored.cluster_names or [None] * scored.n_clusters,
        "beside_training": scored.mean is not None,
        "pictures": _pictures(scored, order) if images else None,
        **({} if images else _table(scored, order)),
    }


def _row(scored: Scored, i: int) -> dict[str, Any]:
    return {
        "name": (scored.names[i] if scored.names else "") or f"row {i}",
        "score": amount(float(scored.strangeness[i])),
        "flagged": bool(scored.flagged[i]),
        "cluster": int(scored.clusters[i]),
    }


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


def flagged_in_words(count: int) -> str:
    """Return what so many rows are.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    str
        What follows the noun.
    """
    return "is flagged as an outlier" if count == 1 else "are flagged as outliers"


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
    blocks = (np.asarray(source.raw(block)) for block in source.blocks())
    return contrast(blocks, np.zeros(len(source), np.int64), 1)
