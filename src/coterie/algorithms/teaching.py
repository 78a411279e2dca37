"""Teachers: systems whose clusters, where they agree, are labels for another."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.algorithms.counting import kept_seed
from coterie.algorithms.numbering import follow_classes
from coterie.config import config_context, get_config
from coterie.data.knowledge import UNKNOWN, check_known
from coterie.errors import CollapseWarning, DataWarning, InputError
from coterie.matching import unanimous

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import Source
    from coterie.data.knowledge import Knowledge

STUDENT = "selflabel"  # which cannot teach itself
LEAST = 0.1  # of the rows of a cluster on which others must agree to be heard about it


def may_teach(names: object) -> bool:
    """Return whether these are names of systems that others can learn from, one at least."""
    from coterie.algorithms import SYSTEMS

    return isinstance(names, list | tuple) and len(names) > 0 and set(names) <= SYSTEMS.keys() - {STUDENT}


def ask(names: Sequence[str], pupil: Clusterer, source: Source, *, knowledge: Knowledge) -> list[np.ndarray]:
    """Fit teachers at their defaults.

    Parameters
    ----------
    names : sequence of str
        Their names among the systems; each has a seed of its own.
    pupil : Clusterer
        Its ``n_clusters`` and ``random_state``.
    source : Source
        The rows.
    knowledge : Knowledge
        What is known of them; given to those that can use it.

    Returns
    -------
    list of ndarray of shape (n,)
        Clusters.
    """
    from coterie.algorithms import SYSTEMS

    seed, folder, found = kept_seed(pupil.random_state), get_config().checkpoint, []
    for number, name in enumerate(names):
        teacher = SYSTEMS[name](n_clusters=pupil.n_clusters, random_state=(seed + number) % 2**32)
        told = knowledge.given() if teacher.knows else {}
        kept = None if folder is None else Path(folder) / f"teacher-{number}"
        with warnings.catch_warnings(), config_context(checkpoint=kept):
            warnings.simplefilter("ignore", CollapseWarning)  # what others do not confirm is taught to nobody
            warnings.simplefilter("ignore", DataWarning)
            found.append(teacher.fit(source, **told).labels_)
    return found


def agreed(partitions: Sequence[ArrayLike], n_clusters: int, known: ArrayLike | None = None) -> np.ndarray:
    """Return the labels that partitions agree on, and those that are known.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters of the same rows, 0 to K - 1 in the first. Of one that others have no counterpart of, as they agree on
        less than a tenth of its rows, all rows keep the label.
    n_clusters : int
        K.
    known : array-like of shape (n,) or None, default=None
        Classes, -1 where unknown. Clusters of the first partition are given their numbers.

    Returns
    -------
    ndarray of shape (n,)
        Int64, -1 where partitions differ and nothing is known.

    Raises
    ------
    InputError
        If partitions or classes break a rule.
    """
    y, first = unanimous(partitions), np.asarray(partitions[0]).astype(np.int64)
    if first.max() >= n_clusters:
        raise InputError(f"Partitions must have clusters from 0 to {n_clusters - 1}. Got {first.max()} instead.")
    sizes, confirmed = (np.bincount(part, minlength=n_clusters) for part in (first, first[y > UNKNOWN]))
    y = np.where((confirmed < LEAST * sizes)[first], first, y)
    if known is None:
        return y
    told = check_known(known, len(y))
    held = told > UNKNOWN
    number = np.argsort(follow_classes(told[held], first[held], n_clusters))
    return np.where(held, told, np.where(y > UNKNOWN, number[y], UNKNOWN))
