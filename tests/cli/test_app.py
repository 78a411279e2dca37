"""The command line as a whole: help, version, speed, exit codes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from commands import Blobs, run, start

from coterie import __version__
from coterie.cli import app

COMMANDS = (
    "demo",
    "fit",
    "predict",
    "embed",
    "outliers",
    "report",
    "rename",
    "merge",
    "split",
    "undo",
    "label",
    "compare",
    "systems",
    "datasets",
)
PROBE = """
import sys
try:
    from coterie.cli import main
    main(["--help"])
except SystemExit as end:
    heavy = {"torch", "numpy", "sklearn", "scipy", "pydantic", "rich"} & set(sys.modules)
    sys.exit(f"imported {heavy}" if heavy or end.code else 0)
"""


STOPPED = """
import runpy, sys
class Stop:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
runpy.run_module("coterie", run_name="__main__")
"""


def test_a_stop_while_the_command_line_is_loaded_is_one_word() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Stopped.\n")


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(re.search(rf"^  {name} ", done.stdout, flags=re.MULTILINE) for name in COMMANDS)


def test_help_answers_within_half_a_second() -> None:
    command = [sys.executable, "-m", "coterie", "--help"]
    times = []
    for _ in range(3):  # processor time, and the best of three: other processes may be busy
        before = os.times()
        subprocess.run(command, capture_output=True, check=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(times) < 0.5


def test_every_command_and_every_parameter_has_help() -> None:
    group = typer.main.get_command(app)
    assert list(group.commands) == list(COMMANDS)
    for name, command in group.commands.items():
        assert command.help, name
        first = command.get_short_help_str(200)
        assert len(first) < 60, f"the summary of {name} is cut off in the list of commands"
        assert not [p.name for p in command.params if not p.help], name


def test_the_version() -> None:
    assert run("--version").out == f"coterie {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["fit", "--no-such-flag"], ["predict"], ["no-such-command"], ["fit", "a", "b"]],
)
def test_bad_usage_ends_with_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert "Error" in done.err
    assert "Traceback" not in done.err


def test_an_error_of_the_system_is_one_sentence(tmp_path: Path) -> None:
    done = run("fit", "--config", tmp_path / "missing.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: No such file or directory: {tmp_path / 'missing.toml'}\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = start("datasets", PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_without_a_standard_stream_there_is_nothing_to_read_or_nobody_listens(finished: Path, closed: str) -> None:
    code = "from coterie.cli import main; main()"
    command = shlex.join([sys.executable, "-c", code, "label", str(finished), "-n", "1", "--no-refit"])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, input=b"", check=False)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_tilde_that_names_no_user_stands_as_it_is(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(blobs.csv, tmp_path / "~plants.csv")
    monkeypatch.chdir(tmp_path)
    done = run("fit", "~plants.csv", "--drop", "kind", "-k", 3, "--system", "kmeans", "--out", "r", "--no-report")
    assert done.code == 0, done.err
    done = run("predict", "r", "~nobody.csv", "--out", "z.csv")
    assert done.code == 2
    assert "/~nobody.csv'" in done.err


def test_the_list_of_systems_names_their_recipes() -> None:
    lines = {line.split()[0]: line for line in run("systems").out.splitlines() if line.strip()}
    assert {"dec", "idec", "aekmeans"} <= set(lines)
    assert "keras" in lines["dec"]


def test_the_list_of_datasets_says_what_is_here() -> None:
    done = run("datasets")
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert re.search(r"10,000 +28 x 28 +10 +embedded", lines["mnist10k"])
    assert "not stored" in lines["mnist"]
