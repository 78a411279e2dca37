"""A rehearsal refuses what the fit would refuse, foresees its length, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from coterie import DEC, JULE, MLP, N2D, AEKMeans, Conv, Schedule, SelfLabel, SNNLKMeans
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.cli.rehearsal import rehearse
from coterie.data import make_source
from coterie.errors import InputError
from coterie.training import Fit, Runtime, Streams

ROWS = make_source(np.random.default_rng(0).normal(size=(3000, 4)))
CPU = Runtime(torch.device("cpu"), "float32")
SMALL = {"n_clusters": 3, "code_size": 2, "network": MLP(hidden=(8,)), "random_state": 0}


def steps(count: int) -> Schedule:
    return Schedule(steps=count, batch_size=64)


def test_ten_times_the_steps_take_about_ten_times_as_long() -> None:
    short = rehearse(DEC(**SMALL, pretrain=steps(500), train=steps(500)), ROWS)
    long = rehearse(DEC(**SMALL, pretrain=steps(5000), train=steps(5000)), ROWS)
    assert 0 < short < long < 100 * short  # the machine may be busy


def test_a_range_ends_where_it_was_said_to() -> None:
    few = {"network": MLP(hidden=(8,)), "pretrain": steps(50), "random_state": 0}
    rehearse(N2D(n_clusters=(2, 5), landmarks=10, **few), ROWS)
    with pytest.raises(InputError, match="landmarks"):
        rehearse(N2D(n_clusters=(2, 12), landmarks=10, **few), ROWS)


def test_epochs_are_those_of_all_rows() -> None:
    pretrain = Schedule(epochs=3, batch_size=100)  # 30 steps an epoch
    seconds = rehearse(AEKMeans(**SMALL, pretrain=pretrain), ROWS)
    assert seconds > 90 * 20e-6  # no step takes less than 20 millionths of a second


def test_what_auto_stands_for_is_that_of_all_rows() -> None:
    many = make_source(np.random.default_rng(0).integers(0, 256, (20_000, 4, 4), dtype=np.uint8))
    asked = resolve(DEC(3, random_state=0), many)
    seconds = rehearse(DEC(3, random_state=0), many)
    in_full = asked["pretrain"].steps + 2 * asked["gather"].steps + asked["train"].steps
    assert seconds > in_full * 1e-3  # no step of the wide network takes less than a millisecond


def test_a_plan_made_while_learning_is_foreseen_by_the_number_of_rows() -> None:
    source = make_source(np.random.default_rng(0).normal(size=(600, 2)))
    model = JULE(3, code_size=2, network=MLP(hidden=(8,)), train=steps(10), reclusters=1, random_state=0)
    streams, settings = Streams(0), resolve(model, source)
    fit = Fit(build(model, source.spec, settings=settings, streams=streams), source, streams, CPU, settings=settings)
    assert [phase.name for phase in model.phases(fit)] == ["merge", "merge", "recluster"]
    model.fit(source)
    assert model.n_iter_ == sum(phase.steps for phase in model.phases(fit)) == 30
    assert rehearse(model, source) > 0


def test_teachers_are_rehearsed_too() -> None:
    given = {name: value for name, value in SMALL.items() if name != "n_clusters"} | {"train": steps(20)}
    alone = rehearse(SelfLabel(3, teachers=["kmeans"], **given), ROWS)
    assert rehearse(SelfLabel(3, teachers=["dec", "dec"], **given), ROWS) > 10 * alone > 0
    with pytest.raises(InputError, match="needs images"):
        rehearse(SelfLabel(3, network="conv", random_state=0), ROWS)


def test_an_open_number_of_clusters_asks_for_no_more_labels_than_the_fit() -> None:
    y = np.where(np.arange(3000) < 30, np.arange(3000) % 3, -1)  # enough for 3 clusters, not for 15
    model = SelfLabel("auto", teachers=["kmeans", "svm"], train=steps(20), random_state=0)
    assert rehearse(model, ROWS, y) > 0
    with pytest.raises(InputError, match="4 times as many labels as clusters. Got 30 labels of 3 classes"):
        rehearse(model.set_params(n_clusters=15), ROWS, y)


def test_labels_are_planned_for() -> None:
    y = np.where(np.arange(3000) < 30, np.arange(3000) % 3, -1)
    model = DEC(**SMALL, pretrain=steps(1))  # whose clusters are three times as long in the making with them
    assert rehearse(model, ROWS, y) > 1.5 * rehearse(model, ROWS) > 0
    with pytest.raises(InputError, match="batch_size of SNNLKMeans' train must be >= 8"):
        rehearse(SNNLKMeans(3, train=Schedule(steps=5, batch_size=4), random_state=0), ROWS, y)


def test_the_estimator_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = DEC(**SMALL, pretrain=steps(500), train=steps(500))
    before = model.get_params()
    rehearse(model, ROWS)
    assert model.get_params() == before
    assert not hasattr(model, "labels_")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"n_clusters": 3001}, "n_clusters=3001 and n_samples=3000"),
        ({"n_clusters": "many"}, "'n_clusters' parameter of DEC must be an integer"),
        ({"network": Conv()}, "needs images"),
        ({"train": Schedule()}, "exactly one of epochs and steps"),
        ({"alpha": -1}, "'alpha' parameter of DEC"),
    ],
)
def test_what_the_fit_would_refuse_is_refused(parameters: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        rehearse(DEC(**SMALL | parameters), ROWS)


def test_a_fit_of_no_steps_at_all_is_rehearsed_too() -> None:
    assert rehearse(AEKMeans(**SMALL, pretrain=steps(0)), ROWS) == 0.0


@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")  # of noise, which has no clusters
def test_a_fit_that_goes_on_is_rehearsed_with_the_network_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    model = DEC(2, code_size=2, augment="none", warm_start=True, random_state=0, pretrain=steps(2), train=steps(1))
    model.fit(images)
    monkeypatch.setattr("coterie.algorithms.defaults.SMALL_IMAGE", 1)  # "auto" is another network now
    assert rehearse(model.set_params(train=steps(2000)), make_source(images)) > 0
