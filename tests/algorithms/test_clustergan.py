"""ClusterGAN: its terms against NumPy, its turns, what it samples, both ways of reading clusters."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from stops import StopAt

import coterie
from coterie import GAN, Augment, ClusterGAN, Layerwise, Schedule, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError, Interrupted
from coterie.nn import summarise_network
from coterie.training import Fit, Runtime, Streams

unlearned = pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")  # after a few steps

PLAIN = GAN(hidden=(8,), batch_norm=False)


def ready(X=None, **parameters):
    """An estimator and a fit with first weights, on standardised rows unless others are given."""
    source = make_source(blobs(n=40)[0] if X is None else X)
    model = small(ClusterGAN, **{"network": PLAIN, "penalty": 10.0} | parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    return model, Fit(
        network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), settings["augment"], settings
    )


def weights(network):
    return [
        (m.weight.detach().double().numpy(), m.bias.detach().double().numpy())
        for m in network.modules()
        if isinstance(m, torch.nn.Linear)
    ]


def leaky(a):
    return np.where(a > 0, a, 0.2 * a)


def criticise(network, x):
    """Return D (b,) and its gradient (b, d) of a critic with one hidden layer."""
    (w, b), (v, c) = weights(network)
    a = x @ w.T + b
    return (leaky(a) @ v.T + c)[:, 0], (np.where(a > 0, 1, 0.2) * v) @ w


def generate(network, z):
    (w, b), (v, c) = weights(network)
    return np.maximum(z @ w.T + b, 0) @ v.T + c


def encode(network, x, n):
    (w, b), (v, c) = weights(network)
    e = leaky(x @ w.T + b) @ v.T + c
    return e[:, :n], e[:, n:] - np.log(np.exp(e[:, n:]).sum(1, keepdims=True))


def test_the_critics_terms_are_those_of_the_paper():
    model, fit = ready()
    batch = fit.batch(torch.tensor([3, 1, 17, 20]), 0, 5)
    z = model.draw(fit, batch)[0].double().numpy()
    x, x_hat = batch.x.double().numpy(), generate(fit.model.decoder, z)
    t = torch.rand(4, 1, generator=batch.generator("between")).double().numpy()
    critic = fit.model.critic
    slope = np.linalg.norm(criticise(critic, t * x + (1 - t) * x_hat)[1], axis=1)
    terms = model.critic_terms(fit, batch)
    assert list(terms) == ["critic", "penalty"]
    expected = criticise(critic, x_hat)[0].mean() - criticise(critic, x)[0].mean()
    assert float(terms["critic"].detach()) == pytest.approx(expected, rel=1e-4)
    assert float(terms["penalty"].detach()) == pytest.approx(10 * ((slope - 1) ** 2).mean(), rel=1e-4)


@pytest.mark.parametrize("held", [False, True])
def test_the_generators_terms_are_those_of_the_docstring(held):
    model, fit = ready(augment=Augment(noise=2.0), beta_n=3.0, beta_c=7.0, hold=0.5)
    batch, n = fit.batch(torch.tensor([3, 1, 17, 20]), 0, 5), 2
    fit.memory["start"] = torch.arange(40) % 3
    fit.clock.step = fit.settings["train"].steps // 2 - held
    z, k = (a.numpy() for a in model.draw(fit, batch))
    network = fit.model
    x_hat = generate(network.decoder, z.astype(float))
    z_n, log_q = encode(network.encoder, x_hat, n)
    expected = {
        "generator": -criticise(network.critic, x_hat)[0].mean(),
        "noise": 3 * ((z_n - z[:, :n]) ** 2).mean(),
        "cluster": -7 * log_q[np.arange(4), k].mean(),
    }
    if held:  # to the start's clusters of changed rows
        _, log_q = encode(network.encoder, batch.view.double().numpy(), n)
        expected["start"] = -7 * log_q[np.arange(4), [0, 1, 2, 2]].mean()
    terms = {name: float(term.detach()) for name, term in model.generator_terms(fit, batch).items()}
    assert terms == pytest.approx(expected, rel=1e-4)


def test_pretraining_is_that_of_an_autoencoder_whose_code_the_generator_reads():
    model, fit = ready(augment="none")
    batch = fit.batch(torch.arange(8), 0)
    z_n, log_q = encode(fit.model.encoder, batch.x.double().numpy(), 2)
    x_hat = generate(fit.model.decoder, np.hstack([z_n, np.exp(log_q)]))
    terms = model.pretrain_terms(fit, batch)
    assert float(terms["reconstruction"].detach()) == pytest.approx(((x_hat - batch.x.numpy()) ** 2).mean(), rel=1e-4)


def test_the_game_begins_from_the_start_or_without_pretraining_from_nothing():
    X, _ = blobs()
    begun, bare = small(ClusterGAN).fit(X), small(ClusterGAN, pretrain=None).fit(X)
    assert begun.pretrained_code_.shape == (90, 5)
    assert bare.pretrained_code_ is None
    assert [{r["phase"] for r in model.history_} for model in (begun, bare)] == [{"pretrain", "cluster"}, {"cluster"}]
    assert any("start" in record for record in begun.history_)
    assert not any("start" in record for record in bare.history_)


def test_what_the_generator_reads_is_noise_of_sigma_beside_even_clusters():
    model, fit = ready(sigma=0.5)
    draws = [model.draw(fit, fit.batch(torch.arange(40), 0, step)) for step in range(250)]
    z, k = (torch.cat(parts) for parts in zip(*draws, strict=True))  # 10,000 draws
    assert float(z[:, :2].std()) == pytest.approx(0.5, rel=0.03)
    assert torch.equal(z[:, 2:].argmax(1), k)
    assert torch.equal(z[:, 2:].sum(1), torch.ones(len(z)))
    shares = torch.bincount(k) / len(k)
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.02, rtol=0)
    assert not torch.equal(draws[0][0], draws[1][0])


def test_each_turn_changes_its_own_networks_only():
    model, fit = ready()
    before = {name: p.clone() for name, p in fit.model.named_parameters()}

    def moved(turn):
        """Parts of the model that get a gradient from a turn's terms."""
        terms = getattr(model, turn.terms)(fit, fit.batch(torch.arange(8), 0))
        parameters = dict(fit.model.named_parameters())
        loss = torch.stack(list(terms.values())).sum()
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        return {name.split(".")[0] for name, grad in zip(parameters, found, strict=True) if grad is not None}

    critic, generator = model.phases(fit)[-1].turns
    assert (critic.trains, critic.repeat, generator.repeat) == (("critic",), 2, 1)
    assert moved(critic) == {"critic"}
    assert moved(generator) == {"critic", "encoder", "decoder"}
    assert set(generator.trains) == {"encoder", "decoder"}
    assert all(torch.equal(before[name], p) for name, p in fit.model.named_parameters())


