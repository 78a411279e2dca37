"""Schedules, streams, listeners and the machine."""

import io
import math
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from toys import Halver, halver_model, make_fit, run

from coterie.config import Config, config_context, get_config, set_config
from coterie.data import Augment
from coterie.errors import CollapseWarning, InputError
from coterie.training import Schedule, Streams, apply_batched, make_callbacks, make_runtime
from coterie.training.callbacks import CollapseWatch, Progress


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing():
    schedule = Schedule(steps=100, learning_rate=2.0, warmup=0.3)
    rates = [schedule.rate(step, 100) for step in range(100)]
    top = int(np.argmax(rates))
    assert 28 <= top <= 31
    assert max(rates) == pytest.approx(2.0, rel=1e-2)
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a > b for a, b in pairwise(rates[top:]))
    assert rates[0] < 0.01
    assert rates[-1] < 0.001


def test_other_courses_of_the_rate():
    assert {Schedule(steps=9, shape="constant", learning_rate=0.5).rate(s, 9) for s in range(9)} == {0.5}
    steps = [Schedule(steps=9, shape="step", learning_rate=1.0).rate(s, 9) for s in range(9)]
    assert steps == pytest.approx([1.0] * 3 + [0.1] * 3 + [0.01] * 3)
    often = Schedule(steps=9, shape="step", learning_rate=1.0, drop_every=4)
    assert [often.rate(s, 9) for s in range(9)] == pytest.approx([1.0] * 4 + [0.1] * 4 + [0.01])
    assert Schedule(steps=9, shape="cosine", learning_rate=1.0).rate(4, 9) == pytest.approx(0.5)


def test_epochs_become_steps():
    assert Schedule(epochs=3, batch_size=10).n_steps(105) == 30
    assert Schedule(epochs=0.5, batch_size=10).n_steps(100) == 5
    assert Schedule(epochs=2, batch_size=256).n_steps(3) == 2


def test_adamw_decays_weights_by_the_rate_and_leaves_moments_to_the_gradient():
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimiser = Schedule(steps=1, learning_rate=0.1, weight_decay=0.5).make_optimiser([weight])
    weight.grad = torch.tensor([0.3])
    optimiser.step()
    # The first step of Adam moves by the rate against the gradient's sign; decay takes rate * decay of the weight.
    assert weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1, rel=1e-5)


def test_adadelta_steps_by_the_ratio_of_what_it_remembers():
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimiser = Schedule(steps=2, optimiser="adadelta", learning_rate=1.0).make_optimiser([weight])
    w, square, moved = 2.0, 0.0, 0.0
    for gradient in (0.3, -0.2):
        square = 0.95 * square + 0.05 * gradient**2
        step = ((moved + 1e-7) / (square + 1e-7)) ** 0.5 * gradient
        moved = 0.95 * moved + 0.05 * step**2
        w -= step
        weight.grad = torch.tensor([gradient])
        optimiser.step()
    assert weight.item() == pytest.approx(w, rel=1e-6)
    assert weight.item() != 2.0


def test_streams_depend_on_their_name_and_on_nothing_else():
    streams = Streams(1)
    first = streams.permutation(50, "order", 0, 1)
    torch.rand(3)
    assert torch.equal(first, Streams(1).permutation(50, "order", 0, 1))
    for other in (Streams(2).permutation(50, "order", 0, 1), streams.permutation(50, "order", 1, 0)):
        assert not torch.equal(first, other)
    assert sorted(first.tolist()) == list(range(50))


