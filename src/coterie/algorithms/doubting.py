"""What a classifier that learned the labels there are makes of the other rows."""

from __future__ import annotations

import numpy as np
from sklearn.svm import SVC

ENOUGH = 4  # times as many labels as classes or clusters, whichever are more: a classifier has something to say
FITTED = 10_000  # of the labelled rows, that it learns from at most
PENALTY = 10.0  # its C
ROOM = 1 << 22  # values of a block of rows, for each two classes


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
    >>> from coterie.algorithms.doubting import margins
    >>> z, y = np.arange(9.0)[:, None], np.array([0, 0, 0, 0, -1, 1, 1, 1, 1])
    >>> int(margins(z, y, n_clusters=2, rng=np.random.default_rng(0)).argmin())
    4
    """
    rows = rng.permutation(np.flatnonzero(y >= 0))[:FITTED]
    K = len(np.unique(y[rows]))
    if K < 2 or len(rows) < ENOUGH * max(K, n_clusters):
        return None
    # Without a state of its own it draws from the global one, though it needs none.
    machine = SVC(C=PENALTY, decision_function_shape="ovo", random_state=0).fit(z[rows], y[rows])
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
