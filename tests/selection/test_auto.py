"""Choosing among systems without labels: what is chosen, within which time, and how sure it is."""

import json
import math
import signal
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from small import bars, blobs, wide_and_tight

import coterie
from coterie import MLP, Auto, KMeans, Schedule, SelfLabel, config_context
from coterie.data import make_source
from coterie.data.knowledge import make_knowledge
from coterie.deadlines import OutOfTimeError
from coterie.errors import CollapseWarning, DataWarning, InputError, OtherFitError
from coterie.selection import Judgement, Trial, align, drift, ranking
from coterie.selection.backing import Second, pupil
from coterie.selection.candidates import CANDIDATES, names_for
from coterie.selection.keeping import Notes
from coterie.selection.losing import reasons_lost
from coterie.selection.ranking import _backed_first, is_settled, make_space, rank_models
from coterie.selection.reasons import reason
from coterie.selection.trying import Trying

QUICK = ["kmeans", "ward"]
ANY_TIME = {"n_clusters": 3, "folder": None, "until": math.inf}


@parametrize_with_checks([Auto(n_clusters=2, candidates=["kmeans"], random_state=0)])
@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning", "ignore::coterie.errors.DataWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_the_best_answers_and_the_number_of_clusters_is_found():
    X, y = blobs(300, k=5)
    model = Auto(random_state=0).fit(X)
    assert model.count_.n == 5
    assert adjusted_rand_score(y, model.labels_) == 1.0
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.trials_[0].model is model.best_
    assert model.consensus_.agreement.shape == (len(model.trials_) + 1,) * 2


def test_a_method_that_follows_shapes_wins_on_shapes():
    X, y = make_moons(400, noise=0.05, random_state=1)
    model = Auto(n_clusters=2, random_state=0, candidates=["kmeans", "mixture", "spectral"]).fit(X)
    assert model.best_name_ == "spectral"
    assert adjusted_rand_score(y, model.labels_) == 1.0
    assert model.why().startswith("spectral was chosen of 3: it keeps neighbours together best")


def test_networks_are_left_out_where_a_simple_method_settles_it():
    X, _ = blobs(1200)
    model = Auto(n_clusters=3, random_state=0, candidates=["kmeans", "dec"]).fit(X)
    assert model.left_out_ == {"dec": "not needed"}


def test_simple_methods_too_are_left_out_unless_they_were_asked_for():
    X, _ = blobs(300)
    model = Auto(n_clusters=3, random_state=0).fit(X)
    assert [trial.name for trial in model.trials_] == ["kmeans"]
    assert set(model.left_out_.values()) == {"not needed"}
    assert model.second_labels_ is not None
    asked = Auto(n_clusters=3, candidates=["kmeans", "ward"], random_state=0).fit(X)
    assert len(asked.trials_) == 2


def test_a_further_network_is_left_out_where_two_agree(monkeypatch):
    from coterie.selection import candidates

    made = candidates.make_candidate
    short = {"network": MLP(hidden=(16,)), "pretrain": Schedule(steps=30), "train": Schedule(steps=30)}
    monkeypatch.setattr(
        "coterie.selection.trying.make_candidate",
        lambda name, k, *, seed: made(name, k, seed=seed).set_params(**short if name == "dec" else {}),
    )
    monkeypatch.setattr("coterie.selection.ranking.AGREED", 0.5)  # so short a training agrees with little
    X, _ = blobs(1200, spread=2.5)
    model = Auto(n_clusters=3, random_state=0, candidates=["kmeans", "dec", "n2d"]).fit(X)
    kept = next(trial for trial in model.trials_ if trial.name == "kmeans").judgement.kept
    assert kept < 0.98  # so that a network was worth trying
    assert model.left_out_ == {"n2d": "not needed"}
    assert {trial.name for trial in model.trials_} == {"kmeans", "dec"}


@pytest.fixture
def short(monkeypatch):
    """Candidates and their pupil train for a moment."""
    from coterie.selection import candidates

    made = candidates.make_candidate
    train = {"train": Schedule(steps=60, batch_size=32)}
    brief = {"dec": {"network": MLP(hidden=(16,)), "pretrain": Schedule(steps=100), **train}, "jule": train}

    def make(name, k, *, seed):
        return made(name, k, seed=seed).set_params(**brief.get(name, {}))

    def brief_pupil(k, *, random_state):
        return SelfLabel(k, train=Schedule(steps=60, batch_size=32), random_state=random_state)

    monkeypatch.setattr("coterie.selection.trying.make_candidate", make)
    monkeypatch.setattr("coterie.selection.backing.SelfLabel", brief_pupil)


