"""`coterie demo` replaces its own runs and nothing else. The run itself is `coterie fit`'s."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from commands import run

from coterie.cli.clearing import clear_for_demo
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
    folder = tmp_path / "run"
    clear_for_demo(folder)
    assert not folder.exists()
    folder.mkdir()
    clear_for_demo(folder)
    assert list(tmp_path.iterdir()) == [folder]


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


@pytest.mark.parametrize("changed", ["a name", "a column"])
def test_what_a_person_changed_is_kept(finished: Path, tmp_path: Path, changed: str) -> None:
    a_run = shutil.copytree(finished, tmp_path / "run")
    config = a_run / "config.toml"
    config.write_text(config.read_text().replace('made_by = "fit"', 'made_by = "demo"'))
    if changed == "a name":
        assert run("rename", a_run, "0", "first").code == 0
    else:
        lines = (a_run / "labels.csv").read_text().splitlines()
        (a_run / "labels.csv").write_text("\n".join([f"{lines[0]},note", *(f"{line},mine" for line in lines[1:])]))
    with pytest.raises(InputError, match=r"was changed since coterie demo made it; give another --out\."):
        clear_for_demo(a_run)
    assert (a_run / "labels.csv").is_file()


def test_another_folder_is_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    done = run("demo", "--out", tmp_path)
    assert done.code == 2
    assert "is neither empty nor a run" in done.err
    shutil.rmtree(tmp_path)
    assert run("demo", "--out", tmp_path, "--seed", "-1").err.startswith("error: The settings: 'seed' must be")
    assert not tmp_path.exists()
