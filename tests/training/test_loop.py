"""The loop: turns, phases, refreshes, early stops, resuming, interrupts, errors."""

import json
import os
import re
import signal
import time
from typing import ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from stops import StopAt
from toys import CONSTANT, Halver, TwoPlayers, TwoTurns, halver_model, make_fit, run

from coterie.data import Augment
from coterie.errors import InputError, Interrupted, ModelFileError, NonFiniteLossError
from coterie.training import HistoryFile, Phase, Schedule, Turn
from coterie.training.checkpoints import FILE


def test_turns_take_their_share_of_a_step_in_order():
    toy = TwoTurns(steps=2)
    run(toy, make_fit(TwoPlayers()))
    players = [seen[0] for seen in toy.seen[1:]]
    assert toy.seen[0] == "play"
    assert players == (["critic"] * 5 + ["generator"]) * 2


def test_each_turn_changes_only_what_it_trains():
    fit = make_fit(TwoPlayers())

    class OnlyGenerator(TwoTurns):
        def plan(self, fit):
            turn = Turn("generator_terms", ("generator",), CONSTANT)
            return Phase("play", (turn,), 1, batch_size=4) if fit.clock.phase == 0 else None

    with torch.no_grad():
        fit.model.critic.weight.fill_(1.0)
    run(OnlyGenerator(), fit)
    assert fit.model.critic.weight.item() == 1.0
    assert fit.model.generator.weight.item() != 1.0


def test_an_epoch_of_each_turn_meets_every_row_once():
    toy = TwoTurns(steps=5)  # 20 rows in batches of 4: one epoch of the generator, five of the critic
    run(toy, make_fit(TwoPlayers()))
    rows = {name: [i for seen in toy.seen[1:] if seen[0] == name for i in seen[1]] for name in ("critic", "generator")}
    assert sorted(rows["generator"]) == list(range(20))
    assert sorted(rows["critic"]) == sorted(list(range(20)) * 5)
    assert rows["critic"][:20] != rows["critic"][20:40]


def test_a_phase_repeats_until_the_plan_ends():
    toy = Halver(first=16)
    fit = run(toy, make_fit(halver_model()))
    assert toy.seen == [("merge-16", 8), ("merge-8", 4), ("merge-4", 2)]
    assert fit.clock.total == 9
    assert [record["phase"] for record in fit.history] == ["merge-16", "merge-8", "merge-4"]


@pytest.mark.parametrize(("toy", "model"), [(TwoTurns, TwoPlayers), (Halver, halver_model)])
def test_stopped_anywhere_and_resumed_is_the_same_to_the_bit(toy, model, tmp_path):
    whole = run(toy(), make_fit(model(), augment=Augment(noise=0.5)))
    for stop in range(1, whole.clock.total):
        folder = tmp_path / str(stop)
        with pytest.raises(Interrupted, match="config_context"):
            run(toy(), make_fit(model(), augment=Augment(noise=0.5)), folder, callbacks=[StopAt(stop)])
        resumed = run(toy(), make_fit(model(), augment=Augment(noise=0.5)), folder)
        for name, value in whole.model.state_dict().items():
            assert torch.equal(resumed.model.state_dict()[name], value), (stop, name)
        strip = [{k: v for k, v in record.items() if k != "seconds"} for record in resumed.history]
        assert strip == [{k: v for k, v in record.items() if k != "seconds"} for record in whole.history]


def test_resuming_keeps_adaptive_state_of_channels_last_weights(tmp_path):
    class Images(Halver):
        def plan(self, fit):
            turn = Turn("terms", ("layer",), Schedule(steps=8, learning_rate=0.01))
            return Phase("images", (turn,), 8, batch_size=4) if fit.clock.phase == 0 else None

        def enter(self, fit, phase):
            pass

        def terms(self, fit, batch):
            return {"size": (fit.model.layer(batch.view.reshape(-1, 1, 1, 1).expand(-1, 3, 5, 5)) - 1).square().mean()}

    def model():
        torch.manual_seed(0)
        net = torch.nn.Module()
        net.layer = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return net

    with torch.random.fork_rng():
        whole = run(Images(), make_fit(model()))
        with pytest.raises(Interrupted):
            run(Images(), make_fit(model()), tmp_path, callbacks=[StopAt(4)])
        resumed = run(Images(), make_fit(model()), tmp_path)
    assert torch.equal(whole.model.layer.weight, resumed.model.layer.weight)


