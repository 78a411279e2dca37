"""SelfLabel: which labels it learns, what it learns beyond its teachers, and what is known beside them."""

import os
import signal

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from stops import StopAt
from torch import nn

from coterie import Conv, KMeans, Schedule, SelfLabel, config_context
from coterie.algorithms.teaching import agreed, classified, names_for
from coterie.data import make_source
from coterie.data.knowledge import make_knowledge
from coterie.errors import DataWarning, InputError, Interrupted
from coterie.matching import unanimous
from coterie.training import Batch, Callback, Fit


def spoiled(y, share=0.1, seed=0):
    """Clusters of classes y with a share of the rows in a wrong one, in numbers of their own."""
    rng = np.random.default_rng(seed)
    k = int(y.max()) + 1
    wrong = rng.random(len(y)) < share
    return rng.permutation(k)[np.where(wrong, (y + rng.integers(1, k, len(y))) % k, y)]


def test_it_learns_what_teachers_agree_on_and_is_better_than_any_of_them():
    X, y = blobs(600)
    teachers = [spoiled(y, seed=seed) for seed in (1, 2)]
    model = small(SelfLabel).fit_to(X, teachers)
    assert max(adjusted_rand_score(y, labels) for labels in teachers) < 0.8
    assert adjusted_rand_score(y, model.labels_) == 1.0
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    held = model.taught_ >= 0
    np.testing.assert_array_equal(model.taught_[held], teachers[0][held])  # in the numbers of the first
    assert 0.7 < held.mean() < 0.9
    np.testing.assert_array_equal(small(SelfLabel).fit_to(X, iter(teachers)).labels_, model.labels_)


def test_the_loss_is_the_smoothed_cross_entropy_of_labelled_rows():
    X, y = blobs(60)
    model = small(SelfLabel, smoothing=0.2, train=Schedule(steps=60, batch_size=20)).fit_to(X, [y, spoiled(y)])
    source = make_source(X)
    fit = Fit(model.model_, source, streams=None, runtime=None)
    fit.memory["known"] = torch.from_numpy(model.taught_)
    rows = torch.from_numpy(np.flatnonzero(model.taught_ >= 0)[:20])
    with torch.no_grad():
        loss = model.terms(fit, Batch(rows, source.take(rows), None, decodes_moved=False, generator=None))["labels"]
        log_q = model._log_q(source).numpy()[rows.numpy()]
    target = 0.8 * np.eye(3)[model.taught_[rows.numpy()]] + 0.2 / 3
    assert float(loss) == pytest.approx(float(-(target * log_q).sum(1).mean()), rel=1e-5)


def test_rows_without_a_label_train_nothing():
    X, y = blobs(90)
    other = np.where(np.arange(90) < 45, y, (y + 1) % 3)  # half of the rows are not agreed on
    moved = X.copy()
    moved[45:] += 1
    codes = [small(SelfLabel, scaling="none").fit_to(rows, [y, other]).transform(X[:45]) for rows in (X, moved)]
    np.testing.assert_array_equal(*codes)


def test_known_labels_are_labels_whatever_teachers_say_and_number_the_clusters():
    X, y = blobs(300)
    known = np.full(300, -1)
    known[:6] = (y[:6] + 1) % 3  # the classes have other numbers than the first teacher's clusters
    model = small(SelfLabel).fit_to(X, [y, spoiled(y)], known=known)
    np.testing.assert_array_equal(model.labels_, (y + 1) % 3)
    np.testing.assert_array_equal(model.taught_[:6], known[:6])
    assert model.n_known_ == 6
    by_teachers = small(SelfLabel).fit(X, known=known)
    np.testing.assert_array_equal(by_teachers.labels_, (y + 1) % 3)
    assert by_teachers.n_known_ == 6


def test_a_cluster_of_which_others_have_no_counterpart_keeps_all_its_rows():
    first = np.repeat([0, 1, 2], 20)
    other = np.where(first == 2, 1, first)
    np.testing.assert_array_equal(agreed([first, other], 3, make_knowledge(60)), first)


def test_known_rows_renumber_clusters_only_where_that_puts_more_of_them_right():
    first = np.repeat([0, 1, 2], 20)
    known = np.full(60, -1)
    known[[0, 1, 20]] = 1, 1, 2
    np.testing.assert_array_equal(agreed([first], 3, make_knowledge(60, known=[1, 0] + [-1] * 58))[2:], first[2:])
    told = agreed([first], 3, make_knowledge(60, known=known))
    np.testing.assert_array_equal(told[[5, 25]], [1, 2])


def test_pairs_that_are_not_kept_are_told_and_that_no_teacher_can_use_are_refused():
    X, y = blobs(90)
    apart = [(0, int(np.flatnonzero(y == y[0])[1]))]
    with pytest.raises(InputError, match="'teachers' parameter of SelfLabel must name a system that can use pairs"):
        small(SelfLabel).fit(X, cannot_link=apart)
    from coterie.algorithms import knowing

    with pytest.warns(DataWarning, match="1 of 1 pairs are not kept"):
        knowing.warn_of_broken(make_knowledge(90, cannot_link=apart), y)


