"""What is gathered for a report is true of the data, and survives the disk without pickle."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest

from coterie.data import make_source
from coterie.errors import InputError
from coterie.report import collect, load_arrays, save_arrays


@pytest.fixture(scope="module")
def gathered(digits):
    """Two hundred digits in three clusters, the soft assignments made so that each row's place is known."""
    x = digits[0][:200]
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 4)).astype(np.float32)
    q = rng.dirichlet(np.ones(3), size=200)
    return x, z, q, collect(z, q.argmax(1), q, source=make_source(x), method="pca", max_rows=50)


def test_means_are_those_of_the_raw_rows(gathered):
    x, _, q, arrays = gathered
    for k in range(3):
        np.testing.assert_allclose(arrays["means"][k], x[q.argmax(1) == k].mean(0), rtol=1e-5, atol=1e-5)


def test_means_and_spread_survive_a_large_offset_and_many_blocks():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(9000, 3)) + 1e8
    labels = np.repeat([0, 1], 4500)
    q = np.eye(2)[labels]
    arrays = collect(x[:, :2] - 1e8, labels, q, source=make_source(x), method="pca", max_rows=10)
    np.testing.assert_allclose(arrays["feature_sd"], x.std(0), rtol=1e-6)
    np.testing.assert_allclose(arrays["feature_mean"], x.mean(0), rtol=1e-12)


def test_typical_rows_are_surer_and_more_central_than_the_others(gathered):
    _, z, q, arrays = gathered
    labels = q.argmax(1)
    for k in range(3):
        rows = arrays["typical_rows"][k]
        distance = np.linalg.norm(z - z[labels == k].mean(0), axis=1)
        assert set(labels[rows]) == {k}
        assert q[rows, k].mean() > q[labels == k, k].mean()
        assert distance[rows].mean() < distance[labels == k].mean()


