"""An isolation forest as plain arrays, so that it can be stored without pickle and is scored the same anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.ensemble import IsolationForest

PARTS = ("feature", "threshold", "left", "right", "length", "roots", "unit")
BLOCK = 4096  # rows that walk the trees together


@dataclass(frozen=True, eq=False)
class Forest:
    """The nodes of all trees, one after another; a node's children come after it, a leaf is its own child.

    Parameters
    ----------
    feature : ndarray of shape (m,)
        Column that a node looks at, int64.
    threshold : ndarray of shape (m,)
        Rows whose value is at most this go left, float64.
    left, right : ndarray of shape (m,)
        Numbers of the children, int64.
    length : ndarray of shape (m,)
        Steps to a leaf and those that its rows would still need, on average, to be told apart; float64.
    roots : ndarray of shape (t,)
        Where each tree begins, int64.
    unit : ndarray of shape (1,)
        Sum over the trees of the length that is usual, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from coterie.anomaly.forest import Forest
    >>> X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    >>> grown = IsolationForest(random_state=0).fit(X)
    >>> bool(np.allclose(Forest.of(grown).anomaly(X), -grown.score_samples(X)))
    True
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    length: np.ndarray
    roots: np.ndarray
    unit: np.ndarray

    @classmethod
    def of(cls, grown: IsolationForest) -> Self:
        """Copy a fitted forest that looks at all columns.

        Parameters
        ----------
        grown : IsolationForest
            scikit-learn's, fitted with ``max_features=1.0``.

        Returns
        -------
        Forest
            With the same scores.
        """
        trees = [each.tree_ for each in grown.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        parts = [_nodes(tree, root) for tree, root in zip(trees, roots, strict=True)]
        usual = _still_needed(np.array([grown.max_samples_]))[0]
        nodes = dict(zip(PARTS, map(np.concatenate, zip(*parts, strict=True)), strict=False))
        return cls(**nodes, roots=roots, unit=np.array([len(trees) * usual]))

    def anomaly(self, z: np.ndarray) -> np.ndarray:
        r"""Return :math:`2^{-E[h(z)] / c}` with h the length of a row's way down a tree and c the usual one.

        Parameters
        ----------
        z : ndarray of shape (n, d)
            Rows, float32.

        Returns
        -------
        ndarray of shape (n,)
            In (0, 1]; about 0.5 and less for usual rows.
        """
        return np.concatenate([self._of_block(z[start : start + BLOCK]) for start in range(0, max(len(z), 1), BLOCK)])

    def _of_block(self, z: np.ndarray) -> np.ndarray:
        rows = np.arange(len(z))[:, None]
        at = np.tile(self.roots, (len(z), 1))
        while True:
            below = np.where(z[rows, self.feature[at]] <= self.threshold[at], self.left[at], self.right[at])
            if (below == at).all():
                break
            at = below
        unit = float(self.unit[0])
        return 2.0 ** -(self.length[at].sum(1) / unit) if unit > 0 else np.full(len(z), 0.5)

    def check(self, n_columns: int) -> None:
        """Raise a ValueError if this cannot be a forest over so many columns, for arrays that come from a file."""
        m = len(self.feature)
        nodes = np.arange(m)
        ways = (self.left, self.right)
        sound = (
            m > 0
            and all(getattr(self, name).shape == (m,) for name in PARTS[:5])
            and self.unit.shape == (1,)
            and self.roots.ndim == 1
            and len(self.roots) > 0
            and all(each.dtype == np.int64 for each in (self.feature, *ways, self.roots))
            and all(bool((each >= nodes).all() and (each < m).all()) for each in ways)  # so that every way ends
            and bool((self.feature >= 0).all() and (self.feature < n_columns).all())
            and bool((self.roots >= 0).all() and (self.roots < m).all())
            and bool(np.isfinite(self.length).all() and np.isfinite(self.unit).all())
        )
        if not sound:
            raise ValueError("its arrays are no forest")


def _nodes(tree: object, root: int) -> list[np.ndarray]:
    """Return the node arrays of one of scikit-learn's trees."""
    left, right, samples = (getattr(tree, name) for name in ("children_left", "children_right", "n_node_samples"))
    own, leaf = np.arange(len(left)), left < 0
    depth = np.zeros(len(left))
    for node in np.flatnonzero(~leaf):  # parents come before their children
        depth[[left[node], right[node]]] = depth[node] + 1
    return [
        np.where(leaf, 0, getattr(tree, "feature")).astype(np.int64),  # noqa: B009 - the stub knows no trees
        getattr(tree, "threshold").astype(np.float64),  # noqa: B009
        root + np.where(leaf, own, left),
        root + np.where(leaf, own, right),
        np.where(leaf, depth + _still_needed(samples), 0.0),
    ]


def _still_needed(samples: np.ndarray) -> np.ndarray:
    """Return the mean length of an unsuccessful search in a binary tree of so many rows."""
    m = np.maximum(samples, 3).astype(np.float64)
    many = 2.0 * (np.log(m - 1.0) + np.euler_gamma) - 2.0 * (m - 1.0) / m
    return np.where(samples > 2, many, np.where(samples == 2, 1.0, 0.0))
