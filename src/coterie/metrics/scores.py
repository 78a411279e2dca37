"""Agreement of a partition with known classes that needs no matching of clusters and classes."""

from __future__ import annotations

from numpy.typing import ArrayLike
from sklearn import metrics as sk

from coterie.metrics._check import cross
from coterie.metrics.matching import accuracy


def nmi(y: ArrayLike, labels: ArrayLike) -> float:
    """Return the normalised mutual information, divided by the arithmetic mean of the two entropies.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        Between 0 and 1; not corrected for chance, so it rewards many clusters.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    Notes
    -----
    Papers before 2019 often report the geometric mean, which is never smaller.

    Examples
    --------
    >>> round(nmi([0, 0, 1, 1], [1, 1, 0, 2]), 3)
    0.8
    """
    crossing = cross(y, labels)
    return float(sk.normalized_mutual_info_score(crossing.y, crossing.labels, average_method="arithmetic"))


def ari(y: ArrayLike, labels: ArrayLike) -> float:
    """Return the adjusted Rand index: agreement on pairs of rows, corrected for chance [1]_.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        At most 1; around 0 for a random partition, possibly negative.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    References
    ----------
    .. [1] L. Hubert, P. Arabie. Comparing partitions. Journal of Classification 2, 1985. :doi:`10.1007/BF01908075`

    Examples
    --------
    >>> round(ari([0, 0, 1, 1], [1, 1, 0, 2]), 3)
    0.571
    """
    crossing = cross(y, labels)
    return float(sk.adjusted_rand_score(crossing.y, crossing.labels))


def ami(y: ArrayLike, labels: ArrayLike) -> float:
    """Return the adjusted mutual information, arithmetic mean: corrected for chance [1]_.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        At most 1; around 0 for a random partition, possibly negative.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    References
    ----------
    .. [1] N. X. Vinh, J. Epps, J. Bailey. Information theoretic measures for clusterings comparison. JMLR 11, 2010.

    Examples
    --------
    >>> round(ami([0, 0, 1, 1], [1, 1, 0, 2]), 3)
    0.571
    """
    crossing = cross(y, labels)
    return float(sk.adjusted_mutual_info_score(crossing.y, crossing.labels, average_method="arithmetic"))


def v_measure(y: ArrayLike, labels: ArrayLike) -> float:
    """Return the V-measure: the harmonic mean of homogeneity and completeness [1]_, equal to :func:`nmi`.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    References
    ----------
    .. [1] A. Rosenberg, J. Hirschberg. V-measure: a conditional entropy-based external cluster evaluation measure.
       EMNLP-CoNLL 2007.

    Examples
    --------
    >>> round(v_measure([0, 0, 1, 1], [1, 1, 0, 2]), 3)
    0.8
    """
    crossing = cross(y, labels)
    return float(sk.v_measure_score(crossing.y, crossing.labels))


def purity(y: ArrayLike, labels: ArrayLike) -> float:
    """Return the purity: the share of rows that belong to the most frequent class of their cluster.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    float
        Above 0, at most 1; it rises with the number of clusters and is never below the accuracy.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    Examples
    --------
    >>> purity([0, 0, 1, 1], [1, 1, 0, 2])
    1.0
    """
    crossing = cross(y, labels)
    return float(crossing.counts.max(0).sum() / len(crossing.y))


def evaluate(y: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Return all scores of a partition against known classes.

    Parameters
    ----------
    y : array-like of shape (n,)
        Known classes, as :func:`~coterie.metrics.match` takes them.
    labels : array-like of shape (n,)
        Cluster of each row, likewise.

    Returns
    -------
    dict of float
        Keys accuracy, nmi, ari, ami, purity and v_measure.

    Raises
    ------
    InputError
        As :func:`~coterie.metrics.match`.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in evaluate([0, 0, 1, 1], [1, 1, 0, 2]).items()}
    {'accuracy': 0.75, 'nmi': 0.8, 'ari': 0.571, 'ami': 0.571, 'purity': 1.0, 'v_measure': 0.8}
    """
    crossing = cross(y, labels)
    scores = (accuracy, nmi, ari, ami, purity, v_measure)
    return {score.__name__: score(crossing.y, crossing.labels) for score in scores}
