"""How surely a row's columns tell its cluster: a judgement for rows in which single columns speak, as words do."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mutual_info_score
from sklearn.naive_bayes import MultinomialNB

SMOOTHING = 0.1  # added to each column's weight in each cluster, so that none is ruled out by one column


def told_by_columns(x: np.ndarray, labels: np.ndarray, *, seed: int) -> float:
    """Return the mutual information, in nats, between rows' clusters and those that their columns tell.

    Parameters
    ----------
    x : ndarray of shape (n, D)
        Rows, none of whose values is negative, such as weights of words.
    labels : ndarray of shape (n,)
        Cluster of each row, integers.
    seed : int
        Seed of the halves.

    Returns
    -------
    float
        At least 0, at most the entropy of the clusters' sizes, so that crumbs cut off from one large cluster are worth
        little however surely they are told. It is the mean of both halves of the rows, in each of which multinomial
        naive Bayes [1]_ that has learned the other half's clusters tells them; 0 of a single row.

    References
    ----------
    .. [1] A. McCallum, K. Nigam. A comparison of event models for naive Bayes text classification. AAAI workshop on
       learning for text categorization, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import told_by_columns
    >>> x = np.repeat(np.eye(2), 20, axis=0)
    >>> round(told_by_columns(x, np.arange(40) // 20, seed=0), 2), told_by_columns(x, np.arange(40) % 2, seed=0) < 0.3
    (0.69, True)
    """
    if len(x) < 2:
        return 0.0
    order = np.random.default_rng(seed).permutation(len(x))
    halves = order[: len(x) // 2], order[len(x) // 2 :]
    told = [
        mutual_info_score(labels[one], MultinomialNB(alpha=SMOOTHING).fit(x[other], labels[other]).predict(x[one]))
        for one, other in (halves, halves[::-1])
    ]
    return float(np.mean(told))
