"""What every system owes a scikit-learn user."""

import copy
import pickle
import re
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from small import SYSTEMS, bars, blobs, brief, small
from torch import nn

import coterie
from coterie import (
    DEC,
    GAN,
    IDEC,
    MLP,
    AEKMeans,
    Augment,
    Conv,
    KMeans,
    Schedule,
    Shallow,
    SNNLKMeans,
    config_context,
)
from coterie.errors import DataWarning, InputError, ModelFileError

pytestmark = pytest.mark.filterwarnings("ignore:No row has a label")
every_system = pytest.mark.parametrize("cls", SYSTEMS)
READ_LABELS = (SNNLKMeans,)


@parametrize_with_checks([small(cls) for cls in SYSTEMS])
@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning", "ignore::coterie.errors.DataWarning")
def test_scikit_learns_own_checks(estimator, check):
    if check.func.__name__ != "check_clustering":  # the only one that asks for good clusters
        estimator.set_params(**brief(estimator))
    check(estimator)


@every_system
def test_separated_blobs_are_found_and_predict_repeats_the_labels(cls):
    X, y = blobs()
    model = small(cls)
    labels = model.fit_predict(X, y=None)
    assert adjusted_rand_score(y, labels) == 1.0
    np.testing.assert_array_equal(model.predict(X), labels)
    np.testing.assert_array_equal(model.predict_proba(X).argmax(1), labels)
    new, truth = blobs(seed=5)
    _ = new
    assert adjusted_rand_score(truth, model.predict(X[:90])) == 1.0


@every_system
def test_a_rows_result_does_not_depend_on_its_neighbours(cls):
    X, _ = blobs()
    model = small(cls).fit(X)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(model.transform(X)[::-1], model.transform(X[::-1]))


@every_system
def test_the_same_seed_gives_the_same_labels_and_leaves_the_global_state_alone(cls):
    X, _ = blobs(spread=2.5)
    np.random.seed(7)
    torch.manual_seed(7)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = small(cls, random_state=3).fit(X)
    assert (np.random.get_state()[1] == numpy_state).all()
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.random.seed(8)
    torch.manual_seed(8)
    second = small(cls, random_state=3).fit(X)
    np.testing.assert_array_equal(first.labels_, second.labels_)
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    if cls not in (KMeans, Shallow):  # whose codes do not depend on chance
        other = small(cls, random_state=4).fit(X)
        assert not np.array_equal(first.transform(X), other.transform(X))


@pytest.mark.parametrize("cls", [cls for cls in SYSTEMS if cls not in READ_LABELS])
def test_labels_given_as_y_change_nothing(cls):
    X, y = blobs(spread=2.5)
    np.testing.assert_array_equal(small(cls).fit(X, y).transform(X), small(cls).fit(X).transform(X))


@every_system
def test_fit_leaves_parameters_and_rows_as_they_were(cls):
    X, _ = blobs()
    X = X.astype(np.float32)
    before, model = X.copy(), small(cls)
    parameters = copy.deepcopy(model.get_params())
    model.fit(X)
    assert model.get_params() == parameters
    np.testing.assert_array_equal(X, before)


@every_system
def test_one_cluster(cls):
    X, _ = blobs()
    model = small(cls, n_clusters=1).fit(X)
    assert set(model.labels_) == {0}
    np.testing.assert_allclose(model.predict_proba(X), 1.0)


@every_system
def test_duplicate_rows_share_a_cluster_and_nothing_becomes_nan(cls):
    X = np.repeat(blobs(n=6)[0], 10, axis=0)
    model = small(cls).fit(X)
    assert np.isfinite(model.transform(X)).all()
    assert all(len(set(model.labels_[i : i + 10])) == 1 for i in range(0, 60, 10))


@every_system
def test_fewer_distinct_rows_than_clusters_warns_of_empty_ones(cls):
    X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 10, axis=0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = small(cls, n_clusters=4).fit(X)
    assert any("clusters hold no rows" in str(w.message) for w in said)
    assert model.cluster_centers_.shape == (4, model.transform(X).shape[1])
    assert np.isfinite(model.cluster_centers_).all()


