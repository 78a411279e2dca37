"""Train and test parts, which of the train part's labels may be read, and systems fitted once for several runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import commit

TRAIN = {"mnist": 60_000, "fashion-mnist": 60_000, "emnist": 39_373}  # the first rows; the others are the test part
SHARE = 6 / 7  # of the rows, drawn at random, that are the train part where none was published
SVM: dict[str, Any] = {"C": 10.0, "gamma": "scale"}
MODELS = str(Path(tempfile.gettempdir()) / "coterie-benchmarks")

Split = dict[str, np.ndarray]  # x, y, x_test, y_test


def load_split(dataset: str, rows: int | None = None) -> Split:
    """Return a data set's train and test part; of the train part, the first rows only where so many are asked for."""
    from coterie import datasets

    table = datasets.load(dataset)
    x, y = np.asarray(table.X), np.unique(np.asarray(table.y), return_inverse=True)[1]
    if dataset in TRAIN:
        train = np.arange(len(y)) < TRAIN[dataset]
    else:
        train = np.random.default_rng(0).permutation(len(y)) < round(len(y) * SHARE)
    return {"x": x[train][:rows], "y": y[train][:rows], "x_test": x[~train], "y_test": y[~train]}


def choose(y: np.ndarray, labels: str, seed: int) -> np.ndarray:
    """Return the labels that may be read, -1 for the others: the same rows for every method of one seed.

    Sets of one kind are nested: ten of each class hold the one of each, and 10,000 hold 1,000. That 1,000 hold the ten
    of each class is only likely, and only where classes are few and alike in size.
    """
    known = np.full(len(y), -1)
    if labels == "all":
        return y.copy()
    order = np.random.default_rng(seed).permutation(len(y))
    if labels.endswith("a class"):
        per_class = int(labels.split(maxsplit=1)[0])
        rows = np.concatenate([order[y[order] == c][:per_class] for c in np.unique(y)])
    else:
        rows = order[: 0 if labels == "none" else int(labels)]
    known[rows] = y[rows]
    return known


def fitted(model: Any, x: np.ndarray, *, name: str, models: str) -> Any:
    """Return a system fitted without labels, once for all runs of this commit that name it alike.

    What uncommitted changes made is not kept: nobody could tell which.
    """
    import coterie
    from coterie.algorithms.defaults import digest, resolve
    from coterie.data import make_source

    now = commit()
    if now.endswith("+changes"):
        return model.fit(x)
    folder = Path(models) / now / f"{name}-{digest(resolve(model, make_source(x)))}"
    if folder.is_dir():
        return coterie.load(folder)
    model.fit(x).save(folder)
    return model


def flat(x: np.ndarray) -> np.ndarray:
    """Return images as rows of pixels in [0, 1]; other rows as they are."""
    rows = x.reshape(len(x), -1).astype(np.float32)
    return rows / 255 if x.dtype == np.uint8 else rows


def fit_svm(x: np.ndarray, y: np.ndarray) -> Any:
    """Return a support vector machine with a Gaussian kernel, fitted."""
    from sklearn.svm import SVC

    return SVC(**SVM).fit(x, y)
