"""That a run learned from known labels, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coterie.report.wording import figure, percent


def known_sentence(known: Mapping[str, Any]) -> str:
    """Say that known labels were used, and what the run is worth without them.

    Parameters
    ----------
    known : mapping
        The entry of ``metrics.json``.

    Returns
    -------
    str
        One sentence or two.

    Examples
    --------
    >>> from coterie.report.known import known_sentence
    >>> known_sentence({"n_known": 100, "kept": 1.0, "metrics": {"accuracy": 0.985}})
    'Trained with 100 known labels; 100 % of these rows are in the cluster of their class. Accuracy on all others: .98.'
    """
    count, kept, others = known["n_known"], known.get("kept"), known.get("metrics")
    said = f"Trained with {count:,} known label{'s' if count > 1 else ''}"
    if kept is not None:  # else clusters were changed by hand, and are no longer those of classes
        said += f"; {percent(kept)} of these rows are in the cluster of their class"
    return said + "." + (f" Accuracy on all others: {figure(others['accuracy'])}." if others else "")


def role_of_labels(known: Mapping[str, Any] | None) -> str:
    """Say what the labels that a run is evaluated with had to do with its training.

    Parameters
    ----------
    known : mapping or None
        The entry of ``metrics.json``; None for a run that learned from no labels.

    Returns
    -------
    str
        What follows "Labels:".

    Examples
    --------
    >>> from coterie.report.known import role_of_labels
    >>> role_of_labels({"n_known": 30})
    'to evaluate; the classes of 30 rows were known in training'
    """
    if known is None:
        return "only to evaluate, never to fit"
    whose = "class of 1 row was" if known["n_known"] == 1 else f"classes of {known['n_known']:,} rows were"
    return f"to evaluate; the {whose} known in training"
