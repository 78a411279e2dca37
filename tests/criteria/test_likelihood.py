"""The partition's normal mixture against an independent one, and what it must and must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from coterie.criteria import likelihood, log_likelihood
from coterie.errors import InputError
from coterie.subsample import sample_rows

KEPT = sample_rows(30, 20, seed=0)


def sample(n: int = 400, d: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    shapes = rng.normal(size=(3, d, d))
    z = np.einsum("nij,nj->ni", shapes[labels], rng.normal(size=(n, d))) + 8 * rng.normal(size=(3, d))[labels]
    return z, labels


def by_definition(z: np.ndarray, labels: np.ndarray) -> float:
    """Evaluate the docstring's formulas with SciPy's density, cluster by cluster, outside log space."""
    n, d = z.shape
    members = [z[labels == k] for k in np.unique(labels)]
    scatter = [
        (len(rows) - 1) * np.atleast_2d(np.cov(rows.T)) if len(rows) > 1 else np.zeros((d, d)) for rows in members
    ]
    within = sum(scatter) / n
    density = np.zeros(n)
    for rows, s in zip(members, scatter, strict=True):
        sigma = (s + (d + 2) * within) / (len(rows) + d + 2) + 1e-6 * np.trace(np.cov(z.T, ddof=0)) / d * np.eye(d)
        density += len(rows) / n * multivariate_normal(rows.mean(0), sigma).pdf(z)
    return float(np.log(density).mean())


def test_value_is_that_of_the_formula() -> None:
    z, labels = sample()
    assert log_likelihood(z, labels) == pytest.approx(by_definition(z, labels), rel=1e-9)
    labels[0] = 7  # a cluster of one row
    assert log_likelihood(z, labels) == pytest.approx(by_definition(z, labels), rel=1e-9)


def test_value_is_near_the_entropy_of_a_known_mixture() -> None:
    z = np.random.default_rng(0).normal(size=(20_000, 2))
    assert log_likelihood(z, np.zeros(20_000, int)) == pytest.approx(-np.log(2 * np.pi * np.e), abs=0.02)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 100))
def test_permuting_clusters_changes_nothing(names: list[int], seed: int) -> None:
    z, labels = sample(60, 2, seed)
    renamed = 10 * np.array(names)[labels]  # with empty numbers between
    assert log_likelihood(z, renamed) == pytest.approx(log_likelihood(z, labels), rel=1e-9)


def test_order_of_rows_and_place_of_the_origin_change_nothing() -> None:
    z, labels = sample()
    order = np.random.default_rng(1).permutation(len(z))
    assert log_likelihood(z[order], labels[order]) == pytest.approx(log_likelihood(z, labels), rel=1e-9)
    assert log_likelihood(z + 1e5, labels) == pytest.approx(log_likelihood(z, labels), rel=1e-6)


def test_unit_of_the_code_shifts_it_by_a_known_amount() -> None:
    z, labels = sample(d=3)
    assert log_likelihood(100 * z, labels) == pytest.approx(log_likelihood(z, labels) - 3 * np.log(100), rel=1e-6)


def test_the_right_partition_is_likelier_than_wrong_ones() -> None:
    z, labels = sample()
    right = log_likelihood(z, labels)
    rng = np.random.default_rng(1)
    assert right > log_likelihood(z, np.minimum(labels, 1)) + 0.1
    assert right > log_likelihood(z, np.zeros_like(labels)) + 0.1
    assert right > log_likelihood(z, rng.permutation(labels)) + 0.1


def test_tiny_clusters_earn_nothing() -> None:
    """Without shrinkage a cluster of one row, or of rows on a line, has unbounded density."""
    z, labels = sample(200, 5)
    split = labels.copy()
    split[:20] = np.arange(20) + 3
    assert log_likelihood(z, split) < log_likelihood(z, labels) + 0.5
    assert np.isfinite(log_likelihood(z, np.arange(200)))


def test_a_code_of_more_columns_than_rows_needs_no_covariance_of_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    z, labels = sample(30, 50)
    whole = log_likelihood(z, labels)
    monkeypatch.setattr(likelihood, "_WIDE", 40)
    assert log_likelihood(z, labels) == pytest.approx(whole, rel=1e-9)
    monkeypatch.setattr(likelihood, "_WIDE", 20)
    assert log_likelihood(z, labels) == pytest.approx(log_likelihood(*(part[KEPT] for part in (z, labels))), rel=1e-9)


def test_a_code_that_cannot_be_squared_is_refused() -> None:
    z, labels = sample(20, 2)
    with pytest.raises(InputError, match="z must lie within 1e\\+100 of its mean"):
        log_likelihood(z * 1e200, labels)
