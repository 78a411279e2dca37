"""How sure the cluster of a row is: calibrated against what an independent run says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

KNOTS = 50  # of the curve that is kept, at most
BLOCK = 30  # rows of like margins whose agreement is averaged: one row says nothing of the others
FARTHEST = 50.0  # log odds by which a cluster may be shifted: those of any two shares of rows are less far apart
PRIOR = 50  # rows of a cluster that weigh as much as what all clusters have in common


@dataclass(frozen=True, eq=False)
class Calibration:
    """From a row's margin and cluster to the probability that an independent run puts it with the same others.

    A large margin is no proof where other runs do not find the cluster. So the curve from margin to agreement is
    shifted, cluster by cluster, to the agreement that was seen among that cluster's own rows.

    Parameters
    ----------
    margins : ndarray of shape (m,)
        Knots, rising.
    probabilities : ndarray of shape (m,)
        What they stand for, never falling, in [0, 1].
    shifts : ndarray of shape (K,) or (0,)
        What is added to the log odds of each cluster's rows; empty where nothing is.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import Calibration
    >>> log_q = np.log([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.1, 0.9]])
    >>> curve = Calibration.learned(log_q, np.array([True, True, False, True]))
    >>> (curve(log_q) > 0.5).tolist()
    [True, True, False, True]
    """

    margins: np.ndarray
    probabilities: np.ndarray
    shifts: np.ndarray

    @classmethod
    def learned(cls, log_q: np.ndarray, same: np.ndarray) -> Self:
        """Learn curve and shifts from what independent runs found of the same rows.

        Parameters
        ----------
        log_q : ndarray of shape (n, K)
            Log soft assignments of the run.
        same : ndarray of bool or float of shape (n,)
            Whether the other run has the row with the same others, or the share of other runs that have.

        Returns
        -------
        Calibration
            A curve by isotonic regression over blocks of rows of like margins. Within each cluster it is shifted to the
            agreement seen among the cluster's own rows, as if 50 further rows followed the common curve.
        """
        x, same, n = margin(log_q), same.astype(np.float64), len(log_q)
        order = np.argsort(x, kind="stable")
        size = max(1, min(BLOCK, n // 10))
        blocks = np.array_split(order, n // size)
        means = [np.mean([x[block], same[block]], axis=1) for block in blocks]
        middle, agreed = np.array(means).T
        curve = IsotonicRegression(out_of_bounds="clip").fit(middle, agreed, [len(block) for block in blocks])
        knots = np.unique(np.quantile(middle, np.linspace(0, 1, KNOTS)))
        least = 1 / (n + 2)  # what no row of n could show
        plain = cls(knots, np.clip(curve.predict(knots), least, 1 - least), np.zeros(0))
        found, labels = plain(log_q), log_q.argmax(1)
        shifts = np.zeros(log_q.shape[1])
        for k in np.unique(labels):
            own = found[labels == k]
            wanted = (same[labels == k].sum() + PRIOR * own.mean()) / (len(own) + PRIOR)
            shifts[k] = _shift(own, np.clip(wanted, least, 1 - least))
        return cls(knots, plain.probabilities, shifts)

    def __call__(self, log_q: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        """Return the probability of each row, shape (n,).

        Parameters
        ----------
        log_q : ndarray of shape (n, J)
            Log soft assignments.
        clusters : ndarray of shape (n,) or None, default=None
            Cluster of each row, whose shift counts; None takes the likeliest.

        Returns
        -------
        ndarray of shape (n,)
            In [0, 1].
        """
        plain = np.interp(margin(log_q), self.margins, self.probabilities)
        if not len(self.shifts):
            return plain
        return expit(logit(plain) + self.shifts[log_q.argmax(1) if clusters is None else clusters])

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return {name: value.tolist() for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return what :meth:`to_dict` wrote; an earlier version's has no shifts."""
        return cls(*(np.array(values.get(name, [])) for name in ("margins", "probabilities", "shifts")))


def _shift(found: np.ndarray, wanted: float) -> float:
    """Return what brings the mean of probabilities to another one, added to their log odds."""
    odds = logit(found)
    return float(brentq(lambda shift: expit(odds + shift).mean() - wanted, -FARTHEST, FARTHEST))


def margin(log_q: np.ndarray) -> np.ndarray:
    """Return how much more likely the likeliest cluster of each row is than the second, in nats.

    Parameters
    ----------
    log_q : ndarray of shape (n, K)
        Log soft assignments.

    Returns
    -------
    ndarray of shape (n,)
        >= 0; 0 where there is one cluster only.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria.calibration import margin
    >>> margin(np.log([[0.8, 0.1, 0.1]])).round(3).tolist()
    [2.079]
    """
    if log_q.shape[1] < 2:
        return np.zeros(len(log_q))
    second, first = np.partition(log_q, -2, axis=1)[:, -2:].T
    return first - second
