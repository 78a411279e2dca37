"""Names, merges and splits after the fit: what predictions, files and reports make of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small import blobs, small

import coterie
from coterie import DEC, AEKMeans, Auto, KMeans, VaDE
from coterie.criteria import Calibration
from coterie.errors import InputError, ModelFileError

X, Y = blobs(n=160, k=4, spread=1.2)
NEW = X[::3] + 0.3


def test_a_name_that_is_there_already_is_no_change():
    model = KMeans(n_clusters=2, random_state=0).fit(np.arange(6.0)[:, None])
    assert not model.rename(0, None).edits_.done
    model.rename(0, "low").rename(0, "low")
    assert len(model.edits_.done) == 1


def tables(n: int = 400, seed: int = 0) -> np.ndarray:
    """Rows without any groups: most are doubtful."""
    return np.random.default_rng(seed).normal(size=(n, 3))


@pytest.fixture(scope="module", params=[DEC, VaDE, KMeans])
def fitted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "model"
    small(request.param, n_clusters=4).fit(X).save(folder)
    return folder


def state(model) -> list[np.ndarray]:
    """All that a system says of rows, old and new."""
    told = [model.labels_, model.cluster_centers_, np.array(model.cluster_names_, dtype=object)]
    for rows in (X, NEW):
        told += [model.predict(rows), model.predict_proba(rows), model.predict_confidence(rows), model.transform(rows)]
    return told


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def edited(model):
    return model.rename(3, "far").merge([0, 2], name="near").split(1, into=2, X=X)


def test_a_merge_adds_probabilities_and_moves_no_other_row(fitted: Path) -> None:
    model = coterie.load(fitted)
    before, q = model.labels_, model.predict_proba(NEW).astype(np.float64)
    new = model.predict(NEW)
    model.merge({3, 1})
    numbers = np.array([0, 1, 2, 1])
    assert np.array_equal(model.labels_, numbers[before])
    assert np.array_equal(model.predict(NEW), numbers[new])
    wanted = np.stack([q[:, 0], q[:, 1] + q[:, 3], q[:, 2]], axis=1)
    np.testing.assert_allclose(model.predict_proba(NEW), wanted, atol=1e-6)
    assert model.cluster_centers_.shape == (3, model.transform(NEW).shape[1])


def test_a_merged_centre_is_the_mean_weighed_by_rows(fitted: Path) -> None:
    model = coterie.load(fitted)
    counts, centers = np.bincount(model.labels_, minlength=4), model.cluster_centers_.astype(np.float64)
    model.merge([1, 2])
    wanted = (counts[1] * centers[1] + counts[2] * centers[2]) / (counts[1] + counts[2])
    np.testing.assert_allclose(model.cluster_centers_[1], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.cluster_centers_[2], centers[3].astype(np.float32))


def test_a_row_stays_with_its_cluster_also_against_added_doubts() -> None:
    rows = tables()
    model = small(DEC, n_clusters=6).fit(rows)
    before = model.labels_
    model.merge([0, 1, 2, 3])
    outvoted = (model.predict_proba(rows).argmax(1) == 0) & (before >= 4)
    assert outvoted.any(), "the case this is about"
    assert np.array_equal(model.labels_, np.array([0, 0, 0, 0, 1, 2])[before])
    assert np.array_equal(model.predict(rows), model.labels_)
    q = model.predict_proba(rows)
    np.testing.assert_allclose(model.predict_confidence(rows), q[np.arange(len(q)), model.labels_], atol=1e-6)


def test_a_split_divides_one_cluster_and_its_probability(fitted: Path) -> None:
    model = coterie.load(fitted)
    before, q, new = model.labels_, model.predict_proba(NEW), model.predict(NEW)
    model.split(1, into=3, X=X)
    sizes = np.bincount(model.labels_, minlength=6)
    assert np.array_equal(model.labels_ != before, (before == 1) & (model.labels_ >= 4))
    assert np.array_equal(np.where(model.predict(NEW) >= 4, 1, model.predict(NEW)), new)
    assert sizes[1] >= sizes[4] >= sizes[5] > 0
    parts = model.predict_proba(NEW)
    np.testing.assert_allclose(parts[:, [1, 4, 5]].sum(1), q[:, 1], atol=1e-6)
    np.testing.assert_allclose(parts[:, [0, 2, 3]], q[:, [0, 2, 3]], atol=1e-6)


def test_the_parts_are_those_of_a_gaussian_of_one_width(fitted: Path) -> None:
    model = coterie.load(fitted)
    before = model.labels_
    model.split(2, into=2, X=X)
    z, mu = model.transform(X).astype(np.float64), model.cluster_centers_[[2, 4]].astype(np.float64)
    here = before == 2
    for part, k in enumerate([2, 4]):
        np.testing.assert_allclose(mu[part], z[model.labels_ == k].mean(0), rtol=1e-3, atol=1e-3)
    apart = np.square(z[:, None] - mu).sum(2)
    nearest = apart.argmin(1)
    assert np.array_equal(model.labels_[here], np.array([2, 4])[nearest[here]])
    variance = apart[here, nearest[here]].mean() / z.shape[1]
    r = np.exp(-(apart - apart.min(1, keepdims=True)) / (2 * variance))
    q = coterie.load(fitted).predict_proba(X)[:, 2]
    wanted = q[:, None] * r / r.sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X)[:, [2, 4]], wanted, atol=1e-3)


@pytest.mark.parametrize("k", [1, 3])
def test_rows_in_the_same_clusters_that_are_others_are_not_those_of_the_fit(k: int, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(150, 4)) + 9 * (np.arange(150) % 3)[:, None]
    model = KMeans(n_clusters=k, random_state=0).fit(rows)
    model.save(tmp_path / "model")
    inside = np.arange(150).reshape(50, 3)[::-1].ravel()  # in another order within each group
    assert np.array_equal(model.predict(rows[inside]), model.labels_)
    for known in (model, coterie.load(tmp_path / "model")):
        assert known.was_fitted_on(rows)
        assert not known.was_fitted_on(rows[:-1])
        for others in (rows[inside], 1.01 * rows):
            assert not known.was_fitted_on(others)
            with pytest.raises(InputError, match="must be the rows that were fitted, in their order"):
                known.split(0, X=others)
    assert np.array_equal(model.split(0, X=rows).labels_, model.predict(rows))


def test_rows_in_another_order_are_others_also_beside_a_gross_outlier() -> None:
    rows = np.random.default_rng(0).normal(size=(150, 4)) + 9 * (np.arange(150) % 3)[:, None]
    rows[0] = 1e6
    model = KMeans(n_clusters=4, random_state=0).fit(rows)
    assert model.was_fitted_on(rows)
    assert not model.was_fitted_on(np.concatenate([rows[:1], rows[:0:-1]]))
    auto = Auto(n_clusters=2, candidates=["kmeans"], random_state=0).fit(rows[1:])
    assert auto.was_fitted_on(rows[1:]) and not auto.was_fitted_on(rows[:0:-1])


def test_merging_the_parts_gives_the_cluster_back(fitted: Path) -> None:
    model, whole = coterie.load(fitted), coterie.load(fitted)
    model.split(1, X=X).merge([1, 4])
    assert np.array_equal(model.labels_, whole.labels_)
    np.testing.assert_allclose(model.predict_proba(NEW), whole.predict_proba(NEW), atol=1e-6)
    np.testing.assert_allclose(model.predict_confidence(NEW), whole.predict_confidence(NEW), atol=1e-6)


def test_labels_are_predictions_after_each_edit_and_undo_is_exact(fitted: Path, tmp_path: Path) -> None:
    model = coterie.load(fitted)
    states = [state(model)]
    for edit in (
        lambda: model.rename(3, "far"),
        lambda: model.merge([0, 2], name="near"),
        lambda: model.split(1, into=2, X=X),
        lambda: model.merge([1, 2]),
        lambda: model.split(0, into=3, X=X),
    ):
        assert edit() is model
        states.append(state(model))
        assert np.array_equal(model.labels_, model.predict(X))
        assert model.predict_proba(X).shape[1] == len(model.cluster_centers_) == len(model.cluster_names_)
    model.save(tmp_path / "edited")
    again = coterie.load(tmp_path / "edited")
    assert same(state(again), states[-1])
    for expected in states[-2::-1]:
        assert same(state(again.undo()), expected)
    assert again.edits_.done == ()


def test_an_undone_model_is_written_as_if_nothing_had_been(fitted: Path, tmp_path: Path) -> None:
    edited(coterie.load(fitted)).undo().undo().undo().save(tmp_path / "again")
    for name in ("config.json", "weights.safetensors", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (fitted / name).read_bytes()


def test_names_follow_their_clusters(fitted: Path) -> None:
    model = coterie.load(fitted)
    assert model.cluster_names_ == [None] * 4
    model.rename(3, "c").rename(1, " b ")
    assert model.cluster_names_ == [None, "b", None, "c"]
    assert model.merge([0, 1]).cluster_names_ == ["b", None, "c"]  # the only name there is
    assert model.split(2, X=X).cluster_names_ == ["b", None, None, None]
    assert model.rename(0, None).cluster_names_ == [None] * 4
    assert [each["name"] for each in model.rename(1, "z").describe(X)] == [None, "z", None, None]


def test_descriptions_are_of_the_clusters_there_are(fitted: Path) -> None:
    model = edited(coterie.load(fitted))
    told = model.describe(X)
    assert [each["rows"] for each in told] == np.bincount(model.labels_).tolist()
    assert [each["name"] for each in told] == ["near", None, "far", None]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.rename(4, "x"), "There is no cluster 4; the clusters are 0 to 3."),
        (lambda m: m.rename(-1, "x"), "There is no cluster -1; the clusters are 0 to 3."),
        (lambda m: m.rename(True, "x"), "There is no cluster True; the clusters are 0 to 3."),
        (lambda m: m.rename(1.0, "x"), r"There is no cluster 1.0; the clusters are 0 to 3."),
        (lambda m: m.rename(0, "  "), "A cluster's name must be a text that is not empty. Got '  ' instead."),
        (lambda m: m.rename(0, 7), "A cluster's name must be a text that is not empty. Got 7 instead."),
        (lambda m: m.rename(0, "a\nb"), "A cluster's name must have at most 80 printable characters. Got 'a"),
        (lambda m: m.rename(0, "a" * 81), "A cluster's name must have at most 80 printable characters. Got 'a"),
        (lambda m: m.rename(0, " 2 "), "A cluster's name must not be a number, which clusters have already. Got '2' "),
        (lambda m: m.rename(0, ".5"), "A cluster's name must not be a number, which clusters have already. Got '.5' "),
        (
            lambda m: m.rename(0, "1_0"),
            "A cluster's name must not be a number, which clusters have already. Got '1_0' ",
        ),
        (
            lambda m: m.rename(0, "1e3"),
            "A cluster's name must not be a number, which clusters have already. Got '1e3' ",
        ),
        (lambda m: m.merge([0, 1], name="7"), "A cluster's name must not be a number, which clusters have already."),
        (lambda m: m.rename(0, "a").rename(1, "a"), "Cluster 0 is called 'a' already; names must differ."),
        (lambda m: m.merge([0]), r"A merge needs two clusters or more. Got \[0\]."),
        (lambda m: m.merge(1), r"A merge needs two clusters or more. Got \[1\]."),
        (lambda m: m.merge([]), r"A merge needs two clusters or more. Got \[\]."),
        (lambda m: m.merge([0, 0]), "Cluster 0 is given twice; a merge needs different clusters."),
        (lambda m: m.merge([0, 9]), "There is no cluster 9; the clusters are 0 to 3."),
        (lambda m: m.merge("02"), "There is no cluster '02'; the clusters are 0 to 3."),
        (lambda m: m.merge([0, 1, 2, 3]), "Merging all 4 clusters would leave only one; leave at least one out."),
        (lambda m: m.merge([0, 1], name=""), "A cluster's name must be a text that is not empty. Got '' instead."),
        (lambda m: m.split(0, into=1, X=X), r"The 'into' of split\(\) must be an integer >= 2. Got 1 instead."),
        (lambda m: m.split(5, X=X), "There is no cluster 5; the clusters are 0 to 3."),
        (lambda m: m.split(0, X=X[:50]), r"The X of split\(\) must be the rows that were fitted, in their order"),
        (lambda m: m.split(0, X=X[::-1]), r"The X of split\(\) must be the rows that were fitted, in their order"),
        (lambda m: m.split(0, into=99, X=X), "Cluster 0 cannot be split into 99: its rows have .* different codes."),
        (lambda m: m.undo(), "There is nothing to undo: the clusters are as they were fitted."),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_the_model_as_it_was(fitted: Path, edit, message: str) -> None:
    model = coterie.load(fitted)
    before = model.labels_.copy()
    with pytest.raises(InputError, match=message):
        edit(model)
    assert np.array_equal(model.labels_, before)
    assert len(model.cluster_centers_) == 4


def test_a_merge_may_take_the_name_that_one_of_its_clusters_had(fitted: Path) -> None:
    model = coterie.load(fitted).rename(2, "a")
    assert model.merge([0, 2], name="a").cluster_names_ == ["a", None, None]


def test_classes_may_be_called_by_numbers(fitted: Path, tmp_path: Path) -> None:
    model = coterie.load(fitted).name_classes(["10", "20", "30"]).rename(3, "other").merge([0, 2])
    assert model.cluster_names_ == ["10", "20", "other"]
    model.save(tmp_path / "m")
    assert coterie.load(tmp_path / "m").cluster_names_ == ["10", "20", "other"]
    assert model.undo().undo().cluster_names_ == ["10", "20", "30", None]


def test_models_saved_before_there_were_edits_load(fitted: Path, tmp_path: Path) -> None:
    from coterie.persistence import read_model, save_model

    config, tensors = read_model(fitted)
    del config["edits"]
    save_model(tmp_path / "old", config=config, tensors=tensors)
    assert same(state(coterie.load(tmp_path / "old")), state(coterie.load(fitted)))


@pytest.mark.parametrize("spoil", [{"edit": "melt"}, {"edit": "split", "cluster": 0}, {"edit": "rename"}, 3])
def test_edits_that_make_no_sense_are_refused(fitted: Path, tmp_path: Path, spoil: object) -> None:
    from coterie.persistence import read_model, save_model

    config, tensors = read_model(fitted)
    save_model(tmp_path / "bad", config={**config, "edits": [spoil]}, tensors=tensors)
    with pytest.raises(ModelFileError, match="does not describe a model of this version"):
        coterie.load(tmp_path / "bad")


def test_the_history_is_in_the_file(fitted: Path, tmp_path: Path) -> None:
    edited(coterie.load(fitted)).save(tmp_path / "m")
    edits = json.loads((tmp_path / "m" / "config.json").read_text())["edits"]
    assert [each["edit"] for each in edits] == ["rename", "merge", "split"]
    assert edits[0] == {"edit": "rename", "cluster": 3, "name": "far"}
    assert edits[1] == {"edit": "merge", "clusters": [0, 2], "name": "near"}


def test_a_calibrated_confidence_stays_a_probability() -> None:
    rows = tables()
    model = small(DEC, n_clusters=5).fit(rows)
    log_q = model._log_q(rows).double().log_softmax(1).numpy()
    rng = np.random.default_rng(1)
    model.calibration_ = Calibration.learned(log_q, rng.random(len(rows)) < np.exp(log_q.max(1)))
    before, labels, q = model.predict_confidence(rows), model.labels_, model.predict_proba(rows)
    model.merge([0, 1])
    merged = model.predict_confidence(rows)
    untouched = labels >= 2
    near = {"rtol": 0, "atol": 1e-6}
    np.testing.assert_allclose(
        merged[untouched], before[untouched], **near
    )  # an independent run says the same of these
    assert (merged[~untouched] >= before[~untouched] - 1e-6).all()  # two clusters are hit more easily than one of them
    assert (merged[~untouched] > before[~untouched] + 1e-3).any()
    model.undo().split(2, X=rows)
    parts = model.predict_confidence(rows)
    np.testing.assert_allclose(parts[labels != 2], before[labels != 2], **near)
    share = model.predict_proba(rows)[np.arange(len(rows)), model.labels_] / q[:, 2]
    np.testing.assert_allclose(parts[labels == 2], (before * share)[labels == 2], atol=1e-5)
    assert ((parts >= 0) & (parts <= 1)).all()


def test_a_cluster_with_parts_of_every_fitted_one_is_as_sure_as_its_parts() -> None:
    from coterie.algorithms.edited import Assigned

    fitted = torch.log(torch.tensor([[0.9, 0.1], [0.2, 0.8]]))
    log_q = torch.log(torch.tensor([[0.85, 0.15], [0.1, 0.9]]))  # of a merged cluster and the rest of a split one
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 2000)
    calibration = Calibration.learned(np.log(np.stack([p, 1 - p], 1)), rng.random(2000) < p)
    found = Assigned(fitted, log_q, np.array([0, 0]), [frozenset({0, 1}), frozenset({0})])
    np.testing.assert_allclose(found.confidence(calibration), [0.85, 0.1], atol=1e-6)


def test_a_new_fit_and_new_clusters_begin_without_edits() -> None:
    model = small(AEKMeans, n_clusters=4).fit(X).rename(0, "a").merge([1, 2])
    assert len(model.recluster(X).cluster_centers_) == 4
    assert model.cluster_names_ == [None] * 4
    assert model.merge([1, 2]).fit(X).edits_.done == ()
    assert len(set(model.labels_)) == 4


def test_rows_made_up_are_of_the_edited_cluster() -> None:
    model = small(VaDE, n_clusters=4).fit(X)
    model.merge([0, 2]).split(1, X=X)
    for k in (0, 1, 2, 3):
        drawn = model.sample(40, cluster=k, random_state=0)
        assert (model.predict(drawn) == k).mean() > 0.7
        assert np.array_equal(drawn, model.sample(40, cluster=k, random_state=0))
    with pytest.raises(InputError, match="from 0 to 3"):
        model.sample(1, cluster=4)


def test_auto_is_edited_in_the_system_that_answers(tmp_path: Path) -> None:
    model = Auto(n_clusters=4, candidates=["kmeans", "mixture"], random_state=0).fit(X)
    why = model.why()
    assert model.rename(1, "b").merge([0, 2]).split(1, X=X) is model
    assert model.cluster_names_ == model.best_.cluster_names_ == [None] * 4
    assert np.array_equal(model.labels_, model.predict(X))
    assert len(model.cluster_centers_) == 4
    model.save(tmp_path / "m")
    assert np.array_equal(coterie.load(tmp_path / "m").predict(NEW), model.predict(NEW))
    model.best_.undo()
    assert np.array_equal(model.labels_, model.predict(X))
    model.undo().undo()
    assert model.why() == why


def test_classes_that_share_a_name_give_it_to_no_cluster(fitted: Path) -> None:
    assert coterie.load(fitted).name_classes(["a", "a", "b\n", " "]).cluster_names_ == [None] * 4
    alike = ["x" * 80 + "1", "x" * 80 + "2", "c"]
    assert coterie.load(fitted).name_classes(alike).cluster_names_ == [None, None, "c", None]
