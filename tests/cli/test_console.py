"""What appears on the terminal."""

from __future__ import annotations

import io
import warnings

import pytest

from coterie.cli.console import Screen, one_line_warnings, plain, print_raw
from coterie.errors import CollapseWarning, DataWarning


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\r", "\x00", "\udc80"])
def test_no_character_that_a_terminal_acts_on_gets_through(evil: str, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say(f"a{evil}b")
    Screen().table(["name"], [[f"a{evil}b"]])
    out = capsys.readouterr().out
    assert "a?" in out
    assert all(each.isprintable() or each == "\n" for each in out)


def test_a_line_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say("x" * 500)
    assert capsys.readouterr().out == "x" * 500 + "\n"


def test_square_brackets_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say("[red]a[/red]")
    Screen().table(["[b]name[/b]"], [["[red]b[/red]"]])
    out = capsys.readouterr().out
    assert "[red]a[/red]" in out
    assert "[b]name[/b]" in out
    assert "[red]b[/red]" in out


def test_a_table_stays_plain_in_a_pipe_whatever_the_environment_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    Screen().table(["name", "ACC"], [["DEC", "0.97"], ["k-means", "0.54"]], best=0)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[::2]] == [["name", "ACC"], ["DEC", "0.97"]]
    assert "\x1b" not in "".join(lines)
    assert lines == [line.rstrip() for line in lines]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(quiet=True).say("a")
    Screen(quiet=True).table(["a"], [["b"]])
    assert capsys.readouterr().out == ""


def test_a_stream_that_lacks_a_letter_gets_a_question_mark() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_raw("─ä", stream)
    stream.seek(0)
    assert stream.read() == "??"


@pytest.mark.parametrize("category", [CollapseWarning, DataWarning])
def test_a_warning_is_one_line_and_said_once(category: type[Warning], capsys: pytest.CaptureFixture[str]) -> None:
    before = warnings.showwarning
    with one_line_warnings():
        for _ in range(2):
            warnings.warn("3 images could\nnot be read", category, stacklevel=1)
    assert capsys.readouterr().err == "warning: 3 images could not be read\n"
    assert warnings.showwarning is before


def test_plain_keeps_all_scripts() -> None:
    assert plain("Größe 数字 ─ é") == "Größe 数字 ─ é"
