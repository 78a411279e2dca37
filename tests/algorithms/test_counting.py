"""How many clusters there are, where nobody says."""

import json
import re
import shutil

import numpy as np
import pytest
from sklearn.base import clone
from small import bars, blobs, small
from stops import StopAt

import coterie
from coterie import DEC, AEKMeans, ClusterGAN, KMeans, config_context
from coterie.algorithms.counting import Count, likely
from coterie.errors import InputError, Interrupted


@pytest.mark.parametrize("cls", [KMeans, DEC, AEKMeans])
def test_a_system_finds_the_number_itself(cls):
    X, _ = blobs(240, k=4)
    model = small(cls, n_clusters="auto").fit(X)
    assert (model.count_.n, len(model.cluster_centers_), model.n_clusters) == (4, 4, "auto")
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_a_range_is_kept():
    X, _ = blobs(240, k=4)
    assert small(KMeans, n_clusters=(2, 3)).fit(X).count_.n == 3
    assert small(KMeans, n_clusters=(6, 8)).fit(X).count_.n == 6


def test_how_to_go_on_is_said_of_the_whole_fit_where_it_stops_amid_counting(tmp_path):
    images, _ = bars(1000)
    asked = small(DEC, n_clusters=(2, 3), network="auto", image_shape=None)
    with config_context(callbacks=(StopAt(1),)):
        with pytest.raises(Interrupted, match=r"Within coterie.config_context\(checkpoint=...\) a fit can go on"):
            asked.fit(images)
        with config_context(checkpoint=tmp_path), pytest.raises(Interrupted) as stopped:
            asked.fit(images)
    assert f"checkpoint={str(tmp_path)!r}" in str(stopped.value)


def test_a_seed_that_was_drawn_is_told_where_it_is_needed_to_go_on(tmp_path):
    X, _ = blobs(240, k=4)
    asked = small(DEC, n_clusters=(2, 5), random_state=None)
    with config_context(callbacks=(StopAt(25, "cluster"),)), pytest.raises(Interrupted) as stopped:
        asked.fit(X)
    folder = re.search(r"checkpoint='([^']+)'", str(stopped.value)).group(1)
    seed = int(re.search(r"random_state=(\d+)", str(stopped.value)).group(1))
    with config_context(checkpoint=folder):
        went_on = clone(asked).set_params(random_state=seed).fit(X)
    whole = small(DEC, n_clusters=(2, 5), random_state=seed).fit(X)
    np.testing.assert_array_equal(went_on.transform(X), whole.transform(X))
    shutil.rmtree(folder)


def test_one_sees_what_was_found_in_the_model_file(tmp_path):
    X, _ = blobs(240, k=4)
    model = small(DEC, n_clusters="auto").fit(X)
    model.save(tmp_path / "m")
    read = coterie.load(tmp_path / "m")
    assert (read.n_clusters, read.count_) == ("auto", model.count_)
    np.testing.assert_array_equal(read.predict(X), model.labels_)


def test_images_are_counted_in_a_code_and_a_checkpoint_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setattr("coterie.algorithms.counting.CODED_IMAGES", 300)
    X, _ = bars(300)
    with config_context(checkpoint=tmp_path):
        model = small(DEC, n_clusters="auto", augment="none").fit(X)
    assert (tmp_path / "count").is_dir()
    assert len(model.cluster_centers_) == model.count_.n >= 2
    assert model.count_.within == ()  # images are so small that they have no convolution


def test_larger_images_are_divided_within_groups_and_some_of_many_are_enough(monkeypatch):
    monkeypatch.setattr("coterie.algorithms.counting.CODED_IMAGES", 300)
    monkeypatch.setattr("coterie.algorithms.counting.ROWS", 320)
    X, _ = bars(400, side=24)
    model = small(DEC, n_clusters="auto", augment="none", network="auto").fit(X)
    assert len(model.cluster_centers_) == model.count_.n == sum(model.count_.within) >= 2
    assert Count.from_dict(model.count_.to_dict()) == model.count_


