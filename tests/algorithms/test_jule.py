"""JULE: the loss of its triplets, its merges between the trainings, and what is kept of them."""

import itertools

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import is_valid_linkage
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small

import coterie
from coterie import JULE, MLP, Augment, Schedule, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.algorithms.members import partners
from coterie.data import make_source
from coterie.data.knowledge import make_knowledge
from coterie.errors import InputError
from coterie.nn import triplet_loss
from coterie.selection.labelled import number_by_class
from coterie.training import Callback, Fit, Runtime, Streams


class Keep(Callback):
    """Keeps the clusters of each phase."""

    def __init__(self, stop_at=None):
        self.phases, self.clusters, self.stop_at = [], [], stop_at

    def on_phase(self, fit, phase):
        self.phases.append(phase.name)
        self.clusters.append(fit.memory["clusters"].numpy().copy())

    def on_step(self, fit, phase):
        if (phase.name, fit.clock.step) == self.stop_at:
            raise KeyboardInterrupt


def ready(n=90, **parameters):
    """A fit that has merged its first clusters, and its estimator."""
    source = make_source(blobs(n=n, spread=2.0)[0])
    model = small(JULE, **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(), settings)
    model.enter(fit, model.plan(fit))
    return model, fit


@pytest.mark.parametrize(("gamma", "spare"), [(1.0, True), (2.5, False)])
def test_the_loss_is_the_mean_over_triplets_that_have_one(gamma, spare):
    model, fit = ready(n_clusters=2, gamma=gamma, margin=0.7, spare=spare, eta=0.5)
    clusters = fit.memory["clusters"].numpy()
    assert clusters.max() > 2
    index = torch.tensor([3, 1, 17, 20, 55])
    batch = fit.batch(index, 0)
    near = partners(fit, index)
    y = fit.memory["groups"].numpy()
    assert y.max() + 1 == (2 if spare else clusters.max() + 1)
    assert len({*zip(clusters, y, strict=True)}) == clusters.max() + 1  # groups are made of whole clusters
    z = fit.model.encode(fit.source.take(torch.cat([index, near]))).detach().double().numpy()
    np.testing.assert_allclose((z**2).sum(1), 1.0, rtol=1e-6)
    of = y[torch.cat([index, near]).numpy()]
    losses = []
    for i in range(5):
        for k in range(10):
            if of[k] != of[i]:
                near2, far2 = ((z[i] - z[5 + i]) ** 2).sum(), ((z[i] - z[k]) ** 2).sum()
                losses.append(max(0.0, gamma * near2 - far2 + 0.7))
    losses = np.array(losses)
    assert 0 < (losses > 0).sum() < len(losses)
    terms = model.terms(fit, batch)
    assert list(terms) == ["triplet"]
    assert float(terms["triplet"].detach()) == pytest.approx(losses[losses > 0].mean(), rel=1e-4)


def test_the_gradient_of_the_loss():
    generator = torch.Generator().manual_seed(0)
    unit = torch.nn.functional.normalize
    z, near, others = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (4, 4, 6))
    apart = torch.rand(4, 6, generator=generator) < 0.7

    def loss(z, near, others):
        return triplet_loss(unit(z), unit(near), others=unit(others), apart=apart, gamma=1.5, margin=0.3)

    leaves = tuple(t.requires_grad_() for t in (z, near, others))
    assert float(loss(*leaves).detach()) > 0
    assert torch.autograd.gradcheck(loss, leaves)


def test_without_other_clusters_or_with_one_row_the_loss_is_finite():
    model, fit = ready(n_clusters=1)
    fit.memory["clusters"].zero_()
    assert float(model.terms(fit, fit.batch(torch.arange(8), 0))["triplet"].detach()) == 0.0
    model, fit = ready()
    assert torch.isfinite(model.terms(fit, fit.batch(torch.tensor([5]), 0))["triplet"])


def test_a_small_share_of_few_clusters_is_merged_all_the_same():
    model = small(JULE, n_clusters=2, eta=0.1, train=Schedule(steps=1), reclusters=0).fit(blobs(n=40, k=2)[0])
    assert 2 < model.n_iter_ < 40
    assert set(model.transductive_labels_) == {0, 1}


def test_partners_are_drawn_evenly_from_the_own_cluster():
    _, fit = ready()
    y = fit.memory["clusters"]
    index = torch.full((30_000,), 7)
    drawn = torch.bincount(partners(fit, index), minlength=90).double()
    own = y == y[7]
    assert drawn[~own].sum() == 0
    expected = 30_000 / int(own.sum())
    assert (drawn[own] - expected).abs().max() < 6 * expected**0.5