def test_a_number_that_was_given_does_not_hide_that_there_may_be_no_groups():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(600, 6))
    said = "No dip was seen between any two neighbouring clusters: there may be no groups."
    assert Auto(n_clusters=3, candidates=["kmeans", "mixture"], random_state=0).fit(noise).why().endswith(said)
    groups = noise + 9 * np.eye(6)[np.arange(600) % 3]
    assert said not in Auto(n_clusters=3, candidates=["kmeans", "mixture"], random_state=0).fit(groups).why()
    few = Auto(n_clusters=2, candidates=["kmeans"], random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    assert said not in few.why()  # nor can so few rows show that there is none


def test_a_simpler_method_is_as_good_only_by_what_decided():
    model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])

    def said(likelihood, by, learned=None):
        best = Trial("dec", model, Judgement(0.1, 0.6, -1.0, 2), learned=learned)
        other = Trial("jule", model, Judgement(0.1, 0.6, -1.0, 2), learned=learned and 0.5)
        simple = Trial("kmeans", model, Judgement(0.1, 0.6, likelihood, 2))
        return reason([best, other, simple], by, labels=model.labels_, second=None)

    as_good = "The simpler kmeans is as good."
    assert as_good in said(-9.0, "neighbours")
    assert as_good not in said(-9.0, "likelihood")
    assert as_good in said(-1.0, "likelihood")
    assert as_good not in said(-1.0, "neighbours", learned=0.9)


def test_a_small_group_far_away_is_a_group():
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(320, 2))
    rows[300:, 1] += 30
    given = {"candidates": ["kmeans"], "random_state": 0, "confidence": False}
    model = Auto(n_clusters=2, **given).fit(rows)
    assert sorted(np.bincount(model.labels_)) == [20, 300]
    assert "there may be no groups" not in model.why()
    counted = Auto(**given).fit(rows)
    assert counted.count_.apart == 2
    assert "there may be no groups" not in counted.why()


def test_labels_that_overruled_a_likelihood_are_the_reason():
    model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    best = Trial("kmeans", model, Judgement(0.1, 0.6, -6.5, 2), agreement=1.0)
    other = Trial("mixture", model, Judgement(0.1, 0.6, -6.0, 2), agreement=0.5)
    said = reason([best, other], "likelihood", labels=model.labels_, second=None, n_known=40)
    assert "of those that agree as well with what is known, its clusters describe the rows best." in said
    assert "2: its clusters describe the rows best." in reason([other, best], "likelihood", labels=[0], second=None)


def test_it_is_told_what_there_was_no_time_for_and_how_many_clusters_are_missing():
    model = KMeans(n_clusters=4, random_state=0).fit(np.arange(20.0)[:, None])
    trials = [Trial("kmeans", model, Judgement(0.1, 0.6, -1.0, 3))]
    left_out = {"ward": "out of time", "dec": "out of time", "counting": "out of time; only gaps were looked for"}
    said = reason(trials, "neighbours", labels=model.labels_, second=None, left_out=left_out)
    assert said == (
        "kmeans was chosen, the only one tried. There was no time for 2 others. "
        "It found 3 clusters of the 4 that were asked for."
    )


def test_of_those_that_find_too_few_the_nearest_to_what_was_asked_for_comes_first():
    rows = np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 9.0]], [40, 40, 1], axis=0)
    with pytest.warns(CollapseWarning):
        model = Auto(n_clusters=4, candidates=["kmeans", "hdbscan"], random_state=0).fit(rows)
    assert model.best_name_ == "kmeans"
    assert "It found 3 clusters of the 4 that were asked for." in model.why()
    assert model.why_not() == {"hdbscan": "found 2 clusters, not 3"}


def test_a_long_time_is_no_limit():
    X, _ = blobs(60)
    model = Auto(n_clusters=3, candidates=["kmeans"], time_budget=1e20, random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


def test_why_the_others_lost_is_told_by_what_decided():
    model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])

    def lost(one, other, by="neighbours", **of_trials):
        best, second = ({name: values[i] for name, values in of_trials.items()} for i in (0, 1))
        trials = [
            Trial("selflabel", model, one),
            Trial("dec", model, one, **best),
            Trial("ward", model, other, **second),
        ]
        return reasons_lost(trials, by, n_told=40)

    best = Judgement(cut=0.1, told=0.6, likelihood=-1.0, clusters=3, evenness=0.9)
    assert lost(best, best) == {"ward": "about as good"}
    assert lost(best, replace(best, clusters=2)) == {"ward": "found 2 clusters, not 3"}
    assert lost(best, replace(best, told=0.5)) == {"ward": "keeps fewer neighbours together"}
    assert lost(best, replace(best, evenness=0.5)) == {"ward": "its clusters are of less even sizes"}
    assert lost(best, replace(best, told=0.615)) == {"ward": "about as good; the others agree with it less"}
    assert lost(best, replace(best, told=0.5), "likelihood") == {"ward": "about as good"}
    worse = replace(best, likelihood=-1.2)
    assert lost(best, worse, "likelihood") == {"ward": "its clusters describe the rows less well"}
    words = replace(best, columns=0.8)
    assert lost(words, replace(words, told=0.1, columns=0.799), "columns") == {"ward": "about as good"}
    less = {"ward": "a row's columns tell less of its clusters"}
    assert lost(words, replace(words, told=0.9, columns=0.7), "columns") == less
    assert lost(words, replace(words, evenness=0.7), "columns") == {"ward": "its clusters are of less even sizes"}
    said = {"ward": "agrees less with what is known: 50.0%, not 75.0%"}
    assert lost(best, replace(best, told=0.9), agreement=(0.75, 0.5)) == said
    # One row and one standard error less is as well: then it is something else that decided.
    assert lost(best, replace(best, told=0.5), agreement=(0.75, 0.7)) == {"ward": "keeps fewer neighbours together"}
    said = {"ward": "another network learns its clusters less surely"}
    assert lost(best, replace(best, told=0.9), learned=(0.9, 0.8)) == said


