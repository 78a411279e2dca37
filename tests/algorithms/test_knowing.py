"""Labels and pairs of a few rows: what they decide, what they leave alone, what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from small import Emptied, blobs, small
from stops import StopAt

import coterie
from coterie import DEC, IDEC, MLP, AEKMeans, Auto, KMeans, Schedule, config_context
from coterie.algorithms import knowing, steering
from coterie.algorithms.reviving import revive
from coterie.algorithms.steering import gather_groups, keep_pairs, number_clusters, propagate
from coterie.data.knowledge import check_known, make_knowledge
from coterie.errors import CollapseWarning, DataWarning, InputError, Interrupted
from coterie.selection import Judgement, Trial
from coterie.selection.labelled import number_by_class, ranked_by_labels
from coterie.starts import as_start, make_start
from coterie.training import Streams

FAMILY = [DEC, IDEC]
family = pytest.mark.parametrize("cls", FAMILY)


def few(y, each, seed=0, classes=None):
    """Labels of some rows of each class."""
    rng, known = np.random.default_rng(seed), np.full(len(y), -1)
    for c in np.unique(y) if classes is None else classes:
        rows = rng.permutation(np.flatnonzero(y == c))[:each]
        known[rows] = c
    return known


def square(n=240, seed=0):
    """Four groups at the corners of a square that is a little longer than wide: left/right parts it best."""
    rng, corner = np.random.default_rng(seed), np.arange(n) % 4
    middle = np.stack([corner % 2 * 10.0, corner // 2 * 8.0], 1)
    return middle + rng.normal(0, 0.4, (n, 2)), corner


@family
@pytest.mark.parametrize("each", [1, 5])
def test_class_c_is_cluster_c(cls, each):
    X, y = blobs(n=150)
    for renamed in ((y + 1) % 3, 2 - y):
        model = small(cls).fit(X, known=few(renamed, each))
        np.testing.assert_array_equal(model.labels_, renamed)
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        assert model.n_known_ == 3 * each


@family
def test_classes_that_nobody_named_are_new_clusters(cls):
    X, y = blobs(n=200, k=4)
    known = np.where(few(y, 4, classes=[0, 3]) == 3, 1, few(y, 4, classes=[0, 3]))
    model = small(cls, n_clusters=4).fit(X, known=known)
    assert set(model.labels_[y == 0]) == {0}
    assert set(model.labels_[y == 3]) == {1}
    assert {frozenset(model.labels_[y == c]) for c in (1, 2)} == {frozenset({2}), frozenset({3})}


@family
def test_known_rows_end_in_their_class(cls):
    X, y = blobs(n=200, spread=2.5)
    known = few(y, 20)
    held = known >= 0
    short = Schedule(steps=200, batch_size=64, learning_rate=5e-3)
    with_them = small(cls, train=short, network=MLP(hidden=(64,)), tol=None).fit(X, known=known)
    assert (with_them.labels_ == y)[held].mean() > 0.95
    assert (with_them.labels_ == y).mean() >= (small(cls, train=short).fit(X, known=few(y, 1)).labels_ == y).mean()


def test_one_odd_row_names_no_cluster_and_moves_none():
    X, y = blobs(n=300)
    known = few(y, 6)
    odd = np.flatnonzero((y == 0) & (known < 0))[0]
    known[odd] = 1
    model = small(DEC).fit(X, known=known)
    others = np.arange(300) != odd
    np.testing.assert_array_equal(model.labels_[others], y[others])


@family
def test_y_is_never_read(cls):
    X, y = blobs(n=90, spread=2.0)
    known = few(y, 3)
    first, second = small(cls).fit(X, known=known), small(cls).fit(X, y[::-1], known=known)
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    assert small(cls).fit(X, y).n_known_ == 0


@family
def test_other_labels_are_another_fit_and_no_labels_are_the_old_one(cls):
    X, y = blobs(n=120, spread=2.0)
    plain = small(cls).fit(X)
    code = plain.transform(X)
    np.testing.assert_array_equal(small(cls).fit(X, known=None).transform(X), code)
    one, other = (small(cls).fit(X, known=few(y, 5, seed)).transform(X) for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, code)


@family
@pytest.mark.parametrize("how", ["known", "pairs"])
def test_stopped_and_resumed_is_the_same_to_the_bit(cls, how, tmp_path):
    X, y = blobs(n=200, spread=2.0)
    told = {"known": few(y, 5)} if how == "known" else {"must_link": [(0, 3), (3, 9)], "cannot_link": [(0, 1)]}
    model = small(cls, update_interval=10, tol=None)
    whole = model.fit(X, **told).transform(X)
    with config_context(checkpoint=tmp_path, callbacks=(StopAt(25, "cluster"),)), pytest.raises(Interrupted):
        model.fit(X, **told)
    with config_context(checkpoint=tmp_path):
        changed = {"known": few(y, 5, seed=1)} if how == "known" else {"must_link": [(0, 3)]}
        for other in ({}, changed):
            with pytest.raises(InputError, match="another fit"):
                model.fit(X, **other)
        np.testing.assert_array_equal(model.fit(X, **told).transform(X), whole)


def test_saved_models_tell_that_labels_were_used(tmp_path):
    X, y = blobs()
    model = small(DEC).fit(X, known=few(y, 2), cannot_link=[(0, 1)])
    model.save(tmp_path / "model")
    loaded = coterie.load(tmp_path / "model")
    assert (loaded.n_known_, loaded.n_pairs_) == (6, 1)
    np.testing.assert_array_equal(loaded.predict(X), y)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"known": [0, 1]}, r"one for each of the 90 rows.*Got \(2,\)"),
        ({"known": np.zeros((90, 2), int)}, "one for each of the 90 rows"),
        ({"known": np.full(90, 0.5)}, "whole numbers"),
        ({"known": ["elm"] * 90}, "whole numbers"),
        ({"known": np.ones(90, dtype=bool)}, "whole numbers.* Got bool instead"),  # which rows are known is no class
        ({"known": np.full(90, -2)}, "must be >= 0, or -1.*Got -2"),
        ({"known": np.full(90, -1)}, "one row at least"),
        ({"known": pd.array([None, *[0, 1] * 44, 2], dtype="Int64")}, "must be -1 where a row has none. Got"),
        ({"known": pd.Series([pd.NA, *[0, 1] * 44, 2], dtype=object)}, "must be -1 where a row has none. Got <NA>"),
        ({"known": [None] * 90}, "must be -1 where a row has none. Got None"),
        ({"known": np.full(90, 2**64 - 1, dtype=np.uint64)}, "at most 9,007,199,254,740,992.*Got 18446744073709551615"),
        ({"known": np.full(90, -1e300)}, "must be >= 0, or -1"),
        ({"known": [2**70, -1] * 45}, "at most 9,007,199,254,740,992.*Got 1180591620717411303424"),
        ({"known": [-(2**70), -1] * 45}, "must be >= 0, or -1.*Got -1180591620717411303424"),
        ({"known": np.full(90, 0.5, np.float16)}, "whole numbers"),
        (
            {"known": np.arange(90)},
            "at least 90, .* Got 3 instead. Nearly all known labels differ: are they measurements",
        ),
        ({"known": np.arange(90) % 4}, "n_clusters.*at least 4, as each known class has a cluster.*up to 3. Got 3"),
        ({"must_link": [(0, 90)]}, "row numbers from 0 to 89. Got 90"),
        ({"cannot_link": [(4, 4)]}, "different rows. Got row 4"),
        ({"must_link": [0, 1]}, "pairs of row numbers"),
        ({"must_link": [(0, 1), (1, 2)], "cannot_link": [(2, 0)]}, "contradict each other: rows 2 and 0"),
        ({"known": np.arange(90) % 3, "must_link": [(0, 1)]}, "must_link and known contradict"),
        ({"known": np.arange(90) % 3, "cannot_link": [(0, 3)]}, "both are known to be of class 0"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(told, said):
    with pytest.raises(InputError, match=said) as refused:
        small(DEC).fit(blobs()[0], **told)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("cls", [KMeans, AEKMeans])
def test_systems_that_cannot_use_it_say_which_can(cls):
    X, y = blobs()
    with pytest.raises(
        InputError, match=rf"{cls.__name__} cannot use known=; Auto, DEC, IDEC, SelfLabel and SNNLKMeans can"
    ):
        small(cls).fit(X, known=y)
    with pytest.raises(InputError, match="cannot use must_link="):
        small(cls).fit(X, must_link=[(0, 1)])


@family
def test_pairs_part_what_no_clustering_would_part_so(cls):
    X, corner = square()
    parameters = {"n_clusters": 2, "train": Schedule(steps=150, batch_size=64, learning_rate=3e-3)}
    plain = small(cls, **parameters).fit(X).labels_
    top = corner // 2
    # Some rows of each side of the upper half belong together, and of the lower one; two of them do not.
    left, right = np.flatnonzero(corner % 2 == 0)[:40], np.flatnonzero(corner % 2 == 1)[:40]
    must = [(i, j) for i, j in zip(left, right, strict=True) if top[i] == top[j]]
    cannot = [(i, j) for i in left[:6] for j in left[:6] if i < j and top[i] != top[j]]
    taught = small(cls, **parameters).fit(X, must_link=must, cannot_link=cannot).labels_
    assert max((plain == top).mean(), (plain != top).mean()) < 0.6
    assert max((taught == top).mean(), (taught != top).mean()) == 1.0
    assert all(taught[i] == taught[j] for i, j in must)
    assert all(taught[i] != taught[j] for i, j in cannot)


def test_labels_are_passed_on_along_must_links():
    known = make_knowledge(6, known=[0, -1, -1, 1, -1, -1], must_link=[(0, 1), (2, 1), (4, 5)])
    assert known.labels.tolist() == [0, 0, 0, 1, -1, -1]
    assert known.groups[0] == known.groups[1] == known.groups[2] != known.groups[4] == known.groups[5]
    assert known.groups[3] == -1
    assert (known.n_known, known.n_pairs, known.n_classes) == (2, 3, 2)


def test_checking_copies():
    labels = np.array([0, -1, 2], dtype=np.int32)
    found = check_known(labels, 3)
    assert found.dtype == np.int64
    found[0] = 5
    assert labels[0] == 0


def ready(rows=60, **told):
    """A fit of some rows on random centres that knows something, with its model's own Student-t in NumPy."""
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.data import make_source
    from coterie.training import Fit, Runtime, Streams

    X, y = blobs(n=rows)
    source, model = make_source(X), small(DEC)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    network.head.fill(torch.randn(3, 2, generator=torch.Generator().manual_seed(1)), 1.3)
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), None, settings)
    knowing.remember(fit, make_knowledge(rows, **told))
    z = network.encoder(source.take(slice(0, rows))).detach().double().numpy()
    q = 1 / (1 + ((z[:, None] - network.head.centers.detach().double().numpy()) ** 2).sum(2) / 1.3**2)
    return fit, q / q.sum(1, keepdims=True), y