@every_system
@pytest.mark.parametrize("n", [3, 31, 33, 65])
def test_any_number_of_rows_against_the_batch_size(cls, n):
    X, _ = blobs(n=n)
    model = small(cls).fit(X)
    assert model.labels_.shape == (n,)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


@every_system
def test_the_scale_of_a_column_does_not_matter(cls):
    X, _ = blobs()
    shifted = X * np.array([1.0, 100.0, 1e-3, 1e4]) + 5
    assert adjusted_rand_score(small(cls).fit(X).labels_, small(cls).fit(shifted).labels_) == 1.0


@every_system
def test_saved_and_loaded_predicts_the_same_bits(cls, tmp_path):
    X, _ = blobs(spread=2.0)
    model = small(cls).fit(pd.DataFrame(X, columns=list("abcd")))
    model.save(tmp_path / "model")
    loaded = coterie.load(tmp_path / "model")
    frame = pd.DataFrame(X, columns=list("abcd"))
    np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    np.testing.assert_array_equal(loaded.labels_, model.labels_)
    if model.decodes:
        back = model.inverse_transform(model.transform(frame))
        np.testing.assert_array_equal(loaded.inverse_transform(loaded.transform(frame)), back)
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    assert loaded.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame.rename(columns={"a": "z"}))


@every_system
def test_pickled_deep_copied_and_cloned(cls):
    X, _ = blobs()
    model = small(cls).fit(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "labels_")
    np.testing.assert_array_equal(clone(model).fit(X).labels_, model.labels_)


def test_in_a_pipeline_with_frames_out():
    X, y = blobs()
    pipeline = make_pipeline(StandardScaler(), small(DEC)).set_output(transform="pandas")
    frame = pipeline.fit_transform(pd.DataFrame(X, columns=list("abcd")))
    assert list(frame.columns) == ["dec0", "dec1"]
    assert adjusted_rand_score(y, pipeline.predict(pd.DataFrame(X, columns=list("abcd")))) == 1.0


def test_nested_parameters_are_set_by_name_and_searchable():
    model = small(DEC).set_params(pretrain__steps=3, network__hidden=(4,), alpha=2.0)
    assert (model.pretrain.steps, model.network.hidden, model.alpha) == (3, (4,), 2.0)
    assert model.get_params()["pretrain__steps"] == 3


def test_inverse_transform_returns_the_users_units_and_layout():
    X, _ = bars()
    model = small(AEKMeans, n_clusters=2, pretrain=Schedule(steps=400, batch_size=32, learning_rate=1e-2)).fit(X)
    back = model.inverse_transform(model.transform(X))
    assert back.shape == X.shape
    with pytest.raises(InputError, match=re.escape("Codes must have shape (n, 2), n >= 1. Got (0, 2) instead")):
        model.inverse_transform(np.empty((0, 2)))
    error = np.abs(back.astype(float) - X).mean()
    assert error < 0.5 * np.abs(X.mean(0) - X).mean()  # far better than the mean image, so in the same units


@pytest.mark.parametrize("network", ["mlp", "conv", Conv(channels=(4, 8), kernels=(3, 3)), MLP(hidden=(16,))])
def test_images_in_any_network(network):
    X, y = bars()
    slow = Schedule(steps=150, batch_size=32, learning_rate=2e-3)
    settings = {"n_clusters": 2, "code_size": 4, "network": network, "augment": "none", "pretrain": slow}
    model = small(DEC, **settings).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.8
    flat = small(DEC, **settings, image_shape=(8, 8)).fit(X.reshape(len(X), -1))
    np.testing.assert_array_equal(flat.labels_, model.labels_)


