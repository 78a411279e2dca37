"""Which rows to label next: spread over clusters and code, typical, then doubtful, never twice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from small import blobs, small

import coterie
from coterie import DEC, Auto, KMeans
from coterie.algorithms import suggesting
from coterie.algorithms.classifying import classes, margins
from coterie.errors import InputError
from coterie.selection import suggest_rows

X, Y = blobs(n=200, k=4, spread=1.0)


def groups(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of three groups of unequal size with an outlier each, and their clusters."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [n, n // 2, n // 3])
    z = rng.normal(0, 0.5, (len(labels), 2)) + np.array([[0, 0], [10, 0], [0, 10]])[labels]
    z[[0, n, n + n // 2]] += 4
    return z, labels


def test_every_cluster_has_one_before_any_has_two() -> None:
    z, labels = groups()
    rows = suggest_rows(7, z, labels=labels, sure=np.ones(len(z)))
    assert sorted(labels[rows[:3]].tolist()) == [0, 1, 2]
    assert len(set(rows.tolist())) == 7


def test_a_cluster_with_known_rows_does_not_come_first() -> None:
    z, labels = groups()
    known = np.full(len(z), -1)
    known[[5, 6, 95]] = 0
    rows = suggest_rows(3, z, labels=labels, sure=np.ones(len(z)), known=known)
    assert labels[rows[0]] == 1
    assert known[rows].max() == -1


def test_the_first_rows_are_typical_and_no_outliers() -> None:
    z, labels = groups()
    for row in suggest_rows(3, z, labels=labels, sure=np.ones(len(z))):
        center = np.median(z[labels == labels[row]], axis=0)
        assert np.linalg.norm(z[row] - center) < 0.5


@pytest.mark.parametrize(("there", "classes"), [(5, 1), (20, 2), (30, 3)])
def test_rows_that_are_looked_at_again_only_where_they_may_win_are_those_of_a_search_among_all(
    there: int, classes: int
) -> None:
    rng = np.random.default_rng(0)
    z, labels, sure = rng.normal(size=(150, 3)), np.zeros(150, dtype=int), rng.random(150)
    known = np.where(np.arange(150) < there, np.digitize(z[:, 0], [-0.4, 0.4][: classes - 1]), -1)
    rows = suggest_rows(30, z, labels=labels, sure=sure, known=known)

    margin = margins((z - z.mean(0)).astype(np.float32), known, n_clusters=1, rng=np.random.default_rng(0))
    weights = np.ones(150) if margin is None else np.exp(-np.clip(margin, 0, None) / 0.3)
    assert (margin is None) == (classes == 1)
    squared = ((z[:, None] - z[None]) ** 2).sum(-1)
    place = max(int(suggesting.REACH * 150 / (there + 30)), 2)
    near = np.exp(-squared / np.median(np.sort(squared, axis=1)[:, place]))
    spoken, expected = near[:, :there].max(1), []
    for _ in range(30):
        gains = weights @ np.maximum(near - spoken[:, None], 0)
        gains[[*range(there), *expected]] = -1
        expected.append(int(gains.argmax()))
        spoken = np.maximum(spoken, near[:, expected[-1]])
    assert rows.tolist() == expected


def test_of_many_clusters_or_rows_only_so_many_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "SAMPLE", 40)
    z, labels = groups(200)
    sure = np.linspace(1, 0, len(z))
    compared = []
    squared = suggesting._squared
    monkeypatch.setattr(suggesting, "_squared", lambda a, b: compared.append(len(a)) or squared(a, b))
    rows = suggest_rows(len(z), z, labels=labels, sure=sure)
    assert sorted(rows.tolist()) == list(range(len(z)))
    assert max(compared) <= 40 + 40 + 3 * 13
    assert (np.diff(sure[rows[40:]]) >= 0).all()  # beyond these by doubt
    many = np.arange(len(z)) % 150
    suggest_rows(1, z, labels=many, sure=sure)
    assert compared[-1] <= 40 + 1 + 150


def two_classes(per_class: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places in a square, which of two classes they are of, and the labels of as many of each."""
    rng = np.random.default_rng(3)
    z = rng.uniform(-1, 1, (800, 2))
    y = (z[:, 0] > 0).astype(int)
    known = np.full(800, -1)
    for c in (0, 1):
        known[rng.permutation(np.flatnonzero(y == c))[:per_class]] = c
    return z, y, known