def test_while_held_made_rows_teach_the_generator_clusters_but_not_the_encoder():
    model, fit = ready(beta_n=0.0)
    fit.memory["start"] = torch.arange(40) % 3
    batch = fit.batch(torch.arange(8), 0)
    encoder, decoder = (list(part.parameters()) for part in (fit.model.encoder, fit.model.decoder))
    held = model.generator_terms(fit, batch)["cluster"]
    found = torch.autograd.grad(held, encoder + decoder, allow_unused=True)
    assert all(grad is None for grad in found[: len(encoder)])
    assert all(grad.abs().sum() > 0 for grad in found[len(encoder) :])
    fit.clock.step = fit.settings["train"].steps
    free = torch.autograd.grad(model.generator_terms(fit, batch)["cluster"], encoder)
    assert all(grad.abs().sum() > 0 for grad in free)


@unlearned
def test_rows_may_come_one_by_one():
    one = Schedule(steps=2, batch_size=1)
    model = small(ClusterGAN, pretrain=one, train=one).fit(blobs()[0])
    assert np.isfinite(model.predict_proba(blobs()[0])).all()


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_batch_of_one_has_finite_terms(batch_norm):
    model, fit = ready(network=GAN(hidden=(8,), batch_norm=batch_norm), augment="noise")
    fit.model.train()
    batch = fit.batch(torch.tensor([5]), 0)
    for terms in (model.critic_terms(fit, batch), model.generator_terms(fit, batch)):
        assert all(torch.isfinite(term) for term in terms.values())


def test_relabelling_clusters_relabels_codes_and_assignments():
    X, _ = blobs()
    model, order = small(ClusterGAN).fit(X), [2, 0, 1]
    before, log_q = model.transform(X), model.predict_proba(X)
    last = [m for m in model.model_.encoder if isinstance(m, torch.nn.Linear)][-1]
    with torch.no_grad():
        for values in (last.weight, last.bias):
            values[2:] = values[2:][order].clone()
    np.testing.assert_allclose(model.transform(X)[:, 2:], before[:, 2:][:, order], atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), log_q[:, order], atol=1e-6)


