"""Gathering: its term against NumPy, its place among the phases of every system that has it, stop and resume."""

import os
import signal

import numpy as np
import pytest
import torch
from small import blobs, small

from coterie import DEC, DEPICT, IDEC, N2D, Schedule, config_context
from coterie.algorithms import gathering
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import Interrupted
from coterie.training import Callback, Fit, Runtime, Streams

SHORT = Schedule(steps=30, batch_size=32, learning_rate=1e-3)
SYSTEMS = [DEC, IDEC, DEPICT, N2D]


class Watch(Callback):
    """Keeps the names of the phases, and may stop in one of them."""

    def __init__(self, stop_in=None):
        self.stop_in, self.phases = stop_in, []

    def on_phase(self, fit, phase):
        self.phases.append(phase.name)

    def on_step(self, fit, phase):
        if phase.name == self.stop_in and self.phases.count(phase.name) == 2 and fit.clock.step == 10:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("cls", SYSTEMS)
def test_rows_are_gathered_after_pretraining_as_often_as_asked(cls):
    X, _ = blobs(n=300)
    watch = Watch()
    with config_context(callbacks=(watch,)):
        gathered = small(cls, gather=SHORT, gather_rounds=3, start="mixture").fit(X)
    assert watch.phases == ["pretrain"] + ["gather"] * 3 + ["cluster"] * (cls is not N2D)
    plain = small(cls, gather="none", start="mixture").fit(X)
    np.testing.assert_array_equal(gathered.pretrained_code_, plain.pretrained_code_)  # the code from before it
    assert not np.array_equal(gathered.transform(X), plain.transform(X))


@pytest.mark.parametrize("cls", SYSTEMS)
def test_stopped_amid_gathering_and_resumed_is_the_same_to_the_bit(cls, tmp_path):
    X, _ = blobs(n=300)
    model = small(cls, gather=SHORT, start="mixture")
    whole = model.fit(X).transform(X)
    with config_context(checkpoint=tmp_path, callbacks=(Watch("gather"),)), pytest.raises(Interrupted):
        model.fit(X)
    with config_context(checkpoint=tmp_path):
        np.testing.assert_array_equal(model.fit(X).transform(X), whole)


def test_the_term_is_the_cross_entropy_of_small_clusters_by_a_student_kernel():
    X, _ = blobs(n=300, spread=2.0)
    source = make_source(X)
    model = small(DEC, gather=SHORT, start="kmeans", alpha=3.0, unit=7.0)  # which are those of clustering alone
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), None, settings)
    gathering.enter(fit, model.n_clusters)
    mu, y = fit.memory["small_centers"].double().numpy(), fit.memory["small_labels"].numpy()
    assert mu.shape == (12, 2)
    z = network.encoder(source.take(slice(0, 300))).detach().double().numpy()
    squared = ((z[:, None] - mu) ** 2).sum(2)
    spread = np.sqrt(squared[np.arange(300), y].mean())
    index = torch.tensor([5, 250, 17, 40])
    q = 1 / (1 + squared[index] / spread**2)
    expected = -np.log((q / q.sum(1, keepdims=True))[np.arange(4), y[index]]).mean()
    found = model.gather_terms(fit, fit.batch(index, 0))
    assert list(found) == ["gather"]
    assert float(found["gather"].detach()) == pytest.approx(expected, rel=1e-4)
    labelled = fit.memory["small_labels"]
    np.testing.assert_array_equal(labelled.bincount(minlength=12) > 0, np.ones(12, bool))