def test_with_labels_of_each_class_rows_between_classes_come_and_they_are_not_all_alike() -> None:
    z, _, known = two_classes(10)
    one = np.zeros(len(z), dtype=int)
    rows = suggest_rows(12, z, labels=one, sure=np.ones(len(z)), known=known)
    assert np.abs(z[rows, 0]).max() < 0.3
    assert np.ptp(z[rows, 1]) > 1.5
    assert not (known[rows] >= 0).any()
    typical = suggest_rows(12, z, labels=one, sure=np.ones(len(z)))
    assert np.abs(z[typical, 0]).max() > 0.6


def test_with_fewer_labels_than_four_a_class_and_cluster_rows_are_typical_as_before() -> None:
    z, _, known = two_classes(3)
    rows = suggest_rows(12, z, labels=np.zeros(len(z), dtype=int), sure=np.ones(len(z)), known=known)
    assert np.abs(z[rows, 0]).max() > 0.6
    z, y, known = two_classes(10)  # enough for two clusters, not for eight
    clusters = y * 4 + np.digitize(z[:, 1], [-0.5, 0, 0.5])
    rows = suggest_rows(12, z, labels=clusters, sure=np.ones(len(z)), known=known)
    assert np.abs(z[rows, 0]).max() > 0.6


def test_of_three_classes_the_borders_of_each_two_are_asked_for_and_clusters_without_a_label_come_first() -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (900, 2))
    y = np.digitize(z[:, 0], [-1 / 3, 1 / 3])
    known = np.where(np.arange(900) < 60, y, -1)
    clusters = np.where(z[:, 1] > 0.8, 1, 0)
    known[clusters == 1] = -1
    rows = suggest_rows(21, z, labels=clusters, sure=np.ones(900), known=known)
    assert clusters[rows[0]] == 1
    beside = np.abs(np.abs(z[rows[1:], 0]) - 1 / 3)
    assert beside.mean() < 0.15  # .28 by chance
    assert (z[rows[1:], 0] < 0).any()
    assert (z[rows[1:], 0] > 0).any()


def test_what_is_near_a_row_that_nobody_could_tell_is_not_asked_for_again() -> None:
    z, _, known = two_classes(10)
    spot = np.array([0.0, 0.5]) + np.random.default_rng(0).normal(0, 1e-3, (30, 2))
    z, known = np.concatenate([z, spot]), np.concatenate([known, np.full(30, -1)])
    exclude = np.arange(len(z)) == 800
    told = {"labels": np.zeros(len(z), dtype=int), "sure": np.ones(len(z)), "known": known}
    assert (suggest_rows(8, z, exclude=exclude, **told) < 800).all()


def test_a_cluster_that_nobody_could_tell_any_row_of_takes_no_place() -> None:
    z, _, known = two_classes(10)
    clusters = np.where(z[:, 1] > 0.9, 1, 0)
    known[clusters == 1] = -1
    row = suggest_rows(1, z, labels=clusters, sure=np.ones(800), known=known, exclude=clusters == 1)[0]
    assert abs(z[row, 0]) < 0.3


def test_whole_numbers_of_any_kind_say_how_many() -> None:
    z, _, known = two_classes(150)
    told = {"labels": np.zeros(len(z), dtype=int), "sure": np.ones(len(z)), "known": known}
    assert suggest_rows(np.uint8(200), z, **told).tolist() == suggest_rows(200, z, **told).tolist()


@pytest.mark.parametrize("k", [2, 3, 5])
def test_margins_are_those_between_the_likeliest_class_and_the_next(k: int) -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    y = np.digitize(np.arctan2(*z.T), np.linspace(-np.pi, np.pi, k + 1)[1:-1])
    known = np.where(np.arange(400) < 200, y, -1)
    found = margins(z, known, n_clusters=k, rng=np.random.default_rng(1))
    pairs = []
    for a in range(k):  # each two classes by a machine of their own
        for b in range(a + 1, k):
            two = np.flatnonzero((known == a) | (known == b))
            gamma = 1 / (2 * z[known >= 0].var())
            pairs.append((a, b, SVC(C=10, gamma=gamma).fit(z[two], known[two] == a).decision_function(z)))
    beats = np.full((400, k, k), np.inf)
    for a, b, score in pairs:
        beats[:, a, b], beats[:, b, a] = score, -score
    winner = (beats > 0).sum(2).argmax(1)
    np.testing.assert_allclose(found, beats[np.arange(400), winner].min(1), atol=0.02)
    wrong = found < np.median(found)
    assert (winner != y)[wrong].mean() > (winner != y)[~wrong].mean()


