"""IMSAT: its terms and their gradient against NumPy, the adversarial step, its phases, what the start is worth."""

import numpy as np
import pytest
import torch
from small import blobs, small
from stops import StopAt

from coterie import IMSAT, Augment, Schedule, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError, Interrupted
from coterie.neighbours import distances_to_neighbour
from coterie.training import Callback, Fit, Phase, Runtime, Streams


def ready(**parameters):
    """A fit that has entered clustering from random weights, and its estimator."""
    X, _ = blobs(n=40, spread=2.0)
    source = make_source(X)
    model = small(IMSAT, **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(noise=0.5), settings)
    model.enter(fit, Phase("cluster", (), 0))
    return model, fit


def answers(fit, x, bias=0.0, head=None):
    """P(k | x) in NumPy, with ``bias`` added to the head's."""
    layers = [m for m in fit.model.encoder if isinstance(m, torch.nn.Linear)]
    for i, layer in enumerate(layers):
        x = x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
        x = np.maximum(x, 0) if i < len(layers) - 1 else x
    head = head or fit.model.head
    logits = x @ head.weight.detach().double().numpy().T + head.bias.detach().double().numpy() + bias
    p = np.exp(logits)
    return p / p.sum(1, keepdims=True)


def by_hand(fit, batch, *, lam, mu, bias=0.0, fixed=None, head=None):
    """The three terms in NumPy; ``fixed`` is p hat where it differs from p."""
    x, changed = batch.x.double().numpy(), batch.view.double().numpy()
    p, q = answers(fit, x, bias, head), answers(fit, changed, bias, head)
    hat, bar = p if fixed is None else fixed, p.mean(0)
    agreement = (hat * np.log(hat / q)).sum(1).mean()
    return agreement, lam * mu * (bar * np.log(bar)).sum(), -lam * (p * np.log(p)).sum(1).mean()


def test_terms_are_those_of_the_paper():
    model, fit = ready(adversarial=0.0, lam=0.3, mu=2.0)
    batch = fit.batch(torch.tensor([3, 1, 17, 20, 8]), 0)
    terms = model.terms(fit, batch)
    assert list(terms) == ["agreement", "marginal", "conditional"]
    for term, expected in zip(terms.values(), by_hand(fit, batch, lam=0.3, mu=2.0), strict=True):
        assert float(term.detach()) == pytest.approx(expected, rel=1e-4)


def test_the_gradient_takes_the_answer_for_the_clean_row_as_given():
    model, fit = ready(adversarial=0.0, lam=0.1, mu=4.0)
    batch = fit.batch(torch.arange(12), 0)
    sum(model.terms(fit, batch).values()).backward()
    fixed = answers(fit, batch.x.double().numpy())
    for k in range(3):
        step = 1e-5 * np.eye(3)[k]
        up, down = (sum(by_hand(fit, batch, lam=0.1, mu=4.0, bias=b, fixed=fixed)) for b in (step, -step))
        assert float(fit.model.head.bias.grad[k]) == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-6)


def test_relabelling_clusters_changes_no_term():
    model, fit = ready(adversarial=0.0)
    before = model.terms(fit, fit.batch(torch.arange(10), 0))
    head, order = fit.model.head, [2, 0, 1]
    head.weight.data, head.bias.data = head.weight.data[order], head.bias.data[order]
    after = model.terms(fit, fit.batch(torch.arange(10), 0))
    for name, term in before.items():
        torch.testing.assert_close(after[name], term)


def test_a_batch_of_one_has_finite_terms_and_certain_answers_no_gradient_that_is_none():
    model, fit = ready(adversarial=0.25)
    fit.model.head.weight.data *= 1e4
    terms = model.terms(fit, fit.batch(torch.tensor([5]), 0))
    assert all(torch.isfinite(term) for term in terms.values())
    sum(terms.values()).backward()
    assert torch.isfinite(fit.model.head.weight.grad).all()


def test_the_adversarial_step_has_its_length_and_does_more_than_a_random_one():
    model, fit = ready(adversarial=0.25)
    fit.augment = None
    batch = fit.batch(torch.arange(40), 0)
    step = model.adversary(fit, batch)
    radius = 0.25 * torch.from_numpy(distances_to_neighbour(batch.x.numpy(), seed=0)).float()
    torch.testing.assert_close(step.norm(dim=1), radius)

    def moved(r):
        p, q = answers(fit, batch.x.double().numpy()), answers(fit, (batch.x + r).double().numpy())
        return (p * np.log(p / q)).sum(1).mean()

    draws = torch.randn(20, 40, 4, generator=torch.Generator().manual_seed(3))
    assert moved(step) > 1.5 * max(moved(radius[:, None] * torch.nn.functional.normalize(d)) for d in draws)


