"""DCN and DKM: their terms against NumPy, how centres move, how assignments harden."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from small import blobs, small, wide_and_tight

from coterie import DCN, DKM, MLP, Schedule
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError
from coterie.starts import Start
from coterie.training import Fit, Phase, Runtime, Streams

UNIT = 1.3


def ready(cls, **parameters):
    """A fit whose head stands on random centres, its estimator, and those centres."""
    X, _ = blobs(n=40, spread=2.0)
    source = make_source(X)
    model = small(cls, **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), None, settings)
    fit.phase = Phase("cluster", (), 5)
    mu = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
    model.fill_head(fit, Start(mu, np.arange(40) % 3, UNIT))
    return model, fit, mu.astype(np.float64)


def by_hand(fit, index):
    """Rows, codes and reconstructions of a batch in NumPy."""
    x = fit.source.take(index).double().numpy()
    layers = [m for part in (fit.model.encoder, fit.model.decoder) for m in part if isinstance(m, torch.nn.Linear)]
    w = [(m.weight.detach().double().numpy(), m.bias.detach().double().numpy()) for m in layers]
    z = np.maximum(x @ w[0][0].T + w[0][1], 0) @ w[1][0].T + w[1][1]
    return x, z, np.maximum(z @ w[2][0].T + w[2][1], 0) @ w[3][0].T + w[3][1]


def test_dcns_terms_are_those_of_the_paper():
    index = torch.tensor([3, 1, 17, 20])
    model, fit, mu = ready(DCN, lam=0.3)
    x, z, back = by_hand(fit, index)
    error = ((z[:, None] - mu[None]) ** 2).sum(2).min(1).mean() / UNIT**2
    terms = model.terms(fit, fit.batch(index, 0))
    assert list(terms) == ["reconstruction", "kmeans"]
    assert float(terms["reconstruction"].detach()) == pytest.approx(((back - x) ** 2).mean(), rel=1e-4)
    assert float(terms["kmeans"].detach()) == pytest.approx(0.3 / 2 * error, rel=1e-4)


def test_dcns_centres_move_as_row_by_row_and_the_loss_has_gradients_of_the_old_ones():
    index = torch.arange(25)
    model, fit, mu = ready(DCN, lam=1.0)
    _, z, _ = by_hand(fit, index)
    s = ((z[:, None] - mu[None]) ** 2).sum(2).argmin(1)
    model.terms(fit, fit.batch(index, 0))["kmeans"].backward()
    bias = fit.model.encoder[-1].bias  # what moves every code alike
    np.testing.assert_allclose(bias.grad.numpy(), (z - mu[s]).mean(0) / UNIT**2, rtol=1e-3, atol=1e-6)

    counts = np.bincount(np.arange(40) % 3).astype(float)
    for i, k in enumerate(s):
        counts[k] += 1
        mu[k] -= (mu[k] - z[i]) / counts[k]
    np.testing.assert_allclose(fit.model.head.centers.numpy(), mu, rtol=1e-4)
    np.testing.assert_array_equal(fit.memory["counts"].numpy(), counts)


@pytest.mark.parametrize(("step", "alpha"), [(0, 0.5), (2, 2.0), (4, 8.0)])
def test_dkms_terms_are_those_of_the_paper_at_every_temperature(step, alpha):
    index = torch.tensor([3, 1, 17, 20])
    model, fit, mu = ready(DKM, lam=0.3, alpha=(0.5, 8.0))
    fit.clock.step = step
    x, z, back = by_hand(fit, index)
    distances = ((z[:, None] - mu[None]) ** 2).sum(2) / UNIT**2
    q = np.exp(-alpha * distances)
    q /= q.sum(1, keepdims=True)
    terms = model.terms(fit, fit.batch(index, 0))
    assert list(terms) == ["reconstruction", "kmeans"]
    assert float(terms["reconstruction"].detach()) == pytest.approx(((back - x) ** 2).mean(), rel=1e-4)
    assert float(terms["kmeans"].detach()) == pytest.approx(0.3 * (q * distances).sum(1).mean(), rel=1e-4)


def test_dkms_gradient_goes_through_the_assignments():
    model, fit, _ = ready(DKM, lam=1.0, alpha=(2.0, 2.0))
    fit.model.double()
    z = fit.model.encode(fit.source.take(torch.arange(8)).double()).detach()

    def error(centers):
        distances = ((z[:, None] - centers[None]) ** 2).sum(2) / UNIT**2
        return ((-2.0 * distances).softmax(1) * distances).sum(1).mean()

    fit.model.float()
    model.terms(fit, fit.batch(torch.arange(8), 0))["kmeans"].backward()
    mu = fit.model.head.centers
    expected = torch.autograd.functional.jacobian(error, mu.detach().double()).float()
    torch.testing.assert_close(mu.grad, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("cls", [DCN, DKM])
def test_a_batch_of_one_and_other_names_for_clusters(cls):
    model, fit, mu = ready(cls)
    one = model.terms(fit, fit.batch(torch.tensor([5]), 0))
    assert all(torch.isfinite(term) for term in one.values())
    order = [2, 0, 1]
    model.fill_head(fit, Start(mu.astype(np.float32), np.arange(40) % 3, UNIT))
    before = model.terms(fit, fit.batch(torch.arange(10), 0))
    model.fill_head(fit, Start(mu[order].astype(np.float32), np.argsort(order)[np.arange(40) % 3], UNIT))
    after = model.terms(fit, fit.batch(torch.arange(10), 0))
    torch.testing.assert_close(after["kmeans"], before["kmeans"])


@pytest.mark.parametrize("cls", [DCN, DKM])
def test_a_start_that_is_not_round_survives_the_warm_up(cls):
    X, y = wide_and_tight()
    short = Schedule(steps=300, batch_size=64, learning_rate=3e-3)
    shared = {"n_clusters": 2, "network": MLP(hidden=(64, 64)), "start": "mixture"}
    shared |= {"pretrain": short, "train": short, "lam": 0.3}
    warm = adjusted_rand_score(y, small(cls, warmup=250, **shared).fit(X).labels_)
    cold = adjusted_rand_score(y, small(cls, warmup=0, **shared).fit(X).labels_)
    assert warm > 0.9
    assert cold < warm - 0.1


def test_dkm_keeps_the_last_temperature():
    model = small(DKM, alpha=(1.0, 50.0)).fit(blobs()[0])
    assert float(model.model_.head.alpha) == pytest.approx(50.0, rel=1e-4)


@pytest.mark.parametrize(
    ("cls", "parameters", "message"),
    [
        (DCN, {"lam": -1}, "'lam' parameter of DCN must be a number >= 0. Got -1"),
        (DCN, {"tol": 2}, r"'tol' parameter of DCN must be None or a number in \[0, 1\). Got 2"),
        (DKM, {"alpha": (0.0, 1.0)}, r"'alpha' parameter of DKM must be a pair of positive numbers. Got \(0.0, 1.0\)"),
        (DKM, {"alpha": 3.0}, "'alpha' parameter of DKM must be a pair of positive numbers. Got 3.0"),
    ],
)
def test_a_broken_rule_is_named(cls, parameters, message):
    with pytest.raises(InputError, match=message):
        small(cls, **parameters).fit(blobs()[0])