def test_labels_in_rounds_draw_a_border_sooner_than_chance_and_than_typical_rows() -> None:
    z, y, _ = two_classes(1)
    z = np.column_stack([z, np.random.default_rng(1).uniform(-1, 1, (len(z), 2))])
    told = {"labels": np.zeros(len(z), dtype=int), "sure": np.ones(len(z))}

    def worth(rows: np.ndarray) -> float:
        return float((SVC(C=10).fit(z[rows], y[rows]).predict(z) == y).mean())

    known = np.full(len(z), -1)
    for _ in range(6):
        rows = suggest_rows(10, z, known=known, **told)
        known[rows] = y[rows]
    drawn = [worth(np.random.default_rng(seed).permutation(len(z))[:60]) for seed in range(5)]
    assert worth(np.flatnonzero(known >= 0)) > max(np.mean(drawn) + 0.02, worth(suggest_rows(60, z, **told)))


def test_what_is_taken_or_known_is_not_taken_again_from_beside() -> None:
    rng = np.random.default_rng(1)
    z = rng.uniform(0, 1, (500, 2))
    rows = suggest_rows(16, z, labels=np.zeros(500, dtype=int), sure=np.ones(500))
    apart = np.linalg.norm(z[rows][:, None] - z[rows], axis=2)
    drawn = np.linalg.norm(z[:16][:, None] - z[:16], axis=2)
    assert np.sort(apart[np.triu_indices(16, 1)])[:8].min() > 2 * np.sort(drawn[np.triu_indices(16, 1)])[:8].min()
    known = np.full(500, -1)
    known[rows] = 1
    more = suggest_rows(16, z, labels=np.zeros(500, dtype=int), sure=np.ones(500), known=known)
    assert not set(more.tolist()) & set(rows.tolist())
    assert np.linalg.norm(z[more][:, None] - z[rows], axis=2).min() > 0.03


def test_rows_left_out_are_not_suggested_and_all_others_can_be() -> None:
    z, labels = groups(12)
    exclude = np.zeros(len(z), dtype=bool)
    exclude[::2] = True
    rows = suggest_rows(100, z, labels=labels, sure=np.ones(len(z)), exclude=exclude)
    assert sorted(rows.tolist()) == np.flatnonzero(~exclude).tolist()
    exclude[labels == 1] = True  # nobody can tell any row of this one
    assert 1 not in labels[suggest_rows(4, z, labels=labels, sure=np.ones(len(z)), exclude=exclude)]


def test_many_rows_are_sampled_and_small_clusters_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "SAMPLE", 200)
    z = np.random.default_rng(0).normal(size=(3000, 3))
    labels = np.zeros(3000, dtype=int)
    labels[7], labels[8:12] = 1, 2
    rows = suggest_rows(5, z, labels=labels, sure=np.ones(3000), random_state=4)
    assert {0, 1, 2} == set(labels[rows].tolist())
    assert np.array_equal(rows, suggest_rows(5, z, labels=labels, sure=np.ones(3000), random_state=4))
    assert not np.array_equal(rows, suggest_rows(5, z, labels=labels, sure=np.ones(3000), random_state=5))


def test_numbers_of_clusters_take_no_memory() -> None:
    z, labels = groups()
    rows = suggest_rows(7, z, labels=labels, sure=np.ones(len(z)))
    assert np.array_equal(rows, suggest_rows(7, z, labels=labels * 10**12, sure=np.ones(len(z))))


@pytest.mark.parametrize("z", [np.zeros((9, 2)), np.zeros((1, 2)), np.arange(4.0)[:, None]])
def test_doubles_and_single_rows(z: np.ndarray) -> None:
    rows = suggest_rows(3, z, labels=np.zeros(len(z), dtype=int), sure=np.ones(len(z)))
    assert len(rows) == len(set(rows.tolist())) == min(3, len(z))