def test_the_terms_are_those_of_the_formula():
    pairs = np.array([(0, 3), (3, 7)])
    fit, q, _ = ready(must_link=pairs, cannot_link=[(1, 2)])
    found = knowing.terms(fit, fit.batch(torch.arange(32), 0))
    same = (q[pairs[:, 0]] * q[pairs[:, 1]]).sum(1)
    assert list(found) == ["together", "apart"]
    assert float(found["together"].detach()) == pytest.approx(-np.log(same).mean(), rel=1e-4)
    assert float(found["apart"].detach()) == pytest.approx(-np.log(1 - (q[1] * q[2]).sum()), rel=1e-4)

    known = few(np.arange(60) % 3, 1)
    fit, _, _ = ready(known=known)
    assert knowing.terms(fit, fit.batch(torch.arange(32), 0)) == {}  # one row a class names, and no more
    fit, q, _ = ready(known=np.where(np.isin(np.arange(60), [0, 1, 2]), np.arange(60) % 3, -1), must_link=[(0, 3)])
    drawn = float(knowing.terms(fit, fit.batch(torch.arange(60), 0))["known"].detach())
    each = -np.log(q[np.arange(4), [0, 1, 2, 0]])
    weight = 1 - 3 / 4
    low, high = (each[[0, 3]].min() + each[1] + each[2]) / 3, (each[[0, 3]].max() + each[1] + each[2]) / 3
    assert weight * low - 1e-5 <= drawn <= weight * high + 1e-5


