"""Rows unlike the training rows, and what has moved since."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from small import bars, blobs

import coterie
from coterie import Auto, KMeans
from coterie.data import make_source
from coterie.errors import InputError
from coterie.familiarity import Familiarity
from coterie.selection import Drift, drift


def by_hand(known, new):
    """Strangeness as its definition says, row by row."""

    def near(x):
        distance = np.linalg.norm(known - x, axis=1)
        return np.sort(distance), np.argsort(distance)

    reach = np.array([near(x)[0][5] for x in known])  # the first is the row itself
    found = [(near(x)[0][4], reach[near(x)[1][:5]].mean()) for x in new]
    return [distance / np.sqrt(usual * np.median(reach)) for distance, usual in found]


def test_strangeness_is_the_distance_to_the_fifth_neighbour_over_what_is_usual():
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(40, 3)), rng.normal(size=(5, 3)) * 3
    seen = Familiarity.of(make_source(known, scaling="none"), seed=0)
    found = seen.strangeness(make_source(new, scaling="none"))
    np.testing.assert_allclose(found, by_hand(known, new), rtol=1e-3)


def test_of_images_direction_and_log_length_are_compared():
    X, _ = bars(80, side=6)  # which has fewer values than there may be principal components
    known, new = X[:60], np.concatenate([X[60:] // 2, X[60:].cumsum(2).clip(0, 255).astype(np.uint8)])
    source = make_source(known)
    rows = [make_source(x, spec=source.spec).take(slice(0, len(x))).flatten(1).numpy() for x in (known, new)]
    length = [np.linalg.norm(x, axis=1, keepdims=True) for x in rows]
    polar = [np.hstack([x / own, np.log(own / np.median(length[0]))]) for x, own in zip(rows, length, strict=True)]
    seen = Familiarity.of(source, seed=0)
    found = seen.strangeness(make_source(new, spec=source.spec))
    np.testing.assert_allclose(found, by_hand(*polar), rtol=1e-3)


def test_darker_images_and_empty_ones_are_noticed():
    X, _ = bars(400)
    model = KMeans(n_clusters=2, random_state=0).fit(X[:300])
    assert not drift(model, X[300:]).strange.mean() > 0.05
    assert drift(model, X[300:] // 4).strange.all()
    assert drift(model, X[300:] // 4).shift > 0.5
    assert drift(model, np.zeros_like(X[:3])).strange.all()


def test_one_training_row_in_a_hundred_is_beyond_the_threshold():
    rng = np.random.default_rng(0)
    source = make_source(rng.normal(size=(3000, 4)))
    seen = Familiarity.of(source, seed=0)
    fresh = make_source(rng.normal(size=(3000, 4)), spec=source.spec)
    assert 0.003 < (seen.strangeness(fresh) > seen.threshold).mean() < 0.03


@pytest.mark.parametrize(("n", "d"), [(300, 60), (1000, 100), (500, 300)])
def test_rows_of_many_columns_are_as_strange_to_the_training_rows_as_these_are_to_each_other(n, d):
    rng = np.random.default_rng(0)
    groups = 4.0 * np.eye(3, d)
    known, fresh = (groups[rng.integers(0, 3, m)] + rng.normal(size=(m, d)) for m in (n, 2000))
    seen = Familiarity.of(source := make_source(known), seed=0)
    flagged = seen.strangeness(make_source(fresh, spec=source.spec)) > seen.threshold
    assert 0.002 < flagged.mean() < 0.04


def test_what_is_new_may_be_in_columns_that_never_varied():
    rng = np.random.default_rng(0)
    topics = np.repeat(np.eye(4, 8), 20, axis=1)[np.arange(400) // 100]  # 160 words, 20 of each topic
    words = topics * (rng.random((400, 160)) < 0.6) * rng.uniform(0.5, 1, (400, 160))
    model = KMeans(n_clusters=3, random_state=0).fit(pd.DataFrame(words[:300]))
    assert drift(model, pd.DataFrame(words[300:])).strange.mean() > 0.9
    one = words[:50].copy()
    one[:, 159] = 9
    assert drift(model, pd.DataFrame(one)).strange.all()


def sampled(sizes, usual):
    """The drift of rows in clusters of these sizes from 400 in these shares."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return Drift(np.zeros(len(labels)), 1.0, labels, usual, shift=0.0, n_fitted=400)


@pytest.mark.parametrize(("n", "k"), [(1, 60), (5, 60), (300, 60), (20_000, 4)])
def test_samples_of_one_population_hardly_ever_differ_clearly(n, k):
    rng, p = np.random.default_rng(0), np.full(k, 1 / k)
    found = [sampled(rng.multinomial(n, p), rng.multinomial(400, p) / 400) for _ in range(100)]
    assert np.mean([each.differs.any() for each in found]) <= 0.03
    assert np.mean([each.moved for each in found]) == pytest.approx(np.mean([e.chance for e in found]), rel=0.15)
    away = sampled(n * np.eye(k, dtype=int)[0], p)
    assert away.differs[0] == (n > 1)
    assert all(each.chance <= 1 for each in found)


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


def test_columns_in_another_order_are_refused():
    X, _ = blobs(60)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    model = KMeans(n_clusters=3, random_state=0).fit(frame)
    assert drift(model, frame).moved == 0.0
    with pytest.raises(ValueError, match="feature names should match"):
        drift(model, frame[frame.columns[::-1]])


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
    rng = np.random.default_rng(0)  # both those of today and those of training are but a sample
    now, then = (rng.multinomial(n, fewer.usual, 2000) / n for n in (len(kept), len(X)))
    assert fewer.chance == pytest.approx(np.abs(now - then).sum(1).mean() / 2, rel=0.05)
    assert f"differ by 33.3%, where up to {fewer.chance:.1%} is expected by chance" in fewer.sentence()
    assert f"most in cluster {gone} (33.3% then, 0.0% now)" in fewer.sentence()
    told = fewer.sentence(noun="image", names=["a", "b", "c"])
    assert f"most in cluster {gone} '{'abc'[gone]}' (33.3%" in told and "row" not in told
    assert drift(model, X + 100).strange.all()
    figures = drift(model, X + 100).figures()
    assert figures["strange"] == 300
    assert f"where {figures['strange_share_usual']:.1%} is usual" in drift(model, X + 100).sentence()


@pytest.mark.parametrize("model", [KMeans(2), Auto(2)])
def test_what_is_not_fitted_is_said_so(model):
    with pytest.raises(NotFittedError):
        drift(model, [[0.0], [1.0]])


def test_of_few_training_rows_more_than_one_in_a_hundred_is_usual():
    rng = np.random.default_rng(0)
    flagged = []
    for seed in range(30):
        found = drift(KMeans(n_clusters=1, random_state=seed).fit(rng.normal(size=(24, 3))), rng.normal(size=(200, 3)))
        flagged.append(found.strange.mean())
    assert found.expected == 1 / 25
    assert "where 4.0% is usual" in found.sentence()
    assert abs(np.mean(flagged) - 1 / 25) < 0.02
