"""VaDE: its terms against NumPy, its bound against Monte Carlo, its likelihoods, its samples."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logsumexp, softmax
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from stops import StopAt
from torch import nn

from coterie import Conv, Schedule, VaDE, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import Augment, make_source
from coterie.errors import InputError, Interrupted
from coterie.training import Callback, Fit, Runtime, Streams

INDEX = torch.tensor([3, 1, 17, 20])
ONE = torch.tensor([5])


def ready(rows=None, **parameters):
    """An estimator, and its fit with random networks, noise and mixture; the start is not held any more."""
    source = make_source(blobs(n=40, d=3)[0] if rows is None else rows)
    model = small(VaDE, **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in (*network.head.parameters(), *network.encoder.log_var.parameters()):
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
        if settings["likelihood"] == "gaussian":
            network.decoder.log_var.fill_(-0.7)
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(), settings)
    fit.memory["start"] = torch.arange(len(source)) % 3
    fit.clock.step = 60
    return model, fit


def terms(model, fit, index=INDEX):
    with torch.no_grad():
        return {name: float(term) for name, term in model.terms(fit, fit.batch(index, 0)).items()}


def moments(fit, index):
    """m and s² of the rows, shape (b, d), in double precision."""
    with torch.no_grad():
        mean, log_var = fit.model.encoder.moments(fit.source.take(index))
    return mean.double().numpy(), np.exp(log_var.double().numpy())


def drawn(fit, index):
    """The one draw of z that the terms of this step take, shape (b, d)."""
    m, s2 = moments(fit, index)
    return m + np.sqrt(s2) * torch.randn(m.shape, generator=fit.streams.generator("code", 0, fit.clock.step)).numpy()


def log_normal(x, mean, variance):
    return -0.5 * ((x - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum(-1)


def log_joint(fit, z):
    """log p(z, c), shape (b, K)."""
    head = {name: value.detach().double().numpy() for name, value in fit.model.head.named_parameters()}
    return np.log(softmax(head["logits"])) + log_normal(z[:, None], head["centers"], np.exp(head["log_var"]))


def log_row(fit, z, x):
    """log p(x|z), shape (b,)."""
    with torch.no_grad():
        output = fit.model.decoder.network(torch.tensor(z, dtype=torch.float32)).flatten(1).double().numpy()
    x = x.flatten(1).double().numpy()
    if fit.settings["likelihood"] == "bernoulli":
        return (x * np.log(expit(output)) + (1 - x) * np.log(expit(-output))).sum(1)
    return log_normal(x, output, np.full(x.shape[1], np.exp(-0.7)))


def log_gamma(fit, z):
    joint = log_joint(fit, z)
    return joint - logsumexp(joint, axis=1, keepdims=True)


@pytest.mark.parametrize("rows", [None, bars()[0]], ids=["gaussian", "bernoulli"])
def test_terms_are_the_papers(rows):
    model, fit = ready(rows)
    m, s2 = moments(fit, INDEX)
    z = drawn(fit, INDEX)
    mu, sigma2 = fit.model.head.centers.detach().numpy(), np.exp(fit.model.head.log_var.detach().numpy())
    log_pi = np.log(softmax(fit.model.head.logits.detach().numpy()))
    prior = []
    for i in range(len(INDEX)):
        log_g = log_gamma(fit, z[i : i + 1])[0]
        kl = [
            0.5 * sum(np.log(sigma2[k] / s2[i]) + s2[i] / sigma2[k] + (m[i] - mu[k]) ** 2 / sigma2[k] - 1)
            for k in range(3)
        ]
        prior.append(sum(np.exp(log_g) * kl) + sum(np.exp(log_g) * (log_g - log_pi)))
    found = terms(model, fit)
    assert found["prior"] == pytest.approx(np.mean(prior), rel=1e-4)
    assert found["reconstruction"] == pytest.approx(-log_row(fit, z, fit.source.take(INDEX)).mean(), rel=1e-4)


def test_the_priors_term_is_its_expectation_by_monte_carlo():
    """With gamma held, the term is E_q[log q(z|x) - sum_c gamma_c (log p(z, c) - log gamma_c)]."""
    model, fit = ready()
    m, s2 = moments(fit, ONE)
    log_g = log_gamma(fit, drawn(fit, ONE))[0]
    z = m + np.sqrt(s2) * np.random.default_rng(0).normal(size=(100_000, m.shape[1]))
    values = log_normal(z, m, s2) - (np.exp(log_g) * (log_joint(fit, z) - log_g)).sum(1)
    error = values.std() / np.sqrt(len(values))
    assert terms(model, fit, ONE)["prior"] == pytest.approx(values.mean(), abs=5 * error)


def test_the_bound_lies_below_the_likelihood_of_the_row():
    """The likelihood by importance sampling from q; with a mixture of one component the gap is KL(q || p(z|x))."""
    model, fit = ready(n_clusters=1)
    m, s2 = moments(fit, ONE)
    z = m + np.sqrt(s2) * np.random.default_rng(0).normal(size=(100_000, m.shape[1]))
    x = fit.source.take(ONE).expand(len(z), -1)
    weight = log_row(fit, z, x) + logsumexp(log_joint(fit, z), axis=1) - log_normal(z, m, s2)
    log_px, gap = logsumexp(weight) - np.log(len(z)), logsumexp(weight) - np.log(len(z)) - weight.mean()
    bounds = []
    for step in range(60, 460):
        fit.clock.step = step
        bounds.append(-sum(terms(model, fit, ONE).values()))
    error = np.std(bounds) / np.sqrt(len(bounds))
    assert gap > 5 * error
    assert np.mean(bounds) == pytest.approx(log_px - gap, abs=5 * error)


def test_gradients_reach_every_part():
    model, fit = ready()
    sum(model.terms(fit, fit.batch(INDEX, 0)).values()).backward()
    for name, parameter in fit.model.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_while_the_start_is_held_gamma_is_its_partition():
    model, fit = ready(hold=0.1)  # of 60 steps
    fit.clock.step = 6
    assert set(terms(model, fit)) == {"reconstruction", "prior"}
    fit.clock.step = 5
    found = terms(model, fit)
    m, s2 = moments(fit, INDEX)
    log_g = np.where(np.arange(3) == (INDEX.numpy() % 3)[:, None], 0.0, -np.inf)
    z = m[:, None] + np.sqrt(s2)[:, None] * np.random.default_rng(0).normal(size=(4, 50_000, m.shape[1]))
    values = [log_normal(z[i], m[i], s2[i]) - log_joint(fit, z[i])[:, log_g[i].argmax()] for i in range(4)]
    error = np.std(values) / np.sqrt(np.size(values))
    assert found["prior"] == pytest.approx(np.mean(values), abs=5 * error)
    of_start = log_gamma(fit, drawn(fit, INDEX))[np.arange(4), INDEX.numpy() % 3]
    assert found["start"] == pytest.approx(-100 * of_start.mean(), rel=1e-4)


class Keep(Callback):
    """Keeps the start's clusters."""

    def on_phase(self, fit, phase):
        self.labels = fit.memory["start"].numpy() if phase.name == "cluster" else None


