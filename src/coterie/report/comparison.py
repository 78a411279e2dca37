"""Runs on the same rows beside each other: how far they agree, what moved, and the page about it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coterie.files import write_text
from coterie.matching import align_all
from coterie.report.html import still_page
from coterie.report.wording import percent
from coterie.selection import agreement
from coterie.selection.agreement import vote

_MOVES, _ROWS = 20, 60  # shown at most


@dataclass(frozen=True)
class Matched:
    """A cluster of the first run beside the one that it is matched with in another.

    Parameters
    ----------
    cluster : int
        Its number in the first run; where that has none to match, a new one, larger than all of both.
    called : str
        That number, with the name that the first run gives it, if any.
    there : str
        Number and name in the other run; "" where it has none.
    sizes : tuple of (int, int, int)
        Rows in the first run, in the other, and in both.
    """

    cluster: int
    called: str
    there: str
    sizes: tuple[int, int, int]

    @property
    def overlap(self) -> float:
        """Share of the rows of either that are in both."""
        first, other, both = self.sizes
        return both / max(first + other - both, 1)


@dataclass(frozen=True)
class Pair:
    """The first run beside another.

    Parameters
    ----------
    titles : tuple of (str, str)
        What the two are called.
    differ : int
        Rows that are in another cluster.
    clusters : list of Matched
        By number.
    moves : list of (int, Matched, Matched)
        How many rows went from which cluster to which, the most first.
    """

    titles: tuple[str, str]
    differ: int
    clusters: list[Matched]
    moves: list[tuple[int, Matched, Matched]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs on the same rows.

    Parameters
    ----------
    titles : list of str
        What each of the r runs is called.
    labels : ndarray of shape (r, n)
        Clusters, numbered as in the first run.
    agreement : ndarray of shape (r, r)
        Adjusted Rand index of each two.
    central : int
        The run that agrees best with the others.
    support : ndarray of shape (n,)
        Share of the runs that agree on the row's cluster, in (0, 1].
    pairs : list of Pair
        The first run beside each other one.
    learned : list of int
        From how many labels each run learned.
    names : list of str or None
        The rows' names, where they have any.
    by_name : bool
        Whether all runs have these names.
    data : list of str
        What the runs were fitted on, as far as that is known, each once.

    Examples
    --------
    >>> from coterie.report.comparison import compared
    >>> found = compared(["a", "b"], [[0, 0, 1, 1], [1, 0, 0, 0]], called=[{}, {0: "oak"}])
    >>> found.whole, found.pairs[0].differ, found.pairs[0].clusters[1].there
    (0.75, 1, '0 oak')
    """

    titles: list[str]
    labels: np.ndarray
    agreement: np.ndarray
    central: int
    support: np.ndarray
    pairs: list[Pair]
    learned: list[int]
    names: list[str] | None
    by_name: bool
    data: list[str]

    @property
    def matched_by_order(self) -> str:
        """A sentence where runs are of different data and no names say which rows are the same; else ""."""
        if self.by_name or len(self.data) < 2:
            return ""
        return f"The runs are of different data, {', '.join(self.data)}: rows are matched by their order alone."

    @property
    def whole(self) -> float:
        """Share of the rows on which all runs agree."""
        return float((self.support == 1).mean())

    @property
    def which(self) -> str:
        """What all runs are called together."""
        return "Both" if len(self.titles) == 2 else "All"

    @property
    def closest(self) -> str:
        """Which of more than two runs is the closest to the others, to follow a sentence; "" of two."""
        return f"; the run closest to the others is {self.titles[self.central]}" if len(self.titles) > 2 else ""


