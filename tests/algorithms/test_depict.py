"""DEPICT: its terms against NumPy, its targets, its prior, with and without pretraining."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from torch import nn

import coterie
from coterie import DEPICT, MLP, Augment, Schedule, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError
from coterie.starts import Start
from coterie.training import Callback, Fit, Runtime, Streams, assignments

INDEX = torch.tensor([3, 1, 17, 20])


class Keep(Callback):
    """Keeps what the fit held at each refresh."""

    def __init__(self):
        self.targets, self.steps, self.phases = [], [], []

    def on_phase(self, fit, phase):
        self.phases.append((phase.name, phase.refresh_every))

    def on_refresh(self, fit, labels):
        self.targets.append(fit.memory["target"].clone())
        self.steps.append(fit.clock.step)


def ready(**parameters):
    """A fit whose softmax stands on a random start, and its estimator."""
    X, _ = blobs(n=40)
    source = make_source(X)
    model = small(DEPICT, **{"network": MLP(hidden=(8, 5))} | parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(), settings)
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [20, 5, 15])
    model.fill_head(fit, Start(rng.normal(size=(3, 2)).astype(np.float32), labels, 0.9))
    fit.memory["target"] = torch.rand(40, 3, generator=torch.Generator().manual_seed(2)).softmax(1)
    return model, fit


def dense(part):
    return [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in part if isinstance(m, nn.Linear)]


def through(layers, x):
    """Outputs of each layer, ReLU on all but the last."""
    outputs = []
    for number, (weight, bias) in enumerate(layers, 1):
        x = x @ weight.T + bias
        x = np.maximum(x, 0) if number < len(layers) else x
        outputs.append(x)
    return outputs


def test_terms_are_those_of_the_paper():
    model, fit = ready(noise=0.0, pretrain_noise=0.0, row_weight=3.0, hidden_weight=0.25)
    x, q = fit.source.take(INDEX).numpy(), fit.memory["target"].numpy()[INDEX]
    h1, h2, z = through(dense(fit.model.encoder), x)
    h2_hat, h1_hat, x_hat = through(dense(fit.model.decoder), z)
    logits = z @ fit.model.head.weight.detach().numpy().T + fit.model.head.bias.detach().numpy()
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    terms = {name: float(term.detach()) for name, term in model.terms(fit, fit.batch(INDEX, 0)).items()}
    assert terms == pytest.approx(
        {
            "kl": (q * np.log(q / p)).sum(1).mean(),
            "reconstruction": 3 * ((x_hat - x) ** 2).mean(),
            "hidden": 0.25 * (((h1_hat - h1) ** 2).mean() + ((h2_hat - h2) ** 2).mean()),
        },
        rel=1e-4,
    )
    errors = model.pretrain_terms(fit, fit.batch(INDEX, 0))
    assert {name: float(e.detach()) for name, e in errors.items()} == pytest.approx(
        {name: terms[name] for name in ("reconstruction", "hidden")}
    )


def test_corrupted_layers_make_the_prediction_and_clean_ones_are_to_be_returned():
    model, fit = ready(noise=0.3)
    fit.augment = Augment(noise=0.5)
    index = torch.arange(len(fit.source))
    batch = fit.batch(index, 0)
    seen = []
    encoder = fit.model.encoder
    encoder[-1].register_forward_hook(lambda _layer, args, z: seen.append((args[0], z)))
    decoded = []
    fit.model.decoder[-1].register_forward_hook(lambda _layer, args, out: decoded.append(out))
    with fit.runtime.seeded(3):  # as the loop does for each step: layers that draw take their numbers from here
        terms = model.terms(fit, batch)
    (lossy, z), (clean, _) = seen
    assert 0.05 < float((lossy == 0).float().mean() - (clean == 0).float().mean()) < 0.6
    torch.testing.assert_close(clean, encoder[:-1](batch.x))
    expected = (decoded[0] - batch.x).square().mean()
    torch.testing.assert_close(terms["reconstruction"], expected)
    q = fit.memory["target"][index]
    torch.testing.assert_close(terms["kl"], (q * (q.log() - fit.model.head(z))).sum(1).mean())


def test_pretraining_has_a_noise_of_its_own():
    model, fit = ready(noise=0.0, pretrain_noise=0.9)
    batch = fit.batch(torch.arange(40), 0)
    clean, again = (float(model.terms(fit, batch)["reconstruction"].detach()) for _ in range(2))
    assert clean == again
    lossy, other = (float(model.pretrain_terms(fit, batch)["reconstruction"].detach()) for _ in range(2))
    assert len({clean, lossy, other}) == 3


def test_the_target_is_the_balanced_clean_prediction_of_all_rows():
    model, fit = ready(noise=0.9, prior=(0.5, 0.2, 0.3), warmup=0)
    fit.model.eval()
    p = assignments(fit).exp().numpy()
    labels = model.refresh(fit)
    weight = p * np.sqrt(np.array([0.5, 0.2, 0.3]) / p.sum(0))
    np.testing.assert_allclose(fit.memory["target"].numpy(), weight / weight.sum(1, keepdims=True), rtol=1e-4)
    np.testing.assert_array_equal(labels.numpy(), p.argmax(1))
    assert not fit.memory["target"].requires_grad


def test_frequencies_are_dealt_out_to_clusters_by_size():
    _, fit = ready(prior=np.array([30.0, 10.0, 60.0]))
    assert fit.memory["prior"].tolist() == pytest.approx([0.6, 0.1, 0.3])  # the start's sizes are 20, 5 and 15
    _, fit = ready()
    assert fit.memory["prior"].tolist() == pytest.approx([1 / 3] * 3)


def test_relabelling_clusters_relabels_everything():
    index, order = torch.arange(10), [2, 0, 1]
    model, fit = ready(noise=0.0)
    before = model.terms(fit, fit.batch(index, 0))["kl"]
    head = fit.model.head
    head.weight.data, head.bias.data = head.weight.data[order], head.bias.data[order]
    fit.memory["target"] = fit.memory["target"][:, order]
    torch.testing.assert_close(model.terms(fit, fit.batch(index, 0))["kl"], before)


def test_a_batch_of_one_has_finite_terms():
    model, fit = ready()
    assert all(torch.isfinite(term) for term in model.terms(fit, fit.batch(torch.tensor([5]), 0)).values())


def test_the_target_is_renewed_once_an_epoch_after_the_warm_up():
    X, _ = blobs(n=100, spread=2.0)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        small(DEPICT, start="mixture", warmup=6, train=Schedule(steps=12, batch_size=32)).fit(X)
    assert keep.phases[-1] == ("cluster", 3)
    assert keep.steps == [0, 3, 6, 9]
    assert torch.equal(keep.targets[1], keep.targets[0])
    assert set(keep.targets[0].unique().tolist()) == {0.0, 1.0}
    assert ((keep.targets[2] > 0) & (keep.targets[2] < 1)).any()
    assert not torch.equal(keep.targets[3], keep.targets[2])


@pytest.mark.parametrize("pretrain", ["none", None])
def test_joint_training_needs_no_pretraining(pretrain):
    X, y = blobs()
    keep = Keep()
    with config_context(callbacks=(keep,)):
        model = small(DEPICT, pretrain=pretrain, code_size=8).fit(X)
    assert [name for name, _ in keep.phases] == ["cluster"]
    assert model.settings_["pretrain"] is None
    assert adjusted_rand_score(y, model.labels_) == 1.0
    first, last = model.history_[1], model.history_[-1]
    assert last["reconstruction"] < 0.9 * first["reconstruction"]


def test_a_prior_holds_unequal_clusters_and_is_kept(tmp_path):
    """One broad group cut in two: the cut goes where the prior wants it."""
    X = np.random.default_rng(0).normal(size=(400, 2))
    sizes = []
    long = Schedule(steps=300, batch_size=100, learning_rate=5e-3)
    for prior in (None, np.array([0.2, 0.8])):
        model = small(DEPICT, n_clusters=2, prior=prior, train=long).fit(X)
        sizes.append(np.bincount(model.labels_, minlength=2) / 400)
        assert np.abs(sizes[-1] - model.prior_).max() < 0.15
    assert sizes[1].max() > sizes[0].max() + 0.1
    model.save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.prior_, model.prior_)
    assert loaded.prior == [0.2, 0.8]


def test_a_learned_prior_leaves_groups_their_own_sizes():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [340, 100, 40])
    X = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0]])[y] + 0.5 * rng.normal(size=(480, 3))
    long = Schedule(steps=300, batch_size=100, learning_rate=5e-3)
    model = small(DEPICT, prior="learned", train=long, start="mixture").fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.97
    np.testing.assert_allclose(np.sort(model.prior_), np.array([40, 100, 340]) / 480, atol=0.03)


def test_the_learned_prior_goes_a_tenth_of_the_way_to_the_frequencies_at_each_recomputation(monkeypatch):
    from coterie.algorithms import depict

    seen = []
    monkeypatch.setattr(depict, "balance", lambda p, u: (seen.append((p.double().mean(0), u.clone())), p)[1])
    X, _ = blobs()
    small(DEPICT, prior="learned", start="kmeans", warmup=0, update_interval=20).fit(X)
    assert len(seen) > 2
    for (_, before), (frequencies, after) in itertools.pairwise(seen):
        torch.testing.assert_close(after, 0.9 * before + 0.1 * frequencies, atol=1e-6, rtol=0)


@pytest.mark.parametrize("prior", [(0.5, 0.5), (0.5, 0.5, 0.0), ("a", "b", "c"), 3, (0.1, float("nan"), 0.2)])
def test_a_prior_that_is_none_is_refused(prior):
    with pytest.raises(InputError, match="'prior' parameter of DEPICT must be None, 'learned' or K positive numbers"):
        small(DEPICT, prior=prior).fit(blobs()[0])


def test_networks_that_cannot_be_walked_or_do_not_mirror_keep_what_is_left():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

        def forward(self, x):
            return self.layers(x)

    X, y = blobs()
    torch.manual_seed(0)
    for network in ((Mine(), nn.Linear(2, 4)), MLP(hidden=(32,), decoder=(16, 8))):
        model = small(DEPICT, network=network).fit(X)
        assert "hidden" not in model.history_[-1]
        assert adjusted_rand_score(y, model.labels_) > 0.9


@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")  # of two clusters of tiny images, by chance
@pytest.mark.parametrize("network", ["auto", "depict-small", "mlp"])
def test_tiny_images_in_any_network(network):
    X, y = bars()
    slow = Schedule(steps=60, batch_size=32, learning_rate=1e-3)
    model = small(DEPICT, n_clusters=2, network=network, augment="none", pretrain=slow, train=slow).fit(X)
    assert "hidden" in model.history_[-1]
    assert adjusted_rand_score(y, model.labels_) > 0.8


@pytest.mark.parametrize(("side", "n"), [(24, 60), (8, 60), (24, 20_000), (70, 20_000)])
def test_the_default_network_has_the_kind_of_all_systems_and_a_mirrored_decoder(side, n):
    spec = make_source(bars(side=side)[0]).spec
    own = DEPICT().own_defaults(spec, n)["network"]
    assert own.decoder == "mirror"
    assert isinstance(own, MLP) == (
        side == 8 or (n == 20_000 and side == 24)
    )  # a dense layer to large images is most of the network


def test_recipes_hold_the_published_settings():
    paper, small_one = DEPICT.from_recipe("paper"), DEPICT.from_recipe("small")
    assert (paper.noise, paper.hidden_weight, paper.train.learning_rate, paper.train.batch_size) == (
        0.1,
        0.1,
        1e-4,
        100,
    )
    assert (small_one.noise, small_one.hidden_weight, small_one.pretrain) == (0.0, 0.8, "none")
    assert small_one.reconstruction == "bce"
    assert paper.gather is small_one.gather is None


def test_a_prior_may_be_a_series(tmp_path):
    X = blobs(n=60)[0]
    model = small(DEPICT, prior=pd.Series([0.2, 0.3, 0.5]), random_state=0).fit(X)
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(coterie.load(tmp_path / "m").predict(X), model.labels_)


def test_q_is_recomputed_four_times_at_least_where_an_epoch_is_longer_than_training():
    X, _ = blobs(600)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        small(DEPICT, train=Schedule(steps=48, batch_size=10), start="kmeans").fit(X)
    assert keep.steps == [0, 12, 24, 36]
    assert not set(keep.targets[-1].flatten().tolist()) <= {0.0, 1.0}


def test_the_prior_follows_clusters_that_are_renumbered():
    X, _ = blobs(90, k=2)
    model = small(DEPICT, n_clusters=2, prior=(0.3, 0.7)).fit(X)
    before = model.prior_.copy()
    model._renumber(np.array([1, 0]))
    np.testing.assert_array_equal(model.prior_, before[::-1])