def test_batched_results_do_not_depend_on_the_number_of_rows():
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(7, 33), torch.nn.ReLU(), torch.nn.Linear(33, 3))
    x = torch.randn(1100, 7)
    whole = apply_batched(layer, x)
    for size in (1, 2, 511, 512, 513):
        assert torch.equal(apply_batched(layer, x[:size]), whole[:size])


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 0, 1, 1], "1 of 3 clusters hold no rows"), ([0] * 8 + [1, 2], "One cluster holds 80% of the rows")],
)
def test_collapse_is_said_once_with_what_to_try(labels, message):
    watch, fit = CollapseWatch(3), make_fit(halver_model())
    with pytest.warns(CollapseWarning, match=rf"{message}.*Try"):
        watch.on_refresh(fit, np.array(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.on_refresh(fit, np.array(labels))


def test_how_many_are_empty_in_the_end_is_said_where_it_was_another_number():
    watch, fit = CollapseWatch(4), make_fit(halver_model())
    with pytest.warns(CollapseWarning, match="1 of 4 clusters hold no rows"):
        watch.on_refresh(fit, np.array([0, 0, 1, 1, 2]))
    with pytest.warns(CollapseWarning, match="2 of 4 clusters hold no rows"):
        watch.at_end(fit, np.array([0, 0, 1, 1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.at_end(fit, np.array([0, 0, 1, 1]))


def test_no_collapse_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CollapseWatch(3).on_refresh(make_fit(halver_model()), np.array([0, 1, 2, 2]))


def test_progress_is_for_terminals_only():
    assert not any(isinstance(c, Progress) for c in make_callbacks(Config()))
    assert any(isinstance(c, Progress) for c in make_callbacks(Config(progress=True)))


def test_progress_shows_phase_share_rate_and_time_left(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    run(Halver(steps=60), make_fit(halver_model()), callbacks=[Progress()])
    shown = screen.getvalue()
    for part in ("merge-16", "100%", "steps/s", "0:00:00", "size"):
        assert part in shown


def test_settings_hold_within_their_block_only():
    before = get_config()
    with config_context(precision="float32", checkpoint_every=3.0):
        assert (get_config().precision, get_config().checkpoint_every) == ("float32", 3.0)
        with config_context(device="cpu"):
            assert (get_config().precision, get_config().device) == ("float32", "cpu")
    assert get_config() == before
    set_config(precision="float32")
    assert get_config().precision == "float32"
    set_config(precision="auto")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "float8"}, "'precision' setting must be one of .* Got 'float8'"),
        ({"progress": "loud"}, "'progress' setting must be 'auto', True or False. Got 'loud'"),
        ({"checkpoint": 5}, "'checkpoint' setting must be a folder or None. Got 5"),
        ({"checkpoint": ""}, "'checkpoint' setting must be a folder or None. Got ''"),
        ({"callbacks": None}, "'callbacks' setting must be a tuple of callbacks. Got None"),
        ({"checkpoint": __file__}, "'checkpoint' setting must be a folder or None. Got '/"),
        ({"checkpoint_every": "a"}, "'checkpoint_every' setting must be a number of seconds >= 0. Got 'a'"),
        ({"checkpoint_every": -1}, "'checkpoint_every' setting must be a number of seconds >= 0. Got -1"),
        ({"cores": 3}, "There is no setting 'cores'; the settings are"),
    ],
)
def test_a_setting_that_breaks_its_rule_is_named(settings, message):
    with pytest.raises(InputError, match=message), config_context(**settings):
        pass


def test_a_device_that_is_not_here_is_named():
    for device in ("abacus", None):
        said = f"'device' setting must be 'auto' or a device of this machine. Got {device!r}"
        with pytest.raises(InputError, match=said):
            make_runtime(Config(device=device))


def test_precision_follows_the_hardware():
    able = torch.cpu.get_capabilities()
    expected = "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"
    assert make_runtime(Config(device="cpu")).precision == expected
    with make_runtime(Config(device="cpu", precision="bfloat16")).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16
    with make_runtime(Config(device="cpu", precision="float32")).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


@pytest.mark.parametrize("compiler", ["present", "absent"])
def test_compiling_gives_the_same_result_and_its_absence_is_silent(compiler, tmp_path):
    code = (
        "import warnings, torch; warnings.simplefilter('ignore')\n"
        "from coterie.config import Config\nfrom coterie.training import make_runtime\n"
        "model = torch.nn.Module(); model.layer = torch.nn.Linear(4, 4)\n"
        "x = torch.randn(8, 4); before = model.layer(x)\n"
        "make_runtime(Config(device='cpu', compile=True)).prepare(model)\n"
        "print(torch.allclose(model.layer(x), before, atol=1e-6), list(model.state_dict()))\n"
    )
    environment = dict(os.environ, TORCHINDUCTOR_CACHE_DIR=str(tmp_path))
    if compiler == "absent":
        environment |= {"PATH": str(tmp_path), "CXX": str(tmp_path / "none"), "CC": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True ['layer.weight', 'layer.bias']"


def test_no_number_is_made_up_for_a_schedule_without_length():
    with pytest.raises(InputError, match="exactly one of epochs and steps"):
        Schedule(epochs=1, steps=1).check("train")
    assert math.isfinite(Schedule(steps=0).rate(0, 0))


def test_what_a_decoder_should_make_of_a_view_is_moved_but_not_noisy():
    x = torch.rand(6, 1, 8, 8)
    fit = make_fit(torch.nn.Linear(1, 1), augment=Augment(rotate=20, noise=0.5, mask=0.2))
    still = replace(fit.batch(torch.arange(6), 0), x=x)
    assert still.wanted is x  # no dense network
    batch = replace(still, decodes_moved=True)
    moved = Augment(rotate=20)(x, batch.generator("augment"))
    torch.testing.assert_close(batch.wanted, moved)
    assert not torch.allclose(batch.view, moved)
    only_moved = replace(batch, augment=Augment(rotate=20))
    assert only_moved.wanted is only_moved.view
    assert replace(batch, augment=None).wanted is x