def test_targets_of_known_rows_are_their_class_and_groups_share_theirs():
    fit, _, _ = ready(known=[2, *[-1] * 59], must_link=[(4, 5)])
    p = torch.rand(60, 3, generator=torch.Generator().manual_seed(0)).softmax(1)
    before = p.clone()
    found = knowing.taught(fit, p)
    assert found[0].tolist() == [0, 0, 1]
    torch.testing.assert_close(found[4], before[4:6].mean(0))
    torch.testing.assert_close(found[5], found[4])
    torch.testing.assert_close(found[6:], before[6:])


def test_classes_spread_where_clusters_do_not_follow_them():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, 400)
    y = np.arange(400) % 2
    moons = np.stack([np.cos(angle) * (1 - 2 * y) + y, np.sin(angle) * (1 - 2 * y) + 0.5 * y], 1)
    moons += rng.normal(0, 0.05, moons.shape)
    halves = (moons[:, 0] > 0.5).astype(int)
    known = few(y, 10)
    assert (number_clusters(as_start(moons, halves, 2), moons, known).labels == y).mean() < 0.9
    assert (propagate(moons, known, halves, seed=0) == y).mean() > 0.98


def test_where_known_rows_are_in_their_clusters_these_stay():
    X, _ = blobs(n=300, k=1)
    clusters = (X[:, 0] > X[:, 0].mean()).astype(int)  # no gap between them that neighbours could tell of
    known = few(clusters, 3)
    np.testing.assert_array_equal(propagate(X, known, clusters, seed=0), clusters)