def test_the_code_is_noise_and_softmax_and_the_clusters_are_read_from_it():
    X, y = blobs()
    model = small(ClusterGAN).fit(X)
    z = model.transform(X)
    assert z.shape == (90, 5)
    np.testing.assert_allclose(z[:, 2:].sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(z[:, 2:].argmax(1), model.labels_)
    np.testing.assert_allclose(model.predict_proba(X), z[:, 2:], atol=1e-6)
    np.testing.assert_array_equal(model.cluster_centers_, np.hstack([np.zeros((3, 2)), np.eye(3)]))

    error = ((X - model.inverse_transform(z)) / X.std(0)) ** 2
    np.testing.assert_allclose(model.reconstruction_error(X), error.mean(1), rtol=1e-3)

    nearest = small(ClusterGAN, read="kmeans").fit(X)
    np.testing.assert_array_equal(nearest.transform(X), z)
    assert adjusted_rand_score(y, nearest.labels_) == 1.0
    distance = ((z[:, None] - nearest.cluster_centers_[None]) ** 2).sum(2)
    np.testing.assert_array_equal(distance.argmin(1), nearest.labels_)
    for k in range(3):
        assert (nearest.predict(nearest.sample(50, cluster=k, random_state=0)) == k).mean() > 0.9


def test_samples_lie_in_the_cluster_asked_for_in_the_users_units(tmp_path):
    X, _ = blobs()
    X = X * 100 + 1000
    model = small(ClusterGAN).fit(X)
    for k in range(3):
        made = model.sample(50, cluster=k, random_state=0)
        assert made.shape == (50, 4)
        assert (model.predict(made) == k).mean() > 0.9
        own = X[model.labels_ == k].mean(0)
        others = [X[model.labels_ == j].mean(0) for j in range(3) if j != k]
        assert np.linalg.norm(made.mean(0) - own) < 0.5 * min(np.linalg.norm(made.mean(0) - c) for c in others)
    mixed = model.sample(60, random_state=1)
    assert set(model.predict(mixed)) == {0, 1, 2}
    np.testing.assert_array_equal(mixed, model.sample(60, random_state=1))
    assert not np.array_equal(mixed, model.sample(60, random_state=2))
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(coterie.load(tmp_path / "m").sample(60, random_state=1), mixed)


@unlearned
def test_what_cannot_be_sampled_is_refused():
    model = small(ClusterGAN, train=Schedule(steps=1)).fit(blobs()[0])
    with pytest.raises(InputError, match="'cluster' of sample.. must be None or an integer from 0 to 2. Got 3"):
        model.sample(2, cluster=3)
    with pytest.raises(InputError, match="integer >= 1. Got 0"):
        model.sample(0)


@unlearned
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (5, 7)])
def test_images_of_any_size_are_made_in_their_layout(shape):
    X = np.random.default_rng(0).integers(0, 255, (12, *shape), dtype=np.uint8)
    short = Schedule(steps=2, batch_size=4)
    network = GAN(channels=(4, 6), hidden=(8,))
    model = ClusterGAN(2, noise_size=3, network=network, pretrain=short, train=short, random_state=0).fit(X)
    made = model.sample(5, random_state=0)
    assert made.shape == (5, *shape)
    assert made.min() >= 0  # the sigmoid's range, in bytes
    assert made.max() <= 255
    assert 10 < made.mean() < 245
    assert model.inverse_transform(model.transform(X)).shape == X.shape


@unlearned
def test_convolutions_learn_to_make_what_rows_look_like():
    X, _ = bars()

    def error(steps):
        fast = Schedule(steps=steps, batch_size=32, learning_rate=5e-3, shape="cosine", momentum=0.5, beta2=0.9)
        network, few = GAN(channels=(8,), hidden=(32,)), Schedule(steps=30, batch_size=32)
        model = ClusterGAN(2, noise_size=2, network=network, pretrain=few, train=fast, penalty=1.0, random_state=0)
        model.fit(X)
        return np.abs(model.sample(200, random_state=0).mean(0) - X.mean(0)).mean()

    assert error(60) < 0.5 * error(0)


