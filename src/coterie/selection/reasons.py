"""Why a candidate was chosen, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.knowledge import UNKNOWN
from coterie.figures import counted, percentage
from coterie.matching import unanimous
from coterie.selection.backing import alike
from coterie.selection.candidates import CANDIDATES, NOT_NEEDED, OUT_OF_TIME, SIMPLE, TAUGHT

if TYPE_CHECKING:
    from coterie.algorithms.counting import Count
    from coterie.selection.backing import Second
    from coterie.selection.candidates import Trial

AS_GOOD = 0.01  # difference in what decides, a share or nats of a row's likelihood, that says nothing
_BEST_BY = {
    "likelihood": "its clusters describe the rows best",
    "columns": "a row's columns tell most of its clusters, their sizes considered",
}
NOT_PARTED = "No dip was seen between any two neighbouring clusters: there may be no groups."
_OF_SECOND = " {who} agrees on {agreed} of the rows."
_OF_SECOND_SAID = re.compile(
    r" ?(An independent run(?: \(\w+\))?|The teacher \w+(?:, again)?) agrees on [\d.]+% of the rows\."
)


def reason(
    trials: Sequence[Trial],
    criterion: str,
    *,
    labels: np.ndarray,
    second: Second | None,
    n_known: int = 0,
    n_pairs: int = 0,
    left_out: Mapping[str, str] | None = None,
    count: Count | None = None,
) -> str:
    """Return what was chosen, why, whether something simpler is as good, and what an independent run says.

    Parameters
    ----------
    trials : sequence of Trial
        The best first; before it the network that learned from it, if one did.
    criterion : {"neighbours", "likelihood", "columns"}
        What decided.
    labels : ndarray of shape (n,)
        Clusters of the first.
    second : Second or None
        What an independent run found, in the same numbers.
    n_known, n_pairs : int, default=0
        Known labels and known pairs that were used.
    left_out : mapping of str to str or None, default=None
        Candidates that were not fitted, with the reason.
    count : Count or None, default=None
        How the number of clusters was found; None where it was given.

    Returns
    -------
    str
        One to eight sentences; where there is but one cluster, why.

    Examples
    --------
    >>> from coterie import Auto
    >>> model = Auto(n_clusters=2, candidates=["kmeans"], random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    >>> model.why()
    'kmeans was chosen, the only one tried. An independent run agrees on 100.0% of the rows.'
    """
    taught = trials[0] if trials[0].name == TAUGHT else None
    best, *rest = trials = trials[1:] if taught else trials
    if best.model.edits_.n_fitted == 1:
        return _nothing_to_choose(count)
    reasons = [why for name, why in (left_out or {}).items() if name in CANDIDATES]
    spared = NOT_NEEDED in reasons
    by = _how_well_learned(trials) or (
        _how_well_kept(trials) if criterion == "neighbours" else _best_by(trials, criterion)
    )
    said = f"{best.name} was chosen of {len(trials)}: {by}." if rest else f"{best.name} was chosen, the only one tried."
    if spared and not rest:
        said = f"{best.name} was chosen: it keeps neighbours together ({best.judgement.kept:.2f} of 1)."
    if spared:
        said += " Others, which take longer, could hardly be better and were not tried."
    said += _left_short(best, reasons.count(OUT_OF_TIME))
    if (agreement := (taught or best).agreement) is not None:
        where = "of this is kept." if n_pairs else "of what is known is in its class's cluster."
        said += f" {_used(n_known, n_pairs)} {percentage(agreement)} {where}"
    as_good = [trial.name for trial in rest if trial.name in SIMPLE and _is_as_good(trial, best, criterion)]
    if as_good and best.name not in SIMPLE:
        said += f" The simpler {as_good[0]} is as good."
    if taught is not None:
        said += _taught(trials, second)
    if second is not None:
        who = "An independent run" if second.is_refit else f"An independent run ({second.name})"
        who = who if taught is None else f"The teacher {second.name}"
        said += _OF_SECOND.format(who=who, agreed=percentage(float((second.labels == labels).mean())))
    return said


def reason_retold(why: str, agreed: float | None) -> str:
    """Return what :func:`reason` said with what an independent run says of clusters that were changed since.

    Parameters
    ----------
    why : str
        What it said.
    agreed : float or None
        Share of the rows on which that run agrees now; None leaves the sentence out.

    Returns
    -------
    str
        The same where it said nothing of such a run.

    Examples
    --------
    >>> from coterie.selection.reasons import reason_retold
    >>> reason_retold("It is so. An independent run (jule) agrees on 98.0% of the rows.", 0.5)
    'It is so. An independent run (jule) agrees on 50.0% of the rows.'
    """
    if agreed is None:
        return _OF_SECOND_SAID.sub("", why)
    return _OF_SECOND_SAID.sub(lambda said: _OF_SECOND.format(who=said[1], agreed=percentage(agreed)), why)


def _how_well_learned(trials: Sequence[Trial]) -> str:
    best, others = trials[0], [one.learned for one in trials[1:] if one.learned is not None]
    if best.learned is None or best.learned < max(others):
        return ""
    told = f"{best.learned:.2f} of 1, the next {max(others):.2f}"
    return f"of those that differ, its clusters are those that another network learns best ({told})"


def _best_by(trials: Sequence[Trial], criterion: str) -> str:
    best = trials[0].judgement
    whole = [trial.judgement for trial in trials if trial.judgement.clusters >= best.clusters]
    said = _BEST_BY[criterion]
    if best.value(criterion) == max(one.value(criterion) for one in whole):
        return said
    return f"of those that agree as well with what is known, {said}"


def _left_short(best: Trial, late: int) -> str:
    """Return what there was no time for, and what is missing of the clusters that were asked for."""
    found, asked = best.judgement.clusters, best.model.n_clusters
    said = f" There was no time for {counted(late, 'others')}." if late else ""
    if found < asked:
        said += f" It found {counted(found, 'clusters')} of the {asked} that were asked for."
    return said


def _how_well_kept(trials: Sequence[Trial]) -> str:
    best, kept = trials[0], f"({trials[0].judgement.kept:.2f} of 1)"
    whole = [trial.judgement for trial in trials if trial.judgement.clusters >= best.judgement.clusters]
    if best.judgement.kept == max(one.kept for one in whole):
        return f"it keeps neighbours together best {kept}"
    if best.agreement is not None:
        return f"of those that agree as well with what is known, it comes first by its neighbours {kept}"
    if best.judgement.worth == max(one.worth for one in whole):
        return f"it keeps neighbours together well {kept}, in clusters of less uneven sizes"
    return f"it keeps neighbours together about as well as any {kept}, and others agree with it"


def _taught(trials: Sequence[Trial], second: Second | None) -> str:
    others = [trial.model.labels_ for trial in alike(trials)] or ([] if second is None else [second.labels])
    taught = percentage(float((unanimous([trials[0].model.labels_, *others]) > UNKNOWN).mean()))
    said = f" {trials[0].name} and independent runs put {taught} of the rows into the same clusters;"
    return f"{said} from these a further network has learned, which answers."


def _nothing_to_choose(count: Count | None) -> str:
    if count is None:
        return "One cluster was asked for, so there was nothing to choose."
    if count.parted > 1:
        return f"One cluster is the most that was asked for, though {count.parted} groups were seen."
    if not count.replication:
        return "No gaps were seen between groups, and for more than that there was no time or were too few rows."
    return "No groups were found: all rows are in one cluster, so there was nothing to choose."


def _used(n_known: int, n_pairs: int) -> str:
    told = [counted(n, noun) for n, noun in ((n_known, "known labels"), (n_pairs, "pairs")) if n]
    return f"{' and '.join(told)} {'was' if n_known + n_pairs == 1 else 'were'} used;"


def _is_as_good(trial: Trial, best: Trial, criterion: str) -> bool:
    """Return whether a candidate is worth about as much by what decided."""
    first, other = best.judgement, trial.judgement
    if other.clusters < first.clusters:
        return False
    if best.learned is not None:
        return trial.learned is not None and trial.learned >= best.learned - AS_GOOD
    return other.value(criterion) >= first.value(criterion) - AS_GOOD