def test_naming_puts_two_classes_into_two_clusters():
    z = np.array([[0.0], [0.2], [5.0], [5.2]])
    start = as_start(z, np.array([0, 0, 1, 1]), 2)
    # Both known rows lie in one cluster: the one that is nearer to the other cluster gives it its name.
    assert number_clusters(start, z, np.array([1, 0, -1, -1])).labels.tolist() == [1, 1, 0, 0]
    assert number_clusters(start, z, np.array([0, 1, -1, -1])).centers.ravel() == pytest.approx([0.1, 5.1])


def test_a_start_that_keeps_all_pairs_stays():
    X, corner = square()
    start = as_start(X, corner % 2, 2)
    groups = np.full(len(X), -1)
    groups[[0, 4]] = 0
    kept = keep_pairs(start, X, groups=groups, apart=np.array([[0, 1]]), seed=0)
    np.testing.assert_array_equal(kept.labels, start.labels)


@pytest.mark.parametrize("seed", range(12))
def test_a_start_with_pairs_never_breaks_more_of_them(seed):
    rng = np.random.default_rng(seed)
    z, groups = rng.normal(size=(60, 2)), np.full(60, -1)
    rows = rng.permutation(60)
    groups[rows[:12]] = np.repeat(np.arange(4), 3)
    apart = rows[12:18].reshape(3, 2)
    start = as_start(z, make_start("kmeans", z, 3, seed=seed).labels, 3)
    labels = keep_pairs(start, z, groups=groups, apart=apart, seed=seed).labels

    def broken(labels):
        return (labels[apart[:, 0]] == labels[apart[:, 1]]).mean()

    assert all(len(set(labels[groups == g])) == 1 for g in range(4))
    assert broken(labels) <= broken(gather_groups(start.labels, groups, 3))


def test_must_links_alone_are_followed_where_k_means_on_their_groups_finds_them():
    z = np.array([[0.0, 0], [0, 1], [9, 0], [9, 1]])
    start = make_start("kmeans", z, 2, seed=0)
    one, other, *rest = keep_pairs(start, z, groups=np.array([0, 1, 0, 1]), apart=np.empty((0, 2), int), seed=0).labels
    assert one != other and [one, other] == rest


def test_rows_at_a_border_that_are_kept_apart_part():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(50, 2)), rng.normal([4, 0], size=(50, 2))])
    start, alone = as_start(z, np.repeat([0, 1], 50), 2), np.full(100, -1)
    nearest = np.argsort(np.abs(z[:, 0] - 2))
    one, other = keep_pairs(start, z, groups=alone, apart=nearest[None, :2], seed=0).labels[nearest[:2]]
    assert one != other
    # A cannot-link of two rows is one of all that are together with them.
    groups = alone.copy()
    groups[nearest[:3]], groups[nearest[3:6]] = 0, 1
    labels = keep_pairs(start, z, groups=groups, apart=nearest[None, [0, 3]], seed=0).labels
    assert len(set(labels[nearest[:3]])) == len(set(labels[nearest[3:6]])) == 1
    assert labels[nearest[0]] != labels[nearest[3]]