def test_held_the_start_is_learned_and_then_kept_by_the_bound_which_alone_loses_it():
    X, _ = blobs(n=300, spread=4.0)  # no groups to speak of: whatever partition there is, is the start's
    agree = {}
    for hold in (0.4, 0.0):
        keep = Keep()
        with config_context(callbacks=(keep,)):
            model = small(VaDE, hold=hold, train=Schedule(steps=200, batch_size=64, learning_rate=3e-3)).fit(X)
        agree[hold] = (model.labels_ == keep.labels).mean()
    assert agree[0.4] > 0.95
    assert agree[0.0] < agree[0.4] - 0.05


def test_relabelling_clusters_changes_no_term():
    model, fit = ready()
    before, order = terms(model, fit), [2, 0, 1]
    for parameter in fit.model.head.parameters():
        parameter.data = parameter.data[order]
    assert terms(model, fit) == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("rows", [None, bars()[0]], ids=["gaussian", "bernoulli"])
def test_a_batch_of_one_has_finite_terms(rows):
    assert np.isfinite(list(terms(*ready(rows), ONE).values())).all()


def test_far_from_every_component_and_all_but_sure_nothing_overflows():
    model, fit = ready()
    fit.model.encoder.mean.bias.data += 1e4
    fit.model.encoder.log_var.bias.data -= 60
    loss = model.terms(fit, fit.batch(INDEX, 0))["prior"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in fit.model.head.parameters())


