"""`coterie demo` replaces its own runs and nothing else. The run itself is `coterie fit`'s."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from commands import run

from coterie.cli.run import clear_for_demo
from coterie.cli.settings import RunSettings
from coterie.errors import InputError


def made_by(command: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    values = {"data": "mnist10k", "made_by": command, "parameters": {"n_clusters": 10}}
    RunSettings.from_values(values).write(folder)
    (folder / "report.html").write_text("<html>")
    return folder


def test_its_own_run_is_cleared_away(tmp_path: Path) -> None:
    clear_for_demo(made_by("demo", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_demo_that_is_still_running_is_left_alone(tmp_path: Path) -> None:
    folder = made_by("demo", tmp_path / "run")
    (folder / "checkpoint").mkdir()
    lock = os.open(folder / "checkpoint", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(InputError, match="Another process is at work"):
        clear_for_demo(folder)
    assert (folder / "report.html").exists()
    os.close(lock)
    clear_for_demo(folder)
    assert not folder.exists()


def test_where_nothing_is_nothing_happens(tmp_path: Path) -> None:
    clear_for_demo(tmp_path / "run")
    (tmp_path / "run").mkdir()
    clear_for_demo(tmp_path / "run")


def test_the_run_of_another_command_is_kept(tmp_path: Path) -> None:
    folder = made_by("fit", tmp_path / "run")
    with pytest.raises(InputError, match=r"holds another run; give another --out\."):
        clear_for_demo(folder)
    assert (folder / "report.html").exists()


def test_a_file_that_someone_put_there_is_kept(tmp_path: Path) -> None:
    folder = made_by("demo", tmp_path / "run")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"'notes\.txt', which coterie demo did not make"):
        clear_for_demo(folder)
    assert (folder / "report.html").exists()


def test_another_folder_is_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    done = run("demo", "--out", tmp_path)
    assert done.code == 2
    assert "is neither empty nor a run" in done.err
    shutil.rmtree(tmp_path)
    assert run("demo", "--out", tmp_path, "--seed", "-1").err.startswith("error: The settings: 'seed' must be")
    assert not tmp_path.exists()
