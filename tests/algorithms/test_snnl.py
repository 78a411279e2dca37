"""SNNLKMeans: which layers and rows its labels train, how they number clusters, and that nothing else reads them."""

import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from small import bars, blobs, small
from stops import StopAt
from torch import nn

import coterie
from coterie import MLP, AEKMeans, Augment, Schedule, SNNLKMeans, config_context
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.algorithms.numbering import classes_of_clusters, follow_classes, kept_to_classes
from coterie.data import make_source
from coterie.errors import DataWarning, InputError, Interrupted
from coterie.nn import bce, soft_nearest_neighbor_loss, supervised_contrastive_loss
from coterie.training import Fit, Runtime, Streams

SHORT = Schedule(steps=60, batch_size=32, learning_rate=1e-3)


def snnl(**parameters):
    return small(SNNLKMeans, **{"pretrain": None, "train": SHORT, "alpha": 1.0} | parameters)


def ready(known, **parameters):
    """A fit before its first step."""
    source = make_source(bars()[0])
    model = snnl(n_clusters=2, augment="none", network=MLP(hidden=(6, 5)), **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), settings["augment"], settings)
    if known is not None:
        fit.memory["known"] = torch.as_tensor(known)
        model.phases(fit)  # which notes what the labels teach
    return model, fit


def outputs(module, x):
    """What each activation of a sequential network gives, and its last output."""
    found = []
    for layer in module:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            found.append(x)
    return [*found, x]


def test_the_loss_sums_over_every_hidden_layer_code_and_decoder_included():
    y = bars()[1]
    model, fit = ready(y, alpha=3.0, temperature=0.7)
    batch = fit.batch(torch.arange(20), 0)
    there = outputs(fit.model.encoder, batch.x)
    back = outputs(fit.model.decoder, there[-1])
    hidden = [*there, *back[:-1]]
    assert [h.shape[1] for h in hidden] == [6, 5, 2, 5, 6]
    labels = torch.from_numpy(y[:20])
    each = [soft_nearest_neighbor_loss(h, labels, temperature=0.7, distance="euclidean") for h in hidden]
    terms = model.terms(fit, batch)
    torch.testing.assert_close(terms["snnl"], 3.0 * sum(each))
    torch.testing.assert_close(terms["reconstruction"], bce(back[-1], batch.x))
    assert terms.keys() == {"reconstruction", "snnl"}


def test_the_other_distance_and_the_other_loss():
    y = bars()[1]
    model, fit = ready(y, temperature=0.7, distance="cosine")
    batch = fit.batch(torch.arange(20), 0)
    z, labels = fit.model.encode(batch.x), torch.from_numpy(y[:20])
    there, back = outputs(fit.model.encoder, batch.x), outputs(fit.model.decoder, z)
    each = [soft_nearest_neighbor_loss(h, labels, temperature=0.7) for h in [*there, *back[:-1]]]
    torch.testing.assert_close(model.terms(fit, batch)["snnl"], sum(each))
    model.set_params(loss="supcon")
    expected = supervised_contrastive_loss(z, labels, temperature=0.7)
    torch.testing.assert_close(model.terms(fit, batch)["supcon"], expected)


def test_rows_without_a_label_train_the_reconstruction_only():
    y = np.where(np.arange(60) < 10, bars()[1], -1)
    model, fit = ready(y, temperature=0.7)
    both = model.terms(fit, fit.batch(torch.arange(30), 0))
    few = model.terms(fit, fit.batch(torch.arange(10), 0))
    torch.testing.assert_close(3 * both["snnl"], few["snnl"])  # a third of the rows has labels
    assert both["reconstruction"] != few["reconstruction"]
    none = model.terms(fit, fit.batch(torch.arange(10, 30), 0))
    assert none["snnl"].item() == 0.0


@pytest.mark.parametrize("loss", ["snnl", "supcon"])
def test_the_only_row_of_a_class_is_as_one_without_a_label(loss):
    y = np.where(np.arange(60) < 10, bars()[1] % 2, -1)
    lone = np.where(np.arange(60) == 10, 2, y)
    (model, without), (_, with_it) = ready(y, temperature=0.7, loss=loss), ready(lone, temperature=0.7, loss=loss)
    few, third = (model.terms(without, without.batch(torch.arange(n), 0))[loss] for n in (10, 30))
    torch.testing.assert_close(3 * third, few)
    torch.testing.assert_close(model.terms(with_it, with_it.batch(torch.arange(30), 0))[loss], third)