def test_what_no_network_learned_lost_to_the_one_that_was_best_before():
    model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [0.1], [5.0], [5.1]])
    told = {"jule": 0.4, "dec": 0.8, "ward": 0.6}
    learned = {"jule": 0.9, "dec": 0.7}  # so that jule came before dec
    trials = [Trial(name, model, Judgement(0.0, told[name], -1.0, 2), learned=learned.get(name)) for name in told]
    assert reasons_lost(trials, "neighbours")["ward"] == "keeps fewer neighbours together"


def test_a_further_network_of_images_learns_what_runs_agree_on_and_answers(short, tmp_path):
    X, y = bars(200)
    model = Auto(n_clusters=2, candidates=["dec"], random_state=0).fit(X)
    assert [trial.name for trial in model.trials_] == ["selflabel", "dec"]
    assert model.best_name_ == "selflabel"
    assert adjusted_rand_score(y, model.labels_) == 1.0
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    both = model.trials_[1].model.labels_ == model.second_labels_
    np.testing.assert_array_equal(model.best_.taught_, np.where(both, model.second_labels_, -1))
    assert model.best_.fit_seconds_ > model.trials_[1].model.fit_seconds_  # its teacher's time is part of its own
    assert model.why().startswith("dec was chosen, the only one tried. dec and independent runs put")
    assert model.why().endswith(
        "from these a further network has learned, which answers. The teacher dec, again agrees on 100.0% of the rows."
    )
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(coterie.load(tmp_path / "model").predict_confidence(X), model.confidence_)
    plain = Auto(n_clusters=2, candidates=["dec"], self_label=False, random_state=0).fit(X)
    assert plain.best_name_ == "dec"


def test_known_labels_that_swap_clusters_do_not_part_the_runs(short):
    X, y = bars(200)
    known = np.full(200, -1)
    known[np.flatnonzero(y == 0)[:2]] = 1, 0  # one says so, one says so not
    model = Auto(n_clusters=2, candidates=["dec"], random_state=0).fit(X, known=known)
    assert (model.second_labels_ == model.labels_).mean() > 0.9
    assert model.confidence_.mean() > 0.9


def test_what_it_learned_is_kept_for_a_choice_that_goes_on(short, tmp_path, monkeypatch):
    X, _ = bars(200)
    with config_context(checkpoint=tmp_path):
        first = Auto(n_clusters=2, candidates=["dec"], random_state=0).fit(X)
        monkeypatch.setattr(SelfLabel, "fit_to", None)  # whatever calls it fails
        again = Auto(n_clusters=2, candidates=["dec"], random_state=0).fit(X)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert again.best_.fit_seconds_ == first.best_.fit_seconds_


def test_only_networks_of_images_teach_and_only_those_that_agree_with_the_best(short):
    X, y = bars(200)
    judgement = Judgement(cut=0.1, told=0.9, likelihood=0.0, clusters=2)

    def trials(*named):
        return [Trial(name, SimpleNamespace(labels_=labels, fit_seconds_=1.0), judgement) for name, labels in named]

    def taught(rows, *named, second=None):
        trying = Trying(make_source(rows), Notes(None, {}, seed=0), make_knowledge(200), **ANY_TIME | {"n_clusters": 2})
        trying.models = {"kmeans": KMeans(2, random_state=0).fit(rows)}
        second = None if second is None else Second("dec, again", second)
        found = pupil(trying, trials(*named), second, by="neighbours")
        return None if found is None else found.model.taught_

    near, far = y.copy(), y.copy()
    near[:8], far[:40] = 1 - y[:8], 1 - y[:40]
    np.testing.assert_array_equal(taught(X, ("dec", y), ("jule", near)), np.where(near == y, y, -1))
    np.testing.assert_array_equal(taught(X, ("dec", y), ("jule", far), second=y), y)  # the second is not heard
    assert taught(X, ("dec", y), ("jule", far)) is None
    assert taught(X, ("dec", y), ("manifold", y)) is None
    assert taught(X, ("manifold", y), ("dec", y), second=y) is None
    assert taught(X.reshape(200, -1), ("dec", y), ("jule", y)) is None  # rows that are no images