def test_a_pair_of_the_users_modules_is_trained_as_a_copy(tmp_path):
    X, y = blobs()
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    decoder = nn.Linear(3, 4)
    before = encoder[0].weight.clone()
    model = small(DEC, network=(encoder, decoder)).fit(X)
    assert torch.equal(encoder[0].weight, before)
    assert model.transform(X).shape == (len(X), 3)
    assert adjusted_rand_score(y, model.labels_) == 1.0

    model.save(tmp_path / "m")
    with pytest.raises(InputError, match=r"network=\(encoder, decoder\)"):
        coterie.load(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m", network=(encoder, decoder))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ModelFileError, match="does not describe"):
        coterie.load(tmp_path / "m", network=(nn.Linear(4, 2), decoder))


def test_a_pair_that_does_not_fit_the_rows_is_refused_before_training():
    X, _ = blobs()
    with pytest.raises(InputError, match=r"'network' parameter must map rows of shape \(4,\)"):
        small(DEC, network=(nn.Linear(5, 2), nn.Linear(2, 5))).fit(X)
    with pytest.raises(InputError, match=r"reconstructions of shape \(3,\)"):
        small(DEC, network=(nn.Linear(4, 2), nn.Linear(2, 3))).fit(X)


@pytest.mark.parametrize("start", ["kmeans", "mixture"])
def test_each_start_finds_the_blobs(start):
    X, y = blobs(n=300)
    assert adjusted_rand_score(y, small(DEC, start=start).fit(X).labels_) == 1.0


def test_memory_mapped_rows_give_the_same_labels(tmp_path):
    X, _ = bars()
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        small(DEC, n_clusters=2, augment="none").fit(mapped).labels_,
        small(DEC, n_clusters=2, augment="none").fit(X).labels_,
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "'n_clusters' parameter of DEC must be an integer >= 1, 'auto' or a range .* Got 0"),
        ({"n_clusters": 2.5}, "'n_clusters' parameter of DEC must be an integer >= 1, 'auto' or a range .* Got 2.5"),
        ({"n_clusters": 91}, "at most the number of rows. Got n_clusters=91 and n_samples=90"),
        ({"code_size": "ten"}, "'code_size' parameter of DEC must be an integer >= 1. Got 'ten'"),
        ({"network": "resnet"}, "'network' parameter of DEC must be one of .* Got 'resnet'"),
        ({"network": GAN()}, "'network' parameter of DEC must be one of .* or a pair of nn.Module. Got GAN"),
        ({"network": "conv"}, "needs images"),
        ({"augment": "shift-rotate"}, "'augment' parameter .* Got 'shift-rotate'"),
        ({"augment": "twirl"}, "'augment' parameter .* Got 'twirl'"),
        ({"augment": Augment(shift=0.1)}, "'augment' parameter must leave geometry alone"),
        ({"start": "random"}, "'start' parameter of DEC must be 'auto' or one of .* Got 'random'"),
        ({"pretrain": 30}, "'pretrain' parameter of DEC must be 'auto', 'none', a Schedule or a Layerwise. Got 30"),
        ({"train": Schedule()}, "'train' parameter must give exactly one of epochs and steps"),
        ({"train": Schedule(steps=5, learning_rate=0)}, "'learning_rate' parameter of Schedule in 'train'"),
        ({"pretrain": Schedule(epochs=1, shape="wavy")}, "'shape' parameter of Schedule in 'pretrain' must be one of"),
        ({"alpha": -1}, "'alpha' parameter of DEC must be a positive number. Got -1"),
        ({"update_interval": 0}, "'update_interval' parameter of DEC must be .*integer >= 1. Got 0"),
        ({"tol": 2}, r"'tol' parameter of DEC must be None or a number in \[0, 1\). Got 2"),
        ({"scaling": "log"}, "'scaling' parameter must be one of .* Got 'log'"),
        ({"random_state": "one"}, "'random_state' parameter must be None, an integer >= 0 or a RandomState. Got 'one'"),
        ({"image_shape": (3, 3)}, "image_shape"),
    ],
)
def test_a_broken_rule_is_named_before_any_training(parameters, message):
    X, _ = blobs()
    model = small(DEC, **parameters)
    with pytest.raises(InputError, match=message):
        model.fit(X)
    assert not hasattr(model, "model_")


def test_idecs_own_rule():
    with pytest.raises(InputError, match="'gamma' parameter of IDEC must be a number >= 0. Got -1"):
        small(IDEC, gamma=-1).fit(blobs()[0])


@pytest.mark.parametrize(
    ("bad", "message"),
    [(np.nan, "NaN"), (np.inf, "infinity")],
)
def test_values_that_are_no_numbers_are_refused(bad, message):
    X, _ = blobs()
    X[17, 2] = bad
    with pytest.raises(InputError, match=message) as caught:
        small(DEC).fit(X)
    assert "\n" not in str(caught.value)


