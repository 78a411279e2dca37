"""Outlier scores: what they flag, what they keep, and that nothing but the training rows sets a threshold."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from small import bars, blobs, small

import coterie
from benchmarks.outliers import CODES
from coterie import DEC, JULE, MLP, AEKMeans, Auto, KMeans, Schedule, Shallow
from coterie.anomaly import DEFAULT, DETECTORS, LatentIsolationForest, NeighbourOutlier, ReconstructionOutlier, load
from coterie.anomaly.forest import Forest
from coterie.anomaly.nearest import nearest
from coterie.errors import InputError, ModelFileError
from coterie.persistence import read_model, save_model
from coterie.settings import hyperparameters
from coterie.subsample import sample_rows

every_score = pytest.mark.parametrize("cls", DETECTORS.values())


def checked(cls):
    # One cluster, since some checks fit a single row; fewer numbers than columns, so that there is an error.
    return cls(model=Shallow(n_clusters=1, n_components=1, method="kmeans"), random_state=0)


@parametrize_with_checks([checked(cls) for cls in DETECTORS.values()])  # without an exception
@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning", "ignore::coterie.errors.DataWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    """An autoencoder of three blobs, and strange rows between them."""
    X, _ = blobs(n=240)
    model = small(AEKMeans, random_state=3).fit(X)
    strange = np.random.default_rng(1).uniform(-4, 12, (40, 4))
    return model, X, strange


@every_score
def test_rows_between_the_blobs_are_stranger_and_flagged(cls, fitted):
    model, X, strange = fitted
    new, _ = blobs(n=90, seed=0)
    found = cls(model=model, contamination=0.05, random_state=0).fit(X)
    scores = found.score_samples(np.concatenate([new, strange]))
    assert scores.dtype == np.float64
    assert roc_auc_score([1] * len(new) + [0] * len(strange), scores) > (0.7 if cls is ReconstructionOutlier else 0.9)
    assert (found.predict(strange) == -1).mean() > 0.2


@every_score
@pytest.mark.parametrize("contamination", [0.05, 0.5, "auto"])
def test_the_threshold_flags_the_share_of_the_training_rows_and_no_other_row_moves_it(cls, contamination, fitted):
    model, X, strange = fitted
    found = cls(model=model, contamination=contamination, random_state=0).fit(X)
    share = 0.01 if contamination == "auto" else contamination
    before = found.offset_
    assert (found.predict(X) == -1).sum() == np.ceil(share * (len(X) - 1))
    np.testing.assert_array_equal(found.fit_predict(X), found.predict(X))
    np.testing.assert_array_equal(found.score_samples(X), found.train_scores_)
    for rows in (strange, X[:3], strange * 100):
        found.predict(rows)
        np.testing.assert_array_equal(found.decision_function(rows), found.score_samples(rows) - before)
    assert found.offset_ == before == found.offset_for(contamination)


@every_score
def test_a_fitted_model_is_used_as_it_is_and_left_alone(cls, fitted):
    model, X, _ = fitted
    weights = [p.detach().clone() for p in model.model_.parameters()]
    for given in (model, FrozenEstimator(model), clone(cls(model=FrozenEstimator(model))).model):
        found = cls(model=given, random_state=0).fit(X)
        assert found.model_.model_ is model.model_
        assert found.model is given
    assert all(torch.equal(a, b) for a, b in zip(weights, model.model_.parameters(), strict=True))


@every_score
def test_a_model_that_is_not_fitted_is_fitted_inside(cls):
    X, _ = blobs()
    unfitted = small(AEKMeans)
    found = cls(model=unfitted, random_state=0).fit(X)
    assert not hasattr(unfitted, "model_")
    np.testing.assert_array_equal(found.model_.labels_, small(AEKMeans).fit(X).labels_)
    assert not hasattr(clone(cls(model=found.model_)).model, "model_")  # as scikit-learn's clone has it


def test_without_a_model_each_score_fits_a_system_of_its_own(monkeypatch):
    X, _ = bars(n=60)
    X = X[:, ::4, ::4].reshape(60, -1)
    short = Schedule(steps=5, batch_size=32)
    brief = {"pretrain": short, "train": short, "network": MLP(hidden=(4,))}
    for cls in DETECTORS.values():
        fields = {"__annotations__": dict.fromkeys(brief, object), **brief}
        monkeypatch.setattr(cls, "inside", hyperparameters(type("Quick", (cls.inside,), fields)))
        found = cls(n_clusters=2, image_shape=(2, 2), scaling="unit", random_state=5).fit(X)
        assert found.model_.get_params()["n_clusters"] == 2
        assert found.model_.seed_ == found.seed_ == 5
        assert (found.model_.spec_.kind, found.model_.spec_.scaling) == ("images", "unit")


def test_a_system_of_its_own_is_fitted_to_a_sample_of_very_many_rows(monkeypatch):
    X, _ = blobs(n=120)
    monkeypatch.setattr("coterie.anomaly.base.MOST_ROWS", 50)
    monkeypatch.setattr(NeighbourOutlier, "inside", KMeans)
    found = NeighbourOutlier(n_clusters=3, random_state=0).fit(X)
    assert found.model_.labels_.shape == (50,)
    assert found.train_scores_.shape == (120,)
    assert found.model_.spec_ == KMeans(3).fit(X).spec_  # scaled by all rows
    np.testing.assert_array_equal(found.score_samples(X), found.train_scores_)
    for nothing in (csr_matrix(X), np.array(3.0)):  # of which no rows can be counted
        with pytest.raises(InputError):
            NeighbourOutlier().fit(nothing)


def test_the_best_of_several_systems_will_do():
    X, _ = blobs()
    auto = Auto(n_clusters=3, candidates=("kmeans", "ward"), random_state=0).fit(X)
    alone = DETECTORS["centre"](model=auto.best_).fit(X)
    for given in (auto, clone(auto)):  # fitted or not
        np.testing.assert_array_equal(DETECTORS["centre"](model=given).fit(X).score_samples(X), alone.score_samples(X))


@every_score
def test_what_is_done_to_clusters_later_does_not_move_a_score(cls, tmp_path):
    X, _ = blobs(n=120)
    model = small(AEKMeans).fit(X)
    found = cls(model=model, random_state=0).fit(X)
    before = found.score_samples(X)
    model.merge([0, 1])
    np.testing.assert_array_equal(found.score_samples(X), before)
    model.undo().split(0, into=3, X=X)
    np.testing.assert_array_equal(found.score_samples(X), before)
    found.save(tmp_path / "scores")
    np.testing.assert_array_equal(load(tmp_path / "scores").score_samples(X), before)


@every_score
def test_a_fit_that_is_refused_leaves_the_score_as_it_was(cls, fitted):
    model, X, strange = fitted
    found = cls(model=model, random_state=0).fit(X)
    before = found.score_samples(strange)
    with pytest.raises(InputError):
        found.set_params(model=small(AEKMeans).fit(X[:, :3])).fit(X)
    np.testing.assert_array_equal(found.score_samples(strange), before)


@every_score
def test_the_seed_reaches_a_model_without_one(cls):
    X, _ = blobs()
    first, second = (cls(model=small(AEKMeans, random_state=None), random_state=5).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.train_scores_, second.train_scores_)


def test_a_model_and_a_detector_do_not_replace_each_other(fitted, tmp_path):
    model, X, _ = fitted
    found = DETECTORS["centre"](model=model).fit(X)
    model.save(tmp_path / "model")
    found.save(tmp_path / "scores")
    with pytest.raises(InputError, match="would be replaced, but its manifest.json says 'coterie-model'"):
        found.save(tmp_path / "model")
    with pytest.raises(InputError, match="says 'coterie-outliers'"):
        model.save(tmp_path / "scores")
    np.testing.assert_array_equal(coterie.load(tmp_path / "model").labels_, model.labels_)


@every_score
def test_the_same_seed_gives_the_same_scores_and_the_global_state_stays(cls, fitted):
    model, X, strange = fitted
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    first, second = (cls(model=model, random_state=3).fit(X).score_samples(strange) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (np.random.get_state()[1] == before).all()


@every_score
def test_a_rows_score_does_not_depend_on_its_neighbours(cls, fitted):
    model, X, strange = fitted
    found = cls(model=model, random_state=0).fit(X)
    alone = np.concatenate([found.score_samples(row[None]) for row in strange])
    np.testing.assert_array_equal(found.score_samples(strange), alone)


@pytest.mark.parametrize("n", [1, 2, 3, 50, 700])
def test_the_stored_forest_scores_as_scikit_learns(n):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    X[: n // 3] = X[:1]  # equal rows, which no tree can tell apart
    new = np.concatenate([X, rng.normal(size=(5000, 5)).astype(np.float32) * 3])
    grown = IsolationForest(n_estimators=30, random_state=0).fit(X)
    np.testing.assert_allclose(-Forest.of(grown).anomaly(new), grown.score_samples(new), rtol=0, atol=1e-6)


def test_the_forest_is_that_of_the_codes(fitted):
    model, X, strange = fitted
    found = DETECTORS["isolation"](model=model, n_estimators=20, max_samples=64, random_state=9).fit(X)
    z = model.transform(X)
    grown = IsolationForest(n_estimators=20, max_samples=64, random_state=9).fit(z)
    np.testing.assert_allclose(found.score_samples(strange), grown.score_samples(model.transform(strange)), atol=1e-6)


def test_neighbours_are_found_exactly_and_a_row_is_none_of_its_own():
    rng = np.random.default_rng(0)
    known = (rng.normal(size=(300, 6)) + 1000).astype(np.float32)  # far from zero, where rounding is coarse
    new = (rng.normal(size=(50, 6)) + 1000).astype(np.float32)
    middle = known.mean(0, dtype=np.float64)
    a, b = ((rows - middle).astype(np.float32).astype(np.float64) for rows in (new, known))
    full = np.linalg.norm(a[:, None] - b[None], axis=2)
    np.testing.assert_allclose(nearest(new, known, 4)[1], np.sort(full, axis=1)[:, :4], rtol=1e-12)
    own = np.linalg.norm(b[:, None] - b[None], axis=2)
    np.testing.assert_allclose(nearest(known, known, 4)[1], np.sort(own, axis=1)[:, 1:5], rtol=1e-12)
    assert (nearest(known, known, 4)[0] != np.arange(300)[:, None]).all()
    doubled = np.concatenate([known[:5], known[:5]])
    assert (nearest(doubled, doubled, 2)[1][:, 0] == 0).all()  # its copy is another row
    assert nearest(new, known[:1], 3)[1].shape == (50, 1)
    assert nearest(known[:1], known[:1], 3)[1].tolist() == [[0.0]]


def test_the_distance_to_the_own_centre_is_in_widths_of_the_cluster(fitted):
    model, X, strange = fitted
    found = DETECTORS["centre"](model=model).fit(X)
    z, labels = model.transform(X).astype(float), model.predict(X)
    d = np.linalg.norm(z - model.cluster_centers_[labels], axis=1)
    widths = np.array([np.sqrt((d[labels == k] ** 2).mean()) for k in range(3)])
    np.testing.assert_allclose(found.kept_["widths"], widths)
    own = model.predict(strange)
    expected = np.linalg.norm(model.transform(strange) - model.cluster_centers_[own], axis=1) / widths[own]
    np.testing.assert_allclose(-found.score_samples(strange), expected, rtol=1e-6)


def test_errors_are_taken_relative_to_those_of_rows_with_like_codes(fitted):
    model, X, strange = fitted
    plain = ReconstructionOutlier(model=model, relative="none").fit(X)
    errors = model.reconstruction_error(strange)
    np.testing.assert_array_equal(-plain.score_samples(strange), errors.astype(np.float64))
    found = ReconstructionOutlier(model=model, n_neighbors=5).fit(X)
    distance = np.linalg.norm(model.transform(strange)[:, None] - model.transform(X)[None], axis=2)
    usual = model.reconstruction_error(X)[np.argsort(distance, axis=1)[:, :5]].mean(1)
    np.testing.assert_allclose(-found.score_samples(strange), errors / usual, rtol=1e-4)


def test_rows_beyond_what_cross_entropy_is_for_are_strange():
    X, _ = blobs(n=200)
    model = small(AEKMeans, scaling="unit", reconstruction="bce", random_state=0).fit(X)
    for relative in ("neighbours", "none"):
        found = ReconstructionOutlier(model=model, relative=relative, random_state=0).fit(X)
        far = X.mean(0) + np.array([[20.0], [40.0], [90.0]]) * np.ones(4)
        assert (found.predict(far) == -1).all()
        assert (np.diff(found.score_samples(far)) < 0).all()  # the farther, the stranger


def test_a_detector_saved_with_errors_of_another_kind_is_refused(tmp_path):
    X, _ = blobs(n=100)
    for reconstruction in ("bce", "mse"):
        model = small(AEKMeans, scaling="unit", reconstruction=reconstruction, random_state=0).fit(X)
        ReconstructionOutlier(model=model, random_state=0).fit(X).save(tmp_path / "new")
        config, tensors = read_model(tmp_path / "new", kind="outliers")
        del config["errors"]
        save_model(tmp_path / reconstruction, config=config, tensors=tensors, kind="outliers")
    assert load(tmp_path / "mse").offset_ == load(tmp_path / "new").offset_
    with pytest.raises(ModelFileError, match="its errors are cross entropies, as an earlier version had them"):
        load(tmp_path / "bce")


def test_of_rows_with_one_code_only_the_row_itself_is_left_out():
    grid = np.array([[a, b, 0] for a in range(6) for b in range(6)] * 6, dtype=float)
    X = np.concatenate([[[2, 3, 4]], grid])  # a code that six others have, and an error that none has
    model = Shallow(n_clusters=2, n_components=2, scaling="none", random_state=0).fit(X)
    for rows in (X, X[::-1]):
        found = ReconstructionOutlier(model=model, n_neighbors=5, random_state=0).fit(rows)
        without = ReconstructionOutlier(model=model, n_neighbors=5, random_state=0).fit(grid)
        np.testing.assert_allclose(found.score_samples(X[:1]), without.score_samples(X[:1]), rtol=1e-6)


def test_rows_that_are_all_alike_are_no_outliers():
    X = np.tile([[0.0, 1.0], [1.0, 0.0]], (20, 1))
    for name, cls in DETECTORS.items():
        found = cls(model=Shallow(n_clusters=2, n_components=1, method="kmeans"), random_state=0).fit(X)
        scores = found.score_samples(np.concatenate([X, [[5.0, 5.0]]]))
        assert np.isfinite(scores).all(), name
        assert (found.predict(X) == 1).all(), name


def test_few_landmarks_keep_few_rows(fitted):
    model, X, _ = fitted
    found = DETECTORS["neighbours"](model=model, landmarks=20, random_state=0).fit(X)
    assert found.kept_["codes"].shape == (20, 2)
    assert len(found.train_scores_) == len(X)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"contamination": 0}, "'contamination' parameter of LatentIsolationForest must be 'auto' or a number in"),
        ({"contamination": 0.6}, "Got 0.6 instead"),
        ({"contamination": "some"}, "Got 'some' instead"),
        ({"n_estimators": 0}, "'n_estimators' parameter of LatentIsolationForest must be an integer >= 1"),
        ({"model": IsolationForest()}, "'model' parameter of LatentIsolationForest must be None or one of coterie's"),
        ({"random_state": -1}, "'random_state' parameter"),
    ],
)
def test_a_bad_parameter_is_named(parameters, sentence):
    given = {"model": KMeans(n_clusters=1)} | parameters
    with pytest.raises(InputError, match=sentence):
        DETECTORS["isolation"](**given).fit([[0.0], [1.0]])


@every_score
def test_a_threshold_needs_a_fit(cls):
    with pytest.raises(NotFittedError):
        cls().offset_for(0.1)


def test_rows_of_another_shape_are_refused(fitted):
    model, X, _ = fitted
    with pytest.raises(ValueError, match="features"):
        DETECTORS["centre"](model=model).fit(X[:, :2])
    with pytest.raises(ValueError, match="features"):
        DETECTORS["centre"](model=model).fit(X).predict(X[:, :2])


@pytest.mark.parametrize("cls", [JULE, KMeans])
def test_what_does_not_reconstruct_has_no_error_of_it(cls):
    X, _ = blobs()
    with pytest.raises(InputError, match=f"must be a system that reconstructs .* Got {cls.__name__} instead"):
        ReconstructionOutlier(model=small(cls)).fit(X)
    with pytest.raises(InputError, match="must be a system that reconstructs"):  # before its rows are looked at
        ReconstructionOutlier(model=small(cls)).fit("no rows")


def test_a_shape_may_be_an_array_and_is_saved(tmp_path):
    X, _ = blobs(60)
    found = LatentIsolationForest(model=KMeans(2, random_state=0), image_shape=np.array([1, X.shape[1]])).fit(X)
    found.save(tmp_path / "d")
    np.testing.assert_array_equal(load(tmp_path / "d").score_samples(X), found.score_samples(X))


@every_score
def test_a_saved_detector_scores_the_same(cls, fitted, tmp_path):
    model, X, strange = fitted
    found = cls(model=model, contamination=0.1, random_state=0).fit(pd.DataFrame(X))
    found.save(tmp_path / "d")
    again = load(tmp_path / "d")
    assert type(again) is cls
    np.testing.assert_array_equal(again.score_samples(strange), found.score_samples(strange))
    np.testing.assert_array_equal(again.train_scores_, found.train_scores_)
    assert (again.offset_, again.contamination) == (found.offset_, 0.1)
    assert again.offset_for(0.3) == np.percentile(found.train_scores_, 30)
    assert again.fit(X).offset_ == pytest.approx(found.offset_)
    again.save(tmp_path / "d")  # in its own place
    assert {path.suffix for path in (tmp_path / "d").iterdir()} == {".json", ".safetensors"}


def test_damage_to_a_detectors_folder_is_one_sentence(fitted, tmp_path):
    model, X, _ = fitted
    DETECTORS["isolation"](model=model, random_state=0).fit(X).save(tmp_path / "d")
    config, tensors = read_model(tmp_path / "d", kind="outliers")
    with pytest.raises(ModelFileError, match="is not a coterie model folder: manifest.json says 'coterie-outliers'"):
        coterie.load(tmp_path / "d")
    model.save(tmp_path / "m")
    with pytest.raises(ModelFileError, match="is not a coterie outliers folder"):
        load(tmp_path / "m")
    circle = dict(tensors)
    circle["kept.left"] = torch.zeros_like(circle["kept.left"])
    wide = tensors | {"kept.feature": tensors["kept.feature"] + 7}
    bare = {name: value for name, value in tensors.items() if name != "train_scores"}
    other = json.loads(json.dumps(config)) | {"detector": "Nothing"}
    for values, arrays in [(config, circle), (config, wide), (config, bare), (other, tensors), ({}, tensors)]:
        save_model(tmp_path / "forged", config=values, tensors=arrays, kind="outliers")
        with pytest.raises(ModelFileError, match="forged does not describe an outlier score of this version") as caught:
            load(tmp_path / "forged")
        assert "\n" not in str(caught.value)
    weights = tmp_path / "d" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelFileError, match="weights.safetensors is damaged"):
        load(tmp_path / "d")


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "isolation"])
def test_forged_arrays_are_refused(name, fitted, tmp_path):
    model, X, _ = fitted
    DETECTORS[name](model=model, random_state=0).fit(X).save(tmp_path / "d")
    config, tensors = read_model(tmp_path / "d", kind="outliers")
    for kept in [key for key in tensors if key.startswith("kept.")]:
        others = {key: value for key, value in tensors.items() if key != kept}
        for wrong in ({kept: tensors[kept][..., :1]}, {kept: tensors[kept] * np.nan}, {}):
            save_model(tmp_path / "d", config=config, tensors=others | wrong, kind="outliers")
            with pytest.raises(ModelFileError, match="does not describe an outlier score"):
                load(tmp_path / "d")


def test_a_network_of_your_own_is_given_again(tmp_path):
    X, _ = blobs(d=4)
    pair = (torch.nn.Linear(4, 2), torch.nn.Linear(2, 4))
    found = DETECTORS["centre"](model=small(DEC, network=pair)).fit(X)
    found.save(tmp_path / "d")
    with pytest.raises(InputError, match="give it as load"):
        load(tmp_path / "d")
    again = load(tmp_path / "d", network=pair)
    np.testing.assert_array_equal(again.score_samples(X), found.score_samples(X))


def test_the_default_is_one_of_the_scores():
    assert DEFAULT in DETECTORS


def test_scores_stay_those_of_the_fit_when_its_model_is_clustered_anew_or_parameters_are_set(tmp_path, fitted):
    _, X, strange = fitted
    model = small(AEKMeans, random_state=0).fit(X)
    for name in ("centre", "neighbours", "reconstruction"):
        found = DETECTORS[name](model=model, random_state=0).fit(X)
        before = found.score_samples(strange)
        model.recluster(X[:60] + 0.3)
        np.testing.assert_array_equal(found.score_samples(strange), before)
        if name != "centre":
            found.set_params(n_neighbors=1, contamination=0.3)
            np.testing.assert_array_equal(found.score_samples(strange), before)
        found.save(tmp_path / name)
        again = load(tmp_path / name)
        np.testing.assert_array_equal(again.score_samples(strange), before)
        assert again.contamination == "auto"
        if name != "centre":
            assert again.n_neighbors == 10
            again.set_params(n_neighbors=1)
            np.testing.assert_array_equal(again.score_samples(strange), before)


def test_the_place_of_a_row_does_not_change_its_score():
    X = np.random.default_rng(0).normal(size=(300, 6))
    found = DETECTORS[DEFAULT](model=Shallow(n_clusters=4, random_state=0), random_state=0).fit(X)
    scores = found.score_samples(X)
    np.testing.assert_allclose(found.score_samples(X[::-1])[::-1], scores, rtol=1e-4)
    np.testing.assert_allclose([found.score_samples(X[i : i + 1])[0] for i in range(20)], scores[:20], rtol=1e-4)
    np.testing.assert_allclose(found.train_scores_, scores, rtol=1e-4)


@pytest.mark.parametrize("name", ["neighbours", "reconstruction"])
def test_landmarks_are_a_sample_of_the_rows_each_with_what_is_its_own(fitted, name):
    model, X, _ = fitted
    found = DETECTORS[name](model=model, landmarks=20, random_state=5).fit(X)
    rows = sample_rows(len(X), 20, found.seed_)
    assert len(rows) == 20 and rows.max() > 20
    np.testing.assert_array_equal(found.kept_["codes"], model.transform(X)[rows])
    if name == "reconstruction":
        np.testing.assert_array_equal(found.kept_["errors"], model.reconstruction_error(X).astype(np.float64)[rows])


def test_a_cluster_without_training_rows_is_as_wide_as_all():
    X, y = blobs(n=80, k=2)
    model = KMeans(n_clusters=2, random_state=0).fit(X)
    found = DETECTORS["centre"](model=model).fit(X[y == 0])
    own = model.predict(X[y == 0])[0]
    assert found.kept_["widths"][1 - own] == pytest.approx(found.kept_["widths"][own])


@pytest.mark.parametrize(
    "spoilt", [{"widths": np.array([np.inf, 1.0, 1.0])}, {"widths": np.ones(3), "more": np.ones(3)}]
)
def test_widths_that_are_none_are_refused(fitted, spoilt):
    found = DETECTORS["centre"](model=fitted[0])
    with pytest.raises(ValueError, match="no width for each cluster"):
        found.check_kept(spoilt, fitted[0])


def test_scores_are_measured_on_the_codes_that_they_fit_by_themselves():
    assert {name: cls.inside.__name__.lower() for name, cls in DETECTORS.items()} == CODES