def test_doubtful_rows_have_the_smallest_lead_and_name_the_runner_up(gathered):
    _, _, q, arrays = gathered
    labels, ordered = q.argmax(1), np.sort(q, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    for k in range(3):
        rows, margins = arrays["doubtful_rows"][k], arrays["doubtful_margin"][k]
        np.testing.assert_allclose(margins, np.sort(lead[labels == k])[:12], rtol=1e-4)
        np.testing.assert_array_equal(arrays["doubtful_next"][k], np.argsort(q[rows], axis=1)[:, -2])


def test_examples_hold_the_rows_they_name(gathered):
    x, _, _, arrays = gathered
    for which in ("typical", "doubtful"):
        np.testing.assert_array_equal(arrays[f"{which}_raw"], x[arrays[f"{which}_rows"]])


def test_confidence_is_what_it_is_said_to_be_and_examples_are_those_of_the_assignments(gathered):
    x, z, q, arrays = gathered
    np.testing.assert_allclose(arrays["q_max"], q.max(1), rtol=1e-6)
    sure = np.linspace(0, 0.5, 200)
    other = collect(z, q.argmax(1), q, source=make_source(x), sure=sure, method="pca", max_rows=50)
    np.testing.assert_array_equal(other.pop("q_max"), sure.astype(np.float32))
    for name, values in other.items():
        np.testing.assert_array_equal(values, arrays[name])


def test_small_and_empty_clusters_are_padded(digits):
    x = digits[0][:30]
    labels = np.zeros(30, dtype=int)
    labels[:2] = 2
    q = np.eye(4)[labels]
    arrays = collect(np.arange(30.0)[:, None], labels, q, source=make_source(x), method="pca")
    assert (arrays["typical_rows"][2] >= 0).sum() == 2
    assert (arrays["typical_rows"][[1, 3]] == -1).all()
    assert np.isnan(arrays["means"][[1, 3]]).all()
    assert np.isfinite(arrays["means"][[0, 2]]).all()


def test_one_cluster_has_no_runner_up(digits):
    arrays = collect(np.ones((20, 3)), np.zeros(20, int), np.ones((20, 1)), source=make_source(digits[0][:20]))
    assert (arrays["doubtful_next"] == -1).all()
    assert (arrays["doubtful_rows"] >= 0).sum() == 12


def test_flat_rows_give_the_same_pictures_as_images(digits):
    x = digits[0][:60]
    q = np.random.default_rng(0).dirichlet(np.ones(2), size=60)
    as_images = collect(q, q.argmax(1), q, source=make_source(x), method="pca")
    as_rows = collect(q, q.argmax(1), q, source=make_source(x.reshape(60, 64), image_shape=(8, 8)), method="pca")
    for key in ("means", "typical_raw", "map_pictures", "value_range"):
        np.testing.assert_array_equal(as_images[key], as_rows[key])


def test_colour_images_keep_their_channels():
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    q = np.random.default_rng(1).dirichlet(np.ones(2), size=40)
    arrays = collect(q, q.argmax(1), q, source=make_source(x), method="pca")
    assert arrays["means"].shape == (2, 6, 5, 3)
    np.testing.assert_array_equal(arrays["map_pictures"], x[arrays["map_rows"]])


def test_all_is_written_without_pickle_and_read_back(tmp_path, digits):
    x, y = digits
    names = ["ascii", "ünï 中.png", "</script>"] * 10
    q = np.random.default_rng(0).dirichlet(np.ones(3), size=30)
    refreshed = [q.argmax(1), q.argmin(1)]
    arrays = collect(
        q,
        q.argmax(1),
        q,
        source=make_source(x[:30]),
        reconstruct=lambda rows: x[rows] * 0.5,
        refresh_labels=refreshed,
        refresh_steps=[0, 140],
        y=np.array(["zero", "one", "two"], dtype=object)[y[:30] % 3],
        names=names,
        network_summary="layers",
        method="pca",
    )
    save_arrays(tmp_path / "arrays.npz", arrays)
    again = load_arrays(tmp_path / "arrays.npz")  # load_arrays allows no pickle
    assert set(again) == set(arrays)
    for key, value in arrays.items():
        np.testing.assert_array_equal(again[key], value)
    assert again["names"].tolist() == names
    np.testing.assert_array_equal(again["refresh_labels"], refreshed)
    np.testing.assert_allclose(again["reconstructions"], again["originals"] * 0.5)
    assert json.loads(str(again["spec"]))["kind"] == "images"
    assert [p.name for p in tmp_path.iterdir()] == ["arrays.npz"]


@pytest.mark.parametrize(
    ("y", "saved"),
    [([True, False], [1, 0]), ([2.0, 5.0], [2, 5]), ([0.5, 1.5], ["0.5", "1.5"]), (["a", "b"], ["a", "b"])],
)
def test_classes_are_kept_as_integers_or_text(y, saved):
    q = np.array([[0.9, 0.1], [0.2, 0.8]])
    arrays = collect(q, q.argmax(1), q, source=make_source(np.array([[0.0, 1.0], [1.0, 0.0]])), y=np.array(y))
    assert arrays["y"].tolist() == saved


@pytest.mark.parametrize("name", ["z", "labels", "q", "sure", "y", "names"])
def test_lengths_that_contradict_each_other_are_named(name, digits):
    given = {
        "z": np.ones((5, 2)),
        "labels": np.zeros(5, int),
        "q": np.ones((5, 1)),
        "sure": np.ones(5),
        "y": np.zeros(5),
        "names": ["a"] * 5,
    }
    given[name] = given[name][:4]
    z, labels, q = (given.pop(key) for key in ("z", "labels", "q"))
    with pytest.raises(InputError, match=f"'{name}' parameter of collect must have 5 entries"):
        collect(z, labels, q, source=make_source(digits[0][:5]), **given)


def test_the_global_random_state_is_left_alone(digits):
    before = np.random.get_state()[1].copy()
    q = np.random.default_rng(0).dirichlet(np.ones(2), size=50)
    collect(
        q, q.argmax(1), q, source=make_source(digits[0][:50]), reconstruct=lambda rows: digits[0][rows], method="pca"
    )
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_damaged_foreign_and_newer_files_are_refused(tmp_path, runs):
    whole = (runs["one"] / "arrays.npz").read_bytes()
    path = tmp_path / "arrays.npz"
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match="damaged"):
            load_arrays(path)
    for place in range(40, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with suppress(InputError):  # some bytes, such as dates, mean nothing to the arrays; no other error may come
            load_arrays(path)
    np.savez(path, z=np.zeros(3))
    with pytest.raises(InputError, match="not a file of arrays for a report"):
        load_arrays(path)
    np.savez(path, **{**load_arrays(runs["one"] / "arrays.npz"), "format": np.array(99)})
    with pytest.raises(InputError, match="newer coterie"):
        load_arrays(path)
    np.savez(path, z=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="damaged"):
        load_arrays(path)