def test_what_the_fit_would_refuse_is_refused_before_teachers_are_trained(monkeypatch):
    monkeypatch.setattr("coterie.algorithms.teaching.ask", None)  # whatever calls it fails
    for wrong in ({"network": "conv"}, {"augment": "shift"}):
        with pytest.raises(InputError, match="needs images|parameter must"):
            small(SelfLabel, **wrong).fit(blobs()[0])


def test_teachers_are_fitted_to_what_can_be_known_and_each_has_its_seed(monkeypatch):
    from coterie import algorithms

    seen = []

    class Watched(algorithms.DEC):
        def fit(self, X, y=None, **told):
            seen.append((self.random_state, sorted(told)))
            return super().fit(X, y, **told)

    def short(**given):
        return small(Watched, **given)

    monkeypatch.setitem(algorithms.SYSTEMS, "dec", short)
    X, y = blobs(90)
    model = small(SelfLabel, teachers="auto", random_state=7).fit(X, known=np.where(np.arange(90) < 6, y, -1))
    assert seen == [(7, ["known"]), (8, ["known"])]
    assert model.settings_["teachers"] == ("dec", "dec")


def test_images_are_convolved_and_turned():
    X, y = bars()
    model = SelfLabel(2, train=Schedule(steps=30, batch_size=32), random_state=0).fit_to(X, [y, y])
    assert isinstance(model.settings_["network"], Conv)
    assert model.settings_["augment"].rotate > 0
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in model.model_.modules())
    assert adjusted_rand_score(y, model.labels_) == 1.0


@pytest.mark.parametrize(("teachers", "n_known"), [(["aekmeans"], 0), (["kmeans", "svm"], 30)])
def test_a_stopped_fit_goes_on_with_the_teachers_it_had(tmp_path, teachers, n_known):
    X, y = blobs(90, spread=1.5)
    known = np.where(np.arange(90) < n_known, y, -1) if n_known else None
    model = small(SelfLabel, teachers=teachers)
    whole = clone(model).fit(X, known=known)
    for step in (10, 30):  # of the first network that learns, where there are two
        with config_context(checkpoint=tmp_path, callbacks=(StopAt(step, "learn"),)), pytest.raises(Interrupted):
            clone(model).fit(X, known=known)
    with config_context(checkpoint=tmp_path):
        resumed = clone(model).fit(X, known=known)
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


def test_beside_a_classifier_a_network_learns_its_own_answers_that_a_teacher_confirms():
    X, y = blobs(300, spread=3.0)
    known = np.where(np.arange(300) < 30, y, -1)
    model = small(SelfLabel, teachers=["kmeans", "svm"]).fit(X, known=known)
    both = [
        KMeans(3, random_state=0).fit(X).labels_,
        classified(make_source(X), make_knowledge(300, known=known), random_state=0),
    ]
    once = small(SelfLabel).fit_to(X, both, known=known)
    heard = np.any([unanimous([once.labels_, labels]) >= 0 for labels in both], axis=0)
    held = known >= 0
    np.testing.assert_array_equal(model.taught_[~held], np.where(heard, once.labels_, -1)[~held])
    np.testing.assert_array_equal(model.taught_[held], known[held])
    assert (once.taught_ >= 0).sum() < (model.taught_ >= 0).sum() < 300


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"teachers": []}, "'teachers' parameter of SelfLabel must be 'auto' or a list of names of other systems"),
        ({"teachers": ["selflabel"]}, "must be 'auto' or a list of names of other systems"),
        ({"teachers": "dec"}, "must be 'auto' or a list of names of other systems"),
        ({"teachers": ["svm", "dec"]}, "a list of names of other systems, the last may be 'svm'"),
        ({"teachers": [["dec"]]}, "must be 'auto' or a list of names of other systems"),
        ({"smoothing": 1}, "'smoothing' parameter of SelfLabel must be a number in"),
    ],
)
def test_parameters_that_break_a_rule_are_named(parameters, said):
    with pytest.raises(InputError, match=said):
        small(SelfLabel, **parameters).fit(blobs()[0])


def test_a_stop_without_a_folder_says_what_would_have_kept_it():
    class Stop(Callback):
        def on_step(self, fit, phase):
            if phase.name == self.where:
                os.kill(os.getpid(), signal.SIGINT)

    stop = Stop()
    for stop.where, teacher in (("pretrain", "aekmeans"), ("learn", "kmeans")):
        with config_context(callbacks=(stop,)), pytest.raises(Interrupted, match="a fit with teachers can go on"):
            small(SelfLabel, teachers=[teacher], random_state=None).fit(blobs()[0])