def test_another_network_that_agrees_is_the_second_run_else_the_best_is_fitted_again(short, monkeypatch):
    monkeypatch.setattr("coterie.selection.ranking.AGREED", 1.1)  # however far they agree, both are tried
    monkeypatch.setattr("coterie.selection.ranking.SETTLED", 1.1)
    X, _ = bars(200)
    model = Auto(n_clusters=2, candidates=["dec", "jule"], random_state=0).fit(X)
    best, other = model.trials_[1:]
    assert (model.second_name_, other.name) == (other.name, {"dec": "jule", "jule": "dec"}[best.name])
    np.testing.assert_array_equal(model.second_labels_, align(other.model.labels_, best.model.labels_))
    assert model.consensus_.agreement.shape == (3, 3)
    plain = Auto(n_clusters=2, candidates=["dec", "jule"], self_label=False, random_state=0).fit(X)
    assert f"An independent run ({other.name}) agrees" in plain.why()
    monkeypatch.setattr("coterie.selection.backing.ALIKE", 1.1)
    apart = Auto(n_clusters=2, candidates=["dec", "jule"], random_state=0).fit(X)
    assert apart.second_name_ == f"{best.name}, again"
    assert apart.consensus_.agreement.shape == (4, 4)


def test_few_rows_are_judged_by_likelihood_in_as_many_directions_as_they_can_tell():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2  # two long clouds that touch: neighbours tell little, shapes do
    X = np.c_[rng.normal(0, 6, 300), y * 2.5 + rng.normal(0, 0.5, 300), rng.normal(0, 0.6, (300, 12))]
    model = Auto(n_clusters=2, candidates=["kmeans", "mixture"], scaling="none", random_state=0).fit(X)
    assert model.criterion_ == "likelihood"
    assert model.best_name_ == "mixture"


def test_noise_has_no_groups():
    X = np.random.default_rng(0).normal(size=(600, 4))
    model = Auto(random_state=0, candidates=QUICK).fit(X)
    assert (model.count_.n, set(model.labels_)) == (1, {0})


def test_the_budget_is_kept_and_something_answers():
    X = np.random.default_rng(0).normal(size=(1500, 6))
    began = time.monotonic()
    model = Auto(n_clusters=4, time_budget=3.0, random_state=0, candidates=["kmeans", "dec"]).fit(X)
    assert time.monotonic() - began < 6
    assert model.left_out_ == {"dec": "out of time"}
    assert model.best_name_ == "kmeans"


def test_the_same_seed_gives_the_same_labels_and_y_is_ignored():
    X, y = blobs(200, spread=2.5)
    model = Auto(n_clusters=3, candidates=QUICK, random_state=4)
    first = clone(model).fit(X).labels_
    state = np.random.get_state()[1].copy()
    np.testing.assert_array_equal(clone(model).fit(X, y).labels_, first)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_confidence_is_calibrated_against_the_second_run():
    X, _ = blobs(600, spread=4.0)
    model = Auto(n_clusters=3, candidates=["kmeans"], random_state=0).fit(X)
    same = align(model.second_labels_, model.labels_) == model.labels_
    assert 0.5 < same.mean() < 1
    assert abs(model.confidence_.mean() - same.mean()) < 0.02
    sure = model.confidence_ >= np.median(model.confidence_)
    assert same[sure].mean() > same[~sure].mean()
    np.testing.assert_allclose(model.predict_confidence(X), model.confidence_)


@pytest.mark.parametrize("name", ["ward", "mixture", "spectral", "kmeans"])
def test_rows_beside_those_that_were_fitted_are_as_sure_as_they(name):
    X, _ = blobs(300, spread=2.5)
    model = Auto(n_clusters=3, candidates=[name], random_state=0).fit(X)
    beside = X + np.random.default_rng(0).normal(0, 1e-3, X.shape)
    assert 0.5 < model.confidence_.mean() < 0.99
    assert model.predict_confidence(beside).mean() == pytest.approx(model.confidence_.mean(), abs=0.05)


def test_without_a_second_run_rows_at_a_border_are_less_sure_too():
    X, _ = blobs(300, spread=2.5)
    model = Auto(n_clusters=3, candidates=["ward"], confidence=False, random_state=0).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.confidence_.min() < 0.7
    assert model.confidence_.max() > 0.99