def test_rows_that_the_head_is_sure_of_keep_their_step():
    model, fit = ready(adversarial=0.25)
    fit.augment = None
    batch = fit.batch(torch.arange(40), 0)
    with torch.no_grad():  # sure enough that the squares of its gradient are below the smallest float32
        fit.model.head.weight *= 50 / (fit.model.encode(batch.x) @ fit.model.head.weight.T).abs().max()
    step = model.adversary(fit, batch)
    gradient_is_there = step.norm(dim=1) > 0
    assert gradient_is_there.sum() > 20
    torch.testing.assert_close(step.norm(dim=1)[gradient_is_there], fit.memory["radius"][:40][gradient_is_there])


@pytest.mark.parametrize("sample", [40, 25])
def test_the_unit_of_a_step_is_the_tenth_neighbour_in_the_sample(sample):
    X, _ = blobs(n=40, spread=2.0)
    drawn = np.random.default_rng(0).permutation(40)[:sample]
    apart = np.sqrt(((X[:, None] - X[None, drawn]) ** 2).sum(2))
    others = [np.sort(np.delete(apart[i], np.flatnonzero(drawn == i)))[9] for i in range(40)]
    np.testing.assert_allclose(distances_to_neighbour(X, seed=0, sample=sample), others, rtol=1e-5, atol=1e-5)


class Names(Callback):
    """Keeps the names of the phases."""

    def __init__(self):
        self.phases = []

    def on_phase(self, fit, phase):
        self.phases.append(phase.name)


def test_without_a_warm_up_nothing_is_pretrained():
    X, _ = blobs()
    for warmup, phases in ((0, ["cluster"]), (10, ["pretrain", "warmup", "cluster"])):
        names = Names()
        with config_context(callbacks=(names,)):
            model = small(IMSAT, warmup=warmup, train=Schedule(steps=200, batch_size=45, learning_rate=1e-2)).fit(X)
        assert names.phases == phases
        assert (model.pretrained_code_ is None) == (warmup == 0)


def test_the_papers_training_needs_no_way_back():
    X, _ = blobs(n=300)
    model = IMSAT.from_recipe("paper", n_clusters=3, random_state=0)
    model.set_params(train__batch_size=60, network__hidden=(64,)).fit(X)
    assert model.model_.decoder is None
    assert not hasattr(model, "inverse_transform")
    # From random weights it may find another partition than the groups, but one that tells much about the rows.
    assert np.bincount(model.labels_, minlength=3).min() > 60
    assert model.predict_proba(X).max(1).mean() > 0.95


def test_centres_are_the_clusters_mean_codes():
    X, _ = blobs()
    model = small(IMSAT).fit(X)
    z = model.transform(X)
    for k in range(3):
        np.testing.assert_allclose(model.cluster_centers_[k], z[model.labels_ == k].mean(0), rtol=1e-4, atol=1e-5)


def test_stopped_while_clustering_and_resumed_is_the_same_to_the_bit(tmp_path):
    X, _ = blobs(spread=2.0)
    whole = small(IMSAT).fit(X)
    with config_context(checkpoint=tmp_path, callbacks=(StopAt(whole.n_iter_ - 20),)), pytest.raises(Interrupted):
        small(IMSAT).fit(X)
    with config_context(checkpoint=tmp_path):
        resumed = small(IMSAT).fit(X)
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lam": 0}, "'lam' parameter of IMSAT must be a positive number. Got 0"),
        ({"mu": -1}, "'mu' parameter of IMSAT must be a number >= 0. Got -1"),
        ({"adversarial": "some"}, "'adversarial' parameter of IMSAT must be 'auto' or a number >= 0. Got 'some'"),
        ({"warmup": -1}, "'warmup' parameter of IMSAT must be 'auto' or an integer >= 0. Got -1"),
    ],
)
def test_a_broken_rule_is_named(parameters, message):
    with pytest.raises(InputError, match=message):
        small(IMSAT, **parameters).fit(blobs()[0])