@pytest.mark.parametrize(
    ("replication", "n"),
    [
        ({}, 1),
        ({2: 0.5, 3: 0.6}, 1),  # no more than noise has
        ({2: 0.7, 3: 0.8, 4: 0.75}, 3),  # the likeliest
        ({2: 0.99, 5: 0.95, 6: 0.91, 7: 0.8}, 6),  # the most that are sure
    ],
)
def test_the_most_that_are_sure_else_the_likeliest(replication, n):
    assert [*likely(replication), 1][0] == n


@pytest.mark.parametrize("noise", [0.1, 0.15, 0.5])
@pytest.mark.parametrize("shape", ["normal", "uniform", "skewed"])
def test_a_long_cloud_is_one_however_often_it_is_halved_alike(noise, shape):
    rng = np.random.default_rng(7)
    along = {
        "normal": rng.normal(size=400),
        "uniform": rng.uniform(-1.7, 1.7, 400),
        "skewed": rng.exponential(size=400),
    }
    X = along[shape][:, None] + noise * rng.normal(size=(400, 4))
    assert KMeans(n_clusters="auto", random_state=0).fit(X).count_.n == 1
    asked = KMeans(n_clusters=(2, 5), random_state=0).fit(X).count_
    assert asked.n >= 2 and asked.asked


def test_a_range_is_no_reason_for_more_clusters_than_there_are_different_rows():
    X = np.repeat([[0.0], [1.0], [2.0]], 20, axis=0)
    assert KMeans(n_clusters=(2, 4), random_state=0).fit(X).count_.n <= 3


def test_a_range_beyond_what_there_is_is_said_to_be_what_asks_for_so_many():
    rng = np.random.default_rng(0)
    X = np.repeat(9.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0]]), 30, axis=0) + 0.3 * rng.normal(
        size=(150, 2)
    )
    count = KMeans(n_clusters=(6, 7), random_state=0).fit(X).count_
    assert count.apart == 5 and count.asked
    assert count.n in (6, 7) and count.seen == 5 and min(count.replication) == 2
    assert not KMeans(n_clusters=(4, 7), random_state=0).fit(X).count_.asked


def test_groups_that_touch_are_found_all_the_same():
    rng = np.random.default_rng(7)
    X = np.array([[0, 0], [4, 0], [0, 4]])[np.arange(1200) % 3] + rng.normal(size=(1200, 2))
    count = KMeans(n_clusters="auto", random_state=0).fit(X).count_
    assert (count.n, count.apart) == (3, 1)


def test_steps_of_a_column_are_no_groups():
    X = np.random.default_rng(0).integers(0, 2, (800, 5))
    assert KMeans(n_clusters="auto", random_state=0).fit(X).count_.n == 1


def test_a_system_with_a_network_of_its_own_kind_is_counted_for(monkeypatch):
    monkeypatch.setattr("coterie.algorithms.counting.CODED_IMAGES", 300)
    X, _ = bars(300)
    model = small(ClusterGAN, n_clusters=(2, 3), augment="none").fit(X)
    assert model.count_.n in (2, 3)


@pytest.mark.parametrize("wrong", ["many", (3, 2), (0, 4), 2.5, None])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(InputError, match="'n_clusters' parameter of KMeans must be an integer >= 1, 'auto' or a range"):
        KMeans(n_clusters=wrong).fit(blobs()[0])


def test_a_count_is_read_as_it_was_written():
    count = Count(3, 2, {2: 0.9, 3: 0.95}, asked=True, seen=2)
    assert Count.from_dict(count.to_dict()) == count
    assert not Count.from_dict({"n": 3, "apart": 2, "replication": []}).asked  # as earlier versions wrote it


def test_a_stopped_fit_goes_on_with_the_seed_that_was_drawn(tmp_path):
    X, _ = blobs(240, k=4)
    asked = small(DEC, n_clusters=(2, 5), random_state=None)
    with config_context(checkpoint=tmp_path):
        with config_context(callbacks=(StopAt(25, "cluster"),)), pytest.raises(Interrupted):
            asked.fit(X)
        drawn = json.loads((tmp_path / "seed.json").read_text())["seed"]
        went_on = clone(asked).fit(X)
    assert went_on.seed_ == drawn
    whole = small(DEC, n_clusters=(2, 5), random_state=drawn).fit(X)
    np.testing.assert_array_equal(went_on.transform(X), whole.transform(X))
