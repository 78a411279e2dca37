"""Joining clusters by what augmentation does to their rows: the measure, the order, and the record."""

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, is_valid_linkage
from sklearn.metrics import adjusted_rand_score
from small import small
from torch import nn

from coterie import JULE, Augment, Conv, Schedule, config_context
from coterie.algorithms.joining import VIEWS, assign_to_means, count_moves, join
from coterie.data import make_source
from coterie.nn import Model, Nearest
from coterie.training import Callback, Fit, Runtime, Streams


class Phases(Callback):
    """Keeps names of phases and clusters learned in each."""

    def __init__(self):
        self.names, self.counts, self.groups = [], [], []

    def on_phase(self, fit, phase):
        self.names.append(phase.name)
        self.counts.append(int(fit.memory["clusters"].max()) + 1)
        self.groups.append(fit.memory["groups"].numpy())


def bars_of_two_kinds(seed=0, n=(90, 90, 24)):
    """Images of upright bars in two places, which a shift makes one, and a few lying ones; with their kinds."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, 0.2, (sum(n), 12, 12)).astype(np.float32)
    place = np.repeat([0, 1, 2], n)
    X[place == 0, 1:11, 4:6] += 0.8
    X[place == 1, 1:11, 6:8] += 0.8
    X[place == 2, 5:7, 1:11] += 0.8
    return X, place // 2


def by_hand(v, n_clusters):
    """Join by the definition, one pair of sets at a time."""
    parts = [{a} for a in range(len(v))]
    while len(parts) > n_clusters:
        best = (-1.0, 0, 0)
        for i in range(len(parts)):
            for j in range(i + 1, len(parts)):
                a, b, every = sorted(parts[i]), sorted(parts[j]), range(len(v))
                out = [v[np.ix_(rows, every)].sum() for rows in (a, b)]
                into = [v[np.ix_(every, rows)].sum() for rows in (a, b)]
                both = v[np.ix_(a, b)].sum() + v[np.ix_(b, a)].sum()
                best = max(best, (both * v.sum() / (out[0] * into[1] + out[1] * into[0]), -i, -j))
        i, j = -best[1], -best[2]
        parts[i] |= parts.pop(j)
    return parts


@pytest.mark.parametrize("seed", range(5))
def test_joins_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    v = rng.gamma(0.3, 20, (9, 9)) + np.diag(rng.uniform(50, 500, 9))
    labels, steps = join(v, 4)
    assert [set(np.flatnonzero(labels == c)) for c in range(4)] == sorted(by_hand(v, 4), key=min)
    assert len(steps) == 5


def test_names_of_clusters_and_how_many_rows_they_have_do_not_matter():
    rng = np.random.default_rng(0)
    share = rng.gamma(0.3, 0.02, (7, 7))
    share = (share + share.T) / 2 + np.eye(7)
    sizes = rng.uniform(1, 50, 7)
    v = share * sizes[:, None] * sizes  # rows go from a to b as often as by chance, times what joins them
    order = rng.permutation(7)
    for other in (v[np.ix_(order, order)], 3 * v):
        back = join(other, 4)[0]
        back = back[np.argsort(order)] if other.sum() == pytest.approx(v.sum()) else back
        assert adjusted_rand_score(join(v, 4)[0], back) == 1.0


def test_with_as_many_clusters_as_wanted_none_is_joined():
    labels, steps = join(np.eye(3), 3)
    assert labels.tolist() == [0, 1, 2] and steps == []


def test_what_is_exchanged_is_counted_in_changed_rows():
    source = make_source(np.array([[0.0], [0.1], [4.0], [4.1], [4.2]]), scaling="none")
    model = Model(nn.Identity(), None, Nearest(2, 1))
    labels = torch.tensor([0, 0, 1, 1, 1])
    fit = Fit(model, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(), {})
    z = source.take(slice(0, 5))
    v = count_moves(fit, z, labels)
    np.testing.assert_allclose(v.sum(1), VIEWS * np.array([2, 3]))
    np.testing.assert_allclose(v, VIEWS * np.diag([2.0, 3.0]), atol=1e-6)  # nothing is changed, and they are far apart
    fit = Fit(model, source, Streams(0), Runtime(torch.device("cpu"), "float32"), Augment(noise=3.0), {})
    noisy = count_moves(fit, z, labels)
    np.testing.assert_allclose(noisy.sum(1), VIEWS * np.array([2, 3]))
    assert noisy[0, 1] > 0.1
    np.testing.assert_array_equal(noisy, count_moves(fit, z, labels))


def test_rows_settle_on_the_nearest_mean_unless_a_cluster_would_be_empty():
    z = torch.tensor([[0.0], [0.2], [0.9], [1.0], [1.2]])
    assert assign_to_means(z, torch.tensor([0, 0, 0, 1, 1])).tolist() == [0, 0, 1, 1, 1]
    torn = torch.tensor([0, 1, 2, 2])  # whose last cluster lies between the others
    assert assign_to_means(torch.tensor([[-10.0], [10.0], [-9.0], [9.1]]), torn).tolist() == torn.tolist()


def test_images_are_joined_where_a_shift_makes_them_one():
    X, kinds = bars_of_two_kinds()
    seen = Phases()
    how = {"augment": Augment(shift=0.2), "network": Conv(channels=(4, 8), kernels=(3, 3), batch_norm=True)}
    model = small(JULE, n_clusters=2, finer=1, least_share=0.0, train=Schedule(steps=40, batch_size=64), **how)
    with config_context(callbacks=(seen,)):
        model.fit(X)
    assert seen.names[-3:] == ["recluster", "recluster", "join"] and seen.counts[-3:] == [3, 3, 2]
    assert adjusted_rand_score(kinds, seen.groups[-2]) == 1.0  # what would be joined is not pushed apart before
    assert adjusted_rand_score(kinds, model.labels_) == 1.0
    assert is_valid_linkage(model.merges_) and model.merges_.shape == (2, 4)
    cut = fcluster(model.merges_, 2, "maxclust")[model.leaves_]
    assert adjusted_rand_score(cut, model.transductive_labels_) == 1.0


def test_what_is_not_spared_is_pushed_apart():
    X, _ = bars_of_two_kinds(n=(40, 40, 20))
    seen = Phases()
    with config_context(callbacks=(seen,)):
        train = Schedule(steps=6, batch_size=32)
        small(JULE, n_clusters=2, finer=1, spare=False, augment="shift", train=train).fit(X)
    assert [int(group.max()) + 1 for group in seen.groups[-3:]] == [3, 3, 2]


def test_without_augmentation_nothing_is_joined():
    X, _ = bars_of_two_kinds(n=(30, 30, 30))
    seen = Phases()
    with config_context(callbacks=(seen,)):
        model = small(JULE, n_clusters=2, augment="none", train=Schedule(steps=2, batch_size=32)).fit(X)
    assert "join" not in seen.names and model.settings_["finer"] == 0


@pytest.mark.parametrize("stop_at", [("recluster", 3), ("join", 3)])
def test_a_fit_that_was_stopped_about_joining_goes_on_to_the_same_bits(tmp_path, stop_at):
    X, _ = bars_of_two_kinds(n=(40, 40, 20))

    class Stop(Callback):
        def on_step(self, fit, phase):
            if (phase.name, fit.clock.step) == stop_at:
                raise KeyboardInterrupt

    def fitted():
        return small(JULE, n_clusters=2, finer=1, augment="shift", train=Schedule(steps=6, batch_size=32)).fit(X)

    whole = fitted()
    how = {"checkpoint": tmp_path, "checkpoint_every": 0}
    with config_context(callbacks=(Stop(),), **how), pytest.raises(KeyboardInterrupt):
        fitted()
    with config_context(checkpoint=tmp_path):
        again = fitted()
    np.testing.assert_array_equal(again.transform(X), whole.transform(X))
    np.testing.assert_array_equal(again.merges_, whole.merges_)


@pytest.mark.parametrize(("n_clusters", "finer", "n"), [(1, 1, 30), (5, 4, 6), (3, 2, 40)])
def test_there_are_as_many_clusters_as_asked_for(n_clusters, finer, n):
    X, _ = bars_of_two_kinds(n=(n - 2 * (n // 3), n // 3, n // 3))
    how = {"augment": "shift", "reclusters": 0, "train": Schedule(steps=2, batch_size=32)}
    model = small(JULE, n_clusters=n_clusters, finer=finer, **how).fit(X)
    assert len(np.unique(model.transductive_labels_)) == n_clusters
    if n_clusters > 1:
        cut = fcluster(model.merges_, n_clusters, "maxclust")[model.leaves_]
        assert adjusted_rand_score(cut, model.transductive_labels_) == 1.0
