"""What known labels and pairs say of fitted candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coterie.algorithms.numbering import follow_classes
from coterie.data.knowledge import UNKNOWN

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.data.knowledge import Knowledge
    from coterie.selection.candidates import Trial


def number_by_class(model: Clusterer, knowledge: Knowledge) -> None:
    """Give the clusters of a system that knew of no labels the numbers of the classes, as far as they go.

    Parameters
    ----------
    model : Clusterer
        Fitted; its clusters are matched one to one with the classes so that most known rows are in the cluster of
        theirs. Nothing happens to a system that learned from the labels.
    knowledge : Knowledge
        Of its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.data.knowledge import make_knowledge
    >>> from coterie.selection.labelled import number_by_class
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    >>> number_by_class(model, make_knowledge(4, known=[1, -1, -1, -1]))
    >>> model.labels_.tolist(), model.predict([[0.05]]).tolist()
    ([1, 1, 0, 0], [1])
    """
    held = knowledge.known > UNKNOWN
    if model.n_known_ or not held.any():
        return
    model._renumber(follow_classes(knowledge.known[held], model.labels_[held], len(model.cluster_centers_)))


def agreement_with(model: Clusterer, knowledge: Knowledge) -> float | None:
    """Return the share of what is known that a fitted system has so; None where nothing is known.

    Parameters
    ----------
    model : Clusterer
        Fitted, its clusters numbered by class.
    knowledge : Knowledge
        Of its rows.

    Returns
    -------
    float or None
        In [0, 1]: of known rows that are in the cluster of their class, and of pairs that are together, or apart.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.data.knowledge import make_knowledge
    >>> from coterie.selection.labelled import agreement_with
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    >>> agreement_with(model, make_knowledge(4, must_link=[(0, 1), (0, 2)], cannot_link=[(1, 3), (2, 3)]))
    0.5
    """
    if not knowledge:
        return None
    held, labels = knowledge.known > UNKNOWN, model.labels_
    (i, j), (k, m) = knowledge.together.T, knowledge.apart.T
    kept = [(labels == knowledge.known)[held], labels[i] == labels[j], labels[k] != labels[m]]
    return float(np.concatenate(kept).mean())


def ranked_by_labels(trials: Sequence[Trial], knowledge: Knowledge) -> list[Trial]:
    """Put those candidates first that agree with what is known as well as the best does.

    Parameters
    ----------
    trials : sequence of Trial
        As they were ranked without labels.
    knowledge : Knowledge
        Of their rows.

    Returns
    -------
    list of Trial
        With their agreements. "As well as" is within one known row or pair and one standard error of the best; among
        these, and among the others, the order stays. The candidates that learned from the labels have an advantage,
        which they may have: what they can learn of many labels is what others cannot.
    """
    told = [replace(trial, agreement=agreement_with(trial.model, knowledge)) for trial in trials]
    least = least_agreement(told, knowledge.n_known + knowledge.n_pairs)
    return sorted(told, key=lambda trial: (trial.agreement or 0.0) < least)


def least_agreement(trials: Sequence[Trial], n_told: int) -> float:
    """Return from which share of what is known on a candidate agrees with it as well as the best does.

    Parameters
    ----------
    trials : sequence of Trial
        With their agreements, or without where nothing is known.
    n_told : int
        Known rows and pairs.

    Returns
    -------
    float
        One row or pair and one standard error below the best; 0 where nothing is known.
    """
    shares = [trial.agreement for trial in trials if trial.agreement is not None]
    if not shares:
        return 0.0
    best = max(shares)
    return best - 1 / n_told - float(np.sqrt(best * (1 - best) / n_told))
