"""Teachers: systems whose clusters, and a classifier whose classes, where they agree, are labels for another."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from coterie.algorithms.building import is_open
from coterie.algorithms.classifying import ENOUGH, are_enough, classes, places
from coterie.algorithms.inputs import is_repeatable, kept_seed
from coterie.algorithms.knowing import fit_arguments
from coterie.algorithms.numbering import follow_classes
from coterie.config import get_config
from coterie.data.knowledge import UNKNOWN
from coterie.errors import CollapseWarning, DataWarning, InputError, Interrupted
from coterie.matching import check_partitions, unanimous
from coterie.neighbours import may_compare_all
from coterie.training import Streams, part_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.algorithms.selflabel import SelfLabel
    from coterie.data import Source
    from coterie.data.knowledge import Knowledge

STUDENT = "selflabel"  # which cannot teach itself
MACHINE = "svm"  # a support vector machine that learned the known labels, no system by itself
_ADVICE = "Stopped. Within coterie.config_context(checkpoint=...) a fit with teachers can go on."
LEAST = 0.1  # of the rows of a cluster on which others must agree to be heard about it


def may_teach(names: object) -> bool:
    """Return whether these are names of systems that others can learn from, one at least; "svm" comes last."""
    from coterie.algorithms import SYSTEMS

    able = SYSTEMS.keys() - {STUDENT} | {MACHINE}
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name in able for name in names):
        return False
    return len(names) > 0 and MACHINE not in names[:-1]  # clusters have the numbers of the first; alone it may be that


def names_for(pupil: SelfLabel, source: Source, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the names of a pupil's teachers.

    Parameters
    ----------
    pupil : SelfLabel
        Its ``teachers``. "auto" is DEC and a support vector machine where labels are enough for one
        (:func:`coterie.algorithms.classifying.are_enough`), DEC and JULE for images of which nothing is known and that
        are not too many for it (:func:`coterie.neighbours.may_compare_all`), else DEC twice.
    source : Source
        The rows.
    knowledge : Knowledge
        What is known of them.

    Returns
    -------
    tuple of str
        Names of systems, and "svm".

    Raises
    ------
    InputError
        If there are pairs that no teacher can use, or too few labels for "svm".
    """
    from coterie.algorithms import SYSTEMS

    asked, n_clusters = pupil.teachers, int(pupil.n_clusters)
    enough, held = are_enough(knowledge.labels, n_clusters), knowledge.labels[knowledge.labels > UNKNOWN].tolist()
    graphs = source.spec.kind == "images" and may_compare_all(len(source), source.spec.n_features_in)
    second = MACHINE if enough else "jule" if graphs and not knowledge else "dec"
    names = ("dec", second) if asked == "auto" else tuple(asked)
    if MACHINE in names and not enough:
        raise InputError(
            f"The 'teachers' parameter of {type(pupil).__name__} may have {MACHINE!r} where two classes or more are "
            f"known, by {ENOUGH} times as many labels as clusters. Got {len(held)} labels of {len(set(held))} classes."
        )
    if knowledge.n_pairs and not any(SYSTEMS[name].knows_pairs for name in names if name != MACHINE):
        raise InputError(
            f"The 'teachers' parameter of {type(pupil).__name__} must name a system that can use pairs, such as dec. "
            f"Got {list(names)} instead."
        )
    return names


def appoint(names: Sequence[str], pupil: Clusterer) -> list[Clusterer]:
    """Return the teachers that are systems at their defaults, not fitted, each with a seed of its own.

    Parameters
    ----------
    names : sequence of str
        Of :func:`names_for`.
    pupil : Clusterer
        Its ``n_clusters`` and ``random_state``.

    Returns
    -------
    list of Clusterer
        In the order of the names.
    """
    from coterie.algorithms import SYSTEMS

    seed = kept_seed(pupil.random_state)
    return [
        SYSTEMS[name](n_clusters=pupil.n_clusters, random_state=(seed + number) % 2**32)
        for number, name in enumerate(name for name in names if name != MACHINE)
    ]


def classified(source: Source, knowledge: Knowledge, random_state: object) -> np.ndarray:
    """Return the class of every row by a support vector machine on principal components.

    Parameters
    ----------
    source : Source
        The rows.
    knowledge : Knowledge
        What is known of them.
    random_state : int, RandomState or None
        The pupil's.

    Returns
    -------
    ndarray of shape (n,)
        Int64.
    """
    seed = Streams(kept_seed(random_state)).integer(MACHINE)
    return classes(places(source, seed), knowledge.labels, np.random.default_rng(seed))


