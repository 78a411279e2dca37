"""Heads: log q against other implementations."""

import numpy as np
import torch
from sklearn.mixture import GaussianMixture

from coterie.nn import Gaussians


def test_full_gaussians_are_scikit_learns():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)) + np.eye(3)[np.arange(300) % 3] * 4
    mixture = GaussianMixture(3, random_state=0).fit(z)
    head = Gaussians(3, 3)
    parts = (mixture.means_, mixture.precisions_cholesky_, mixture.weights_)
    centers, whitening, shares = (torch.from_numpy(part) for part in parts)
    head.fill(centers, whitening=whitening, shares=shares)
    q = head(torch.from_numpy(z)).exp()
    np.testing.assert_allclose(q.numpy(), mixture.predict_proba(z), atol=1e-4)
    order = [2, 0, 1]
    head.fill(centers[order], whitening=whitening[order], shares=shares[order])
    torch.testing.assert_close(head(torch.from_numpy(z)).exp(), q[:, order])


def test_a_component_without_weight_takes_no_row():
    head = Gaussians(2, 1)
    head.fill(torch.tensor([[0.0], [0.0]]), whitening=torch.ones(2, 1, 1), shares=torch.tensor([1.0, 0.0]))
    log_q = head(torch.tensor([[0.0]]))
    assert torch.isfinite(log_q).all()
    assert float(log_q[0, 1]) < -80