def compared(
    titles: Sequence[str],
    labels: Sequence[Any],
    *,
    called: Sequence[Mapping[int, str]],
    learned: Sequence[int] = (),
    names: Sequence[str] | None = None,
    by_name: bool | None = None,
    data: Sequence[str | None] = (),
) -> Comparison:
    """Compare runs on the same rows.

    Parameters
    ----------
    titles : sequence of str
        What each run is called.
    labels : sequence of array-like of shape (n,)
        Clusters in each, integers >= 0, in whatever numbers.
    called : sequence of mapping of int to str
        Names of clusters of each run, by their numbers there.
    learned : sequence of int, default=()
        From how many labels each run learned; empty if none did.
    names : sequence of str or None, default=None
        The rows' names.
    by_name : bool or None, default=None
        Whether all runs have these names, so that rows are the same; None if there are any.
    data : sequence of (str or None), default=()
        What each run was fitted on; None where that is not known.

    Returns
    -------
    Comparison
        Clusters are matched one to one with those of the first run.

    Raises
    ------
    InputError
        If there are no runs, or they are not of the same rows.
    """
    agreements = agreement(labels)
    aligned = np.stack(align_all(labels, labels[0]))
    pairs = []
    for i in range(1, len(aligned)):
        numbers = dict(zip(aligned[i].tolist(), np.asarray(labels[i]).tolist(), strict=True))
        there = {k: _called(called[i], number) for k, number in numbers.items()}
        pairs.append(_pair((titles[0], titles[i]), aligned[0], aligned[i], called=called[0], there=there))
    return Comparison(
        titles=list(titles),
        labels=aligned,
        agreement=agreements,
        central=int(agreements.sum(1).argmax()),
        support=vote(aligned)[1],
        pairs=pairs,
        learned=list(learned) or [0] * len(titles),
        names=None if names is None else list(names),
        by_name=names is not None if by_name is None else by_name,
        data=sorted(set(filter(None, data))),
    )


def _called(names: Mapping[int, str], k: int) -> str:
    return f"{k} {names[k]}" if k in names else str(k)


def _pair(
    titles: tuple[str, str], a: np.ndarray, b: np.ndarray, *, called: Mapping[int, str], there: Mapping[int, str]
) -> Pair:
    sizes = [Counter(each.tolist()) for each in (a, b, a[a == b])]
    clusters = {
        k: Matched(k, _called(called, k), there.get(k, ""), (sizes[0][k], sizes[1][k], sizes[2][k]))
        for k in np.union1d(a, b).tolist()
    }
    both, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    moves = [(n, i, j) for n, i, j in zip(counts.tolist(), *both.tolist(), strict=True) if i != j]
    moves.sort(key=lambda move: (-move[0], *move[1:]))
    told = [(n, clusters[i], clusters[j]) for n, i, j in moves]
    return Pair(titles, int((a != b).sum()), list(clusters.values()), told)


def write_comparison(path: str | os.PathLike[str], found: Comparison) -> None:
    """Write the page, atomically.

    Parameters
    ----------
    path : path-like
        The HTML file to make or replace.
    found : Comparison
        What it tells.

    Examples
    --------
    >>> import tempfile
    >>> from coterie.report.comparison import compared, write_comparison
    >>> found = compared(["a", "b"], [[0, 0, 1, 1], [1, 0, 0, 0]], called=[{}, {}])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_comparison(folder + "/comparison.html", found)
    """
    write_text(Path(path), render_comparison(found))


def render_comparison(found: Comparison) -> str:
    """Render the page.

    Parameters
    ----------
    found : Comparison
        What it tells.

    Returns
    -------
    str
        One HTML page without a script.
    """
    n, two = len(found.support), len(found.titles) == 2
    apart = np.argsort(found.support, kind="stable")[: min(_ROWS, int((found.support < 1).sum()))]
    return still_page(
        "comparison.html.j2",
        title=" and ".join(found.titles) if two else f"{len(found.titles)} runs on the same rows",
        headline=f"{found.which} runs agree on {percent(found.whole)} of {n:,} rows.",
        beside=f"Clusters are matched one to one with those of {found.titles[0]}{found.closest}.",
        found=found,
        agreement=found.agreement.tolist(),
        pairs=found.pairs,
        most=_MOVES,
        apart=[_row(found, int(i)) for i in apart],
        n_apart=int((found.support < 1).sum()),
    )


def _row(found: Comparison, i: int) -> dict[str, Any]:
    name = found.names[i] if found.names else ""
    return {"name": name or f"row {i}", "clusters": found.labels[:, i].tolist(), "support": float(found.support[i])}