def test_the_temperature_falls_with_the_passes_over_the_rows():
    three_a_pass = Schedule(steps=60, batch_size=20)
    model, fit = ready(bars()[1], train=three_a_pass, temperature="annealed")
    seen = []
    for step in (0, 2, 3, 150):
        fit.clock.step = step
        seen.append(model._T(fit))
    np.testing.assert_allclose(seen, [1.0, 1.0, 2**-0.55, 51**-0.55])
    for given, expected in (({"temperature": 0.3}, 0.3), ({}, 10.0), ({"loss": "supcon"}, 0.1)):
        model, fit = ready(bars()[1], train=three_a_pass, **given)
        fit.clock.step = 150
        assert model._T(fit) == expected
    model, fit = ready(bars()[1], distance="cosine")
    assert fit.settings["temperature"] == "annealed"


@pytest.mark.parametrize("more", [{}, {"distance": "cosine"}, {"loss": "supcon"}, {"temperature": 0.5}])
def test_labels_make_clusters_of_what_no_geometry_shows(more):
    rng = np.random.default_rng(0)
    X = rng.uniform(0.2, 1, (300, 4)) * rng.choice([-1, 1], (300, 4))  # in each of 16 corners
    y = (X[:, 2] > 0).astype(int)
    train = Schedule(steps=100, batch_size=64, learning_rate=1e-2)
    model = snnl(n_clusters=2, code_size=4, train=train, **more).fit(X[:200], y[:200])
    assert (model.predict(X[200:]) == y[200:]).mean() > 0.9
    assert adjusted_rand_score(y, small(AEKMeans, n_clusters=2).fit(X).labels_) < 0.3


def test_clusters_have_the_numbers_of_their_classes():
    X, y = blobs()
    known = np.full(len(y), -1)
    known[:12] = (2 - y)[:12]
    np.testing.assert_array_equal(snnl().fit(X, known).labels_, 2 - y)
    with pytest.warns(DataWarning, match="numbered up to 20"):
        np.testing.assert_array_equal(snnl().fit(X, np.where(known < 0, -1, 10 * known)).labels_, 2 - y)
    model = snnl().fit(X, np.where(known == 2, 2, -1))  # of the others nothing is known
    assert set(model.labels_[y == 0]) == {2}
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    np.testing.assert_array_equal(model.known_, np.where(known == 2, 2, -1))


@pytest.mark.parametrize(
    ("y", "labels", "k", "order"),
    [
        ([0, 1, 2], [2, 0, 1], 3, [2, 0, 1]),
        ([5, 7], [1, 0], 3, [1, 0, 2]),  # numbers beyond K: places among the classes
        ([2, 2, 2], [0, 0, 1], 3, [1, 2, 0]),
        ([0, 1, 2, 2], [1, 1, 0, 0], 2, [1, 0]),  # more classes than clusters
        ([3], [0], 1, [0]),
    ],
)
def test_numbers_by_hand(y, labels, k, order):
    assert follow_classes(np.array(y), np.array(labels), k).tolist() == order


@pytest.mark.parametrize(
    ("y", "labels", "k", "classes"),
    [
        ([0, 2], [0, 2], 3, [0, 1, 2]),
        ([0, 1, 1, 2, 2], [0, 0, 0, 1, 1], 2, [1, 2]),  # two classes in one cluster, whose most rows name it
        ([5, 7], [0, 1], 3, [5, 7, -1]),
        ([3, 3, 5], [1, 1, 1], 3, [-1, 3, -1]),  # of one class no cluster has a row
    ],
)
def test_which_class_a_cluster_stands_for(y, labels, k, classes):
    assert classes_of_clusters(np.array(y), np.array(labels), k).tolist() == classes


def test_k_means_begins_from_the_classes_too_and_keeps_what_is_tighter():
    z = np.repeat(np.eye(4), 10, axis=0).astype(np.float32)
    y = np.repeat(np.arange(4), 10)
    stuck = np.array([[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]], np.float32)  # two classes in one
    np.testing.assert_allclose(kept_to_classes(z, y, stuck), np.eye(4))
    assert kept_to_classes(z, y, np.eye(4, dtype=np.float32)[::-1])[0, 3] == 1  # as good: the others stay
    few = np.where(y == 3, -1, y)
    assert kept_to_classes(z, few, stuck) is stuck