def test_clusters_that_are_empty_or_swallow_the_rest_are_told():
    rows = np.repeat([[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]], [50, 30, 20], axis=0)
    with pytest.warns(CollapseWarning, match="2 of 5 clusters hold no rows. Try another K"):
        Auto(n_clusters=5, random_state=0).fit(rows)
    with pytest.warns(CollapseWarning, match="One cluster holds 97% of the rows"):
        Auto(n_clusters=3, random_state=0).fit(rows[np.repeat([0, 60, 90], [380, 6, 6])])


def test_images_in_a_frame_keep_their_names():
    X = bars(80)[0].reshape(80, -1)
    frame = pd.DataFrame(X, columns=[f"p{j}" for j in range(X.shape[1])])
    model = Auto(n_clusters=2, candidates=["kmeans"], image_shape=(8, 8), random_state=0).fit(frame)
    np.testing.assert_array_equal(model.predict(frame), model.labels_)
    assert list(model.best_.feature_names_in_) == list(frame.columns)


def test_a_seed_of_numpy_is_a_seed_like_any_other(tmp_path):
    X, _ = blobs()
    with config_context(checkpoint=tmp_path):
        first = Auto(n_clusters=np.int64(3), candidates=["kmeans"], random_state=np.int64(0)).fit(X)
        again = Auto(n_clusters=3, candidates=["kmeans"], random_state=0).fit(X)
        with pytest.raises(InputError, match="seed differ"):
            Auto(n_clusters=3, candidates=["kmeans"], random_state=np.int64(1)).fit(X)
    np.testing.assert_array_equal(first.labels_, again.labels_)


def test_what_was_asked_for_stays_the_reason_after_a_split():
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = Auto(n_clusters=1, random_state=0).fit(X)
    model.split(0, X=X)
    assert model.why().startswith("One cluster was asked for")


def test_a_saved_choice_is_the_chosen_system(tmp_path):
    X, _ = blobs(120)
    model = Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(X)
    model.save(tmp_path / "m")
    read = coterie.load(tmp_path / "m")
    assert type(read) is type(model.best_)
    np.testing.assert_array_equal(read.predict_confidence(X), model.confidence_)
    np.testing.assert_array_equal(read.predict(X), model.labels_)


def test_what_an_earlier_process_fitted_is_not_fitted_again(tmp_path, monkeypatch):
    X, _ = blobs(120)
    with config_context(checkpoint=tmp_path):
        first = Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(X)
        monkeypatch.setattr("coterie.selection.trying.make_candidate", None)  # would raise if it was called
        again = Auto(n_clusters=3, candidates=QUICK, random_state=0)
        monkeypatch.setattr(Auto, "check_with", lambda self, source, **told: make_knowledge(len(source)))
        again.fit(X)
    np.testing.assert_array_equal(first.labels_, again.labels_)


def test_a_choice_that_knew_labels_is_another_one(tmp_path):
    X, y = blobs(120)
    with config_context(checkpoint=tmp_path):
        Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(X, known=np.where(np.arange(120) < 9, y, -1))
        with pytest.raises(InputError, match="belongs to another choice .known differ"):
            Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(X)


def test_with_labels_what_learns_from_them_is_tried_though_rows_are_few():
    X, y = blobs(120)
    names = names_for("auto", n_rows=120, n_values=4, n_clusters=3, known=True)
    assert names == [*names_for("auto", n_rows=120, n_values=4, n_clusters=3), "dec"]
    trying = Trying(make_source(X), Notes(None, {}, seed=0), make_knowledge(120, known=y), **ANY_TIME, sparing=True)
    trying.fit("kmeans")
    trying.fit("ward")
    assert list(trying.models) == ["kmeans", "ward"]  # simple ones too, which labels may tell apart
    trying.fit("n2d")
    assert trying.notes.left_out == {"n2d": "not needed"}  # labels would teach it nothing
    assert not trying._is_enough("dec")


def test_what_was_begun_in_other_arithmetic_is_no_candidate_that_failed():
    trying = Trying(make_source(blobs(120)[0]), Notes(None, {}, seed=0), make_knowledge(120), **ANY_TIME, sparing=True)
    trying.fit("kmeans")

    def begun(name, was, now):
        raise OtherFitError("it is another fit", {name: (was, now)})

    with pytest.raises(OtherFitError):
        trying.fit_or_load("dec", lambda: begun("precision", "bfloat16", "float32"))
    assert trying.fit_or_load("n2d", lambda: begun("parameters.tol", 0.1, 0.2)) is None
    assert trying.notes.left_out == {"n2d": "failed: it is another fit"}


def test_a_checkpoint_of_another_choice_is_refused(tmp_path):
    with config_context(checkpoint=tmp_path):
        Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(blobs(120)[0])
        with pytest.raises(InputError, match="belongs to another choice .rows differ"):
            Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(blobs(121)[0])
        with pytest.raises(InputError, match="belongs to another choice .parameters, seed differ"):
            Auto(n_clusters=4, candidates=QUICK, random_state=1).fit(blobs(120)[0])


