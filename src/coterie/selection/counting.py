"""How many clusters, as well as it can be told in the time there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coterie.algorithms import DEC
from coterie.algorithms.building import is_open
from coterie.algorithms.counting import Count, at_least, count, is_quicker_by_rows
from coterie.deadlines import OutOfTimeError
from coterie.selection.time_limit import time_limit

if TYPE_CHECKING:
    from coterie.data import Source
    from coterie.data.knowledge import Knowledge
    from coterie.selection.keeping import Notes

# Ways of counting, the share of the time at which each is given up, and what is said of the one that follows it. A
# number without clusters is worth little, so that half of the time is for them, or a quarter where counting took more.
_WAYS = (
    ("code", 1 / 2, "out of time; some of the rows were divided as they are, which finds few"),
    ("rows", 3 / 4, "out of time; only gaps between groups were looked for"),
)
_LEAST = 15.0  # seconds that rows take to be divided on a slow machine


def count_in_time(
    asked: int | str | tuple[int, int],
    source: Source,
    *,
    notes: Notes,
    knowledge: Knowledge,
    began: float,
    until: float,
) -> Count | None:
    """Count clusters, in haste where there is little time.

    Parameters
    ----------
    asked : int, "auto" or (int, int)
        The ``n_clusters`` of a choice.
    source : Source
        The rows.
    notes : Notes
        Of the choice: a count that is there is taken, one that is made is noted, and so is what had to be left out.
    knowledge : Knowledge
        Of the rows; there are at least as many clusters as known classes.
    began, until : float
        When the choice began and when it is to end, in seconds of ``time.monotonic``.

    Returns
    -------
    Count or None
        None where a number was given.
    """
    if not is_open(asked):
        return None
    if notes.count is not None:
        return Count.from_dict(notes.count)
    found = _counted(DEC(n_clusters=asked, random_state=notes.seed), source, notes=notes, began=began, until=until)
    found = at_least(found, knowledge.n_classes, asked=asked)
    notes.count = found.to_dict()
    notes.write(time.monotonic() - began)
    return found


def _counted(asked: DEC, source: Source, *, notes: Notes, began: float, until: float) -> Count:
    for by, share, otherwise in _WAYS:
        left = began + share * (until - began) - time.monotonic()
        if by == "rows" and (left < _LEAST or not is_quicker_by_rows(source)):
            notes.left_out["counting"] = otherwise
            continue
        try:
            with time_limit(began + share * (until - began)):
                return count(asked, source, seed=notes.seed, by=by)
        except OutOfTimeError:
            notes.left_out["counting"] = otherwise
    return count(asked, source, seed=notes.seed, by="gaps")
