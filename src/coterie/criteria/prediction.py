"""How surely a row's columns tell its cluster: a judgement for rows in which single columns speak, as words do."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import entr
from sklearn.metrics import mutual_info_score
from sklearn.naive_bayes import MultinomialNB

SMOOTHING = 1.0  # times the mean weight, added to each column's sum in each cluster, so that none is ruled out by one


def told_by_columns(x: np.ndarray | csr_matrix, labels: np.ndarray, *, seed: int) -> float:
    """Return how much of rows' clusters their columns tell.

    Parameters
    ----------
    x : ndarray or sparse matrix of shape (n, D)
        Rows, none of whose values is negative, such as weights of words; their unit does not matter.
    labels : ndarray of shape (n,)
        Cluster of each row, integers.
    seed : int
        Seed of the halves.

    Returns
    -------
    float
        Mutual information between the clusters and their predictions, over the clusters' entropy, in [0, 1]: the rows
        are halved, multinomial naive Bayes [1]_ with equal priors learns one half's clusters and predicts the other's,
        and the mean of both directions is returned. 0 of a single row, or of one cluster.

    References
    ----------
    .. [1] A. McCallum, K. Nigam. A comparison of event models for naive Bayes text classification. AAAI workshop on
       learning for text categorization, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import told_by_columns
    >>> x = np.repeat(np.eye(2), 20, axis=0)
    >>> told_by_columns(x, np.arange(40) // 20, seed=0) > 0.9, told_by_columns(x, np.arange(40) % 2, seed=0) < 0.1
    (True, True)
    """
    _, y = np.unique(labels, return_inverse=True)
    entropy = float(entr(np.bincount(y) / len(y)).sum())
    weights = csr_matrix(x, dtype=np.float64)
    if entropy == 0 or not weights.nnz:
        return 0.0
    weights = weights / weights.data.mean()
    order = np.random.default_rng(seed).permutation(len(y))
    halves = order[: len(y) // 2], order[len(y) // 2 :]
    told = [
        mutual_info_score(y[one], _classifier().fit(weights[other], y[other]).predict(weights[one]))
        for one, other in (halves, halves[::-1])
    ]
    return min(float(np.mean(told)) / entropy, 1.0)  # by chance a half may have a larger entropy


def _classifier() -> MultinomialNB:
    return MultinomialNB(alpha=SMOOTHING, fit_prior=False)