def test_a_stopped_choice_goes_on_with_its_seed_and_its_clock(tmp_path):
    X, _ = blobs(150, spread=2.0)
    with config_context(checkpoint=tmp_path):
        first = Auto(n_clusters=3, candidates=QUICK).fit(X)
        spent = json.loads((tmp_path / "choice.json").read_text())["spent"]
        again = Auto(n_clusters=3, candidates=QUICK).fit(X)
    np.testing.assert_array_equal(first.labels_, again.labels_)
    np.testing.assert_array_equal(first.second_labels_, again.second_labels_)
    assert again.fit_seconds_ > spent == first.fit_seconds_ > 0  # the last minutes are noted too


def test_a_stopped_choice_goes_on_with_the_number_of_clusters_that_it_found(tmp_path, monkeypatch):
    X, _ = blobs(150)
    with config_context(checkpoint=tmp_path):
        first = Auto(candidates=QUICK, time_budget=1000.0, random_state=0).fit(X)
        monkeypatch.setattr("coterie.selection.counting.count", None)  # would raise if it was called
        again = Auto(candidates=QUICK, time_budget=1000.0, random_state=0).fit(X)
    assert again.count_.to_dict() == first.count_.to_dict()
    np.testing.assert_array_equal(first.labels_, again.labels_)


@pytest.mark.timeout(method="thread")  # which leaves the alarm free
def test_the_alarm_ends_a_simple_method_and_counting_and_is_turned_off(monkeypatch):
    def endless(*_, **__):
        while True:
            pass

    monkeypatch.setattr("coterie.algorithms.shallow.partition", endless)
    monkeypatch.setattr("coterie.algorithms.counting.replication", endless)
    before = signal.getsignal(signal.SIGALRM)
    began = time.monotonic()
    model = Auto(candidates=QUICK, time_budget=3.0, random_state=0).fit(blobs(120)[0])
    assert time.monotonic() - began < 3.3
    assert model.count_.n == 3
    assert model.left_out_ == {
        "counting": "out of time; only gaps between groups were looked for",
        "ward": "out of time",
    }
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_images_whose_code_takes_too_long_are_counted_as_they_are(monkeypatch):
    def too_long(*_):
        raise OutOfTimeError

    monkeypatch.setattr("coterie.algorithms.counting._code", too_long)
    rng = np.random.default_rng(0)
    images = np.repeat(rng.random((3, 6, 6)), 400, axis=0) + rng.normal(0, 0.3, (1200, 6, 6))
    model = Auto((3, 4), candidates=["kmeans"], time_budget=1000.0, random_state=0).fit(images)
    assert model.left_out_["counting"] == "out of time; some of the rows were divided as they are, which finds few"
    assert model.count_.n == 3
    assert max(model.count_.replication, key=model.count_.replication.get) == 3


def test_the_first_candidate_has_all_the_time_there_is():
    model = Auto(n_clusters=3, candidates=["ward", "mixture"], time_budget=1e-6, random_state=0).fit(blobs()[0])
    assert (model.best_name_, model.left_out_) == ("mixture", {"ward": "out of time"})


def test_a_candidate_that_fails_is_left_out(monkeypatch):
    from coterie.algorithms import shallow

    def broken(method, z, n_clusters, *, seed):
        raise ValueError("no such luck")

    monkeypatch.setattr(shallow, "partition", broken)
    model = Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(blobs()[0])
    assert (model.best_name_, model.left_out_) == ("kmeans", {"ward": "failed: no such luck"})


def test_a_second_fit_that_fails_leaves_what_was_chosen(monkeypatch):
    from coterie.algorithms import shallow

    whole, sizes = shallow.partition, []

    def broken(method, z, n_clusters, *, seed):
        sizes.append(len(z))
        if len(z) < 90:  # the second fit's half of the rows
            raise ValueError("no such luck")
        return whole(method, z, n_clusters, seed=seed)

    monkeypatch.setattr(shallow, "partition", broken)
    with pytest.warns(DataWarning, match="second-ward failed: no such luck; the choice stands without it"):
        model = Auto(n_clusters=3, candidates=["ward"], random_state=0).fit(blobs()[0])
    assert min(sizes) < 90
    assert (model.best_name_, model.second_name_, model.left_out_) == ("ward", None, {})
    assert "independent run" not in model.why()


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"candidates": [["kmeans"]]}, "'candidates'"),
        ({"n_clusters": (91, 95)}, r"n_clusters=\(91, 95\) and n_samples=90"),
        ({"candidates": ["abacus"]}, "'candidates' parameter of Auto must be 'auto' or a list of some of kmeans"),
        ({"candidates": []}, "'candidates'"),
        ({"n_clusters": (5, 3)}, "'n_clusters' parameter of Auto must be an integer >= 1, 'auto' or a range"),
        ({"n_clusters": 91}, "parameter of Auto .* Got n_clusters=91 and n_samples=90"),
        ({"time_budget": -1}, "'time_budget' parameter of Auto must be None or a positive number"),
        ({"confidence": "no"}, "'confidence' parameter of Auto must be True or False. Got 'no' instead"),
    ],
)
def test_bad_parameters_are_named(parameters, sentence):
    with pytest.raises(InputError, match=sentence):
        Auto(**parameters).fit(blobs()[0])