def test_a_system_suggests_by_the_components_of_the_rows_and_its_clusters() -> None:
    model = small(DEC, n_clusters=4).fit(X)
    before = np.random.get_state()[1].copy()
    rows = model.suggest(8, X)
    assert np.array_equal(np.random.get_state()[1], before)
    sure = model.predict_confidence(X)
    z = PCA().fit_transform(StandardScaler().fit_transform(X))
    assert np.array_equal(rows, suggest_rows(8, z, labels=model.predict(X), sure=sure))
    assert sorted(model.labels_[rows[:4]].tolist()) == [0, 1, 2, 3]
    assert len(set(Y[rows[:4]].tolist())) == 4
    merged = model.merge([0, 1]).suggest(3, X)
    assert sorted(model.labels_[merged].tolist()) == [0, 1, 2]


def test_a_choice_suggests_what_its_best_does() -> None:
    model = Auto(n_clusters=4, candidates=["kmeans"], random_state=0).fit(X)
    assert np.array_equal(model.suggest(5, X), model.best_.suggest(5, X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, r"The 'n' of suggest\(\) must be an integer >= 1. Got 0 instead."),
        ({"known": np.zeros(3)}, r"Known labels must be one for each of the 200 rows"),
        ({"known": np.full(200, 0.5)}, r"known labels must be whole numbers, -1 where a row has none"),
        ({"exclude": np.zeros(200)}, r"The 'exclude' of suggest\(\) must be 200 booleans"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_bad_parameters_are_named(given: dict, message: str) -> None:
    model = KMeans(n_clusters=2, random_state=0).fit(X)
    with pytest.raises(InputError, match=message):
        model.suggest(**{"n": 3, "X": X, **given})


def test_few_suggested_labels_are_worth_many_random_ones(mnist10k: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = mnist10k[0][:1000], mnist10k[1][:1000]
    model = coterie.Shallow(n_clusters=10, method="kmeans", n_components=20, random_state=0).fit(x)
    z = model.transform(x)

    def worth(rows: np.ndarray) -> float:
        """Share of the rows that have the class of the nearest labelled one."""
        nearest = np.square(z[:, None] - z[rows]).sum(2).argmin(1)
        return float((y[rows][nearest] == y).mean())

    drawn = [worth(np.random.default_rng(seed).permutation(1000)[:40]) for seed in range(5)]
    assert worth(model.suggest(20, x)) > np.mean(
        [worth(np.random.default_rng(s).permutation(1000)[:20]) for s in range(5)]
    )
    assert worth(model.suggest(40, x)) > np.mean(drawn) + 0.03


def test_suggestions_leave_the_global_random_state_alone() -> None:
    model, known = small(KMeans, n_clusters=4, random_state=0).fit(X), np.where(np.arange(len(X)) < 40, Y, -1)
    before = np.random.get_state()[1].copy()
    model.suggest(7, X, known=known)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_of_many_rows_those_that_count_most_are_among_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "SAMPLE", 200)
    rng = np.random.default_rng(0)
    weights, closed = rng.random(3000).astype(np.float32), np.arange(3000) % 5 == 0
    labels = np.zeros(3000, dtype=int)
    rows = suggesting._sample(6, weights, labels=labels, closed=closed, rng=rng)
    open_ = np.flatnonzero(~closed)
    assert set(open_[np.argsort(-weights[open_])[: 6 * suggesting.WIDER]].tolist()) <= set(rows.tolist())
    assert len(rows) < 400


def test_beyond_the_rows_that_are_compared_the_most_doubtful_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    z, labels, y = two_classes(40)
    monkeypatch.setattr(suggesting, "SAMPLE", 40)
    rows = suggest_rows(len(z), z, labels=labels, sure=np.ones(len(z)), known=y, random_state=0)
    rest = rows[60:]
    margin = margins(z, y, n_clusters=2, rng=np.random.default_rng(0))
    assert margin is not None and len(rest) > 20
    assert np.corrcoef(np.arange(len(rest)), margin[rest])[0, 1] > 0.9


def test_of_very_many_labels_a_classifier_learns_some_of_every_class():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(12_000, 1)), [[9.0]]])
    y = np.append(np.zeros(12_000, dtype=np.int64), 1)
    assert classes(z, y, rng).tolist() == y.tolist()
