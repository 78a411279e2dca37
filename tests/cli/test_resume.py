"""Killed and interrupted runs go on to the same end."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from commands import Blobs, run, start

from coterie.cli import judging
from coterie.cli.inputs import open_data
from coterie.cli.resuming import unchanged
from coterie.cli.settings import RunSettings, read_settings
from coterie.config import config_context
from coterie.errors import InputError, OtherFitError

STEPS = 1500
DEADLINE = 120.0


def refreshes(folder: Path) -> int:
    """Count the refreshes that a run was through."""
    history = folder / "history.jsonl"
    return history.read_text().count('"changed"') if history.exists() else 0


def wait_for(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until a run has been through ``count`` refreshes."""
    end = time.monotonic() + DEADLINE
    while refreshes(folder) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(blobs: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    process = start("fit", blobs.npy, "--config", blobs.settings(STEPS), "--out", folder, "--no-report")
    _, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, error) == (0, "")
    return folder


def test_ctrl_c_then_kill_then_the_same_end(undisturbed: Path, blobs: Blobs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start("fit", blobs.npy, "--config", blobs.settings(STEPS), "--out", folder, "--no-report")
    wait_for(folder, 5, process)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert error == f"Stopped; what is done is kept. To go on: coterie fit --out {folder} --resume\n"
    assert "Report:" not in out
    assert not (folder / "metrics.json").exists()

    done_before = refreshes(folder)
    process = start("fit", "--out", folder, "--resume")
    wait_for(folder, done_before + 5, process)
    process.kill()
    process.communicate(timeout=DEADLINE)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "metrics.json").exists()

    done = run("fit", "--out", folder, "--resume")
    assert done.code == 0, done.err
    assert done.out.startswith(f"Going on with the run in {folder}.\n")
    for name in ("labels.csv", "config.toml"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
    steps = [line.split('"seconds"')[0] for line in (folder / "history.jsonl").read_text().splitlines()]
    assert steps == [line.split('"seconds"')[0] for line in (undisturbed / "history.jsonl").read_text().splitlines()]
    assert not (folder / "checkpoint").exists()


def test_a_finished_run_says_so(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    done = run("fit", "--out", finished, "--resume")
    assert (done.code, done.err) == (0, "")
    assert "is finished" in done.out
    assert done.out.splitlines()[-1] == f"Report: {finished / 'report.html'}"
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_flags_that_agree_may_stay(finished: Path, blobs: Blobs) -> None:
    more = ("--labels", "kind", "-k", 3, "--seed", 3, "--config", blobs.settings())
    assert run("fit", blobs.csv, "--out", finished, "--resume", *more).code == 0


def test_a_system_may_be_written_as_its_class_again(blobs: Blobs, tmp_path: Path) -> None:
    again = ("fit", blobs.npy, "-k", 3, "--system", "KMeans", "--out", tmp_path / "run", "--resume")
    assert run(*again).code == 0
    done = run(*again)
    assert done.code == 0, done.err
    assert "is finished" in done.out


@pytest.mark.parametrize("flags", [("--seed", "4"), ("-k", "4"), ("--system", "idec"), ("--no-report",)])
def test_flags_that_contradict_are_refused(flags: tuple[str, ...], finished: Path) -> None:
    done = run("fit", "--out", finished, "--resume", *flags)
    assert done.code == 2
    assert "was begun with" in done.err


def test_without_a_run_there_is_nothing_to_resume(tmp_path: Path) -> None:
    done = run("fit", "--out", tmp_path / "run", "--resume")
    assert done.code == 2
    assert "There is no run in" in done.err


def test_a_run_killed_before_it_began_begins(blobs: Blobs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / ".config.toml.coterie-0123456789abcdef").mkdir()
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--out", folder, "--resume", "--no-report")
    assert done.code == 0, done.err
    assert (folder / "labels.csv").exists()


def test_a_run_killed_while_it_was_written_is_written_again(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / "checkpoint").mkdir()  # that it is still there is what says "not finished"
    (folder / "labels.csv").write_text("half")
    done = run("fit", "--out", folder, "--resume")
    assert done.code == 0, done.err
    assert (folder / "labels.csv").read_bytes() == (finished / "labels.csv").read_bytes()
    assert not (folder / "checkpoint").exists()


def test_other_rows_are_refused(blobs: Blobs, tmp_path: Path) -> None:
    rows_file, folder = tmp_path / "rows.npy", tmp_path / "run"
    rows = np.load(blobs.npy)
    np.save(rows_file, rows)
    values = {**read_settings(blobs.settings()), "data": str(rows_file)}
    settings = RunSettings.from_values(values)
    settings.write(folder)
    with config_context(checkpoint=folder / "checkpoint"):
        settings.estimator().fit(rows)
    rows[0] += 1
    np.save(rows_file, rows)
    done = run("fit", "--out", folder, "--resume")
    assert done.code == 2
    assert done.err.startswith(
        f"error: The run in {folder} cannot go on, since this is no longer what it was begun with: "
    )
    assert done.err.endswith(
        f": the rows of {rows_file}. Put it back as it was, or give another --out to begin anew.\n"
    )


def test_the_baseline_of_other_rows_is_not_taken_for_that_of_these(blobs: Blobs, tmp_path: Path) -> None:
    rows_file, folder = tmp_path / "rows.npy", tmp_path / "run"
    rows = np.load(blobs.npy)
    np.save(rows_file, rows)
    RunSettings.from_values({**read_settings(blobs.settings()), "data": str(rows_file)}).write(folder)
    (folder / "checkpoint").mkdir()
    judging.first_baseline(open_data(str(rows_file)), 3, seed=3, seconds=1.0, path=folder / "checkpoint" / "kmeans.npz")
    kept = folder / "checkpoint" / "kmeans.npz"
    with np.load(kept) as stored:
        np.savez(tmp_path / "old.npz", **{name: stored[name] for name in stored.files if name != "rows"})
    for others in (rows[::-1], rows[:200]):
        np.save(rows_file, others)
        done = run("fit", "--out", folder, "--resume")
        assert done.code == 2
        assert f"no longer what it was begun with: the rows of {rows_file}. " in done.err
        assert not (folder / "checkpoint" / "checkpoint.safetensors").exists()  # nothing was trained in vain
    np.save(rows_file, rows)
    shutil.copy(tmp_path / "old.npz", kept)  # as an earlier version wrote it: found again
    assert run("fit", "--out", folder, "--resume").code == 0


@pytest.mark.parametrize("content", [b"", b"PK\003\004xx", b"nonsense"])
def test_a_damaged_baseline_is_found_again(blobs: Blobs, tmp_path: Path, content: bytes) -> None:
    kept, data = tmp_path / "kmeans.npz", open_data(str(blobs.npy))
    found = judging.first_baseline(data, 3, seed=3, seconds=1.0, path=kept)
    kept.write_bytes(content)
    again = judging.first_baseline(data, 3, seed=3, seconds=1.0, path=kept)
    np.testing.assert_array_equal(again.labels, found.labels)
    np.testing.assert_array_equal(judging.first_baseline(data, 3, seed=3, seconds=1.0, path=kept).labels, found.labels)


def test_what_else_has_changed_is_told(blobs: Blobs, tmp_path: Path) -> None:
    values = {**read_settings(blobs.settings()), "data": str(blobs.npy), "known": str(blobs.labels)}
    settings = RunSettings.from_values(values)
    changed = {"known": ("ab12", "cd34"), "precision": ("bfloat16", "float32"), "parameters": ({"K": 2}, {"K": 3})}
    with pytest.raises(InputError) as told, unchanged(settings, tmp_path):
        raise OtherFitError("it is another fit", changed)
    assert f": the labels of {blobs.labels}. Put it back" in str(told.value)  # from which the others may follow
    del changed["known"]
    error = pickle.loads(pickle.dumps(OtherFitError("it is another fit", changed)))  # as from another process
    with pytest.raises(InputError) as told, unchanged(settings, tmp_path):
        raise error
    assert ": precision (was 'bfloat16', is 'float32'); parameters. Put it back" in str(told.value)


def test_two_processes_do_not_work_on_one_run(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / "checkpoint").mkdir()
    lock = os.open(folder / "checkpoint", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        done = run("fit", "--out", folder, "--resume")
    finally:
        os.close(lock)
    assert (done.code, done.err) == (2, f"error: Another process is at work in {folder}.\n")


def test_a_damaged_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("seed = ")
    done = run("fit", "--out", tmp_path, "--resume")
    assert done.code == 2
    assert "config.toml is damaged" in done.err


def test_a_run_that_another_process_finished_meanwhile_stays_finished(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coterie.cli import launch

    folder = tmp_path / "run"
    shutil.copytree(undisturbed, folder)
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(launch, "is_finished", lambda _: False)  # as it was when this process began
    done = run("fit", "--out", folder, "--resume")
    assert (done.code, done.err) == (2, f"error: Another process has finished the run in {folder}.\n")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_lock_on_a_folder_that_was_taken_away_counts_for_nothing(tmp_path: Path) -> None:
    from coterie.cli import locking
    from coterie.errors import InputError

    folder = tmp_path / "run" / "checkpoint"
    folder.mkdir(parents=True)
    opened = os.open(folder, os.O_RDONLY)
    assert locking._is_there(opened, folder)
    folder.rename(folder.with_name("gone"))
    assert not locking._is_there(opened, folder)
    folder.mkdir()
    assert not locking._is_there(opened, folder)
    os.close(opened)
    with locking.locked(folder), pytest.raises(InputError, match="at work"), locking.locked(folder):
        pass
