"""Clustering again from other starts, and clusters that lost their rows."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from small import Emptied, blobs, small

from coterie import DCN, DEC, DEPICT, DKM, IDEC, Schedule, VaDE, config_context
from coterie.errors import CollapseWarning, InputError
from coterie.training import Callback

LONG = Schedule(steps=200, batch_size=32, learning_rate=1e-2)


class Phases(Callback):
    def __init__(self):
        self.names, self.first = [], []

    def on_phase(self, fit, phase):
        self.names.append(phase.name)
        if phase.name == "cluster":
            self.first.append(next(fit.model.encoder.parameters()).detach().clone())


RESTARTED = (DEC, DCN, DKM, DEPICT, VaDE)


@pytest.mark.parametrize("system", RESTARTED)
def test_every_run_begins_with_the_same_code_and_the_best_is_kept(system):
    X, y = blobs(150, spread=1.5)
    seen = Phases()
    with config_context(callbacks=(seen,)):
        model = small(system, n_init=3).fit(X)
    assert seen.names == ["pretrain", "cluster", "cluster", "cluster"]
    assert all(torch.equal(seen.first[0], weights) for weights in seen.first)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert adjusted_rand_score(y, model.labels_) > 0.9


@pytest.mark.parametrize("bad", [1, 2])  # whether it was the first one or the last
@pytest.mark.parametrize("kind", RESTARTED)
def test_a_bad_start_is_not_kept(monkeypatch, kind, bad):
    from coterie.algorithms import system

    made, X, y = [], *blobs(150)
    rightly = system.make_start

    def one_badly(kind, z, n_clusters, **more):
        made.append(kind)
        start = rightly(kind, z, n_clusters, **more)
        if len(made) != bad:
            return start
        mixed = np.arange(len(z)) * n_clusters // len(z)  # classes come by turns
        centers = np.stack([z[mixed == k].mean(0) for k in range(n_clusters)]).astype(np.float32)
        return type(start)(centers, mixed, 1.0)

    monkeypatch.setattr(system, "make_start", one_badly)
    short = Schedule(steps=2, batch_size=32, learning_rate=1e-6)  # too short to mend a start
    if bad == 1:
        once = small(kind, train=short, n_init=1).fit(X)
        assert adjusted_rand_score(y, once.labels_) < 0.9
        made.clear()
    twice = small(kind, train=short, n_init=2).fit(X)
    assert adjusted_rand_score(y, twice.labels_) == 1.0
    np.testing.assert_array_equal(twice.predict(X), twice.labels_)


def test_what_a_run_leaves_beside_the_model_is_that_of_the_best_one(monkeypatch):
    from coterie.algorithms import system

    made, X = [], blobs(150)[0]
    rightly = system.make_start

    def last_badly(kind, z, n_clusters, **more):
        made.append(kind)
        start = rightly(kind, z, n_clusters, **more)
        lost = np.minimum(start.labels, 0) if len(made) > 1 else start.labels  # all rows in one cluster
        return type(start)(start.centers, lost, start.spread)

    monkeypatch.setattr(system, "make_start", last_badly)
    short = Schedule(steps=2, batch_size=32, learning_rate=1e-6)
    once = small(DEPICT, prior="learned", train=short).fit(X)
    made.clear()
    twice = small(DEPICT, prior="learned", train=short, n_init=2).fit(X)
    np.testing.assert_allclose(twice.prior_, once.prior_)


def test_a_stopped_fit_of_several_runs_goes_on_exactly(tmp_path):
    class Stop(Callback):
        def on_step(self, fit, phase):
            if fit.clock.phase == 2 and fit.clock.step == 20:
                raise RuntimeError("killed")

    X, _ = blobs(120, spread=2.0)
    whole = small(IDEC, n_init=2, tol=None).fit(X)
    with config_context(checkpoint=tmp_path, checkpoint_every=0):
        with pytest.raises(RuntimeError, match="killed"), config_context(callbacks=(Stop(),)):
            small(IDEC, n_init=2, tol=None).fit(X)
        again = small(IDEC, n_init=2, tol=None).fit(X)
    np.testing.assert_array_equal(again.transform(X), whole.transform(X))
    np.testing.assert_array_equal(again.labels_, whole.labels_)


def test_a_cluster_that_lost_its_rows_gets_half_of_the_widest():
    X, y = blobs(150)
    with pytest.warns(CollapseWarning, match="1 of 3 clusters lost all their rows .* half of the widest"):
        model = small(
            Emptied, update_interval=10, tol=None, train=Schedule(steps=200, batch_size=32, learning_rate=1e-2)
        ).fit(X)
    assert len(set(model.labels_)) == 3
    assert adjusted_rand_score(y, model.labels_) == 1.0


@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")
def test_rows_that_are_all_alike_cannot_be_halved():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 30, axis=0)
    labels = small(DEC, n_clusters=4).fit(X).labels_
    assert len(set(labels[:30])) == len(set(labels[30:])) == 1


def test_at_least_one_run():
    with pytest.raises(InputError, match="'n_init' parameter of DEC must be an integer >= 1. Got 0"):
        DEC(n_init=0).fit(blobs()[0])