def test_relabelling_clusters_changes_nothing():
    model, fit = ready()
    index = torch.arange(30)
    before = model.terms(fit, fit.batch(index, 0))["triplet"]
    k = int(fit.memory["clusters"].max()) + 1
    order = torch.randperm(k, generator=torch.Generator().manual_seed(1))
    fit.memory["clusters"] = order[fit.memory["clusters"]]
    fit.memory["groups"] = 2 - fit.memory["groups"]
    fit.memory["members"] = fit.memory["clusters"].argsort(stable=True)
    torch.testing.assert_close(model.terms(fit, fit.batch(index, 0))["triplet"], before)


def test_each_merging_takes_a_share_away_until_k_are_left_and_found_anew():
    X, _ = blobs(n=600, spread=2.0)
    keep = Keep()
    with config_context(callbacks=(keep,)):
        model = small(JULE, eta=0.7, reclusters=2, train=Schedule(steps=2, batch_size=32)).fit(X)
    counts = [c.max() + 1 for c in keep.clusters]
    merges = keep.phases.count("merge")
    assert keep.phases == ["merge"] * merges + ["recluster"] * 2
    assert merges > 2
    for before, after in itertools.pairwise(counts[:merges]):
        assert after == max(3, round((1 - 0.7) * before))
    assert counts[merges - 1 :] == [3, 3, 3]
    for before, after in itertools.pairwise(keep.clusters[:merges]):
        assert len({*zip(before, after, strict=True)}) == before.max() + 1  # clusters merge, none is torn
    np.testing.assert_array_equal(keep.clusters[-1], model.transductive_labels_)


def test_merges_and_transductive_labels_are_kept_and_saved(tmp_path):
    X, y = blobs(n=200)
    model = small(JULE).fit(X)
    assert is_valid_linkage(model.merges_)
    assert model.merge_affinities_.shape == (len(model.merges_),)
    assert model.leaves_.max() == len(model.merges_)
    assert adjusted_rand_score(y, model.transductive_labels_) == 1.0
    assert (model.labels_ == model.transductive_labels_).mean() > 0.95
    model.save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    for name in ("merges_", "merge_affinities_", "leaves_", "transductive_labels_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name))
    assert not hasattr(model, "inverse_transform")


def test_transductive_labels_follow_the_numbers_of_classes():
    X, _ = blobs(n=200)
    model = small(JULE).fit(X)
    before = (model.labels_ == model.transductive_labels_).mean()
    known = np.where(np.arange(200) < 12, (model.labels_ + 1) % 3, -1)
    number_by_class(model, make_knowledge(200, known=known))
    np.testing.assert_array_equal(model.labels_[:12], known[:12])
    assert (model.labels_ == model.transductive_labels_).mean() == before > 0.95


@pytest.mark.parametrize("stop_at", [("merge", 5), ("recluster", 5)])
def test_a_stopped_fit_goes_on_to_the_same_bits(tmp_path, stop_at):
    X, _ = blobs(spread=2.0)
    whole = small(JULE).fit(X)
    with (
        config_context(checkpoint=tmp_path, checkpoint_every=0, callbacks=(Keep(stop_at),)),
        pytest.raises(KeyboardInterrupt),
    ):
        small(JULE).fit(X)
    with config_context(checkpoint=tmp_path):
        resumed = small(JULE).fit(X)
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))
    np.testing.assert_array_equal(resumed.merges_, whole.merges_)


@pytest.mark.parametrize("side", [8, 16])
def test_small_images_have_an_encoder_that_leaves_them_some_pixels(side):
    X, y = bars(n=80, side=side)
    model = JULE(n_clusters=2, augment="none", train=Schedule(steps=20, batch_size=40), random_state=0).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0
    halvings = sum(isinstance(layer, torch.nn.Conv2d) for layer in model.model_.modules())
    assert halvings == {8: 1, 16: 2}[side]


def test_own_rules_and_the_papers_recipe():
    for name, value in (("eta", 1.0), ("n_neighbors", 0), ("margin", 0), ("spare", "no"), ("reclusters", -1)):
        with pytest.raises(InputError, match=f"'{name}' parameter of JULE"):
            small(JULE, **{name: value}).fit(blobs()[0])
    X, _ = bars(n=40, side=12)
    short = Schedule(steps=2, batch_size=20, optimiser="sgd", learning_rate=0.01, shape="constant")
    assert JULE.from_recipe("paper", n_clusters=2, train=short, random_state=0).fit(X).labels_.shape == (40,)


def test_vectors_learn_with_the_default_network():
    X, y = blobs(n=300, spread=1.0)
    model = JULE(n_clusters=3, train=Schedule(steps=30), random_state=0).fit(X)
    assert model.settings_["network"] == MLP(hidden=(500, 500))
    assert adjusted_rand_score(y, model.labels_) > 0.95
