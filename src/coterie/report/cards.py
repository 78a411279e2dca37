"""What a cluster's card shows: pictures, or rows of numbers or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coterie.report.clusters import column_names, compare, shown_examples
from coterie.report.images import data_uri, shrink, signed, to_bytes
from coterie.report.run import Run
from coterie.report.wording import amount

_PIXELS = 1_500_000  # bytes of example pictures before compression
_SIDES = (96, 64, 48, 32)  # longest sides tried in turn
_WIDE = 8  # columns of a table that fit a page
_FEW_ROWS = 6
_EXAMPLES = ("typical", "doubtful")


def picture_cards(run: Run) -> list[dict[str, Any]]:
    """Return the pictures of each cluster as addresses.

    Parameters
    ----------
    run : Run
        A run on images.

    Returns
    -------
    list of dict
        ``mean`` and ``difference`` from the rest, None where there is none; ``typical``, ``doubtful`` and ``samples``,
        lists.
    """
    arrays, shown = run.arrays, shown_examples(run.n_clusters)
    limits = arrays["value_range"]
    one = to_bytes(arrays["means"][:1], limits)
    count = run.n_clusters * (3 * shown + 2)
    longest = max(one.shape[1:3])
    side = next((s for s in _SIDES if count * (one[0].size * min(1.0, s / longest) ** 2) <= _PIXELS), _SIDES[-1])

    def addresses(pictures: np.ndarray) -> list[str]:
        return [data_uri(each, few_colours=True) for each in shrink(to_bytes(pictures, limits), side)]

    differences = _differences(run, side)
    cards = []
    for k in range(run.n_clusters):
        own = (run.labels == k).any()
        card: dict[str, Any] = {"mean": addresses(arrays["means"][k : k + 1])[0] if own else None}
        card["difference"] = differences[k]
        for which in _EXAMPLES:
            known = int((arrays[f"{which}_rows"][k, :shown] >= 0).sum())
            card[which] = addresses(arrays[f"{which}_raw"][k, :known]) if known else []
        card["samples"] = addresses(arrays["samples"][k, :shown]) if "samples" in arrays else []
        cards.append(card)
    return cards


def _differences(run: Run, side: int) -> list[str | None]:
    """Return each mean image's difference from the mean of the other images, on one scale for all clusters."""
    found = compare(run)
    apart: np.ndarray = (found.means - found.elsewhere).reshape(run.arrays["means"].shape)
    largest = float(np.nan_to_num(np.abs(apart)).max()) or 1.0
    pictures = shrink(signed(apart / largest), side)
    return [data_uri(pictures[k]) if np.isfinite(apart[k]).all() else None for k in range(run.n_clusters)]


def table_cards(run: Run) -> list[dict[str, Any]]:
    """Return example rows of each cluster, in the columns that set clusters apart, or as their strongest words.

    Parameters
    ----------
    run : Run
        A run on vectors.

    Returns
    -------
    list of dict
        ``mean`` and ``difference``, None; ``in_words``; ``columns``, names; ``of``, how many there are; ``typical``,
        ``doubtful`` and ``samples``, lists of rows of text.
    """
    arrays, shown, names = run.arrays, min(shown_examples(run.n_clusters), _FEW_ROWS), column_names(run)
    columns = _telling(run)
    words = "present" in arrays
    about: dict[str, Any] = {
        "mean": None,
        "in_words": words,
        "difference": None,
        "columns": [names[i] for i in columns],
        "of": len(names),
    }
    if words:
        about |= {"columns": ["Strongest words"], "of": 1}

    def cells(rows: np.ndarray) -> list[list[str]]:
        if words:
            return [[strongest(row, names)] for row in rows]
        return [[amount(value) for value in row[columns].tolist()] for row in rows]

    cards = []
    for k in range(run.n_clusters):
        card = dict(about)
        for which in _EXAMPLES:
            known = int((arrays[f"{which}_rows"][k, :shown] >= 0).sum())
            card[which] = cells(arrays[f"{which}_raw"][k, :known])
        card["samples"] = cells(arrays["samples"][k, :shown]) if "samples" in arrays else []
        cards.append(card)
    return cards


def pairs(run: Run) -> dict[str, Any] | None:
    """Return originals and what the autoencoder made of them.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    dict or None
        ``pictures``; or ``columns``, ``of`` and ``rows``; None if the run kept no reconstructions.
    """
    if "reconstructions" not in run.arrays:
        return None
    originals, again = run.arrays["originals"], run.arrays["reconstructions"]
    if run.is_images:
        limits = run.arrays["value_range"]
        sides = [[data_uri(each) for each in shrink(to_bytes(x, limits), _SIDES[0])] for x in (originals, again)]
        return {"pictures": list(zip(*sides, strict=True))}
    columns, names = _telling(run), column_names(run)
    rows = [
        [(amount(a), amount(b)) for a, b in zip(x[columns].tolist(), r[columns].tolist(), strict=True)]
        for x, r in list(zip(originals, again, strict=True))[:_WIDE]
    ]
    return {"columns": [names[i] for i in columns], "of": len(names), "rows": rows}


def _telling(run: Run) -> np.ndarray:
    """Return the columns in which the clusters' means are farthest apart, in their own order."""
    spread = run.arrays["feature_sd"]
    means = run.arrays["means"][np.isfinite(run.arrays["means"]).all(1)].astype(np.float64)
    between = np.divide(means.std(0), spread, out=np.zeros_like(spread), where=spread > 0)
    return np.sort((-np.nan_to_num(between)).argsort(kind="stable")[:_WIDE])


def strongest(row: np.ndarray, names: Sequence[str], *, most: int = _WIDE) -> str:
    """Return the words that a row of word counts has most of.

    Parameters
    ----------
    row : ndarray of shape (d,)
        The counts.
    names : sequence of str
        The words.
    most : int, default=8
        Words at most.

    Returns
    -------
    str
        The words, the strongest first.
    """
    counts = np.asarray(row, dtype=np.float64)  # of which a negative can be taken
    order = [int(j) for j in np.argsort(-counts, kind="stable")[:most] if counts[j] > 0]
    return " · ".join(names[j] for j in order) or "none of the words"