@unlearned
@pytest.mark.parametrize("stop_in", ["pretrain", "cluster"])
def test_going_on_after_a_stop_gives_the_same_bits(tmp_path, stop_in):
    X, _ = blobs()
    model = small(ClusterGAN, train=Schedule(steps=15, batch_size=32, learning_rate=1e-2))
    whole = model.fit(X).transform(X)
    with (
        config_context(checkpoint=tmp_path, checkpoint_every=0, callbacks=(StopAt(7, stop_in),)),
        pytest.raises(Interrupted),
    ):
        model.fit(X)
    with config_context(checkpoint=tmp_path):
        np.testing.assert_array_equal(model.fit(X).transform(X), whole)


@unlearned
def test_no_gradient_is_kept_for_networks_that_stand_still():
    """The critic must not pay for the generator's turn; afterwards all may learn again."""

    class Look(ClusterGAN):
        def generator_terms(self, fit, batch):
            seen.append({p.requires_grad for p in fit.model.critic.parameters()})
            return super().generator_terms(fit, batch)

    seen = []
    model = Look(3, noise_size=2, network=PLAIN, train=Schedule(steps=2), random_state=0).fit(blobs()[0])
    assert seen == [{False}, {False}]
    assert all(p.requires_grad for p in model.model_.parameters())


def test_the_papers_recipe_has_the_papers_network():
    model = ClusterGAN.from_recipe("paper", n_clusters=10)
    _, fit = ready(np.random.default_rng(0).integers(0, 255, (4, 28, 28), dtype=np.uint8), network=model.network)
    counts = {part: sum(p.numel() for p in getattr(fit.model, part).parameters()) for part in ("decoder", "critic")}
    conv = 16 * 1 * 64 + 64 + 16 * 64 * 128 + 128
    assert counts["critic"] == conv + 6272 * 1024 + 1024 + 1024 + 1
    code = 2 + 3
    dense = code * 1024 + 1024 + 1024 * 6272 + 6272
    assert counts["decoder"] == dense + 16 * 128 * 64 + 64 + 16 * 64 + 1 + 2 * (1024 + 6272 + 64)
    assert (model.critic_steps, model.train.steps, model.train.learning_rate) == (5, 500_000, 1e-4)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"noise_size": 0}, "'noise_size' parameter of ClusterGAN must be an integer >= 1. Got 0"),
        ({"network": "conv"}, "'network' parameter of ClusterGAN must be 'auto' or GAN. Got 'conv'"),
        ({"network": GAN(hidden=(0,))}, "'hidden' parameter of GAN in 'network' must be a tuple of integers >= 1"),
        ({"network": GAN(kernel=1)}, "'kernel' parameter of GAN in 'network' must be an integer >= 2. Got 1"),
        ({"pretrain": Layerwise(steps=1)}, "'pretrain' parameter of ClusterGAN must be 'auto', 'none' or a Schedule"),
        ({"critic_steps": 0}, "'critic_steps' parameter of ClusterGAN must be an integer >= 1"),
        ({"sigma": 0}, "'sigma' parameter of ClusterGAN must be a positive number. Got 0"),
        ({"penalty": -1}, "'penalty' parameter of ClusterGAN must be a number >= 0. Got -1"),
        ({"read": "argmax"}, "'read' parameter of ClusterGAN must be one of softmax, kmeans. Got 'argmax'"),
        ({"augment": Augment(shift=0.1)}, "'augment' parameter must leave geometry alone"),
    ],
)
def test_a_broken_rule_is_named(parameters, message):
    with pytest.raises(InputError, match=message):
        small(ClusterGAN, **parameters).fit(blobs()[0])


def test_the_summary_tells_of_the_critic_too():
    _, fit = ready()
    text = summarise_network(fit.model.eval(), (4,))
    critic = 4 * 8 + 8 + 8 + 1
    listed = [int(line.split()[-1].replace(",", "")) for line in text.splitlines() if line.startswith("critic")]
    assert sum(listed) == critic


@unlearned
def test_the_codes_of_the_generators_last_layer_are_what_it_makes_of_rows():
    X, _ = blobs(n=60)
    model = small(ClusterGAN, network=PLAIN, scaling="none", random_state=0).fit(X)
    last = [line.split()[0] for line in model.summary().splitlines() if line.startswith("decoder")][-1]
    np.testing.assert_allclose(
        model.layer_codes(X, last), model.inverse_transform(model.transform(X)), rtol=1e-4, atol=1e-5
    )