def test_predict_reads_the_mean_and_draws_nothing():
    X, _ = blobs(n=60, spread=3.0)
    model = small(VaDE).fit(X)
    fit = Fit(model.model_, make_source(X), Streams(0), Runtime(torch.device("cpu"), "float32"))
    np.testing.assert_allclose(
        model.predict_proba(X), np.exp(log_gamma(fit, model.transform(X).astype(float))), atol=1e-5
    )
    np.testing.assert_array_equal(model.transform(X), moments(fit, torch.arange(60))[0].astype(np.float32))
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))


def test_the_start_gives_the_mixture_its_moments():
    X, _ = blobs(n=300, spread=2.0)
    model = small(VaDE, train=Schedule(steps=0)).fit(X)
    z, labels, head = model.pretrained_code_.astype(float), model.labels_, model.model_.head
    assert set(labels) == {0, 1, 2}
    start = small(VaDE, train=Schedule(steps=0), n_clusters=1).fit(X)
    np.testing.assert_allclose(start.cluster_centers_[0], z.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(start.model_.head.log_var.detach().numpy()[0], np.log(z.var(0)), atol=1e-4)
    np.testing.assert_allclose(head.log_pi.exp().detach().numpy(), np.bincount(labels) / 300, atol=0.1)


def test_the_variance_of_a_gaussian_likelihood_is_that_of_the_rows():
    X, _ = blobs(n=600, d=12, spread=1.0)
    long = Schedule(steps=400, batch_size=64, learning_rate=5e-3)
    model = small(VaDE, scaling="none", pretrain=long, train=long).fit(X)
    # Two of the twelve dimensions of the noise, at most, can be told by the code.
    assert 0.7 < float(model.model_.decoder.log_var.detach().exp()) < 1.3


@pytest.mark.parametrize(
    ("rows", "parameters", "likelihood"),
    [
        (bars()[0], {}, "bernoulli"),
        (bars()[0] / 255, {}, "bernoulli"),
        (bars()[0] / 255, {"scaling": "none"}, "gaussian"),
        (bars()[0], {"scaling": "standard"}, "gaussian"),
        (blobs()[0], {}, "gaussian"),
        (blobs()[0], {"scaling": "unit"}, "bernoulli"),
        (bars()[0], {"likelihood": "gaussian"}, "gaussian"),
    ],
)
def test_the_likelihood_goes_with_the_scaling(rows, parameters, likelihood):
    quick = {"n_clusters": 2, "augment": "none", "pretrain": Schedule(steps=1), "train": Schedule(steps=1)}
    assert small(VaDE, **quick, **parameters).fit(rows).settings_["likelihood"] == likelihood


@pytest.mark.parametrize("pretrain", [Schedule(steps=1), "none"], ids=["pretrained", "not pretrained"])
def test_rows_that_the_likelihood_does_not_know_are_refused_before_training(pretrain):
    model = small(VaDE, likelihood="bernoulli", pretrain=pretrain)
    with pytest.raises(InputError, match=r"needs rows in \[0, 1\]. Got rows from -.* set likelihood='gaussian'"):
        model.fit(blobs()[0])
    assert not hasattr(model, "model_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"likelihood": "poisson"}, "'likelihood' parameter of VaDE must be 'auto' or one of bernoulli, gaussian. Got"),
        ({"reconstruction": "bce", "scaling": "unit"}, "'reconstruction' parameter of VaDE must be 'mse': the rows'"),
        ({"hold": 1.5}, r"'hold' parameter of VaDE must be a number in \[0, 1\]. Got 1.5"),
    ],
)
def test_a_broken_rule_is_named(parameters, message):
    with pytest.raises(InputError, match=message):
        small(VaDE, **parameters).fit(blobs()[0])


@pytest.mark.parametrize("network", ["mlp", Conv(channels=(4, 8), kernels=(3, 3))])
def test_images_in_any_network(network):
    X, y = bars()
    slow = Schedule(steps=300, batch_size=32, learning_rate=2e-3)
    model = small(VaDE, n_clusters=2, code_size=4, network=network, augment="none", pretrain=slow).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.8