def test_pairs_stay_together_where_classes_spread():
    X, y = blobs(n=150, spread=3.0)
    known = few(y, 4)
    unknown = np.flatnonzero(known < 0)
    pairs = unknown[:20].reshape(10, 2)  # of whatever classes
    fit, *_ = ready(rows=150, known=known, must_link=pairs)
    z = torch.from_numpy(X).float()
    labels = knowing.steered(fit, z, make_start("kmeans", X, 3, seed=0), seed=0).labels
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert (labels[known >= 0] == known[known >= 0]).all()


@pytest.mark.parametrize("make", [lambda: small(DEC, n_clusters="auto"), lambda: Auto(random_state=0)])
def test_years_are_no_numbers_of_clusters(make):
    X, y = blobs()
    with pytest.raises(InputError, match="must be numbers of clusters, from 0 on.*Got 2021 among 3 classes"):
        make().fit(X, known=2019 + y)


@pytest.mark.parametrize("make", [lambda: KMeans(3, random_state=0), lambda: Auto(3, random_state=0)])
def test_a_fit_that_is_refused_leaves_what_was_fitted(make):
    X, y = blobs()
    model = make().fit(X)
    masked = np.ma.masked_equal(y, 1)
    for wrong in (
        {"known": y[:5]},
        {"known": masked},
        {"must_link": [(0, 0)]},
        {"must_link": zip([0], [0], strict=True)},
    ):
        with pytest.raises(InputError):
            model.fit(X[:, :2], **wrong)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    new = make()
    with pytest.raises(InputError):
        new.fit(X, must_link=[(0, 0)])
    with pytest.raises(NotFittedError):
        new.predict(X)


def test_pairs_may_be_a_set():
    given = {"must_link": {(0, 3), (3, 9)}, "cannot_link": iter([(0, 1)])}
    found, listed = make_knowledge(60, **given), make_knowledge(60, must_link=[(0, 3), (3, 9)], cannot_link=[(0, 1)])
    np.testing.assert_array_equal(found.groups, listed.groups)
    np.testing.assert_array_equal(found.apart, listed.apart)


def test_with_the_number_open_there_are_at_least_the_named_classes():
    X, y = blobs(n=200)
    known = few(y, 3)
    known[known == 2] = 5
    model = small(DEC, n_clusters=(2, 6)).fit(X, known=known)
    assert len(model.cluster_centers_) == 6
    assert set(model.labels_[y == 2]) >= {5}
    with pytest.raises(InputError, match="n_clusters"):
        small(DEC, n_clusters=(2, 4)).fit(X, known=known)


def test_auto_numbers_clusters_by_class_and_says_that_labels_were_used(tmp_path):
    X, y = blobs(n=150)
    known = few((y + 1) % 3, 2)
    model = Auto(n_clusters=3, candidates=["kmeans", "ward"], random_state=0).fit(X, known=known)
    np.testing.assert_array_equal(model.labels_, (y + 1) % 3)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.trials_[0].agreement == 1.0
    assert "6 known labels were used" in model.why()
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(coterie.load(tmp_path / "model").predict(X), model.labels_)
    assert "labels" not in Auto(n_clusters=3, candidates=["kmeans"], random_state=0).fit(X).why()


def test_auto_prefers_what_agrees_with_the_labels():
    X, corner = square()
    top = corner // 2
    knowledge = make_knowledge(240, known=np.where(np.arange(240) < 120, top, -1))
    judgement = Judgement(cut=0.0, told=1.0, likelihood=0.0, clusters=2)
    models = {"kmeans": KMeans(n_clusters=2, random_state=0).fit(X)}
    models["dec"] = small(DEC, n_clusters=2).fit(X, known=knowledge.known)
    number_by_class(models["kmeans"], knowledge)
    trials = [Trial(name, model, judgement) for name, model in models.items()]
    first, last = ranked_by_labels(trials, knowledge)
    assert (first.name, last.name) == ("dec", "kmeans")
    assert first.agreement == 1.0
    assert last.agreement < 0.6
    as_good = [replace(trials[0], model=models["dec"]), trials[1]]
    assert [trial.name for trial in ranked_by_labels(as_good, knowledge)] == ["kmeans", "dec"]  # the order stays