def ask(teachers: list[Clusterer], source: Source, knowledge: Knowledge) -> list[Clusterer]:
    """Fit teachers.

    Parameters
    ----------
    teachers : list of Clusterer
        Of :func:`appoint`.
    source : Source
        The rows.
    knowledge : Knowledge
        What is known of them; given to those that can use it.

    Returns
    -------
    list of Clusterer
        The same, fitted.

    Raises
    ------
    Interrupted
        On Ctrl-C; says how the whole fit can go on.
    """
    for number, teacher in enumerate(teachers):
        with within(f"teacher-{number}"):
            teacher.fit(source, **fit_arguments(teacher, knowledge))
    return teachers


@contextmanager
def within(name: str) -> Iterator[None]:
    """Let a fit be a part of the pupil's, of that name in its checkpoint folder; its warnings are not for the user."""
    with part_of(get_config().checkpoint, name, _ADVICE), warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # what others do not confirm is taught to nobody
        warnings.simplefilter("ignore", DataWarning)
        yield


@contextmanager
def stopped_amid_learning(random_state: object) -> Iterator[None]:
    """Say at Ctrl-C, where teachers would be others the next time, what would have kept them."""
    try:
        yield
    except Interrupted:
        if is_repeatable(random_state):
            raise
        raise Interrupted(_ADVICE) from None


def agreed(partitions: Sequence[ArrayLike], n_clusters: int, knowledge: Knowledge) -> np.ndarray:
    """Return the labels that partitions agree on, and those that are known.

    Parameters
    ----------
    partitions : sequence of array-like of shape (n,)
        Clusters of the same rows, 0 to K - 1 in the first; -1 where there is none, which agrees with nothing. If the
        others confirm less than a tenth of a cluster's rows, they are taken to have no such cluster, and all its rows
        keep the label.
    n_clusters : int
        K.
    knowledge : Knowledge
        Of the rows. Where more known rows are in the cluster of their class so, the first partition's clusters have the
        numbers of the classes.

    Returns
    -------
    ndarray of shape (n,)
        Int64, -1 where partitions differ and nothing is known.

    Raises
    ------
    InputError
        If partitions break a rule.
    """
    if is_open(n_clusters):
        raise InputError(f"The 'n_clusters' parameter must be a number where clusters are given. Got {n_clusters!r}.")
    partitions = check_partitions(partitions, least=UNKNOWN)
    first, told = partitions[0], knowledge.labels
    if len(first) != len(told):
        raise InputError(f"Partitions must have a cluster for each of the {len(told)} rows. Got {len(first)} instead.")
    if first.max() >= n_clusters:
        raise InputError(f"Partitions must have clusters from 0 to {n_clusters - 1}. Got {first.max()} instead.")
    clustered = np.all(np.greater(partitions, UNKNOWN), axis=0)
    if not clustered.any():
        raise InputError("Partitions must have a row at least that has a cluster in all of them.")
    y = np.full(len(first), UNKNOWN)
    y[clustered] = unanimous([labels[clustered] for labels in partitions])
    own = first > UNKNOWN
    y[own] = _unless_unheard(first[own], y[own], n_clusters)
    held = (told > UNKNOWN) & clustered
    if held.any():
        number = np.argsort(follow_classes(told[held], first[held], n_clusters))
        if (number[first] == told)[held].sum() > (first == told)[held].sum():
            y = np.where(y > UNKNOWN, number[y], UNKNOWN)
    return np.where(told > UNKNOWN, told, y)


def confirmed(
    labels: np.ndarray, partitions: Sequence[ArrayLike], *, n_clusters: int, knowledge: Knowledge
) -> np.ndarray:
    """Return the labels that one partition at least has too, and those that are known.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        What a pupil made of what the partitions agree on, 0 to K - 1; where they confirm less than a tenth of a
        cluster, all its rows keep the label.
    partitions : sequence of array-like of shape (n,)
        Clusters of the same rows.
    n_clusters : int
        K.
    knowledge : Knowledge
        Of the rows.

    Returns
    -------
    ndarray of shape (n,)
        Int64, -1 where none of the partitions has the label and nothing is known.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.teaching import confirmed
    >>> from coterie.data.knowledge import make_knowledge
    >>> labels, nothing = np.array([0, 0, 1, 1]), make_knowledge(4)
    >>> confirmed(labels, [[0, 0, 0, 1], [0, 1, 0, 1]], n_clusters=2, knowledge=nothing).tolist()
    [0, 0, -1, 1]
    """
    y = np.max([unanimous([labels, partition]) for partition in partitions], axis=0)
    return np.where(knowledge.labels > UNKNOWN, knowledge.labels, _unless_unheard(labels, y, n_clusters))


def _unless_unheard(labels: np.ndarray, y: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return labels y, and all of the clusters of which hardly any row has one."""
    sizes, heard = (np.bincount(part, minlength=n_clusters) for part in (labels, labels[y > UNKNOWN]))
    return np.where((heard < LEAST * sizes)[labels], labels, y)
