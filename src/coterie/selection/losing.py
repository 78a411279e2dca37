"""Why the candidates that were not chosen lost, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coterie.figures import counted, percentage
from coterie.selection.candidates import TAUGHT
from coterie.selection.labelled import least_agreement
from coterie.selection.reasons import AS_GOOD

if TYPE_CHECKING:
    from coterie.selection.candidates import Trial


def reasons_lost(trials: Sequence[Trial], criterion: str, *, n_told: int = 0) -> dict[str, str]:
    """Return for each candidate but the one that was chosen why it was not.

    Parameters
    ----------
    trials : sequence of Trial
        The best first; before it the network that learned from it, if one did.
    criterion : {"neighbours", "likelihood", "columns"}
        What decided.
    n_told : int, default=0
        Known labels and pairs that were used.

    Returns
    -------
    dict of str to str
        By name, in the same order; a phrase each, by what decided.

    Examples
    --------
    >>> from coterie import Auto
    >>> model = Auto(n_clusters=2, candidates=["kmeans", "ward"], random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    >>> model.why_not()
    {'ward': 'about as good'}
    """
    best, *others = [trial for trial in trials if trial.name != TAUGHT]
    least = least_agreement([best, *others], n_told)
    rivals = {trial.name: _lost_to(trial, [best, *others], criterion) for trial in others}
    return {trial.name: _why_lost(trial, rivals[trial.name], criterion, least=least) for trial in others}


def _lost_to(trial: Trial, trials: Sequence[Trial], criterion: str) -> Trial:
    """Return the candidate that stood before this one: the best, or what the best itself beat by being learned."""
    compared = [one for one in trials if one.learned is not None]
    if trial.learned is not None or not compared:
        return trials[0]
    return max(compared, key=lambda one: one.judgement.value(criterion))


def _why_lost(trial: Trial, rival: Trial, criterion: str, *, least: float) -> str:
    one, other = trial.judgement, rival.judgement
    if one.clusters < other.clusters:
        return f"found {counted(one.clusters, 'clusters')}, not {other.clusters}"
    if trial.agreement is not None and rival.agreement is not None and trial.agreement < least:
        return f"agrees less with what is known: {percentage(trial.agreement)}, not {percentage(rival.agreement)}"
    if trial.learned is not None and rival.learned is not None and trial.learned < rival.learned:
        return "another network learns its clusters less surely"
    return _by_what_decided(trial, rival, criterion)


def _by_what_decided(trial: Trial, rival: Trial, criterion: str) -> str:
    ahead = trial.judgement.value(criterion) - rival.judgement.value(criterion)
    if abs(ahead) <= AS_GOOD:
        return "about as good"
    if ahead > 0:
        return "about as good; the others agree with it less"
    if criterion == "likelihood":
        return "its clusters describe the rows less well"
    if criterion == "columns" and (trial.judgement.columns or 0.0) < (rival.judgement.columns or 0.0) - AS_GOOD:
        return "a row's columns tell less of its clusters"
    if criterion == "neighbours" and trial.judgement.kept < rival.judgement.kept - AS_GOOD:
        return "keeps fewer neighbours together"
    return "its clusters are of less even sizes"