def test_pairs_that_cannot_all_be_kept_are_told():
    X, _ = blobs()
    apart = [(i, j) for i in range(4) for j in range(i)]  # four rows, each in a cluster of its own, of three
    with pytest.warns(DataWarning, match=r"[1-6] of 6 pairs are not kept"):
        small(DEC).fit(X, cannot_link=apart)


@family
def test_what_is_known_is_part_of_the_loss(cls):
    known, pairs = few(np.arange(60) % 3, 5), {"must_link": [(0, 3)], "cannot_link": [(1, 2)]}
    fit, _, _ = ready(known=known, **pairs)
    fit.memory["target"] = torch.full((60, 3), 1 / 3)
    batch = fit.batch(torch.arange(32), 0)
    model = small(cls) if cls is DEC else small(cls, gamma=0.3)
    scale = 1.0 if cls is DEC else 0.3
    found, alone = model.terms(fit, batch), knowing.terms(fit, batch)
    assert set(alone) == {"known", "together", "apart"} < set(found)
    for name, term in alone.items():
        torch.testing.assert_close(found[name], scale * term)


def test_every_pair_is_drawn_now_and_then():
    pairs = np.stack([np.arange(50), np.arange(50, 100)], 1)
    fit, _, _ = ready(rows=100, must_link=pairs)
    drawn = set()
    for step in range(60):
        fit.clock.step = step
        drawn |= {tuple(pair) for pair in knowing._drawn(fit, knowing.TOGETHER, 8).tolist()}
    assert drawn == {tuple(pair) for pair in pairs.tolist()}


def test_with_labels_to_be_learned_training_is_longer_and_goes_to_its_end():
    fit, _, _ = ready(known=few(np.arange(60) % 3, 5))
    plain, _, _ = ready()
    for train, longer in (("auto", knowing.LONGER), (Schedule(steps=40, batch_size=32), 1)):
        model = small(DEC, train=train)
        with_labels, without = model.clustering(fit), model.clustering(plain)
        assert with_labels.steps == longer * without.steps
        assert with_labels.tolerance is None and without.tolerance is not None


def test_of_many_rows_classes_spread_among_a_sample_and_the_others_follow(monkeypatch):
    monkeypatch.setattr(steering, "SAMPLE", 120)
    rng = np.random.default_rng(0)
    y, angle = np.arange(600) % 2, rng.uniform(0, np.pi, 600)
    moons = np.stack([np.cos(angle) * (1 - 2 * y) + y, np.sin(angle) * (1 - 2 * y) + 0.5 * y], 1)
    known = few(y, 10)
    found = propagate(moons, known, (moons[:, 0] > 0.5).astype(int), seed=0)
    assert (found == y).mean() > 0.95
    np.testing.assert_array_equal(found[known >= 0], known[known >= 0])


@pytest.mark.parametrize("seed", range(4))
def test_a_cluster_that_lost_its_rows_begins_again_at_those_that_are_known_to_be_its(seed):
    X, y = blobs(90)
    known = few(y, 2, seed=seed)
    brief = Schedule(steps=60, batch_size=32, learning_rate=5e-3)
    with pytest.warns(CollapseWarning, match="given those known to be theirs"):
        model = small(Emptied, train=brief, update_interval=10, random_state=seed).fit(X, known=known)
    np.testing.assert_array_equal(model.labels_, y)


@pytest.mark.parametrize("seed", range(6))
def test_of_a_cluster_that_is_halved_its_known_rows_stay(monkeypatch, seed):
    fit, *_ = ready(known=np.where(np.arange(60) < 3, 0, -1))
    fit.streams = Streams(seed)
    z = torch.tensor([-1.0, 1.0]).repeat_interleave(30)[:, None] + 0.1 * torch.randn(60, 2)
    monkeypatch.setattr("coterie.algorithms.reviving.codes", lambda _: z)
    with pytest.warns(CollapseWarning):
        assert revive(fit, torch.tensor([0] * 59 + [1]))
    nearest = torch.cdist(z, fit.model.head.centers.detach()).argmin(1)
    assert set(nearest[:3].tolist()) == {0} and 2 in nearest[30:]