def test_without_a_folder_an_interrupt_still_keeps_the_work(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(Interrupted, match="nothing is lost"):
        run(Halver(), make_fit(halver_model()), callbacks=[StopAt(2)])
    [saved] = tmp_path.glob(f"coterie-stopped-*/{FILE}")
    fit = run(Halver(), make_fit(halver_model()), saved.parent)
    assert fit.clock.total == 9


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    run(Halver(), make_fit(halver_model()), tmp_path)
    with pytest.raises(InputError, match=r"another fit \(toy was 'Halver', is 'TwoTurns'\)"):
        run(TwoTurns(), make_fit(TwoPlayers()), tmp_path)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"{}" * 40])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path, damage):
    run(Halver(), make_fit(halver_model()), tmp_path)
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelFileError, match="not a readable checkpoint"):
        run(Halver(), make_fit(halver_model()), tmp_path)


@pytest.mark.parametrize("told", [[], {}, {"format": 1}, {"format": 1, "identity": {}}])
def test_a_checkpoint_that_tells_too_little_is_refused_in_one_sentence(tmp_path, told):
    save_file({"weight": torch.zeros(2)}, tmp_path / FILE, metadata={"about": json.dumps(told)})
    with pytest.raises(ModelFileError, match="not a readable checkpoint"):
        run(Halver(), make_fit(halver_model()), tmp_path)


def test_a_non_finite_loss_names_term_and_step_and_spares_the_weights():
    class Exploding(Halver):
        def terms(self, fit, batch):
            scale = torch.inf if fit.clock.total == 4 else 1.0
            return {"fine": fit.model.layer.weight.sum(), "bad": scale * fit.model.layer(batch.view).square().mean()}

    fit = make_fit(halver_model())
    with pytest.raises(NonFiniteLossError, match="'bad' became inf at step 1 of 'merge-8'"):
        run(Exploding(), fit)
    assert torch.isfinite(fit.model.layer.weight).all()


class Refreshing(Halver):
    """Clusters settle after the third refresh."""

    def plan(self, fit):
        turn = Turn("terms", ("layer",), CONSTANT)
        phase = Phase("cluster", (turn,), 100, batch_size=4, refresh_every=5, tolerance=0.01)
        return phase if fit.clock.phase == 0 else None

    def enter(self, fit, phase):
        self.calls = 0

    def refresh(self, fit):
        self.calls += 1
        labels = torch.zeros(len(fit.source), dtype=torch.int64)
        labels[: max(0, 3 - self.calls)] = 1
        return labels


def test_training_stops_when_few_rows_change_cluster():
    toy, fit = Refreshing(), make_fit(halver_model())
    run(toy, fit)
    changed = [record["changed"] for record in fit.history if "changed" in record]
    assert changed == [1.0, 0.05, 0.05, 0.0]
    assert fit.clock.total == 15


def test_a_first_refresh_that_changes_nothing_does_not_end_training():
    class Settled(Refreshing):
        def enter(self, fit, phase):
            self.calls = 9
            fit.memory["labels"] = torch.zeros(len(fit.source), dtype=torch.int64)

    fit = run(Settled(), make_fit(halver_model()))
    assert fit.clock.total == 5


def test_history_file_holds_the_history_also_after_a_resume(tmp_path):
    with pytest.raises(Interrupted):
        run(Halver(), make_fit(halver_model()), tmp_path, callbacks=[HistoryFile(tmp_path / "h.jsonl"), StopAt(4)])
    fit = run(Halver(), make_fit(halver_model()), tmp_path, callbacks=[HistoryFile(tmp_path / "h.jsonl")])
    assert [json.loads(line) for line in (tmp_path / "h.jsonl").read_text().splitlines()] == fit.history


def test_history_averages_every_step_once():
    class Counting(Halver):
        def plan(self, fit):
            return Phase("count", (Turn("terms", ("layer",), CONSTANT),), 120, 4) if fit.clock.phase == 0 else None

        def terms(self, fit, batch):
            return {"count": 0 * fit.model.layer.weight.sum() + fit.clock.step}

    fit = run(Counting(), make_fit(halver_model()))
    assert [record["step"] for record in fit.history] == [50, 100, 120]
    assert [record["count"] for record in fit.history] == [np.mean(range(50)), np.mean(range(50, 100)), 109.5]


def test_batches_never_exceed_the_rows():
    toy = TwoTurns(steps=1)
    run(toy, make_fit(TwoPlayers(), n=3))
    assert sorted(toy.seen[1][1]) == [0, 1, 2]


