"""The candidates that are tried, and what is kept of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coterie.algorithms import DEC, JULE, N2D, Clusterer, KMeans, Shallow
from coterie.neighbours import may_compare_all

if TYPE_CHECKING:
    from coterie.selection.judging import Judgement

SIMPLE = ("kmeans", "mixture", "spectral", "ward", "hdbscan", "manifold")
DEEP = {"dec": DEC, "jule": JULE, "n2d": N2D}
CANDIDATES = (*SIMPLE, *DEEP)
TAUGHT = "selflabel"  # the network that learns what candidates agree on, and is none itself
NOT_NEEDED, OUT_OF_TIME = "not needed", "out of time"  # why one was left out
BY_NAME = ("n2d",)  # tried only when asked for: it takes longest, and rarely finds more than the others
FOR_IMAGES = ("jule",)  # its small convolutional network needs something to see
DEEP_ROWS = 1_000  # rows from which a network has something to learn from
DEEP_VALUES = 8  # values in a row from which it has something to find that the rows themselves do not show


@dataclass(frozen=True, eq=False)
class Trial:
    """One candidate that was fitted.

    Parameters
    ----------
    name : str
        The candidate, or "selflabel" for what learned from candidates.
    model : Clusterer
        The system, fitted.
    judgement : Judgement
        What speaks for it.
    agreement : float or None, default=None
        Share of what was known, classes and pairs, that it has so; None where nothing was known.
    learned : float or None, default=None
        How well a network that learned its clusters on half of the rows tells them in the other half: normalised mutual
        information, in [0, 1]; None where that was not asked.

    Examples
    --------
    >>> from coterie import Auto
    >>> Auto(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]]).trials_[0].name
    'kmeans'
    """

    name: str
    model: Clusterer
    judgement: Judgement
    agreement: float | None = None
    learned: float | None = None


def names_for(
    asked: str | Sequence[str],
    *,
    n_rows: int,
    n_values: int,
    n_clusters: int,
    images: bool = False,
    known: bool = False,
) -> list[str]:
    """Return the candidates in the order in which they are tried, the cheapest first.

    Parameters
    ----------
    asked : "auto" or sequence of str
        What the user wants; "auto" leaves networks out where rows are few or short, but for those that learn from what
        is known, and JULE, which compares all rows with each other, where they are very many.
    n_rows, n_values, n_clusters : int
        Rows, values in a row, and clusters; for one cluster there is nothing to choose.
    images : bool, default=False
        Whether the rows are images.
    known : bool, default=False
        Whether something is known of the rows.

    Returns
    -------
    list of str
        At least one.

    Examples
    --------
    >>> from coterie.selection.candidates import names_for
    >>> names_for(["dec", "kmeans"], n_rows=10, n_values=2, n_clusters=2)
    ['kmeans', 'dec']
    """
    if n_clusters == 1:
        return ["kmeans"]
    if asked != "auto":
        return [name for name in CANDIDATES if name in asked]
    if n_rows < DEEP_ROWS or n_values < DEEP_VALUES:
        return [*SIMPLE, *(name for name, cls in DEEP.items() if known and cls.knows)]
    graphs = images and may_compare_all(n_rows, n_values)
    return [name for name in CANDIDATES if name not in BY_NAME and (graphs or name not in FOR_IMAGES)]


def make_candidate(name: str, n_clusters: Any, *, seed: int) -> Clusterer:
    """Return a candidate, not fitted.

    Parameters
    ----------
    name : str
        One of ``CANDIDATES``.
    n_clusters : int
        K.
    seed : int
        Seed.

    Returns
    -------
    Clusterer
        With the defaults of its system.

    Examples
    --------
    >>> from coterie.selection.candidates import make_candidate
    >>> make_candidate("ward", 3, seed=0).method
    'ward'
    """
    if name == "kmeans":
        return KMeans(n_clusters=n_clusters, random_state=seed)
    if name in SIMPLE:
        return Shallow(n_clusters=n_clusters, method=name, random_state=seed)
    return DEEP[name](n_clusters=n_clusters, random_state=seed)
