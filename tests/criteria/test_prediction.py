"""What columns tell of clusters: agreement with the definition, and what it is worth for texts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from coterie.criteria import told_by_columns
from coterie.criteria.prediction import SMOOTHING


def topics(n: int = 400, k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counts of 200 words in texts about one of k things each."""
    rng = np.random.default_rng(seed)
    words, y = rng.dirichlet(np.full(200, 0.1), k), rng.integers(0, k, n)
    return np.stack([rng.multinomial(30, words[c]) for c in y]).astype(np.float32), y


def test_it_is_the_information_between_clusters_and_what_naive_bayes_tells() -> None:
    x, y = topics()
    y = np.where(np.arange(400) % 5 == 0, (y + 1) % 4, y)
    order = np.random.default_rng(3).permutation(400)
    found = []
    for one, other in ((order[:200], order[200:]), (order[200:], order[:200])):
        totals = np.stack([x[other][y[other] == c].sum(0) for c in range(4)]) + SMOOTHING * x[x > 0].mean()
        told = (x[one] @ np.log(totals / totals.sum(1, keepdims=True)).T).argmax(1)
        joint = np.zeros((4, 4))
        np.add.at(joint, (y[one], told), 1 / 200)
        by_chance = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        found.append((joint[joint > 0] * np.log(joint[joint > 0] / by_chance[joint > 0])).sum())
    share = np.bincount(y) / 400
    wanted = np.mean(found) / -(share * np.log(share)).sum()
    for unit in (1, 0.001, 1000):
        assert told_by_columns(unit * x, y, seed=3) == pytest.approx(wanted, rel=1e-6)
    assert told_by_columns(csr_matrix(x), y, seed=3) == pytest.approx(wanted, rel=1e-6)


def test_topics_are_worth_more_than_one_word_or_chance() -> None:
    x, y = topics()
    commonest = np.argsort(-(x > 0).sum(0))[:3]
    by_word = np.where((x[:, commonest] > 0).any(1), (x[:, commonest] > 0).argmax(1) + 1, 0)
    chance = np.random.default_rng(1).permutation(y)
    right, word, nothing = (told_by_columns(x, labels, seed=0) for labels in (y, by_word, chance))
    assert right > 0.9
    assert nothing < 0.1 < word < right
    crumbs = np.zeros(400, dtype=int)
    crumbs[np.flatnonzero(y == 0)[:8]] = 1
    assert told_by_columns(x, crumbs, seed=0) < 0.5
    assert told_by_columns(x, np.zeros(400, dtype=int), seed=0) == 0.0
    assert told_by_columns(0 * x, y, seed=0) == 0.0
    assert told_by_columns(x, 3 - y, seed=0) == pytest.approx(right)
