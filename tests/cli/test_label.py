"""`coterie label`: rows are shown, answers are kept as they come, and a later session goes on."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Blobs, run
from small import small
from typer.testing import CliRunner

import coterie
from coterie import SelfLabel
from coterie.cli import app
from coterie.cli.answers import Answers
from coterie.cli.console import Screen
from coterie.cli.refitting import _say_what_differs, _settings
from coterie.cli.run import stored_settings
from coterie.cli.settings import RunSettings
from coterie.data import Table, make_source
from coterie.data.labels import load_known
from coterie.errors import InputError
from coterie.report import save_arrays
from coterie.report.arrays import load_arrays


def say(folder: Path, answers: str, *more: object):
    """Run `coterie label` with these lines typed."""
    arguments = ["label", str(folder), "--no-refit", *map(str, more)]
    result = CliRunner().invoke(app, arguments, input=answers, prog_name="coterie")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def known(folder: Path, name: str = "known.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def given(folder: Path) -> dict[int, str]:
    return {int(row["row"]): row["label"] for row in known(folder) if row["asked"]}


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run")


def test_answers_are_kept_for_every_row_that_was_shown(own: Path, blobs: Blobs) -> None:
    with blobs.csv.open(newline="") as file:
        truth = [row["kind"] for row in csv.DictReader(file)]
    done = say(own, "elm\n\noak\n", "-n", 3)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("in cluster ") == 3
    assert done.stdout.count("column") >= 3  # a table of the row's columns
    assert "2 of 300 rows have a label, of 2 kinds" in done.stdout
    rows = known(own)
    assert len(rows) == 300
    assert [row["row"] for row in rows] == [str(i) for i in range(300)]
    assert sorted(given(own).values()) == ["", "elm", "oak"]
    assert len({truth[row] for row in given(own)}) == 3  # one of each cluster came first


def test_what_is_no_text_is_asked_again(own: Path) -> None:
    typed = b"caf\xe9\ncaf\xc3\xa9\nq\n"  # as Latin-1, then as UTF-8
    done = CliRunner().invoke(app, ["label", str(own), "--no-refit", "-n", "2"], input=typed, prog_name="coterie")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("all printable") == 1
    assert list(given(own).values()) == ["caf\u00e9"]


def test_later_sessions_ask_other_rows(own: Path) -> None:
    say(own, "a\n\na\n", "-n", 3)
    first = given(own)
    done = say(own, "b\nb\nb\n", "-n", 3)
    assert done.exit_code == 0, done.stderr
    assert "Labels so far: a\n" in done.stdout
    second = given(own)
    assert len(second) == 6
    assert {row: second[row] for row in first} == first


def test_u_takes_back_and_q_stops(own: Path) -> None:
    done = say(own, "u\nwrong\nu\nright\nq\n")
    assert "There is no answer to take back." in done.stdout
    assert list(given(own).values()) == ["right"]
    done = say(own, "u\nq\n")  # what an earlier session kept stays
    assert "There is no answer to take back." in done.stdout
    assert list(given(own).values()) == ["right"]


def test_the_end_of_the_input_stops(own: Path) -> None:
    done = say(own, "x\n")
    assert done.exit_code == 0
    assert list(given(own).values()) == ["x"]


def test_labels_that_are_commands_are_typed_with_a_sign(own: Path) -> None:
    say(own, "=u\n=q\nq\n")
    assert sorted(given(own).values()) == ["q", "u"]


def test_what_is_no_label_is_asked_again(own: Path) -> None:
    done = say(own, "-1\n-1.0\n" + "y" * 81 + "\n=\nNA\ngood\nq\n")
    for said in ("-1", "-1.0", "nothing", "NA"):
        assert done.stdout.count(f"A label is a word or a number; {said} stands for a row without one.") == 1
    assert "A label has at most 80 characters, all printable." in done.stdout
    assert list(given(own).values()) == ["good"]


def test_names_of_clusters_are_told(own: Path) -> None:
    for k in range(3):
        assert run("rename", own, k, f"group {k}").code == 0
    assert say(own, "q\n").stdout.count("(group ") == 1


def test_images_are_drawn_with_their_names(make_images: Callable[[int], Path], blobs: Blobs, tmp_path: Path) -> None:
    images = make_images(20)
    folder = tmp_path / "images-run"
    settings = tmp_path / "few.toml"
    settings.write_text('system = "kmeans"\n[parameters]\nn_clusters = 2\n')
    assert run("fit", images, "--config", settings, "--out", folder).code == 0
    done = say(folder, "dark\nlight\n", "-n", 2)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count(".png, row ") == 2
    drawn = [line for line in done.stdout.splitlines() if set(line) & set("█▓▒░")]
    assert len(drawn) >= 4
    assert all(not set(line) - set(" ░▒▓█") for line in drawn)
    rows = known(folder)
    assert list(rows[0]) == ["row", "name", "label", "asked"]
    assert all(row["name"].endswith(".png") for row in rows)


def in_a_terminal(folder: Path) -> tuple[int, int]:
    """Begin `coterie label` in a terminal; return its process and the terminal."""
    import pty

    child, terminal = pty.fork()
    if not child:
        os.environ["OMP_NUM_THREADS"] = "1"
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which whoever runs the tests in the background ignores
        code = "from coterie.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", code, "label", str(folder), "--no-refit"])
    return child, terminal


def test_ctrl_c_while_it_waits_says_where_the_answers_are(own: Path) -> None:
    child, terminal = in_a_terminal(own)
    try:
        _until(terminal, b"Label: ")
        os.write(terminal, b"first\n")
        _until(terminal, b"Label: ")
        os.kill(child, signal.SIGINT)
        said = _until(terminal, b"Stopped.\r\n").decode()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    finally:
        os.close(terminal)
    assert f"1 of 300 rows has a label, of 1 kind: {own / 'known.csv'}" in said
    assert "Traceback" not in said


def test_a_kill_while_it_waits_loses_no_answer(own: Path) -> None:
    child, terminal = in_a_terminal(own)
    try:
        said = b""
        for answer in (b"first\n", b"second\n", None):
            said += _until(terminal, b"Label: ")
            if answer:
                os.write(terminal, answer)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    assert sorted(given(own).values()) == ["first", "second"]
    before = set(given(own))
    say(own, "third\nq\n")
    assert len(set(given(own)) - before) == 1


def _until(terminal: int, end: bytes) -> bytes:
    found, until = b"", time.monotonic() + 120
    while not found.endswith(end):
        assert time.monotonic() < until
        found += os.read(terminal, 4096)
    return found


def test_only_one_asks_at_a_time_and_only_about_finished_runs(own: Path, tmp_path: Path) -> None:
    from coterie.cli.editing import held

    with held(own):
        assert "Another process is at work" in say(own, "").stderr
    assert "is not a run folder" in say(tmp_path, "").stderr
    assert say(own, "", "-n", -1).stderr == "error: -n must be an integer >= 0. Got -1 instead.\n"


def test_where_everything_was_asked_nothing_is(own: Path) -> None:
    answers = Answers.read(own / "known.csv", 300)
    for row in range(299):
        answers.given[row] = "a"
    answers.answer(299, "b")
    done = say(own, "")
    assert done.exit_code == 0
    assert "Every row was asked for already." in done.stdout
    assert "300 of 300 rows have a label, of 2 kinds" in done.stdout
    assert "in cluster" not in done.stdout


def test_rows_that_were_all_skipped_have_no_label(own: Path) -> None:
    assert "No row has a label yet.\n" in say(own, "\n\n", "-n", 2).stdout


def test_answers_become_numbers_by_their_order(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "known.csv", 5, ["=a", "b", "c", "d", "e"])
    for row, label in ((3, "10"), (1, "9"), (4, ""), (0, "9")):
        answers.answer(row, label)
    assert answers.classes == ["9", "10"]
    assert np.array_equal(answers.labels, [0, 0, -1, 1, -1])
    assert np.array_equal(answers.asked, [True, True, False, True, True])
    again = Answers.read(tmp_path / "known.csv", 5)
    assert again.given == {0: "9", 1: "9", 3: "10", 4: ""}
    with pytest.raises(InputError, match="must be numbered from 0 to 3, each once. Got 5 rows"):
        Answers.read(tmp_path / "known.csv", 4)
    header, *lines = (tmp_path / "known.csv").read_text().splitlines(keepends=True)
    (tmp_path / "known.csv").write_text("".join([header, *reversed(lines)]), encoding="utf-8-sig")  # by a spreadsheet
    sheet = Answers.read(tmp_path / "known.csv", 5)
    assert sheet.given == again.given
    (tmp_path / "known.csv").write_text("row;label\n")
    (tmp_path / "bad.csv").write_text("row,what\n0,1\n")
    with pytest.raises(InputError, match="is damaged: it needs the columns row, label and asked"):
        Answers.read(tmp_path / "bad.csv", 1)


def test_columns_that_a_user_added_to_the_answers_stay(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    Answers(path, 2, ["a", "b"]).answer(1, "oak")
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},why,by", f"{lines[0]},,me", f'{lines[1]},"leaves, bark",=SUM(A1)']))
    answers = Answers.read(path, 2, ["a", "b"])
    answers.answer(0, "elm")
    assert path.read_text().splitlines() == [
        "row,name,label,asked,why,by",
        "0,a,elm,yes,,me",
        '1,b,oak,yes,"leaves, bark",=SUM(A1)',
    ]
    for names in (None, ["a", "a"]):  # then the column is not ours
        path.write_text("row,label,asked,name\n0,elm,yes,me\n1,,,you\n")
        Answers.read(path, 2, names).answer(1, "oak")
        assert path.read_text() == "row,label,asked,name\n0,elm,yes,me\n1,oak,yes,you\n"
    path.write_text("row,label,asked,x,x\n0,elm,yes,1,2\n1,,,3,4\n")
    with pytest.raises(InputError, match="must have a heading of its own"):
        Answers.read(path, 2)


def test_answers_are_read_as_a_fit_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("row,label,asked\n3,NA, Yes\n0, 1 ,yes\n4,1.0,no\n1,2,yes\n")  # row 2 was deleted in a spreadsheet
    answers = Answers.read(path, 5)
    assert answers.labelled == {0: "1", 1: "2", 4: "1.0"}
    assert answers.classes == ["1", "2"]
    assert answers.labels.tolist() == [0, 1, -1, -1, 0]
    assert answers.asked.tolist() == [True, True, False, True, True]


def test_without_labels_there_is_nothing_to_fit_with(own: Path) -> None:
    (own / "known.csv").write_text("row,label,asked\n3,NA,yes\n")
    done = say(own, "", "-n", 0)
    assert done.exit_code == 2
    assert "There is no label to fit with" in done.stderr
    assert not own.with_name("run-labelled").exists()


def test_a_new_kind_has_a_cluster_of_its_own(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.csv.open(newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    names = sorted(set(kinds))
    (tmp_path / "two.txt").write_text("\n".join(kind if kind in names[:2] else "" for kind in kinds) + "\n")
    (tmp_path / "brief.toml").write_text("[parameters]\nnetwork.kind = 'mlp'\nnetwork.hidden = [8]\ntrain.steps = 60\n")
    asked = ("-k", 2, "--system", "snnl-kmeans", "--known", tmp_path / "two.txt", "--config", tmp_path / "brief.toml")
    folder = tmp_path / "run"
    done = run("fit", blobs.npy, *asked, "--out", folder)
    assert done.code == 0, done.err
    done = fit_again(folder, f"{names[2]}\n\n\n")
    assert done.exit_code == 0, done.stderr
    assert coterie.load(tmp_path / "run-labelled" / "model").n_clusters == 3


def test_a_run_that_begins_anew_for_want_of_clusters_says_so(own: Path) -> None:
    said = "There are more classes than the 3 clusters of this run; the new one begins anew, with 4."
    assert said not in fit_again(own, "a\nb\nc\n").stdout
    learned = own / "known-for-run-labelled.csv"
    before = learned.read_bytes()
    own.with_name("run-labelled").rename(own.with_name("best"))
    done = fit_again(own, "d\n\n\n")
    assert done.exit_code == 0, done.stderr
    assert said in done.stdout
    assert coterie.load(own.with_name("run-labelled-2") / "model").n_clusters == 4
    assert learned.read_bytes() == before  # what the run that has moved would be made from again


def test_a_refit_that_is_refused_leaves_no_labels_behind(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(values: dict[str, object], **_: object) -> None:
        assert Path(str(values["known"])).is_file()
        raise InputError("No.")

    monkeypatch.setattr("coterie.cli.refitting.launch", refuse)
    assert fit_again(own, "a\nb\nc\n").exit_code == 2
    assert not list(own.glob("known-for-*"))
    assert len(given(own)) == 3


def test_who_was_skipped_is_not_asked_again_by_the_run_that_follows(own: Path) -> None:
    assert fit_again(own, "c\n\na\n").exit_code == 0
    (skipped,) = [row for row, label in Answers.read(own / "known.csv", 300).given.items() if not label]
    again = own.with_name("run-labelled")
    say(again, "q\n")
    answers = Answers.read(again / "known.csv", 300)
    assert answers.given[skipped] == ""
    assert len(answers.labelled) == 2


def test_how_to_fit_again_is_said(own: Path) -> None:
    said = say(own, "a\nb\nq\n").stdout
    assert f"To fit again with them: coterie label {own} -n 0" in said
    assert "To fit again" not in say(own, "q\n").stdout


def test_a_run_whose_name_begins_as_a_flag_does_is_told_as_it_is_typed(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.rename(own.with_name("-n run")).parent)
    command = ["label", "--no-refit", "-n", "1", "--", "-n run"]
    said = CliRunner().invoke(app, command, input="a\nb\nq\n", prog_name="coterie").stdout
    told = next(line for line in said.splitlines() if line.startswith("To fit again"))
    typed = shlex.split(told.partition("coterie ")[2])
    assert typed == ["label", "./-n run", "-n", "0"]
    assert CliRunner().invoke(app, [*typed, "--no-refit"], prog_name="coterie").exit_code == 0


def fit_again(folder: Path, answers: str):
    """Run `coterie label` with these lines typed, and the fit that follows."""
    return CliRunner().invoke(app, ["label", str(folder), "-n", "3"], input=answers, prog_name="coterie")


def phases_of(folder: Path) -> set[str]:
    return {json.loads(line)["phase"] for line in (folder / "history.jsonl").read_text().splitlines()}


def test_the_fit_with_labels_goes_on_from_the_run(own: Path) -> None:
    done = fit_again(own, "c\nb\na\n")
    assert done.exit_code == 0, done.stderr
    again = own.with_name("run-labelled")
    assert phases_of(own) == {"pretrain", "cluster"}
    assert phases_of(again) == {"cluster"}
    settings = tomllib.loads((again / "config.toml").read_text())
    assert settings["warm_start"] == str(own)
    assert settings["known"] == str(own / "known-for-run-labelled.csv")
    asked = given(own)
    Answers.read(own / "known.csv", 300).answer(next(i for i in range(300) if i not in asked), "a")  # too late for it
    model = coterie.load(again / "model")
    assert {row: "abc"[model.labels_[row]] for row in asked} == asked
    said = run("fit", "--config", again / "config.toml", "--out", own.with_name("twice"))
    assert said.code == 0, said.err
    assert (own.with_name("twice") / "labels.csv").read_bytes() == (again / "labels.csv").read_bytes()
    for label in "abc":
        assert run("rename", again, label, f"the {label}").code == 0
    assert re.search(r"\(the ([abc]); in the labels \1\), confidence", say(again, "q\n").stdout)


def test_the_run_may_be_the_working_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own)
    done = fit_again(Path(), "c\nb\na\n")
    assert done.exit_code == 0, done.stderr
    assert (own.with_name("run-labelled") / "labels.csv").exists()


def test_rows_that_have_moved_are_given_with_train(own: Path, blobs: Blobs) -> None:
    config = own / "config.toml"
    config.write_text(config.read_text().replace(str(blobs.csv), str(own.with_name("gone.csv"))))
    done = say(own, "c\n")
    assert done.exit_code == 2
    assert "give them with --train DATA" in done.stderr
    done = say(own, "c\nb\na\n", "-n", 3, "--train", blobs.csv)
    assert f"-n 0 --train {blobs.csv}" in done.stdout
    arguments = ["label", str(own), "-n", "0", "--train", str(blobs.csv)]
    assert CliRunner().invoke(app, arguments, prog_name="coterie").exit_code == 0
    settings = tomllib.loads((own.with_name("run-labelled") / "config.toml").read_text())
    assert settings["data"] == str(blobs.csv)


def test_rows_that_are_given_anew_may_be_an_array(own: Path, blobs: Blobs, tmp_path: Path) -> None:
    arguments = ["label", str(own), "-n", "3", "--train", str(blobs.npy)]
    done = CliRunner().invoke(app, arguments, input="c\nb\na\n", prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    settings = tomllib.loads((tmp_path / "run-labelled" / "config.toml").read_text())
    assert (settings["data"], settings.get("labels")) == (str(blobs.npy), None)


def test_the_labels_of_a_run_are_a_column_whatever_the_working_folder_holds(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kind").write_text("hello")
    assert stored_settings(own).labels == "kind"
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = fit_again(own, "c\nb\na\n")
    assert done.exit_code == 0, done.stderr
    assert stored_settings(tmp_path / "run-labelled").labels == "kind"


def test_another_system_and_more_clusters_are_said(own: Path, blobs: Blobs, tmp_path: Path, monkeypatch) -> None:
    made = []
    monkeypatch.setattr("coterie.cli.refitting.launch", lambda values, **_: made.append(values))
    done = run("fit", blobs.npy, "-k", 3, "--system", "kmeans", "--out", tmp_path / "plain")
    assert done.code == 0, done.err
    said = fit_again(tmp_path / "plain", "a\nb\nc\n").stdout
    assert "kmeans learns from no labels; dec is fitted in its place." in said and "more classes" not in said
    said = fit_again(tmp_path / "plain", "d\n\n\n").stdout
    assert "There are more classes than the 3 clusters of this run; the new one has 4." in said
    assert [values["parameters"]["n_clusters"] for values in made] == [3, 4]


def test_the_system_that_was_chosen_and_learns_from_labels_stays_in_place(own: Path, capsys) -> None:
    model = coterie.load(own / "model")
    values = {"system": "dec", "parameters": {"n_clusters": 3}}
    _say_what_differs(Screen(), values, settings=RunSettings(data="x.npy", system="auto"), model=model)
    assert capsys.readouterr().out == ""


def test_more_classes_than_clusters_are_a_new_fit(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    once = own.with_name("run-labelled")
    done = CliRunner().invoke(app, ["label", str(once), "-n", "1"], input="d\n", prog_name="coterie")
    assert done.exit_code == 0, done.stderr  # though that run went on from another
    again = own.with_name("run-labelled-labelled")
    assert phases_of(again) == {"pretrain", "cluster"}
    assert len(coterie.load(again / "model").cluster_centers_) == 4


def test_classes_that_count_from_one_are_names(own: Path) -> None:
    assert fit_again(own, "1\n2\n3\n").exit_code == 0
    again = own.with_name("run-labelled")
    model = coterie.load(again / "model")
    assert model.cluster_names_ == ["1", "2", "3"]
    assert {row: model.cluster_names_[model.labels_[row]] for row in given(own)} == given(own)
    assert json.loads((again / "metrics.json").read_text())["known"]["kept"] == 1.0


def test_labels_that_a_run_learned_from_are_kept_where_nothing_is_answered(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    again = own.with_name("run-labelled")
    done = CliRunner().invoke(app, ["label", str(again)], input="q\n", prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    assert given(again) == given(own)
    assert not own.with_name("run-labelled-labelled").exists()
    moved = again.rename(own.with_name("moved"))
    shutil.rmtree(own)  # with the file that the run learned from
    done = CliRunner().invoke(app, ["label", str(moved), "-n", "0"], prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    assert phases_of(moved.with_name("moved-labelled")) == {"cluster"}


def test_a_session_that_only_skips_fits_nothing(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    done = fit_again(own, "\n\n\n")
    assert done.exit_code == 0, done.stderr
    assert len(given(own)) == 6
    assert not own.with_name("run-labelled-2").exists()


def with_ids(blobs: Blobs, path: Path) -> list[list[str]]:
    """Write the rows with a column of ids before them, and return them without."""
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", *header], *([f"p{i}", *row] for i, row in enumerate(rows))])
    return [header, *rows]


def test_rows_that_are_given_anew_may_be_the_features_alone(blobs: Blobs, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole.csv", tmp_path / "run"
    header, *rows = with_ids(blobs, whole)
    done = run("fit", whole, "--config", blobs.settings(), "--drop", "id", "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    whole.unlink()
    alone = tmp_path / "alone.csv"
    with alone.open("w", newline="") as file:
        csv.writer(file).writerows(row[:6] for row in [header, *rows])
    arguments = ["label", str(folder), "-n", "3", "--train", str(alone)]
    done = CliRunner().invoke(app, arguments, input="c\nb\na\n", prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    assert phases_of(tmp_path / "run-labelled") == {"cluster"}


def test_rows_with_names_are_asked_about_session_after_session(blobs: Blobs, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole.csv", tmp_path / "run"
    with_ids(blobs, whole)
    done = run("fit", whole, "--config", blobs.settings(), "--names", "id", "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    assert fit_again(folder, "c\nb\na\n").exit_code == 0
    again = tmp_path / "run-labelled"
    for n in (4, 5):  # the labels that the run learned from come first
        assert say(again, "a\n", "-n", 1).exit_code == 0
        assert list(known(again)[0]) == ["row", "name", "label", "asked"]
        assert len(given(again)) == n


def test_rows_that_are_given_anew_may_lack_what_is_no_feature(blobs: Blobs, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole.csv", tmp_path / "run"
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with whole.open("w", newline="") as file:
        csv.writer(file).writerows([["id", *header, "note"], *([f"p{i}", *row, "-"] for i, row in enumerate(rows))])
    flags = ("--names", "id", "--drop", "note", "--labels", "kind")
    done = run("fit", whole, "--config", blobs.settings(), *flags, "--out", folder)
    assert done.code == 0, done.err
    whole.unlink()
    arguments = ["label", str(folder), "-n", "3", "--train", str(blobs.csv)]
    done = CliRunner().invoke(app, arguments, input="c\nb\na\n", prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    assert phases_of(tmp_path / "run-labelled") == {"cluster"}
    assert "accuracy" in json.loads((tmp_path / "run-labelled" / "metrics.json").read_text())["metrics"]


def test_a_column_of_labels_that_was_told_by_its_number_is_found_again(blobs: Blobs, tmp_path: Path) -> None:
    partly, folder = tmp_path / "partly.csv", tmp_path / "run"
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with partly.open("w", newline="") as file:
        told = [[*row, row[-1] if i % 10 == 0 else ""] for i, row in enumerate(rows)]
        csv.writer(file).writerows([[*header, "told"], *told])
    done = run("fit", partly, "--config", blobs.settings(), "--known", "-1", "--labels", "6", "--out", folder)
    assert done.code == 0, done.err
    done = fit_again(folder, "oak\nelm\nash\n")
    assert done.exit_code == 0, done.stderr
    assert 'drop = ["told"]' in (tmp_path / "run-labelled" / "config.toml").read_text()


def test_names_with_a_carriage_return_are_read_again(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "known.csv", 3, ["one\rname", "b", "c"])
    answers.answer(0, "elm")
    assert Answers.read(tmp_path / "known.csv", 3, ["one\rname", "b", "c"]).given == {0: "elm"}


def test_that_edits_stay_behind_is_said(own: Path) -> None:
    assert run("rename", own, 0, "first").code == 0
    assert "stays with this run" in fit_again(own, "c\nb\na\n").stdout


def test_rows_of_one_name_are_told_apart_by_their_order(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    path, folder = tmp_path / "twice.csv", tmp_path / "run"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["", *header], *([f"p{i % 150}", *row] for i, row in enumerate(rows))])
    done = run("fit", path, "--config", blobs.settings(), "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    assert fit_again(folder, "c\nb\na\n").exit_code == 0
    with (tmp_path / "run-labelled" / "labels.csv").open(newline="") as file:
        learned = {int(row["row"]): row["known"] for row in csv.DictReader(file) if row["known"]}
    assert learned == given(folder)


def test_a_system_that_learns_from_no_labels_is_followed_by_one_that_does(blobs: Blobs, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    done = run("fit", blobs.csv, "-k", 3, "--system", "kmeans", "--seed", 5, "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    values = _settings(stored_settings(folder), coterie.load(folder / "model"), folder=own_answers(folder, "cba"))
    assert (values["system"], values["seed"], values["labels"]) == ("dec", 5, "kind")  # which stays no feature
    assert values["parameters"] == {"n_clusters": 3}
    assert "warm_start" not in values


def own_answers(folder: Path, labels: str) -> Path:
    """Label the first rows of a run, one letter each."""
    answers = Answers.read(folder / "known.csv", 300)
    for row, label in enumerate(labels):
        answers.answer(row, label)
    return folder


def test_a_choice_in_which_nothing_learns_from_labels_is_made_again(blobs: Blobs, tmp_path: Path) -> None:
    folder, settings = tmp_path / "choice", tmp_path / "few.toml"
    settings.write_text('[parameters]\ncandidates = ["kmeans", "ward"]\nn_clusters = 3\n')
    assert run("fit", blobs.csv, "--config", settings, "--out", folder, "--labels", "kind").code == 0
    done = fit_again(folder, "c\nb\na\n")
    assert done.exit_code == 0, done.stderr
    tried = json.loads((tmp_path / "choice-labelled" / "metrics.json").read_text())["choice"]["trials"]
    assert [trial["agreement_with_known"] for trial in tried] == [1.0, 1.0]
    values = _settings(stored_settings(folder), coterie.load(folder / "model"), folder=own_answers(folder, "cbade"))
    assert values["parameters"]["n_clusters"] == 5  # as many as there are kinds
    # So is one that was answered by what learns from labels, but cannot go on warm.
    answered = small(SelfLabel).fit(make_source(np.loadtxt(blobs.csv, delimiter=",", skiprows=1, usecols=range(6))))
    values = _settings(stored_settings(folder), answered, folder=folder)
    assert (values["system"], values["parameters"]["candidates"]) == ("auto", ["kmeans", "ward"])


def test_a_warm_start_needs_a_run_of_the_same_system(own: Path, blobs: Blobs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for system, said in (
        ("idec", f"{own} is a run of DEC, not of IDEC."),
        ("n2d", "--warm-start goes with --system dec or idec."),
        ("auto", "--warm-start goes with --system dec or idec."),
    ):
        done = run("fit", blobs.csv, "--system", system, "--warm-start", own, "--out", out)
        assert (done.code, done.err) == (2, f"error: {said}\n")
    done = run("fit", blobs.csv, "--system", "dec", "--warm-start", tmp_path / "nothing", "--out", out)
    assert done.code == 2
    assert "nothing" in done.err
    assert "Traceback" not in done.err
    assert not out.exists()


def test_labels_that_a_run_learned_from_are_found_in_a_sorted_file_too(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    again = own.with_name("run-labelled")
    header, *lines = (again / "labels.csv").read_text(encoding="utf-8").splitlines()
    (again / "labels.csv").write_text("\n".join(["\ufeff" + header, *reversed(lines)]) + "\n", encoding="utf-8")
    assert say(again, "q\n").exit_code == 0
    assert given(again) == given(own)
    (again / "labels.csv").unlink()
    (again / "known.csv").unlink()
    assert say(again, "Q\n").exit_code == 0
    assert given(again) == given(own)  # the run itself knows them
    assert run("rename", again, 0, "x").code == 0
    assert sorted(filter(None, (row["known"] for row in known(again, "labels.csv")))) == ["a", "b", "c"]


def test_a_file_with_as_many_other_labels_adds_to_what_a_run_learned_from(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    again, learned = own.with_name("run-labelled"), given(own)
    others = [row for row in range(300) if row not in learned][:3]
    lines = ["row,label,asked", *(f"{row},a,yes" for row in others)]
    (again / "known.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert say(again, "q\n").exit_code == 0
    assert given(again) == learned | dict.fromkeys(others, "a")


def test_what_an_earlier_version_learned_from_is_missed_where_its_labels_are_gone(own: Path) -> None:
    assert fit_again(own, "c\nb\na\n").exit_code == 0
    again = own.with_name("run-labelled")
    arrays = load_arrays(again / "arrays.npz")
    save_arrays(again / "arrays.npz", {name: value for name, value in arrays.items() if name != "known"})
    assert say(again, "q\n").exit_code == 0
    assert given(again) == given(own)
    (again / "known.csv").unlink()
    (again / "labels.csv").unlink()
    done = say(again, "q\n")
    assert done.exit_code == 2
    assert "no longer tells the 3 labels that this run learned from: it is gone. Put them back" in done.stderr


def test_rows_in_another_order_are_not_learned_from(own: Path, blobs: Blobs) -> None:
    settings = (own / "config.toml").read_text(encoding="utf-8")
    moved = own.with_name("moved.csv")
    header, *lines = blobs.csv.read_text(encoding="utf-8").splitlines()
    moved.write_text("\n".join([header, *reversed(lines)]) + "\n", encoding="utf-8")
    (own / "config.toml").write_text(settings.replace(str(blobs.csv), str(moved)), encoding="utf-8")
    (own / "known.csv").write_text("row,label,asked\n0,a,yes\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["label", str(own), "-n", "0"], prog_name="coterie")
    assert done.exit_code == 2
    assert "was fitted on any more: as many rows, but others or in another order; give" in done.stderr
    assert not own.with_name("run-labelled").exists()


def test_a_users_own_column_called_known_is_no_label(own: Path) -> None:
    header, *lines = (own / "labels.csv").read_text(encoding="utf-8").splitlines()
    remarked = [f"{header},known", *(f"{line},yes" for line in lines)]
    (own / "labels.csv").write_text("\n".join(remarked) + "\n", encoding="utf-8")
    assert "No row has a label yet" in say(own, "q\n").stdout


def test_labels_that_a_spreadsheet_would_run_are_made_harmless_and_come_back(tmp_path: Path) -> None:
    path, label = tmp_path / "known.csv", '=HYPERLINK("x")'
    Answers(path, 3).add({0: label, 2: "elm"})
    assert [row["label"] for row in known(tmp_path)] == [f"'{label}", "", "elm"]
    assert Answers.read(path, 3).given == {0: label, 2: "elm"}
    assert load_known(path, Table(X=np.zeros((3, 2)))).tolist() == [label, "", "elm"]