def test_masked_entries_are_refused():
    X = np.ma.masked_greater(blobs()[0], 5)
    with pytest.raises(InputError, match="masked entries"):
        KMeans(3).fit(X)
    with pytest.raises(InputError, match="masked entries"):
        KMeans(3, random_state=0).fit(X.data).predict(X)


def test_rows_of_another_shape_are_refused_at_predict():
    X, _ = bars()
    model = small(DEC, n_clusters=2, augment="none").fit(X)
    with pytest.raises(InputError, match="shape"):
        model.predict(X[:, :4])
    with pytest.raises(ValueError, match="shape|dimension"):
        model.predict(X.reshape(len(X), -1))


def test_recipes_are_ordinary_estimators():
    model = DEC.from_recipe("keras", n_clusters=10)
    assert type(model) is DEC
    parameters = model.get_params()
    assert (parameters["n_clusters"], parameters["pretrain__epochs"], parameters["pretrain__optimiser"]) == (
        10,
        300,
        "sgd",
    )
    assert (parameters["network__hidden"], parameters["network__initialiser"]) == ((500, 500, 2000), "fan_in")
    model.set_params(pretrain__epochs=1)
    assert DEC.from_recipe("keras").pretrain.epochs == 300
    with pytest.raises(InputError, match="DEC has no recipe 'lucky'; it has: keras, paper"):
        DEC.from_recipe("lucky")


def test_every_parameter_and_attribute_is_documented():
    for cls in SYSTEMS:
        for name in cls().get_params(deep=False):
            assert f"    {name} : " in cls.__doc__, (cls, name)
        fitted = small(cls).fit(blobs()[0])
        for name in vars(fitted):
            if name.endswith("_") and not name.startswith("_") and name != "feature_names_in_":
                assert f"    {name} : " in cls.__doc__, (cls, name)


def test_a_model_is_saved_as_it_was_fitted(tmp_path):
    X, _ = blobs()
    model = small(DEC).fit(X)
    before = model.predict_proba(X)
    model.set_params(alpha=5.0, n_clusters=7, network__hidden=(16,), train__steps=99).save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(X), before)
    assert (loaded.alpha, loaded.n_clusters, loaded.network.hidden, loaded.train.steps) == (1.0, 3, (32,), 60)
    assert model.settings_["train"].steps == loaded.settings_["train"].steps == 60


def test_a_warning_names_the_line_that_called():
    X, _ = blobs()
    constant = np.column_stack([X, np.ones(len(X))])
    pipeline = make_pipeline(small(KMeans), StandardScaler()).fit  # which calls by way of joblib
    for caller in (small(KMeans).fit, small(SNNLKMeans).fit, small(DEC).fit_predict, small(Shallow).fit, pipeline):
        with pytest.warns(DataWarning) as told:
            caller(constant)
        assert {Path(warning.filename).name for warning in told} == {Path(__file__).name}


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    class Mine(DEC):
        """Somebody's own system."""

    X, _ = blobs()
    with pytest.raises(InputError, match="Mine is no system of coterie's"):
        small(Mine).fit(X).save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_the_baseline_says_that_it_starts_with_k_means():
    X, _ = blobs(n=1500)
    assert small(AEKMeans).fit(X).settings_["start"] == "kmeans"


def test_images_may_come_as_a_list():
    x, _ = bars()
    listed, stacked = (small(DEC, n_clusters=2).fit(rows) for rows in (list(x), x))
    np.testing.assert_array_equal(listed.labels_, stacked.labels_)


def test_recurrent_layers_are_summarised():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.read = nn.GRU(1, 2, batch_first=True)

        def forward(self, x):
            return self.read(x[:, :, None])[0][:, -1]

    X, _ = blobs()
    model = small(DEC, network=(Last(), nn.Linear(2, 4))).fit(X)
    assert "GRU" in model.summary()


def test_a_random_state_object_can_be_resumed(tmp_path):
    X, _ = blobs()
    with config_context(checkpoint=tmp_path):
        first = small(DEC, random_state=np.random.RandomState(3)).fit(X)
        again = small(DEC, random_state=np.random.RandomState(4)).fit(X)
    np.testing.assert_array_equal(first.transform(X), again.transform(X))
    assert again.seed_ == first.seed_


