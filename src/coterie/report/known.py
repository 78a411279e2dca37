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
    count = known["n_known"]
    said = f"Trained with {count:,} known label{'s' if count > 1 else ''}; {percent(known['kept'])} of these rows are "
    said += "in the cluster of their class."
    others = known.get("metrics")
    return said + (f" Accuracy on all others: {figure(others['accuracy'])}." if others else "")
