"""Balanced batches: every labelled row meets its like, and every row is drawn."""

import numpy as np
import pytest
import torch
from torch import nn
from toys import make_fit, run

from coterie.training import Phase, Schedule, Turn
from coterie.training.drawing import balanced, shuffle


def fit_with(y, seed=0):
    fit = make_fit(nn.Linear(1, 1), n=len(y), seed=seed)
    fit.memory["known"] = torch.as_tensor(y)
    return fit


def meets_its_like(y, batch):
    classes = y[batch][(y[batch] >= 0) & np.isin(y[batch], [c for c in set(y) if (y == c).sum() > 1])]
    return all(count >= 2 for count in np.unique(classes, return_counts=True)[1])


@pytest.mark.parametrize("b", [4, 7, 16, 60])
@pytest.mark.parametrize("labelled", [6, 13, 60])
def test_every_labelled_row_meets_another_of_its_class(b, labelled):
    rng = np.random.default_rng(0)
    y = np.full(60, -1)
    y[rng.permutation(60)[:labelled]] = rng.integers(0, 4, labelled) * 7
    for epoch in range(3):
        batches = balanced(fit_with(y), b, 0, 0, epoch).numpy()
        assert batches.shape == (60 // b, b)
        assert (y[batches] >= 0).sum(1).min() >= min(0.5 * b - 1, labelled - 3)  # of four classes some have one row
        pairs = batches[:, : int((y[batches[0]] >= 0).sum()) // 2 * 2].reshape(len(batches), -1, 2)
        assert (y[pairs[..., 0]] == y[pairs[..., 1]]).all()
        assert (b % 2 and labelled == 60) or all(meets_its_like(y, batch) for batch in batches)


def test_an_epoch_takes_all_rows():
    y = np.arange(60) % 3  # each of 20 rows
    assert sorted(balanced(fit_with(y), 12, 0, 0, 0).flatten().tolist()) == list(range(60))
    y[6:] = -1
    for epoch in range(2):
        drawn = balanced(fit_with(y), 12, 0, 0, epoch).flatten().numpy()
        times = np.bincount(drawn, minlength=60)
        assert (times[:6] == 5).all()  # once in each batch
        assert times[6:].max() <= 1  # fewer places than rows: none is drawn twice before all were


@pytest.mark.parametrize("sizes", [(2, 2), (3, 3, 3), (5, 2, 1), (7, 1, 1, 1)])
def test_of_few_labels_none_comes_twice_in_a_batch(sizes):
    y = np.full(90, -1)
    y[: sum(sizes)] = np.repeat(np.arange(len(sizes)), sizes)
    pairs, met = sum(size // 2 for size in sizes), set()
    for epoch in range(5):
        for batch in balanced(fit_with(y), 30, 0, 0, epoch).numpy():
            assert np.bincount(batch).max() == 1
            assert (y[batch[: 2 * pairs : 2]] == y[batch[1 : 2 * pairs : 2]]).all()
            met.update(batch[: 2 * pairs].tolist())
    assert met == {row for row in range(sum(sizes)) if sizes[y[row]] > 1}  # the odd one is another each time


def test_rows_without_a_label_are_drawn_even_where_they_are_few():
    y = np.arange(60) % 3
    y[17] = -1
    assert (balanced(fit_with(y), 20, 0, 0, 0) == 17).sum() == 6  # what an even number of labelled rows leaves of 20


def test_a_classes_only_row_is_drawn_as_those_without_a_label():
    y = np.full(40, -1)
    y[3], y[8], y[9] = 0, 1, 1
    drawn = balanced(fit_with(y), 8, 0, 0, 0).numpy()
    assert np.sort(drawn[:, :2]).tolist() == [[8, 9]] * 5
    assert (drawn == 3).sum() <= 1
    y[9] = -1
    assert sorted(balanced(fit_with(y), 8, 0, 0, 0).flatten().tolist()) == list(range(40))


def test_batches_too_small_for_a_pair():
    assert sorted(balanced(fit_with(np.array([0, 0])), 1, 0, 0, 0).tolist()) == [[0], [1]]
    assert sorted(balanced(fit_with(np.array([0, -1, -1])), 3, 0, 0, 0).tolist()[0]) == [0, 1, 2]


def test_batches_follow_from_seed_and_counters_alone():
    y = np.arange(60) % 3
    first = balanced(fit_with(y), 8, 1, 0, 2)
    torch.rand(3)
    assert torch.equal(first, balanced(fit_with(y), 8, 1, 0, 2))
    assert not torch.equal(first, balanced(fit_with(y), 8, 1, 0, 3))
    assert not torch.equal(first, balanced(fit_with(y, seed=1), 8, 1, 0, 2))


def test_shuffling_is_a_permutation_of_the_stream_named_order():
    fit = make_fit(nn.Linear(1, 1), n=10)
    order = fit.streams.permutation(10, "order", 1, 0, 2)
    assert torch.equal(shuffle(fit, 4, 1, 0, 2), order[:8].view(2, 4))


def test_the_loop_draws_as_the_phase_says():
    class Watcher:
        def __init__(self, sampler):
            self.sampler, self.seen = sampler, []

        def plan(self, fit):
            turn = Turn("terms", ("layer",), Schedule(steps=1))
            return Phase("watch", (turn,), 9, batch_size=4, sampler=self.sampler) if fit.clock.phase == 0 else None

        def enter(self, fit, phase): ...

        def finish(self, fit): ...

        def terms(self, fit, batch):
            self.seen.append(batch.index.tolist())
            return {"size": fit.model.layer(batch.x).square().mean()}

    seen = {}
    for sampler in ("shuffle", "balanced"):
        model = nn.Module()
        model.layer = nn.Linear(1, 1)
        fit = make_fit(model)
        fit.memory["known"] = torch.arange(20) % 2
        watcher = Watcher(sampler)
        run(watcher, fit)
        seen[sampler] = watcher.seen
    fit = fit_with(np.arange(20) % 2)
    for sampler, draw in (("shuffle", shuffle), ("balanced", balanced)):
        expected = torch.cat([draw(fit, 4, 0, 0, epoch) for epoch in range(2)])[:9]
        assert seen[sampler] == expected.tolist()
