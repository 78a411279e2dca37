"""A second fit that goes on from the first: what it keeps, what it leaves out, what it refuses."""

import os
import signal

import numpy as np
import pytest
from small import blobs, small

import coterie
from coterie import DEC, IDEC, Schedule, config_context
from coterie.errors import InputError, Interrupted
from coterie.training import Callback

SHORT = Schedule(steps=20, batch_size=32, learning_rate=1e-3)
family = pytest.mark.parametrize("cls", [DEC, IDEC])


class StopAmid(Callback):
    """Interrupts in the clustering phase."""

    def on_step(self, fit, phase):
        if phase.name == "cluster" and fit.clock.step == 25:
            os.kill(os.getpid(), signal.SIGINT)


def phases_of(model):
    return {record["phase"] for record in model.history_}


@family
def test_a_warm_fit_goes_on_from_network_and_clusters(cls):
    X, _ = blobs(n=150)
    model = small(cls, warm_start=True, gather=SHORT).fit(X)
    assert phases_of(model) == {"pretrain", "gather", "cluster"}  # there was nothing to go on from
    labels, weights = model.labels_, model.model_.state_dict()
    again = model.set_params(random_state=7, train=Schedule(steps=1, learning_rate=1e-12)).fit(X)
    assert phases_of(again) == {"cluster"}
    np.testing.assert_array_equal(again.labels_, labels)  # though with another seed, whose start would differ
    np.testing.assert_array_equal(again.predict(X), labels)
    assert again.pretrained_code_ is None
    for name, value in again.model_.state_dict().items():
        if name.startswith(("encoder", "decoder")):
            np.testing.assert_allclose(value, weights[name], atol=1e-6, err_msg=name)


@family
def test_labels_that_came_later_are_learned(cls):
    X, y = blobs(n=150)
    model = small(cls, warm_start=True).fit(X)
    known = np.full(len(y), -1)
    known[[0, 1, 2]] = (y[:3] + 1) % 3
    model.fit(X, known=known)
    assert phases_of(model) == {"cluster"}
    np.testing.assert_array_equal(model.labels_, (y + 1) % 3)


def test_more_rows_may_come(tmp_path):
    X, _ = blobs(n=300)
    model = small(DEC, warm_start=True).fit(X[:150])
    model.save(tmp_path / "model")
    before = model.predict(X)
    loaded = coterie.load(tmp_path / "model").fit(X)
    assert len(loaded.labels_) == 300
    np.testing.assert_array_equal(loaded.labels_, before)
    np.testing.assert_array_equal(model.fit(X).labels_, loaded.labels_)


def test_an_open_number_stays_what_it_was():
    X, _ = blobs(n=150)
    model = small(DEC, n_clusters="auto", warm_start=True).fit(X)
    found = model.count_
    assert found is not None
    model.fit(X)
    assert model.count_ is found
    assert phases_of(model) == {"cluster"}
    assert len(set(model.labels_)) == 3


def test_without_the_word_a_second_fit_is_a_new_one():
    X, _ = blobs(n=150)
    model = small(DEC).fit(X)
    first = model.labels_
    assert phases_of(model.fit(X)) == {"pretrain", "cluster"}
    np.testing.assert_array_equal(model.labels_, first)


def test_other_shapes_are_refused_and_nothing_is_lost():
    X, _ = blobs(n=150)
    model = small(DEC, warm_start=True).fit(X)
    before = model.labels_
    with pytest.raises(InputError, match=r"must be those of the last fit, which had 3 clusters.*n_clusters=4"):
        model.set_params(n_clusters=4).fit(X)
    np.testing.assert_array_equal(model.predict(X), before)
    with pytest.raises(InputError, match="The 'warm_start' parameter of DEC must be True or False. Got 1 instead"):
        small(DEC, warm_start=1).fit(X)


def test_an_interrupted_warm_fit_goes_on_exactly(tmp_path):
    X, _ = blobs(n=150)
    first = small(DEC, warm_start=True).fit(X)
    first.save(tmp_path / "model")
    whole = coterie.load(tmp_path / "model").set_params(random_state=3).fit(X)
    other = small(DEC, warm_start=True, random_state=1).fit(X)
    with config_context(checkpoint=tmp_path / "kept"):
        cut = coterie.load(tmp_path / "model").set_params(random_state=3)
        with config_context(callbacks=(StopAmid(),)), pytest.raises(Interrupted):
            cut.fit(X)
        with pytest.raises(InputError, match=r"checkpoint of another fit \(warm was"):
            other.set_params(random_state=3).fit(X)
        cut.fit(X)
    assert cut.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(cut.transform(X), whole.transform(X))
