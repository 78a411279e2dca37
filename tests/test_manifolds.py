"""Maps: neighbours stay together, small and odd inputs have a map too."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsClassifier

from coterie.manifolds import MANIFOLDS, make_map, principal
from coterie.mixtures import fit_mixture


def spiral(n=400):
    """A strip rolled up: rows (n, 3), place along the strip (n,)."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(3, 9, n)
    return np.column_stack([angle * np.cos(angle), angle * np.sin(angle), rng.uniform(0, 2, n)]), angle


@pytest.mark.parametrize("kind", MANIFOLDS)
def test_neighbours_stay_together_and_the_seed_decides(kind):
    z = np.eye(3)[np.arange(240) % 3] * 9 + np.random.default_rng(0).normal(size=(240, 3))  # enough for any solver
    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    flat = make_map(kind, z, 2, n_neighbors=10, seed=3)
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])
    nearest = KNeighborsClassifier(1).fit(flat[3:], np.arange(3, 240) % 3)
    assert nearest.predict(flat[:3]).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(flat, make_map(kind, z, 2, n_neighbors=10, seed=3))


def test_isomap_unrolls_a_strip():
    z, along = spiral()
    assert abs(np.corrcoef(make_map("isomap", z, 1, n_neighbors=8, seed=0)[:, 0], along**2)[0, 1]) > 0.99


@pytest.mark.parametrize("kind", MANIFOLDS)
@pytest.mark.parametrize("shape", [(1, 2), (5, 3), (17, 4), (18, 1)])
def test_any_number_of_codes_has_a_map(kind, shape):
    z = np.random.default_rng(0).normal(size=shape)
    flat = make_map(kind, z, 3, n_neighbors=20, seed=0)
    assert flat.shape == (shape[0], 3)
    assert np.isfinite(flat).all()


def test_principal_components_keep_distances():
    z = np.random.default_rng(0).normal(size=(8, 3))
    flat = principal(z, 5)
    np.testing.assert_allclose(np.linalg.norm(flat[0] - flat[5]), np.linalg.norm(z[0] - z[5]))
    assert (flat[:, 3:] == 0).all()


def test_the_units_of_the_code_do_not_matter():
    z = np.eye(3)[np.arange(150) % 3] * 4 + np.random.default_rng(0).normal(size=(150, 3))
    found = [
        fit_mixture(make_map("isomap", factor * z, 2, n_neighbors=10, seed=0), 3, seed=0, n_init=3).predict(
            make_map("isomap", factor * z, 2, n_neighbors=10, seed=0)
        )
        for factor in (1e-3, 1e3)
    ]
    assert adjusted_rand_score(*found) > 0.99
