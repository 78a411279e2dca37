"""Tomorrow's rows beside the training rows: what is new, and what has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom, fisher_exact
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.inputs import open_source
from coterie.familiarity import expected_strange
from coterie.figures import percentage
from coterie.selection.auto import Auto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from coterie.algorithms import Clusterer
    from coterie.data import Source

_CLEARLY = 0.01  # p-value, over all clusters, below which a share differs
_SUMMED_UP = ("moved", "shares", "usual", "shift", "n_fitted")
_VISIBLE = 0.0005  # share of the rows that is not rounded to nothing


@dataclass(frozen=True, eq=False)
class Drift:
    """How further rows differ from those that were fitted.

    Parameters
    ----------
    strangeness : ndarray of shape (n,)
        How strange each row is, as :class:`coterie.familiarity.Familiarity` defines it.
    threshold : float
        Strangeness beyond which a row is unlike anything seen in training.
    labels : ndarray of shape (n,)
        Cluster of each row.
    usual : ndarray of shape (K,)
        Share of the training rows in each cluster.
    shift : float
        Distance between the two means in the directions that :class:`coterie.familiarity.Familiarity` keeps, in roots
        of the training rows' total variance.
    n_fitted : int
        Number of training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.selection import drift
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> found = drift(KMeans(n_clusters=2, random_state=0).fit(X), X + 9)
    >>> bool(found.shift > 1), bool(found.strange.mean() > 0.9)
    (True, True)
    """

    strangeness: np.ndarray
    threshold: float
    labels: np.ndarray
    usual: np.ndarray
    shift: float
    n_fitted: int

    @property
    def strange(self) -> np.ndarray:
        """Whether each row is unlike anything seen in training, shape (n,)."""
        return self.strangeness > self.threshold

    @property
    def expected(self) -> float:
        """Share of rows of the same kind that would be unlike any seen in training."""
        return expected_strange(self.n_fitted)

    @property
    def shares(self) -> np.ndarray:
        """Share of the rows in each cluster, shape (K,)."""
        return np.bincount(self.labels, minlength=len(self.usual)) / len(self.labels)

    @property
    def moved(self) -> float:
        """Share of the rows that would have to change cluster for the shares to be the usual ones."""
        return float(np.abs(self.shares - self.usual).sum() / 2)

    @property
    def chance(self) -> float:
        """About how large ``moved`` is of two samples, of n and ``n_fitted`` rows, from the usual shares; at most 1."""
        spreads = [_mean_deviation(n, self.usual) for n in (len(self.labels), self.n_fitted)]
        return float(min(np.hypot(*spreads).sum() / 2, 1.0))

    @property
    def differs(self) -> np.ndarray:
        """Whether the share of each cluster differs by more than chance (Fisher's exact test, p < .01 / K), (K,)."""
        n, m = len(self.labels), self.n_fitted
        now, then = np.bincount(self.labels, minlength=len(self.usual)), np.rint(self.usual * m).astype(int)
        p = [fisher_exact([[a, n - a], [b, m - b]]).pvalue for a, b in zip(now.tolist(), then.tolist(), strict=True)]
        return np.array(p) < _CLEARLY / len(p)

    def sentence(self, *, noun: str = "row", names: Sequence[str | None] = ()) -> str:
        """Return the whole in one line; ``noun`` is what a row is called, ``names`` are those of the clusters."""
        k = int(np.abs(self.shares - self.usual).argmax())
        called = f" {names[k]!r}" if len(names) and names[k] else ""
        most = f", most in cluster {k}{called} ({percentage(self.usual[k])} then, {percentage(self.shares[k])} now)"
        share = percentage(float(self.strange.mean()))
        moved = f", where up to {self.chance:.1%} is expected by chance{most}" if self.moved >= _VISIBLE else ""
        count = int(self.strange.sum())
        return (
            f"{count:,} of {len(self.strange):,} {noun}s ({share}) {'is' if count == 1 else 'are'} unlike any "
            f"seen in training, where {percentage(self.expected)} is usual; the shares of the clusters differ by "
            f"{self.moved:.1%}{moved}; the mean {noun} moved by {_short(self.shift)} of the {noun}s' spread."
        )

    def figures(self) -> dict[str, Any]:
        """Return all figures, JSON-able; of single rows only how many are strange."""
        told = {name: np.round(getattr(self, name), 6).tolist() for name in _SUMMED_UP}
        beside = {"strange_share_usual": round(self.expected, 6), "moved_by_chance": round(self.chance, 6)}
        return {"rows": len(self.labels), "strange": int(self.strange.sum()), **beside, **told}


def drift(model: Clusterer | Auto, X: ArrayLike | Source) -> Drift:
    """Compare further rows with those that a system was fitted on; no label is needed.

    Parameters
    ----------
    model : Clusterer or Auto
        A fitted system.
    X : array-like or Source
        Rows of the shape that was fitted.

    Returns
    -------
    Drift
        With one entry for each row or cluster.

    Raises
    ------
    InputError
        If the rows do not fit, or the model file is of a version that did not keep training rows.

    Examples
    --------
    >>> from coterie import KMeans
    >>> from coterie.selection import drift
    >>> X = [[0.0], [0.1], [5.0], [5.1]]
    >>> drift(KMeans(n_clusters=2, random_state=0).fit(X), X).moved
    0.0
    """
    check_is_fitted(model)
    if isinstance(model, Auto):
        model = model.best_
    source = open_source(model, X, reset=False)
    strangeness = model.strangeness(source)
    assert model.familiarity_ is not None
    return Drift(
        strangeness=strangeness,
        threshold=model.familiarity_.threshold,
        labels=model.predict(source),
        usual=np.bincount(model.labels_, minlength=len(model.cluster_centers_)) / len(model.labels_),
        shift=model.familiarity_.shift(source),
        n_fitted=len(model.labels_),
    )


def _mean_deviation(n: int, p: np.ndarray) -> np.ndarray:
    """Return the mean absolute deviation of a share that n draws have, exactly (de Moivre)."""
    above = np.floor(n * p) + 1
    return 2 * above * (1 - p) * binom.pmf(above, n, p) / n


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"
