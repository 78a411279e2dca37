"""Rows unlike the training rows, and what has moved since."""

import numpy as np
import pytest
from small import bars, blobs

import coterie
from coterie import KMeans
from coterie.data import make_source
from coterie.errors import InputError
from coterie.familiarity import Familiarity
from coterie.selection import drift


def test_strangeness_is_the_ratio_of_distances_to_the_tenth_neighbour():
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(40, 3)), rng.normal(size=(5, 3)) * 3
    seen = Familiarity.of(make_source(known, scaling="none"), seed=0)

    def tenth(x, others):
        distance = np.sort(np.linalg.norm(others - x, axis=1))
        order = np.argsort(np.linalg.norm(others - x, axis=1))
        return distance, order

    reach = np.array([tenth(x, known)[0][10] for x in known])  # the first is the row itself
    expected = []
    for x in new:
        distance, order = tenth(x, known)
        expected.append(distance[9] / reach[order[:10]].mean())
    found = seen.strangeness(make_source(new, scaling="none"))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_one_training_row_in_a_hundred_is_beyond_the_threshold():
    rng = np.random.default_rng(0)
    source = make_source(rng.normal(size=(3000, 4)))
    seen = Familiarity.of(source, seed=0)
    fresh = make_source(rng.normal(size=(3000, 4)), spec=source.spec)
    assert 0.003 < (seen.strangeness(fresh) > seen.threshold).mean() < 0.03


@pytest.mark.parametrize(
    "rows", [np.arange(4.0)[:, None], np.repeat([[0.0], [9.0]], 20, axis=0), np.arange(2.0)[:, None]]
)
def test_a_handful_of_rows_is_not_strange_to_itself(rows):
    source = make_source(rows)
    seen = Familiarity.of(source, seed=0)
    assert (seen.strangeness(source) <= 3).all()


def test_training_rows_that_are_many_times_the_same_are_not_strange_in_any_block():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (40, 100))[rng.integers(0, 40, 3000)]
    model = KMeans(n_clusters=2, n_init=1, random_state=0).fit(X)
    assert not drift(model, X[:37]).strange.any()
    assert drift(model, X[:37] + 5).strange.all()


def test_a_model_file_keeps_the_training_rows(tmp_path):
    X, _ = bars(60)
    model = KMeans(n_clusters=2, random_state=0).fit(X)
    model.save(tmp_path / "m")
    read = coterie.load(tmp_path / "m")
    np.testing.assert_array_equal(read.strangeness(X), model.strangeness(X))
    assert read.familiarity_.threshold == pytest.approx(model.familiarity_.threshold)


def test_a_model_without_training_rows_says_so():
    model = KMeans(n_clusters=2, random_state=0).fit(blobs()[0])
    model.familiarity_ = None
    with pytest.raises(InputError, match="without training rows"):
        model.strangeness(blobs()[0])


def test_the_same_rows_do_not_drift_and_others_do():
    X, y = blobs(300)
    model = KMeans(n_clusters=3, random_state=0).fit(X)
    same = drift(model, X)
    assert (same.moved, round(same.shift, 6)) == (0.0, 0.0)
    assert same.strange.mean() < 0.05
    assert "the shares of the clusters differ by 0.0%; the mean row moved by 0.00 of" in same.sentence()
    kept = X[y != 2]
    fewer = drift(model, kept)
    gone = model.predict(X[y == 2])[0]
    assert fewer.moved == pytest.approx(1 / 3)
    assert f"most in cluster {gone} (33.3% then, 0.0% now)" in fewer.sentence()
    assert drift(model, X + 100).strange.all()
    assert drift(model, X + 100).figures()["strange"] == 300