def test_rows_with_labels_stay_with_their_classes_so_that_with_all_of_them_centres_are_the_classes_means():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [300, 60])
    z = np.column_stack([rng.normal(0, [[3.0]] * 300 + [[0.3]] * 60), rng.normal(y[:, None] * 4, 0.5)]).astype(
        np.float32
    )
    halves = np.array([[-3, 0.7], [3, 0.7]], np.float32)  # what k-means alone makes of them
    means = np.stack([z[y == c].mean(0) for c in (0, 1)])
    np.testing.assert_allclose(kept_to_classes(z, y, halves), means, rtol=1e-5, atol=1e-5)
    few = np.where(rng.random(360) < 0.05, y, -1)
    found = kept_to_classes(z, few, 9 * halves)
    for c in (0, 1):  # a centre is the mean of its class's labelled rows and of the others that are nearest to it
        nearest = np.square(z[:, None] - found).sum(2).argmin(1)
        own = np.where(few >= 0, few, nearest) == c
        np.testing.assert_allclose(found[c], z[own].mean(0), rtol=1e-4, atol=1e-4)


def test_without_labels_it_is_an_autoencoder_and_says_so():
    X, y = blobs()
    train = Schedule(steps=150, batch_size=32, learning_rate=1e-2)
    with pytest.warns(DataWarning, match="No row has a label"):
        plain = snnl(train=train).fit(X)
    with pytest.warns(DataWarning, match="No row has a label"):
        masked = snnl(train=train).fit(X, np.full(len(y), -1))
    np.testing.assert_array_equal(plain.transform(X), masked.transform(X))
    assert adjusted_rand_score(y, plain.labels_) == 1.0
    assert plain.known_ is None
    assert "snnl" not in plain.history_[-1]
    np.testing.assert_allclose(plain.transform(X), small(AEKMeans, pretrain=train).fit(X).transform(X), atol=0.5)


def test_labels_reach_every_way_to_fit():
    X, y = blobs(spread=2.5)
    fitted = snnl().fit(X, y)
    np.testing.assert_array_equal(snnl().fit_predict(X, y), fitted.labels_)
    np.testing.assert_array_equal(make_pipeline(snnl()).fit_predict(X, y), fitted.labels_)
    np.testing.assert_array_equal(snnl().fit_predict(X, known=y), fitted.labels_)
    np.testing.assert_array_equal(snnl().fit(X, y, known=y).labels_, fitted.labels_)
    with pytest.raises(InputError, match="takes labels by one name: y and known differ"):
        snnl().fit(X, y, known=2 - y)
    with pytest.raises(InputError, match="one for each of the 90 rows"):
        snnl().fit(X, y[:3], known=y[:3])
    with pytest.raises(InputError, match="Got masked entries"):
        snnl().fit(X, np.ma.array(y, mask=np.arange(90) > 5))  # whose hidden labels must stay hidden


def test_only_labels_that_are_given_count():
    X, y = blobs(spread=2.5)
    first = snnl().fit(X, y).transform(X)
    np.testing.assert_array_equal(snnl().fit(X, list(y)).transform(X), first)
    assert not np.array_equal(snnl().fit(X, np.where(np.arange(90) < 30, y, -1)).transform(X), first)


@pytest.mark.parametrize("per_class", [1, 2])
@pytest.mark.parametrize("augment", ["none", Augment(noise=0.1)])
def test_one_label_a_class_does_not_break(per_class, augment):
    X, y = blobs()
    known = np.where(np.arange(90) < 3 * per_class, y, -1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = snnl(augment=augment).fit(X, known)
    assert [str(each.message)[:36] for each in told] == ["No class has two labelled rows: the c"[:36]] * (
        per_class == 1
    )
    assert np.isfinite(model.transform(X)).all()
    assert (model.labels_ == y).mean() > 0.9


@pytest.mark.parametrize("labels", [None, [0, 1, 2, *[-1] * 87]])
def test_what_labels_are_worth_is_told_once_also_where_the_number_of_clusters_is_open(labels):
    X, _ = blobs()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DataWarning)
        snnl(n_clusters=(2, 4)).fit(X, labels)
    assert [str(each.message)[:8] for each in told] == ["No row h" if labels is None else "No class"]


def test_one_label_a_class_leaves_the_code_as_it_is_without_any():
    X, y = blobs()
    with pytest.warns(DataWarning, match="No row has a label"):
        none = snnl().fit(X, np.full(90, -1))
    with pytest.warns(DataWarning, match="No class has two labelled rows"):
        one = snnl().fit(X, np.where(np.arange(90) < 3, y, -1))
    np.testing.assert_array_equal(one.transform(X), none.transform(X))
    two = snnl().fit(X, np.where(np.arange(90) < 6, y, -1))
    assert not np.allclose(two.transform(X), none.transform(X))