@pytest.mark.parametrize(
    ("cls", "advice"), [(KMeans, "Try fewer clusters."), (DEC, "another start= or a lower rate in")]
)
def test_a_warning_advises_what_the_system_has(cls, advice):
    X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 10, axis=0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        small(cls, n_clusters=4).fit(X)
    assert any(advice in str(each.message) for each in said)


def test_images_in_a_list_must_be_alike():
    small_one, large_one = np.zeros((5, 8)), np.zeros((8, 8))
    with pytest.raises(InputError, match=r"images in X must have one shape. Got \(5, 8\) and \(8, 8\)"):
        coterie.KMeans(2).fit([small_one, large_one, small_one])


@pytest.mark.parametrize(
    "modes",
    [
        [torch.inference_mode],
        [torch.no_grad, lambda: torch.autocast("cpu", torch.bfloat16), lambda: torch.device("meta")],
    ],
)
@every_system
def test_modes_of_torch_that_a_caller_is_in_change_nothing_and_are_given_back(cls, modes, tmp_path):
    X, _ = blobs(60, spread=2.5)
    usual = small(cls).set_params(**brief(small(cls))).fit(X)
    strangeness, suggested = usual.strangeness(X), usual.suggest(3, X)
    drawn = usual.sample(5, random_state=0) if hasattr(usual, "sample") else None
    with ExitStack() as stack:
        for mode in modes:
            stack.enter_context(mode())
        before = _modes()
        found = small(cls).set_params(**brief(small(cls))).fit(X)
        found.save(tmp_path / "model")
        again = coterie.load(tmp_path / "model")
        within = usual.predict_proba(X), again.predict_proba(X)
        assert again.was_fitted_on(X) and (again.strangeness(X) == strangeness).all()
        np.testing.assert_array_equal(again.suggest(3, X), suggested)
        if drawn is not None:
            np.testing.assert_array_equal(again.sample(5, random_state=0), drawn)
        assert _modes() == before
    for probabilities in (found.predict_proba(X), *within):
        np.testing.assert_array_equal(probabilities, usual.predict_proba(X))
    np.testing.assert_array_equal(found.labels_, found.predict(X))


@every_system
def test_another_default_dtype_of_torch_changes_nothing(cls, tmp_path):
    X, _ = blobs(60, spread=2.5)
    usual = small(cls).set_params(**brief(small(cls))).fit(X)
    usual.save(tmp_path / "usual")
    drawn = usual.sample(5, random_state=0) if hasattr(usual, "sample") else None
    torch.set_default_dtype(torch.float64)
    try:
        found, loaded = clone(usual).fit(X), coterie.load(tmp_path / "usual")
        assert torch.get_default_dtype() == torch.float64
        for model in (found, loaded):
            np.testing.assert_array_equal(model.predict_proba(X), usual.predict_proba(X))
            if drawn is not None:
                np.testing.assert_array_equal(model.sample(5, random_state=0), drawn)
    finally:
        torch.set_default_dtype(torch.float32)


def _modes():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_autocast_cache_enabled(),
        torch.get_default_device(),
    )


def test_modes_are_given_back_where_a_fit_raises():
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        before = _modes()
        with pytest.raises(InputError):
            small(AEKMeans).fit(np.full((9, 2), np.nan))
        assert _modes() == before


def test_codes_to_be_decoded_are_checked_and_may_be_read_only():
    X, _ = blobs()
    model = small(KMeans).set_output(transform="pandas").fit(X)
    z = model.transform(X)
    values = z.to_numpy()
    values.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for codes in (z, values, torch.from_numpy(z.to_numpy(copy=True)).requires_grad_()):
            np.testing.assert_allclose(model.inverse_transform(codes), X, atol=1e-4)
    for codes in (values * np.nan, values.astype(np.float64) * 1e300):
        with pytest.raises(InputError, match="Codes must be finite"):
            model.inverse_transform(codes)
    with pytest.raises(InputError, match="it holds text"):
        model.inverse_transform([["a"] * X.shape[1]])


@every_system
def test_what_only_a_fitted_system_has_says_so(cls):
    assert not hasattr(cls(), "cluster_names_")
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        _ = cls().cluster_names_
