"""How sure the cluster of a row is: calibrated against what an independent run says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.isotonic import IsotonicRegression

KNOTS = 50  # of the curve that is kept, at most


@dataclass(frozen=True, eq=False)
class Calibration:
    """From a row's margin to the probability that an independent run puts it with the same others.

    Parameters
    ----------
    margins : ndarray of shape (m,)
        Knots, rising.
    probabilities : ndarray of shape (m,)
        What they stand for, never falling, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.criteria import Calibration
    >>> log_q = np.log([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.1, 0.9]])
    >>> curve = Calibration.learned(log_q, np.array([True, True, False, True]))
    >>> curve(log_q).round(2).tolist()
    [1.0, 1.0, 0.0, 1.0]
    """

    margins: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def learned(cls, log_q: np.ndarray, same: np.ndarray) -> Self:
        """Learn the curve from what an independent run found of the same rows.

        Parameters
        ----------
        log_q : ndarray of shape (n, K)
            Log soft assignments of the run.
        same : ndarray of bool of shape (n,)
            Whether the other run has the row with the same others.

        Returns
        -------
        Calibration
            By isotonic regression.
        """
        x = margin(log_q)
        curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(x, same.astype(np.float64))
        knots = np.unique(np.quantile(x, np.linspace(0, 1, KNOTS)))
        return cls(knots, np.asarray(curve.predict(knots), dtype=np.float64))

    def __call__(self, log_q: np.ndarray) -> np.ndarray:
        """Return the probability of each row, shape (n,), from its log soft assignments, shape (n, K)."""
        return np.interp(margin(log_q), self.margins, self.probabilities)

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return {"margins": self.margins.tolist(), "probabilities": self.probabilities.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return what :meth:`to_dict` wrote."""
        return cls(np.array(values["margins"]), np.array(values["probabilities"]))


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