def test_saved_and_loaded_with_its_labels(tmp_path):
    X, y = bars()
    known = np.where(np.arange(60) % 3 == 0, y, -1)
    model = snnl(n_clusters=2, network="conv").fit(X, known)
    model.save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.known_, known)
    assert loaded.settings_["reconstruction"] == "bce"
    assert loaded.settings_["code_size"] == 2
    assert loaded.settings_.keys() == model.settings_.keys()
    assert loaded.settings_["random_state"] == model.settings_["random_state"]


def test_a_stopped_fit_goes_on_exactly_and_only_with_the_same_labels(tmp_path):
    X, y = blobs(spread=2.0)
    known = np.where(np.arange(90) % 4 == 0, y, -1)
    whole = snnl().fit(X, known)
    with config_context(checkpoint=tmp_path, callbacks=(StopAt(23),)), pytest.raises(Interrupted):
        snnl().fit(X, known)
    with config_context(checkpoint=tmp_path):
        with pytest.raises(InputError, match="checkpoint of another fit .known was"):
            snnl().fit(X, np.where(known == 2, -1, known))
        resumed = snnl().fit(X, known)
    assert resumed.n_iter_ == whole.n_iter_ == 60
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))
    np.testing.assert_array_equal(resumed.known_, known)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(89, int), r"one for each of the 90 rows, shape \(90,\). Got \(89,\)"),
        (np.full(90, -2), ">= 0, or -1 where a row has none. Got -2"),
        (np.full(90, 0.5), "whole numbers, -1 where a row has none"),
        (np.full(90, "cat"), "whole numbers, -1 where a row has none"),
        (np.zeros((90, 2), int), r"shape \(90,\). Got \(90, 2\)"),
    ],
)
def test_labels_that_are_none_are_refused_before_any_training(y, message):
    model = snnl()
    with pytest.raises(InputError, match=message):
        model.fit(blobs()[0], y)
    assert not hasattr(model, "model_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1}, "'alpha' parameter of SNNLKMeans must be a number >= 0. Got -1"),
        ({"temperature": 0}, "'temperature' parameter of SNNLKMeans must be .*'annealed'.* Got 0"),
        ({"distance": "taxi"}, "'distance' parameter of SNNLKMeans must be one of cosine, euclidean. Got 'taxi'"),
        ({"loss": "triplet"}, "'loss' parameter of SNNLKMeans must be one of snnl, supcon. Got 'triplet'"),
    ],
)
def test_own_rules(parameters, message):
    with pytest.raises(InputError, match=message):
        snnl(**parameters).fit(*blobs())


def test_defaults_follow_the_rows():
    X, _ = bars()
    settings = resolve(SNNLKMeans(n_clusters=47), make_source(X))
    assert (settings["code_size"], settings["reconstruction"], settings["pretrain"]) == (47, "bce", None)
    settings = resolve(SNNLKMeans(n_clusters=3), make_source(blobs()[0]))
    assert (settings["code_size"], settings["reconstruction"]) == (10, "mse")


def test_the_papers_recipe_runs():
    X, y = bars()
    model = SNNLKMeans.from_recipe("paper", n_clusters=2, code_size=2, random_state=0)
    model.set_params(network__hidden=(16, 8), train__epochs=20, train__batch_size=30).fit(X, y)
    assert ((model.transform(X) >= 0) & (model.transform(X) <= 1)).all()  # a sigmoid code
    assert (model.labels_ == y).mean() > 0.9


def test_the_number_of_clusters_may_be_open():
    X, y = blobs(n=60)
    model = snnl(n_clusters=(2, 4)).fit(X, y)
    assert model.settings_["n_clusters"] == 3
    np.testing.assert_array_equal(model.labels_, y)


def test_classes_do_not_lead_out_of_a_range():
    X, y = blobs(n=120, k=4)
    with pytest.warns(DataWarning, match="4 classes are known, but there are 3 clusters"):
        assert snnl(n_clusters=(2, 3)).fit(X, y).count_.n == 3


def test_classes_are_counted_not_their_numbers():
    X, y = blobs(n=150)
    with pytest.warns(DataWarning, match="numbered up to 100"):
        model = small(SNNLKMeans, n_clusters="auto").fit(X, np.array([10, 20, 100])[y])
    assert model.cluster_names_ == ["10", "20", "100"]
    np.testing.assert_array_equal(model.labels_, y)