def test_few_rows_and_vectors_have_fewer_candidates():
    images = names_for("auto", n_rows=5000, n_values=64, n_clusters=3, images=True)
    assert images == [name for name in CANDIDATES if name != "n2d"]
    assert names_for(["n2d"], n_rows=5000, n_values=64, n_clusters=3) == ["n2d"]
    assert "jule" in images
    for many in ({"n_rows": 200_000, "n_values": 64}, {"n_rows": 50_000, "n_values": 12_288}):
        assert "jule" not in names_for("auto", **many, n_clusters=3, images=True)  # it compares all with all
    assert "jule" not in names_for("auto", n_rows=5000, n_values=64, n_clusters=3)
    assert "dec" not in names_for("auto", n_rows=500, n_values=64, n_clusters=3, images=True)
    assert "dec" not in names_for("auto", n_rows=5000, n_values=2, n_clusters=3)


@pytest.mark.parametrize(("k", "sizes"), [(2, [200, 200]), (3, [150, 150, 150])])
def test_a_few_rows_far_away_do_not_settle_it(k, sizes):
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(size, 2)) + np.array([8.0 * i, 0.0]) for i, size in enumerate(sizes)]
    X = np.vstack([*groups, rng.normal(size=(16, 2)) + np.array([0.0, 60.0])])
    y = np.repeat(np.arange(k), sizes)
    auto = Auto(n_clusters=k, random_state=0).fit(X)
    assert adjusted_rand_score(y, auto.labels_[: len(y)]) > 0.95


def test_a_cluster_that_the_sample_misses_is_one_all_the_same(monkeypatch):
    monkeypatch.setattr(ranking, "JUDGED", 100)
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + 9, [[50.0, 50.0]]])
    space = make_space(make_source(X), n_clusters=3, seed=1)
    assert 1000 not in space.rows
    assert space.judge(np.repeat([0, 1, 2], [500, 500, 1])).clusters == 3


def test_of_few_rows_few_neighbours_tell():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(scale=0.1, size=(5, 2)) + center for center in ((0, 0), (5, 0), (0, 5))])
    space = make_space(make_source(X), n_clusters=3, seed=0)
    right, wrong = np.repeat([0, 1, 2], 5), np.repeat([0, 0, 1, 2], [5, 5, 2, 3])
    assert space.judge(right).worth > 0.9
    assert space.judge(wrong).worth < 0.5


def test_the_time_of_a_candidate_that_was_stopped_counts(tmp_path, monkeypatch):
    def slow(self, name):
        time.sleep(0.3)
        raise KeyboardInterrupt

    monkeypatch.setattr(Trying, "fit", slow)
    for at_least in (0.3, 0.6):
        with pytest.raises(KeyboardInterrupt), config_context(checkpoint=tmp_path):
            Auto(n_clusters=3, candidates=["ward"], random_state=0).fit(blobs(60)[0])
        assert json.loads(next(tmp_path.rglob("choice.json")).read_text())["spent"] >= at_least


def test_half_of_few_rows_is_no_second_run_and_nothing_is_said_of_one():
    X = np.random.default_rng(0).normal(size=(30, 3))
    auto = Auto(n_clusters=16, candidates=["ward"], random_state=0).fit(X)
    assert auto.second_name_ is None
    assert "independent run" not in auto.why()


def test_what_three_agree_on_is_settled_though_groups_touch():
    X = np.random.default_rng(0).normal(size=(600, 2)) + np.arange(600)[:, None] % 2 * 2
    source = make_source(X)
    space = make_space(source, n_clusters=2, seed=0)
    models = {f"{seed}": KMeans(n_clusters=2, random_state=seed).fit(source) for seed in range(3)}
    assert rank_models(models, space, n_clusters=2)[0][0].judgement.kept < 0.9
    assert is_settled(models, space, n_clusters=2)
    two = {name: models[name] for name in ("0", "1")}
    assert not is_settled(two, space, n_clusters=2)
    other = KMeans(n_clusters=2, random_state=0).fit(X[::-1] ** 2)
    assert not is_settled(two | {"2": other}, space, n_clusters=2)


def test_no_network_is_tried_on_rows_of_two_values():
    X = np.random.default_rng(0).normal(size=(1000, 2)) + np.arange(1000)[:, None] % 2 * 3
    model = Auto(n_clusters=2, confidence=False, random_state=0).fit(X)
    assert not {"dec", "n2d"} & ({trial.name for trial in model.trials_} | set(model.left_out_))