def test_log_variance_shares_the_last_features_and_a_sigmoid_is_not_applied_twice():
    X, _ = bars()
    last = nn.Linear(16, 3)
    encoder, decoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), last), nn.Linear(3, 64)
    back = nn.Sequential(decoder, nn.Unflatten(1, (1, 8, 8)), nn.Sigmoid())
    _, fit = ready(X, network=(encoder, back))
    assert fit.model.encoder.log_var.in_features == 16
    z = torch.randn(5, 3)
    torch.testing.assert_close(fit.model.decode(z).flatten(1), decoder(z).sigmoid())

    _, fit = ready(X, network=(nn.Sequential(encoder, nn.Tanh()), back))
    assert fit.model.encoder.log_var.in_features == 3
    mean, log_var = fit.model.encoder.moments(fit.source.take(INDEX))
    torch.testing.assert_close(log_var, fit.model.encoder.log_var(mean))


def test_samples_are_in_the_users_units_and_layout_and_of_their_cluster():
    X, y = bars()
    slow = Schedule(steps=300, batch_size=32, learning_rate=5e-3)
    model = small(VaDE, n_clusters=2, augment="none", pretrain=slow, train=slow).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0
    state = torch.get_rng_state()
    for k in range(2):
        drawn = model.sample(20, cluster=k, random_state=0)
        assert drawn.shape == (20, 8, 8)
        error = np.abs(drawn.mean(0) - X[model.labels_ == k].mean(0)).mean()
        assert error < 0.3 * np.abs(X[model.labels_ == k].mean(0) - X.mean(0)).mean()
        assert (model.predict(drawn) == k).mean() > 0.9
    assert torch.equal(torch.get_rng_state(), state)
    mixed = model.sample(200, random_state=3)
    np.testing.assert_array_equal(model.sample(200, random_state=3), mixed)
    assert not np.array_equal(model.sample(200, random_state=4), mixed)
    share = np.bincount(model.predict(mixed), minlength=2) / 200
    np.testing.assert_allclose(share, np.bincount(model.labels_) / 60, atol=0.15)


def test_samples_of_a_table_are_in_its_columns_units():
    X, _ = blobs(n=200)
    X = X * np.array([1.0, 100.0, 1e-3, 1e4]) + 5
    long = Schedule(steps=400, batch_size=64, learning_rate=5e-3)
    model = small(VaDE, pretrain=long, train=long).fit(X)
    for k in range(3):
        rows = X[model.labels_ == k]
        np.testing.assert_allclose(
            (model.sample(100, cluster=k, random_state=0).mean(0) - rows.mean(0)) / X.std(0), 0, atol=0.4
        )


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 2, "cluster": 3}, {"n": 2, "cluster": -1}, {"n": 2, "cluster": 1.0}, {"n": 1.5}]
)
def test_samples_that_cannot_be_drawn_are_refused(wrong):
    model = small(VaDE, pretrain=Schedule(steps=1), train=Schedule(steps=1)).fit(blobs()[0])
    with pytest.raises(InputError, match=r"of sample\(\) must be"):
        model.sample(**wrong)


def test_stopped_while_the_start_is_held_and_resumed_is_the_same_to_the_bit(tmp_path):
    X, _ = blobs(spread=2.0)
    whole = small(VaDE, hold=0.5).fit(X)
    with config_context(checkpoint=tmp_path, callbacks=(StopAt(10, "cluster"),)), pytest.raises(Interrupted):
        small(VaDE, hold=0.5).fit(X)
    with config_context(checkpoint=tmp_path):
        resumed = small(VaDE, hold=0.5).fit(X)
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


def test_the_papers_recipe():
    model = VaDE.from_recipe("paper", n_clusters=10)
    steps = model.train.n_steps(70_000)
    assert steps == 300 * 700
    rates = [model.train.rate(epoch * 700, steps) for epoch in (0, 9, 10, 19, 299)]
    assert rates == pytest.approx([2e-3, 2e-3, 2e-3 * 0.9, 2e-3 * 0.9, 2e-3 * 0.9**29])


def test_samples_are_of_the_clusters_as_they_are_numbered_now():
    X, y = blobs(n=200, k=2)
    long = Schedule(steps=200, batch_size=64, learning_rate=5e-3)
    model = small(VaDE, n_clusters=2, pretrain=long, train=long).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0
    model._renumber(np.array([1, 0]))
    for k in range(2):
        assert (model.predict(model.sample(50, cluster=k, random_state=0)) == k).mean() > 0.9
