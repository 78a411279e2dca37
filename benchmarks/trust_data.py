"""The rows that choosing without labels is measured on: known sets, parts of them, and shapes made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rows = tuple[np.ndarray, np.ndarray]


def rows_of(name: str, seed: int) -> Rows:
    """Return rows and classes of a data set; generated ones and subsets differ from seed to seed."""
    rng = np.random.default_rng(seed)
    kind, _, rest = name.partition(":")
    if kind in GENERATED:
        return GENERATED[kind](rng, seed)
    X, y = _known(kind)
    if rest.startswith("imbalanced"):  # class k is kept at the share r + (1 - r) k / 9, classes in random order
        r = float(rest.removeprefix("imbalanced"))
        share = np.empty(10)
        share[rng.permutation(10)] = r + (1 - r) * np.arange(10) / 9
        kept = rng.random(len(y)) < share[y]
        return X[kept], y[kept]
    if rest == "subset":  # of 3 to 9 classes, 10,000 rows at most
        kept = np.flatnonzero(np.isin(y, rng.permutation(10)[: rng.integers(3, 10)]))
        kept = rng.permutation(kept)[:10_000]
        return X[kept], y[kept]
    return X, y


def _known(name: str) -> Rows:
    if name in ("digits", "iris", "wine", "breast_cancer"):
        from sklearn import datasets as bundled

        table = getattr(bundled, f"load_{name}")()
        return table.data, table.target
    from coterie import datasets

    table = datasets.load(name)
    return np.asarray(table.X), np.unique(np.asarray(table.y), return_inverse=True)[1]


def _blobs(rng: np.random.Generator, seed: int) -> Rows:
    k, d = int(rng.integers(2, 51)), int(rng.integers(2, 11))
    centers = _apart(rng, k, d, least=8.0)
    y = np.arange(100 * k) % k
    return centers[y] + rng.normal(size=(len(y), d)), y


def _apart(rng: np.random.Generator, k: int, d: int, *, least: float) -> np.ndarray:
    """Return k places in d dimensions, none nearer to another than ``least``."""
    side = least * max(2.0, 2 * k ** (1 / d))
    found = np.zeros((0, d))
    while len(found) < k:
        new = rng.uniform(0, side, d)
        if not len(found) or np.linalg.norm(found - new, axis=1).min() >= least:
            found = np.vstack([found, new])
    return found


def _stretched(rng: np.random.Generator, seed: int) -> Rows:
    y = np.arange(2000) % 4
    z = _apart(rng, 4, 2, least=7.0)[y] + rng.normal(size=(2000, 2))
    return z @ np.array([[0.6, -0.6], [-0.4, 0.8]]), y


def _moons(rng: np.random.Generator, seed: int) -> Rows:
    from sklearn.datasets import make_moons

    return make_moons(2000, noise=0.06, random_state=seed)


def _unlike_sizes(rng: np.random.Generator, seed: int) -> Rows:
    y = np.repeat(np.arange(6), [2000, 1000, 500, 200, 100, 50])
    return _apart(rng, 6, 8, least=7.0)[y] + rng.normal(size=(len(y), 8)), y


def _many_columns(rng: np.random.Generator, seed: int) -> Rows:
    y = np.arange(2000) % 8
    return rng.normal(size=(8, 100))[y] + 1.5 * rng.normal(size=(2000, 100)), y


def _unlike_widths(rng: np.random.Generator, seed: int) -> Rows:
    y, width = np.arange(2000) % 4, np.array([0.5, 1.0, 2.0, 0.7])
    return _apart(rng, 4, 2, least=5.0)[y] + width[y, None] * rng.normal(size=(2000, 2)), y


def _topics(rng: np.random.Generator, seed: int) -> Rows:
    from sklearn.feature_extraction.text import TfidfTransformer

    words, k = 800, 8
    topics, common = rng.dirichlet(np.full(words, 0.05), k), rng.dirichlet(np.full(words, 0.3))
    y = rng.integers(0, k, 2500)
    counts = np.stack([rng.multinomial(rng.integers(20, 120), 0.6 * topics[c] + 0.4 * common) for c in y])
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray().astype(np.float32), y


def _uniform(rng: np.random.Generator, seed: int) -> Rows:
    return rng.random((2000, (2, 5, 10, 30)[seed % 4])), np.zeros(2000, dtype=int)


def _normal(rng: np.random.Generator, seed: int) -> Rows:
    return rng.normal(size=(2000, (2, 5, 10, 30)[seed % 4])), np.zeros(2000, dtype=int)


def _correlated(rng: np.random.Generator, seed: int) -> Rows:
    d, noise = (2, 4, 6, 10)[seed % 4], (0.1, 0.2, 0.5)[seed % 3]  # one cloud whose columns all tell much the same
    return rng.normal(size=(1000, 1)) * rng.uniform(0.5, 1, d) + noise * rng.normal(size=(1000, d)), np.zeros(1000, int)


GENERATED: dict[str, Callable[[np.random.Generator, int], Rows]] = {
    "blobs": _blobs,
    "stretched": _stretched,
    "moons": _moons,
    "unlike-sizes": _unlike_sizes,
    "unlike-widths": _unlike_widths,
    "many-columns": _many_columns,
    "topics": _topics,
    "uniform": _uniform,
    "normal": _normal,
    "correlated": _correlated,
}