def test_pairs_decide_among_candidates():
    X, _ = wide_and_tight(300)
    asked = Auto(n_clusters=2, candidates=["kmeans", "mixture"], confidence=False, random_state=0)
    best, other = (trial.model.labels_ for trial in asked.fit(X).trials_)
    name, rival = (trial.name for trial in asked.trials_)
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 300, (4000, 2))
    i, j = pairs.T
    joined = pairs[(other[i] == other[j]) & (best[i] != best[j])][:10]
    parted = pairs[(other[i] != other[j]) & (best[i] == best[j])][:10]
    assert (len(joined), len(parted)) == (10, 10)
    asked.fit(X, must_link=joined, cannot_link=parted)
    assert (asked.best_name_, asked.trials_[1].name) == (rival, name)
    assert [trial.agreement for trial in asked.trials_] == [1.0, 0.0]
    assert asked.n_pairs_ == 20
    assert "20 pairs were used; 100.0% of this is kept." in asked.why()
    with pytest.warns(DataWarning, match="1 of 1 pairs are not kept"):
        asked.fit(X, must_link=[(int(np.argmin(X[:, 0])), int(np.argmax(X[:, 0])))])
    assert "1 pair was used; 0.0% of this is kept." in asked.why()
    with pytest.raises(InputError, match="must_link must hold row numbers from 0 to 299"):
        asked.fit(X, must_link=[(0, 300)])


def test_a_choice_has_the_manners_of_the_system_that_answers():
    X, _ = blobs(120)
    auto = Auto(n_clusters=3, candidates=QUICK, random_state=0).fit(X)
    np.testing.assert_array_equal(auto.strangeness(X), auto.best_.strangeness(X))
    assert auto.describe(X) == auto.best_.describe(X)
    z = auto.transform(X)
    np.testing.assert_array_equal(auto.inverse_transform(z), auto.best_.inverse_transform(z))
    assert drift(auto, X).figures() == drift(auto.best_, X).figures()
    framed = make_pipeline(StandardScaler(), Auto(n_clusters=3, candidates=QUICK, random_state=0))
    found = framed.set_output(transform="pandas").fit(X).transform(X)
    assert list(found.columns) == list(framed[-1].get_feature_names_out())
    assert list(found.columns)[:2] == ["auto0", "auto1"]  # whichever system is the best
    for name in ("labels_", "cluster_centers_", "cluster_names_"):
        with pytest.raises(NotFittedError, match="This Auto instance is not fitted yet"):
            getattr(Auto(), name)


def test_one_cluster_is_no_success_in_words():
    X = np.random.default_rng(0).normal(size=(300, 4))
    auto = Auto(random_state=0, confidence=False).fit(X)
    assert auto.why().startswith("No groups were found")
    auto.count_ = replace(auto.count_, replication={})  # as where the time ran out
    assert auto.why().startswith("No gaps were seen between groups, and for more than that there was no time")
    assert Auto(n_clusters=1, random_state=0).fit(X).why().startswith("One cluster was asked for")


def test_of_what_is_about_as_good_the_one_that_others_agree_with_comes_first():
    y = np.arange(90) % 3
    alone, near = np.arange(90) // 30, np.where(np.arange(90) < 6, (y + 1) % 3, y)

    def trial(name, labels, kept, clusters=3):
        judgement = Judgement(cut=0.0, told=kept, likelihood=0.0, clusters=clusters)
        return Trial(name, KMeans(n_clusters=3, n_init=1).fit(np.eye(3)[labels] * 9), judgement)

    def order(*trials):
        return [each.name for each in _backed_first(list(trials), 3)]

    lone, first, second = trial("lone", alone, 0.76), trial("first", y, 0.75), trial("second", near, 0.745)
    assert order(lone, first, second) == ["first", "lone", "second"]
    assert order(lone, first) == ["lone", "first"]  # of two, each agrees with the other alike
    assert order(trial("lone", alone, 0.9), first, second) == ["lone", "first", "second"]
    assert order(lone, first, trial("second", near, 0.745, clusters=2)) == ["lone", "first", "second"]
    backed = [first, lone, second]
    assert "about as well as any (0.75 of 1), and others agree with it" in reason(
        backed, "neighbours", labels=y, second=None
    )
    told = [replace(each, agreement=1.0) for each in backed]
    said = reason(told, "neighbours", labels=y, second=None, n_known=3)
    assert "of those that agree as well with what is known, it comes first" in said
    assert "others agree" not in said
    crumbs = trial("crumbs", alone, 0.8)
    crumbs = replace(crumbs, judgement=replace(crumbs.judgement, evenness=0.3))
    said = reason([first, crumbs], "neighbours", labels=y, second=None)
    assert "it keeps neighbours together well (0.75 of 1), in clusters of less uneven sizes" in said
