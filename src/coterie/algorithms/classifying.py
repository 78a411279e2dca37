"""What a classifier that learned the labels there are makes of the other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.svm import SVC

from coterie.components import fit_components
from coterie.subsample import sample_source

if TYPE_CHECKING:
    from coterie.data import Source

ENOUGH = 4  # times as many labels as classes or clusters, whichever are more: a classifier has something to say
FITTED = 10_000  # rows that principal components are fitted to, and labelled ones that it learns from, at most
PENALTY = 10.0  # its C
BLOCK = 1_000  # rows that are told their class at a time
ROOM = 1 << 22  # values of a block of rows, for each two classes


def places(source: Source, seed: int) -> np.ndarray:
    """Return the principal components of all rows, which no clustering has drawn together.

    Parameters
    ----------
    source : Source
        The rows.
    seed : int
        Seed of the sample that they are found from.

    Returns
    -------
    ndarray of shape (n, at most 50)
        Float32.
    """
    components = fit_components(sample_source(source, FITTED, seed)[1], seed)
    parts = (source.take(block).flatten(1).numpy() for block in source.blocks())
    return np.concatenate([components.transform(part) for part in parts])


def are_enough(y: np.ndarray, n_clusters: int) -> bool:
    """Return whether labels are enough to learn from: of two classes or more, and four times as many as clusters.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Classes, -1 where not known.
    n_clusters : int
        Clusters there are; where classes are more, four times as many labels as these are enough.

    Returns
    -------
    bool
        Whether they are.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.classifying import are_enough
    >>> y = np.array([0, 0, 0, 0, -1, 1, 1, 1, 1])
    >>> are_enough(y, 2), are_enough(y, 3)
    (True, False)
    """
    K = len(np.unique(y[y >= 0]))
    return bool(K >= 2 and (y >= 0).sum() >= ENOUGH * max(K, n_clusters))


def classes(z: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the class of every row by a support vector machine that learned the known ones.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Places.
    y : ndarray of shape (n,)
        Classes, -1 where not known; of two or more.
    rng : Generator
        Draws the labelled rows that are learned from, where these are many.

    Returns
    -------
    ndarray of shape (n,)
        Classes, known ones as the machine has them.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.classifying import classes
    >>> z, y = np.arange(6.0)[:, None], np.array([0, -1, -1, -1, -1, 1])
    >>> classes(z, y, np.random.default_rng(0)).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    machine = _learned(z, y, rng)
    blocks = np.array_split(z, max(1, -(-len(z) // BLOCK)))  # between which Ctrl-C is heard
    return np.concatenate([machine.predict(block) for block in blocks])


def margins(z: np.ndarray, y: np.ndarray, *, n_clusters: int, rng: np.random.Generator) -> np.ndarray | None:
    """Return by how much each row's class beats the class that comes nearest to it, in a support vector machine.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Places.
    y : ndarray of shape (n,)
        Classes, -1 where not known.
    n_clusters : int
        Clusters there are.
    rng : Generator
        Draws the labelled rows that are learned from, where these are many.

    Returns
    -------
    ndarray of shape (n,) or None
        Below 0 where no class beats all others; None where labels are too few to learn from.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.algorithms.classifying import margins
    >>> z, y = np.arange(9.0)[:, None], np.array([0, 0, 0, 0, -1, 1, 1, 1, 1])
    >>> int(margins(z, y, n_clusters=2, rng=np.random.default_rng(0)).argmin())
    4
    """
    if not are_enough(y, n_clusters):
        return None
    machine = _learned(z, y, rng)
    K = len(machine.classes_)
    first, second = np.triu_indices(K, 1)
    found = []
    for part in np.array_split(z, -(-len(z) * K * K // ROOM)):
        scores = machine.decision_function(part)
        if K == 2:
            found.append(np.abs(scores))
            continue
        beats = np.full((len(part), K, K), np.inf)  # by how much one class beats another; itself always
        beats[:, first, second], beats[:, second, first] = scores, -scores
        likeliest = (beats > 0).sum(2).argmax(1)
        found.append(beats[np.arange(len(part)), likeliest].min(1))
    return np.concatenate(found)


def _learned(z: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> SVC:
    """Return a support vector machine with a Gaussian kernel, fitted to known rows."""
    rows = rng.permutation(np.flatnonzero(y >= 0))
    if len(rows) > FITTED:  # of which each class has one at least
        first = np.isin(np.arange(len(rows)), np.unique(y[rows], return_index=True)[1])
        rows = np.concatenate([rows[first], rows[~first]])[:FITTED]
    # Without a state of its own it draws from the global one, though it needs none.
    return SVC(C=PENALTY, decision_function_shape="ovo", random_state=0).fit(z[rows], y[rows])
