"""Heads: log q against other implementations."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from coterie.nn import FullGaussians, Nearest, Softmax


def test_full_gaussians_are_scikit_learns():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)) + np.eye(3)[np.arange(300) % 3] * 4
    mixture = GaussianMixture(3, random_state=0).fit(z)
    head = FullGaussians(3, 3)
    parts = (mixture.means_, mixture.precisions_cholesky_, mixture.weights_)
    centers, whitening, shares = (torch.from_numpy(part) for part in parts)
    head.fill(centers, whitening=whitening, shares=shares)
    q = head(torch.from_numpy(z)).exp()
    np.testing.assert_allclose(q.numpy(), mixture.predict_proba(z), atol=1e-4)
    order = [2, 0, 1]
    head.fill(centers[order], whitening=whitening[order], shares=shares[order])
    torch.testing.assert_close(head(torch.from_numpy(z)).exp(), q[:, order])


def test_a_component_without_weight_takes_no_row():
    head = FullGaussians(2, 1)
    head.fill(torch.tensor([[0.0], [0.0]]), whitening=torch.ones(2, 1, 1), shares=torch.tensor([1.0, 0.0]))
    log_q = head(torch.tensor([[0.0]]))
    assert torch.isfinite(log_q).all()
    assert float(log_q[0, 1]) < -80


@pytest.mark.parametrize("head_class", [Nearest, Softmax])
@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e-8, 1e4])
def test_probabilities_do_not_depend_on_the_unit_of_the_code(head_class, unit):
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.normal(size=(60, 2)) + 3 * np.eye(2)[np.arange(60) % 2]).float()
    centers = torch.stack([z[::2].mean(0), z[1::2].mean(0)])
    head, scaled = head_class(2, 2), head_class(2, 2)
    head.fill(centers, variance=1.0)
    scaled.fill(unit * centers, variance=unit**2)
    torch.testing.assert_close(scaled(unit * z), head(z), rtol=1e-3, atol=1e-3)


def test_rows_on_their_centres_leave_logarithms_finite():
    centers = torch.tensor([[0.0, 0.0], [1e-6, 0.0]])
    head = Nearest(2, 2)
    head.fill_from(centers, centers)
    log_q = head(torch.cat([centers, torch.tensor([[5e-7, 1e-7]])]))
    assert torch.isfinite(log_q).all()
    assert log_q.argmax(1).tolist()[:2] == [0, 1]
    head.fill_from(torch.ones(3, 2), torch.ones(2, 2))
    assert torch.isfinite(head(torch.ones(1, 2))).all()