def test_the_interrupt_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    run(Halver(), make_fit(halver_model()))
    assert signal.getsignal(signal.SIGINT) is before


def dropping_model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Module()
        net.layer = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    return net


def test_layers_that_draw_follow_the_seed_also_when_resumed(tmp_path):
    before = torch.get_rng_state()
    whole = run(Halver(), make_fit(dropping_model()))
    with pytest.raises(Interrupted):
        run(Halver(), make_fit(dropping_model()), tmp_path, callbacks=[StopAt(4)])
    resumed = run(Halver(), make_fit(dropping_model()), tmp_path)
    other = run(Halver(), make_fit(dropping_model(), seed=1))
    assert torch.equal(whole.model.layer[0].weight, resumed.model.layer[0].weight)
    assert not torch.equal(whole.model.layer[0].weight, other.model.layer[0].weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_phases_are_entered_as_in_use_also_when_resumed(tmp_path):
    class Watched(Halver):
        modes: ClassVar[list[bool]] = []

        def enter(self, fit, phase):
            self.modes.append(fit.model.training)
            if len(self.modes) == 2:
                raise KeyboardInterrupt  # the power fails while all rows are encoded
            super().enter(fit, phase)

    with pytest.raises(KeyboardInterrupt):
        run(Watched(), make_fit(halver_model()), tmp_path)
    run(Watched(), make_fit(halver_model().train()), tmp_path)
    assert Watched.modes == [False] * 4


def test_an_interrupt_in_what_follows_the_last_step_is_heard_and_kept(tmp_path):
    class Slow(Halver):
        def finish(self, fit):
            super().finish(fit)
            if self.impatient:
                os.kill(os.getpid(), signal.SIGINT)

    toy = Slow()
    toy.impatient = True
    with pytest.raises(Interrupted, match="between two phases; nothing is lost"):
        run(toy, make_fit(halver_model()), tmp_path)
    toy.impatient, toy.seen = False, []
    run(toy, make_fit(halver_model()), tmp_path)
    assert toy.seen == []  # nothing was trained twice
    assert toy.finished == 3


def test_shared_weights_are_updated_once():
    class Tied(Halver):
        def plan(self, fit):
            turn = Turn("terms", ("layer", "mirror"), CONSTANT)
            return Phase("tied", (turn,), 1, batch_size=20) if fit.clock.phase == 0 else None

        def enter(self, fit, phase):
            pass

    tied, plain = halver_model(), halver_model()
    tied.mirror = tied.layer
    plain.mirror = torch.nn.Identity()
    run(Tied(), make_fit(tied))
    run(Tied(), make_fit(plain))
    assert torch.equal(tied.layer.weight, plain.layer.weight)


def test_the_rate_in_the_history_is_the_one_of_the_last_step(tmp_path):
    class Cycled(Refreshing):
        def plan(self, fit):
            turn = Turn("terms", ("layer",), Schedule(steps=20, learning_rate=0.1, optimiser="sgd"))
            phase = Phase("cluster", (turn,), 20, batch_size=4, refresh_every=5)
            return phase if fit.clock.phase == 0 else None

    whole = run(Cycled(), make_fit(halver_model()))
    with pytest.raises(Interrupted):
        run(Cycled(), make_fit(halver_model()), tmp_path, callbacks=[StopAt(5)])
    resumed = Cycled()
    resumed.calls = 1
    rates = [record["lr"] for record in run(resumed, make_fit(halver_model()), tmp_path).history]
    assert rates == [record["lr"] for record in whole.history]
    assert rates[0] < 0.01


def test_before_the_first_step_an_interrupt_is_heard_at_once():
    class Slow(Halver):
        phases = 0

        def plan(self, fit):
            return None

        def finish(self, fit):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)  # as long clusterings of rows do that have no steps

    began = time.monotonic()
    with pytest.raises(Interrupted, match=r"^Stopped before the first step\.$"):
        run(Slow(), make_fit(halver_model()))
    assert time.monotonic() - began < 5


def test_a_part_that_is_stopped_before_its_first_step_says_how_the_whole_goes_on(tmp_path):
    class Slow(Halver):
        def enter(self, fit, phase):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)

    with pytest.raises(Interrupted, match="before the first step. To go on, .*" + re.escape(repr(str(tmp_path)))):
        run(Slow(), make_fit(halver_model()), tmp_path)
