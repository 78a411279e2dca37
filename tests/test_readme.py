"""What the README shows works as shown."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

import coterie
from coterie.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def _shell_lines() -> list[str]:
    return [line for block in _blocks("console") for line in block.splitlines() if line.startswith("coterie ")]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_two_commands_are_targets(command: str) -> None:
    assert re.search(rf"^```\n{command}\n```$", README, flags=re.MULTILINE)
    shown = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("line", _shell_lines())
def test_shell_lines_are_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("photos", "new", "runs/photos"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    _, name, *arguments = shlex.split(line, comments=True)
    group = typer.main.get_group(app)
    with group.make_context("coterie", [name, *arguments]) as outer:
        command = group.get_command(outer, name)
        assert command is not None, f"there is no command {name}"
        command.make_context(name, arguments, parent=outer)  # parses, and raises on an unknown or missing argument


@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")  # the shorter training deserves it
def test_python_runs_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "".join(_blocks("python"))
    # The same lines on fewer images and with shorter training, since nothing here depends on a good result.
    for shown, shorter in {
        "X, y = load_mnist10k()": "X, y = (rows[:120] for rows in load_mnist10k())",
        "10, random_state=0)": "10, random_state=0, pretrain=short, train=short)",
    }.items():
        assert code.count(shown) == 1
        code = code.replace(shown, shorter)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"short": coterie.Schedule(steps=5)}
    exec(compile(code, "README.md", "exec"), names)
    assert len(names["again"].labels_) == len(names["model"].labels_) == 120
    assert names["model"].count_.n >= 1
    assert (tmp_path / "digits" / "manifest.json").is_file()


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing
