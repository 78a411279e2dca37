"""A second fit that goes on from the first: what it keeps, what it leaves out, what it refuses."""

import copy
import re

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from stops import StopAt

import coterie
from coterie import DEC, IDEC, MLP, Schedule, config_context
from coterie.algorithms.warming import take_over
from coterie.errors import CollapseWarning, InputError, Interrupted

SHORT = Schedule(steps=20, batch_size=32, learning_rate=1e-3)
family = pytest.mark.parametrize("cls", [DEC, IDEC])


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


def test_what_weights_are_of_must_stay():
    X, _ = blobs(n=150)
    model = small(DEC, warm_start=True).fit(X)
    before = model.labels_
    for changed, said in (
        ({"n_clusters": 4}, "'n_clusters' must be that of the last fit, 3. Got 4"),
        ({"n_clusters": (4, 6)}, "'n_clusters' must be that of the last fit, 3. Got"),
        ({"code_size": 3}, "'code_size' must be that of the last fit, 2. Got 3"),
        ({"network": MLP(hidden=(32,), activation="tanh")}, "'network' must be that of the last fit, MLP"),
        (
            {"network__hidden": (16,)},
            "'network' must be that of the last fit, MLP(hidden=(32,)). Got MLP(hidden=(16,))",
        ),
        ({"image_shape": (2, 2)}, "'image_shape' must be that of the last fit, None. Got (2, 2)"),
        ({"scaling": "none"}, "'scaling' must be that of the last fit, 'standard'. Got 'none'"),
    ):
        with pytest.raises(InputError, match=re.escape(said)):
            clone_of(model).set_params(**changed).fit(X)
    other = small(DEC)
    take_over(other, model)
    other.set_params(network__hidden=(16,))
    assert model._fitted_params["network"] == other._fitted_params["network"] == MLP(hidden=(32,))
    unit = small(DEC, warm_start=True, scaling="unit").fit(X)
    with pytest.raises(InputError, match="'reconstruction' must be that of the last fit, 'mse'. Got 'bce'"):
        clone_of(unit).set_params(reconstruction="bce").fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but DEC is expecting 4"):
        model.fit(X[:, :2])
    np.testing.assert_array_equal(model.predict(X), before)  # nothing was lost
    with pytest.raises(InputError, match="The 'warm_start' parameter of DEC must be True or False. Got 1 instead"):
        small(DEC, warm_start=1).fit(X)


def clone_of(model):
    """A fitted copy, so that what is changed about it does not last."""
    return copy.deepcopy(model)


def test_rows_are_scaled_as_they_were():
    X, y = blobs(n=300)
    model = small(DEC, warm_start=True).fit(X)
    spec = model.spec_
    model.fit(np.vstack([X, np.repeat(X[y == 0], 5, axis=0)]))  # whose columns have another mean and spread
    assert model.spec_ == spec
    assert adjusted_rand_score(y, model.labels_[:300]) == 1.0


def test_auto_means_what_it_meant_for_fewer_rows(monkeypatch):
    X, _ = bars(n=60)
    model = small(DEC, n_clusters=2, network="auto", warm_start=True).fit(X)
    was = model.settings_["network"]
    monkeypatch.setattr("coterie.algorithms.defaults.SMALL_IMAGE", 1)  # as many more rows would: another network
    assert small(DEC, n_clusters=2, network="auto").fit(X).settings_["network"] != was
    assert model.fit(X).settings_["network"] == was


def test_a_cluster_without_rows_stays_where_it_was():
    X, y = blobs(n=150)
    still = Schedule(steps=1, learning_rate=1e-12)
    model = small(DEC, warm_start=True, n_init=3).fit(X)
    before = model.predict(X)
    with pytest.warns(CollapseWarning):
        model.set_params(train=still).fit(X[y != 2])
    np.testing.assert_array_equal(model.predict(X), before)
    assert [record["phase"] for record in model.history_ if "changed" in record].count("cluster") <= 2  # one run
    first = np.where(np.arange(len(model.labels_)) < 6, model.labels_, -1)
    for told in ({"known": first}, {"must_link": [np.flatnonzero(model.labels_ == model.labels_[0])[:2]]}):
        centers, (empty,) = model.cluster_centers_, set(range(3)) - set(model.labels_.tolist())
        with pytest.warns(CollapseWarning):
            model.fit(X[y != 2], **told)
        np.testing.assert_allclose(model.cluster_centers_[empty], centers[empty], atol=1e-5)


def test_an_interrupted_warm_fit_goes_on_exactly(tmp_path):
    X, _ = blobs(n=150)
    first = small(DEC, warm_start=True).fit(X)
    first.save(tmp_path / "model")
    whole = coterie.load(tmp_path / "model").set_params(random_state=3).fit(X)
    other = small(DEC, warm_start=True, random_state=1).fit(X)
    with config_context(checkpoint=tmp_path / "kept"):
        cut = coterie.load(tmp_path / "model").set_params(random_state=3)
        with config_context(callbacks=(StopAt(25, "cluster"),)), pytest.raises(Interrupted):
            cut.fit(X)
        with pytest.raises(InputError, match=r"checkpoint of another fit \(warm was"):
            other.set_params(random_state=3).fit(X)
        cut.fit(X)
    assert cut.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(cut.transform(X), whole.transform(X))
