"""DEC and IDEC: their terms against NumPy, their phases, what the start is worth."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from small import blobs, small, wide_and_tight

from coterie import DEC, IDEC, MLP, Augment, Schedule, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.training import Callback, Fit, Runtime, Streams


class Keep(Callback):
    """Keeps what the fit held at each refresh."""

    def __init__(self):
        self.targets, self.labels, self.phases = [], [], []

    def on_phase(self, fit, phase):
        self.phases.append(phase.name)

    def on_refresh(self, fit, labels):
        self.targets.append(fit.memory["target"].clone())
        self.labels.append(labels.copy())


def ready(cls, **parameters):
    """A fit whose head stands on random centres, and its estimator."""
    X, _ = blobs(n=40)
    source = make_source(X)
    model = small(cls, **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    network.head.fill(torch.randn(3, 2, generator=torch.Generator().manual_seed(1)), 1.3)
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(), settings)
    fit.memory["target"] = torch.rand(40, 3, generator=torch.Generator().manual_seed(2)).softmax(1)
    return model, fit


def by_hand(fit, index, alpha):
    """KL and squared error of a batch in NumPy."""
    x = fit.source.take(index).numpy()
    layers = [m for part in (fit.model.encoder, fit.model.decoder) for m in part if isinstance(m, torch.nn.Linear)]
    weights = [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in layers]
    z = np.maximum(x @ weights[0][0].T + weights[0][1], 0) @ weights[1][0].T + weights[1][1]
    back = np.maximum(z @ weights[2][0].T + weights[2][1], 0) @ weights[3][0].T + weights[3][1]
    mu = fit.model.head.centers.detach().numpy()
    distance = ((z[:, None] - mu[None]) ** 2).sum(2) / 1.3**2
    q = (1 + distance / alpha) ** (-(alpha + 1) / 2)
    q /= q.sum(1, keepdims=True)
    p = fit.memory["target"].numpy()[index]
    return (p * np.log(p / q)).sum(1).mean(), ((back - x) ** 2).mean()


@pytest.mark.parametrize("alpha", [1.0, 3.0])
def test_terms_are_those_of_the_papers(alpha):
    index = torch.tensor([3, 1, 17, 20])
    model, fit = ready(DEC, alpha=alpha)
    kl, error = by_hand(fit, index, alpha)
    terms = model.terms(fit, fit.batch(index, 0))
    assert list(terms) == ["kl"]
    assert float(terms["kl"].detach()) == pytest.approx(kl, rel=1e-4)

    model, fit = ready(IDEC, alpha=alpha, gamma=0.3)
    terms = model.terms(fit, fit.batch(index, 0))
    assert float(terms["kl"].detach()) == pytest.approx(0.3 * kl, rel=1e-4)
    assert float(terms["reconstruction"].detach()) == pytest.approx(error, rel=1e-4)


def test_a_batch_of_one_has_finite_terms():
    for cls in (DEC, IDEC):
        model, fit = ready(cls)
        terms = model.terms(fit, fit.batch(torch.tensor([5]), 0))
        assert all(torch.isfinite(term) for term in terms.values())


def test_relabelling_clusters_relabels_everything():
    index, order = torch.arange(10), [2, 0, 1]
    model, fit = ready(DEC)
    before = model.terms(fit, fit.batch(index, 0))["kl"]
    fit.model.head.centers.data = fit.model.head.centers.data[order]
    fit.memory["target"] = fit.memory["target"][:, order]
    torch.testing.assert_close(model.terms(fit, fit.batch(index, 0))["kl"], before)


def test_the_encoder_reads_changed_rows_and_reconstructs_clean_ones():
    index = torch.arange(6)
    model, fit = ready(IDEC)
    fit.augment = Augment(noise=5.0)
    batch = fit.batch(index, 0)
    assert not torch.allclose(batch.view, batch.x)
    z = fit.model.encode(batch.view)
    expected = (fit.model.decode(z) - fit.source.take(index)).square().mean()
    torch.testing.assert_close(model.terms(fit, batch)["reconstruction"], expected)
    torch.testing.assert_close(model.pretrain_terms(fit, batch)["reconstruction"], expected)


def test_decoder_is_left_alone_by_dec_and_trained_by_idec():
    for cls, moves in ((DEC, False), (IDEC, True)):
        X, _ = blobs()
        short = small(cls, train=Schedule(steps=0)).fit(X)
        long = small(cls).fit(X)
        same = torch.equal(short.model_.decoder[0].weight, long.model_.decoder[0].weight)
        assert same != moves, cls


def test_until_the_warm_up_ends_the_target_is_the_start():
    X, _ = blobs(n=300, spread=2.0)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        small(DEC, start="mixture", warmup=20, update_interval=10, gather=None).fit(X)
    start = keep.targets[0]
    assert set(start.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(keep.targets[1], start)
    assert not torch.equal(keep.targets[2], start)
    assert ((keep.targets[2] > 0) & (keep.targets[2] < 1)).any()


def test_with_a_round_start_the_first_target_is_already_sharpened():
    X, _ = blobs(n=300, spread=2.0)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        small(DEC, start="kmeans").fit(X)
    assert ((keep.targets[0] > 0) & (keep.targets[0] < 1)).any()


def test_gathering_comes_between_pretraining_and_clustering():
    X, y = blobs(n=300)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        model = small(DEC, start="mixture", gather=Schedule(steps=30, batch_size=32, learning_rate=1e-3)).fit(X)
    assert keep.phases == ["pretrain", "gather", "gather", "cluster"]
    assert adjusted_rand_score(y, model.labels_) == 1.0
    plain = small(DEC, start="mixture", gather=None).fit(X)
    np.testing.assert_array_equal(plain.pretrained_code_, model.pretrained_code_)


def test_a_start_that_is_not_round_survives():
    """Student-t assignments to the means cut the wide group in two; the warm-up keeps the start's clusters whole."""
    X, y = wide_and_tight()
    short = Schedule(steps=400, batch_size=64, learning_rate=3e-3)
    shared = {"n_clusters": 2, "network": MLP(hidden=(64, 64)), "start": "mixture", "gather": None}
    shared |= {"pretrain": short, "train": short}
    warm = adjusted_rand_score(y, small(DEC, warmup=300, **shared).fit(X).labels_)
    cold = adjusted_rand_score(y, small(DEC, warmup=0, **shared).fit(X).labels_)
    assert warm > 0.9
    assert cold < warm - 0.1


def test_float32_and_bfloat16_agree_on_easy_groups():
    X, y = blobs()
    for precision in ("float32", "bfloat16"):
        with config_context(precision=precision):
            assert adjusted_rand_score(y, small(DEC).fit(X).labels_) == 1.0