def test_images_that_came_in_the_unit_have_the_loss_of_the_same_ones_as_bytes():
    X = bars()[0]
    asked = [resolve(snnl(), make_source(x))["reconstruction"] for x in (X, (X / 255).astype(np.float32))]
    assert asked == ["bce", "bce"]
    unscaled = make_source((X / 255).astype(np.float32), scaling="none")
    assert resolve(snnl(scaling="none"), unscaled)["reconstruction"] == "mse"


@pytest.mark.parametrize("y", [np.full(7, -1), np.zeros(7, dtype=int), np.zeros(0, dtype=int)])
def test_labels_of_another_number_of_rows_are_refused_also_where_none_is_known(y):
    with pytest.raises(InputError, match="40"):
        SNNLKMeans(n_clusters=2).fit(np.random.default_rng(0).normal(size=(40, 3)), y)


@pytest.mark.parametrize(
    ("rows", "y", "message"),
    [
        (blobs()[0], [[1], [1, 2]], r"Known labels must be one for each of the 90 rows: .*[^.]\.$"),
        (None, [0, 1], "Expected 2D array"),
        (blobs()[0], np.full(89, -1), "one for each of the 90 rows"),
        (sparse.csr_matrix(blobs()[0]), None, "Sparse data"),
    ],
)
def test_rows_and_labels_of_odd_shapes_are_refused_on_one_line(rows, y, message):
    with pytest.raises(InputError, match=message):
        snnl().fit(rows, y)


def test_more_classes_than_clusters_are_warned_of():
    X, y = blobs(n=60)
    with pytest.warns(DataWarning, match="3 classes are known, but there are 2 clusters: some share one") as told:
        snnl(n_clusters=2).fit(X, y)
    assert len(told) == 1


def test_a_classifiers_two_classes_may_be_booleans():
    X, y = blobs(n=60, k=2)
    model = snnl(n_clusters=2).fit(X, y == 1)
    np.testing.assert_array_equal(model.known_, y)
    with pytest.raises(InputError, match="Got bool"):
        snnl(n_clusters=2).fit(X, known=y == 1)
    with pytest.raises(InputError, match="Got masked entries"):
        snnl(n_clusters=2).fit(X, np.ma.MaskedArray(y == 1, mask=np.arange(60) < 3))


def test_a_batch_has_room_for_rows_of_two_classes():
    X, y = blobs(n=60)
    known = np.where(np.arange(60) < 20, y, -1)
    with pytest.raises(InputError, match="batch_size of SNNLKMeans' train must be >= 8. Got 7"):
        snnl(train=Schedule(steps=4, batch_size=7)).fit(X, known)
    fitted = snnl(train=Schedule(steps=20, batch_size=8)).fit(X, known)
    assert any(row["snnl"] > 0 for row in fitted.history_)


def test_pairs_are_refused_in_a_sentence():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    with pytest.raises(InputError, match="SNNLKMeans cannot use must_link"):
        SNNLKMeans(n_clusters=2).fit(X, y, must_link=[(0, 2)])
    with pytest.raises(InputError, match="SNNLKMeans cannot use must_link"):  # and no word of labels before it
        SNNLKMeans(n_clusters=2).fit(X, must_link=[(0, 2)])


def test_training_is_twice_as_long_as_that_of_an_autoencoder():
    source = make_source(blobs(n=3000)[0])
    steps = resolve(AEKMeans(3), source)["pretrain"].steps
    assert resolve(SNNLKMeans(3), source)["train"].steps == 2 * steps


def test_pretraining_that_is_asked_for_comes_first():
    X, y = blobs()
    model = snnl(pretrain=SHORT).fit(X, y)
    assert list(dict.fromkeys(entry["phase"] for entry in model.history_)) == ["pretrain", "disentangle"]


def test_classes_that_are_not_numbered_from_0_name_their_clusters(tmp_path):
    X, y = blobs()
    with pytest.warns(DataWarning, match="Classes are numbered up to 7, but clusters up to 2: see cluster_names_"):
        model = snnl().fit(X, np.array([3, 5, 7])[y])
    assert model.cluster_names_ == ["3", "5", "7"]
    np.testing.assert_array_equal(model.labels_, y)
    model.save(tmp_path / "model")
    assert coterie.load(tmp_path / "model").cluster_names_ == ["3", "5", "7"]
    assert model.fit(X, y).cluster_names_ == [None] * 3