def test_clusters_that_are_given_have_a_number():
    with pytest.raises(InputError, match="must be a number where clusters are given. Got 'auto'"):
        small(SelfLabel, n_clusters="auto").fit_to(blobs()[0], [np.arange(90) % 3])


@pytest.mark.parametrize(
    ("partitions", "said"),
    [
        ([], "Partitions must have a cluster for each of the same rows"),
        ([np.arange(90) % 4], "Partitions must have clusters from 0 to 2. Got 3"),
        ([np.arange(60) % 3], "must have a cluster for each of the 90 rows. Got 60"),
    ],
)
def test_partitions_that_do_not_fit_are_refused(partitions, said):
    with pytest.raises(InputError, match=said):
        small(SelfLabel).fit_to(blobs()[0], partitions)


def test_teachers_of_images_are_of_two_kinds_unless_something_is_known():
    images, rows = make_source(bars()[0]), make_source(blobs(n=60)[0])
    nothing, something = make_knowledge(60), make_knowledge(60, known=[0, 1, *[-1] * 58])
    pupil = SelfLabel(2)
    assert names_for(pupil, images, nothing) == ("dec", "jule")
    assert names_for(pupil, images, something) == names_for(pupil, rows, nothing) == ("dec", "dec")


def test_with_four_labels_a_cluster_one_of_them_is_a_classifier():
    rows = make_source(blobs(n=60)[0])
    known = {n: make_knowledge(60, known=[*np.arange(n) % 2, *[-1] * (60 - n)]) for n in (7, 8, 12)}
    assert [names_for(SelfLabel(K), rows, known[n]) for K, n in ((2, 7), (2, 8), (3, 8), (3, 12))] == [
        ("dec", "dec"),
        ("dec", "svm"),
        ("dec", "dec"),
        ("dec", "svm"),
    ]
    one = make_knowledge(60, known=[*[0] * 12, *[-1] * 48])
    assert names_for(SelfLabel(2), rows, one) == ("dec", "dec")  # of one class there is nothing to tell apart


def test_a_classifier_teaches_what_it_agrees_on_with_clusters_and_nothing_of_classes_that_nobody_named():
    X, y = blobs(300)
    known = np.full(300, -1)
    rows = np.concatenate([np.flatnonzero(y == k)[:8] for k in (0, 1)])  # a third group has no label
    known[rows] = y[rows]
    model = small(SelfLabel, teachers=["kmeans", "svm"]).fit(X, known=known)
    np.testing.assert_array_equal(model.labels_, y)
    assert model.settings_["teachers"] == ("kmeans", "svm")
    assert (model.taught_ == 2).sum() == (y == 2).sum()
    alone = small(SelfLabel, teachers=["svm"]).fit(X, known=np.where(np.arange(300) < 60, y, -1))
    np.testing.assert_array_equal(alone.labels_, y)
    with pytest.raises(InputError, match="'svm' where two classes or more are known, .* Got 2 labels of 2 classes"):
        small(SelfLabel, teachers=["svm"]).fit(X, known=np.where(np.arange(300) < 2, [0, 1] * 150, -1))


@pytest.mark.parametrize(("confirmed", "left"), [(1, 20), (3, 3)])
def test_a_cluster_that_hardly_anybody_confirms_is_taken_as_the_first_has_it(confirmed, left):
    first = np.repeat([0, 1], 20)
    second = np.where(np.arange(40) < confirmed, 0, 1)
    found = agreed([first, second], 2, make_knowledge(40))
    assert (found[:20] == 0).sum() == left
    assert (found[20:] == 1).all()


def test_rows_that_a_partition_leaves_out_have_no_label_from_it():
    X, y = blobs(90)
    noise = np.where(np.arange(90) % 9 == 0, -1, y)  # as HDBSCAN has it
    model = small(SelfLabel).fit_to(X, [noise, y])
    np.testing.assert_array_equal(model.taught_, noise)
    np.testing.assert_array_equal(model.labels_, y)
    told = model.fit_to(X, [noise, y], known=[int(y[0])] + [-1] * 89)
    assert told.taught_[0] == y[0] and told.taught_[9] == -1
    all_noise = np.where(y == 2, -1, y)  # a cluster that the second has not, as where it differs on nearly all its rows
    np.testing.assert_array_equal(agreed([y, all_noise], 3, make_knowledge(90)), y)
    with pytest.raises(InputError, match="a row at least that has a cluster in all of them"):
        model.fit_to(X, [np.full(90, -1), y])
    with pytest.raises(InputError, match=r"integers >= -1"):
        model.fit_to(X, [y - 2])
    with pytest.raises(InputError, match=r"shape \(n,\). Got shapes \[\(\), \(\), \(\), \(\), \(\), \.\.\.\]"):
        model.fit_to(X, y)  # the brackets were forgotten
