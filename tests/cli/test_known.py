"""``coterie fit --known``: labels that train, from files and columns, and what the run says of them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Blobs, run
from small import blobs as small_blobs
from small import small
from typer.testing import CliRunner

import coterie
from coterie import DEC
from coterie.cli import app
from coterie.cli.scoring import about
from coterie.data import make_source
from coterie.metrics import evaluate
from coterie.report import save_arrays, summarise
from coterie.report.arrays import load_arrays
from coterie.report.wording import figure


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The lines of a run's labels.csv."""
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def kinds_of(blobs: Blobs) -> list[str]:
    return blobs.labels.read_text().split()


@pytest.fixture(scope="module")
def partly(blobs: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows with their kinds in a column, and another column that knows a few of them."""
    path = tmp_path_factory.mktemp("partly") / "partly.csv"
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        told = [[*row, row[-1] if i % 10 == 0 else ""] for i, row in enumerate(rows)]
        csv.writer(file).writerows([[*header, "told"], *told])
    return path


@pytest.fixture(scope="module")
def taught(blobs: Blobs, partly: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that learned from the column "told" and was evaluated with "kind"."""
    folder = tmp_path_factory.mktemp("runs") / "taught"
    done = run("fit", partly, "--config", blobs.settings(), "--known", "told", "--labels", "kind", "--out", folder)
    assert done.code == 0, done.err
    folder.with_suffix(".txt").write_text(done.out)
    return folder


def test_comparing_runs_says_which_of_them_learned_from_labels(taught: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copy(taught / "labels.csv", plain)  # the same clusters, from where nobody says that labels were used
    done = run("compare", plain, taught)
    assert done.code == 0, done.err
    told = json.loads((taught / "metrics.json").read_text())["known"]["n_known"]
    assert f"taught learned from {told} labels." in done.out
    assert "plain learned" not in done.out


def test_the_page_of_outliers_says_that_the_code_learned_from_labels(
    taught: Path, partly: Path, tmp_path: Path
) -> None:
    told = json.loads((taught / "metrics.json").read_text())["known"]["n_known"]
    page = tmp_path / "page.html"
    done = run("outliers", taught, partly, "--out", tmp_path / "scores.csv", "--report", page)
    assert done.code == 0, done.err
    assert f"the code learned from {told} of them" in page.read_text(encoding="utf-8")


def test_pages_say_that_the_code_learned_from_pairs() -> None:
    X, _ = small_blobs()
    model = small(DEC).fit(X, must_link=[(0, 3), (3, 6)], cannot_link=[(0, 1)])
    assert ("Pairs", "the code learned from 3 of them") in about(model, make_source(X))


def test_a_column_trains_and_is_no_feature(taught: Path, blobs: Blobs, partly: Path, tmp_path: Path) -> None:
    rows = rows_of(taught)
    names = ["ash", "elm", "oak"]  # in alphabetical order: cluster 0, 1 and 2
    assert [names[int(row["cluster"])] for row in rows] == kinds_of(blobs)
    assert [row["known"] for row in rows[:11]] == [kinds_of(blobs)[0], *[""] * 9, kinds_of(blobs)[10]]
    model = coterie.load(taught / "model")
    assert list(model.feature_names_in_) == list("abcdef")
    assert model.n_known_ == 30
    done = run("predict", taught, partly, "--out", tmp_path / "again.csv")
    assert done.code == 0, done.err


def test_metrics_report_and_terminal_say_that_labels_were_used(taught: Path) -> None:
    metrics = json.loads((taught / "metrics.json").read_text())
    assert metrics["labels_used"] is True
    assert metrics["known"]["n_known"] == 30
    assert metrics["known"]["classes"] == ["ash", "elm", "oak"]
    assert metrics["known"]["metrics"]["accuracy"] == 1.0
    assert set(metrics["baselines"]) == {"kmeans", "autoencoder_kmeans"}  # on codes that no label shaped
    said = "Trained with 30 known labels"
    assert said in taught.with_suffix(".txt").read_text()
    assert said in dict(summarise(taught)["facts"])["Known labels"]
    assert said in (taught / "report.html").read_text()


def test_the_report_of_a_run_that_was_taught_says_so(taught: Path, finished: Path) -> None:
    page, other = ((folder / "report.html").read_text() for folder in (taught, finished))
    assert "(of them 30 rows were known in training)." in summarise(taught)["headline"]
    assert dict(summarise(taught)["facts"])["Labels"] == "to evaluate; the classes of 30 rows were known in training"
    assert "30 rows were known in training.</p>" in page
    assert "Labels were not used to fit" not in page
    assert "never to fit" not in page
    assert "known in training" not in other
    assert "Labels were not used to fit" in other


def test_what_was_known_is_told_anew_after_a_merge(taught: Path, blobs: Blobs, tmp_path: Path) -> None:
    own = shutil.copytree(taught, tmp_path / "run")
    before = (own / "metrics.json").read_bytes()
    assert run("merge", own, "ash", "elm").code == 0
    now = json.loads((own / "metrics.json").read_text())
    held = np.array([row["known"] != "" for row in rows_of(own)])
    labels, y = np.array([int(row["cluster"]) for row in rows_of(own)]), np.array(kinds_of(blobs))
    assert now["known"]["metrics"] == pytest.approx(evaluate(y[~held], labels[~held]))
    assert 0.5 < now["known"]["metrics"]["accuracy"] < 0.9
    assert now["known"].keys() == {"n_known", "metrics"}  # clusters are no longer those of classes
    told = f"Trained with 30 known labels. Accuracy on all others: {figure(now['known']['metrics']['accuracy'])}."
    assert told in (own / "report.html").read_text()
    assert run("undo", own).code == 0
    assert (own / "metrics.json").read_bytes() == before
    (own / "labels.csv").unlink()  # the run itself has which rows were known
    assert run("merge", own, "ash", "elm").code == 0
    assert told in (own / "report.html").read_text()
    assert run("undo", own).code == 0
    arrays = load_arrays(own / "arrays.npz")
    save_arrays(own / "arrays.npz", {name: value for name, value in arrays.items() if name != "known"})
    (own / "labels.csv").unlink()  # that of an earlier version has not
    assert run("merge", own, "ash", "elm").code == 0
    assert dict(summarise(own)["facts"])["Known labels"] == "Trained with 30 known labels."


def test_labels_alone_never_train(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["labels_used"] is False
    assert "known" not in metrics
    assert "known" not in rows_of(finished)[0]
    assert "Known labels" not in dict(summarise(finished)["facts"])


def write_npy(path: Path, kinds: list[str]) -> Path:
    labels = np.array([sorted(set(kinds)).index(kind) for kind in kinds])
    labels[30:] = -1
    np.save(path.with_suffix(".npy"), labels)
    return path.with_suffix(".npy")


def write_txt(path: Path, kinds: list[str]) -> Path:
    path.with_suffix(".txt").write_text("".join(f"{kind if i < 30 else ''}\n" for i, kind in enumerate(kinds)))
    return path.with_suffix(".txt")


def write_csv(path: Path, kinds: list[str]) -> Path:
    lines = ["label", *(kind if i < 30 else "" for i, kind in enumerate(kinds))]
    path.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    return path.with_suffix(".csv")


@pytest.mark.parametrize("write", [write_npy, write_txt, write_csv])
def test_a_file_with_a_label_a_row(write, blobs: Blobs, tmp_path: Path) -> None:
    known = write(tmp_path / "known", kinds_of(blobs))
    folder = tmp_path / "run"
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--known", known, "--out", folder, "--no-report")
    assert done.code == 0, done.err
    rows = rows_of(folder)
    assert sum(row["known"] != "" for row in rows) == 30
    places = sorted(set(kinds_of(blobs)))
    assert [int(row["cluster"]) for row in rows] == [places.index(kind) for kind in kinds_of(blobs)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\n\n", "one label for each of the 300 rows"),
        ("\n" * 300, "name no row's class"),
        ("\n".join("abcd" * 75) + "\n", "n_clusters"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_folder_is_made(
    content: str, said: str, blobs: Blobs, tmp_path: Path
) -> None:
    (tmp_path / "known.txt").write_text(content)
    folder = tmp_path / "run"
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--known", tmp_path / "known.txt", "--out", folder)
    assert done.code != 0
    assert said in done.err
    assert "Traceback" not in done.err
    assert not folder.exists()


def test_systems_that_cannot_use_it_are_refused(blobs: Blobs, tmp_path: Path) -> None:
    known = write_npy(tmp_path / "known", kinds_of(blobs))
    done = run("fit", blobs.npy, "-k", 3, "--system", "kmeans", "--known", known, "--out", tmp_path / "run")
    assert done.code != 0
    assert "kmeans cannot learn from --known; auto, dec, idec" in done.err


def test_of_more_classes_than_clusters_those_that_are_clusters_give_the_names(blobs: Blobs, tmp_path: Path) -> None:
    kinds = kinds_of(blobs)
    first = [kinds.index(kind) for kind in sorted(set(kinds))]
    known = ["able" if i in first[1:] else kind for i, kind in enumerate(kinds)]  # few, and first in the alphabet
    (tmp_path / "known.txt").write_text("\n".join(known) + "\n")
    (tmp_path / "brief.toml").write_text(
        "[parameters.network]\nkind = 'mlp'\nhidden = [16]\n\n[parameters.train]\nsteps = 200\n"
    )
    folder = tmp_path / "run"
    asked = ("-k", 3, "--system", "snnl-kmeans", "--known", tmp_path / "known.txt", "--config", tmp_path / "brief.toml")
    done = run("fit", blobs.npy, *asked, "--out", folder)
    assert done.code == 0, done.err
    rows = rows_of(folder)
    share = np.mean([row["cluster_name"] == kind for row, kind in zip(rows, kinds, strict=True)])
    assert share > 0.95
    assert json.loads((folder / "metrics.json").read_text())["known"]["kept"] > 0.9


def test_files_where_a_run_is_read_do_not_become_its_labels(
    taught: Path, partly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for column in ("told", "kind"):
        Path(column).write_text("x\n")
    done = run("predict", taught, partly, "--out", tmp_path / "labels.csv")
    assert done.code == 0, done.err
    own = shutil.copytree(taught, tmp_path / "run")
    assert run("split", own, 0).code == 0  # for which the rows are read again


def test_clusters_have_their_classes_names_and_edits_keep_what_was_known(taught: Path, tmp_path: Path) -> None:
    own = shutil.copytree(taught, tmp_path / "taught")
    before = {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()}
    assert coterie.load(own / "model").cluster_names_ == ["ash", "elm", "oak"]
    assert {row["cluster_name"] for row in rows_of(own)} == {"ash", "elm", "oak"}
    assert "elm" in (own / "report.html").read_text()
    assert run("undo", own).code == 2  # the names are the fit's own
    assert run("rename", own, "elm", "wych elm").code == 0
    assert [row["known"] for row in rows_of(own)] == [row["known"] for row in rows_of(taught)]
    done = run("split", own, "oak")  # reads the rows again, where "told" is still no feature
    assert done.code == 0, done.err
    assert coterie.load(own / "model").cluster_names_ == ["ash", "wych elm", None, None]
    assert [run("undo", own).code for _ in range(3)] == [0, 0, 2]
    assert {path.name: path.read_bytes() for path in own.iterdir() if path.is_file()} == before


def test_outliers_of_a_taught_run_follow_its_edits(taught: Path, partly: Path, tmp_path: Path) -> None:
    own, out = shutil.copytree(taught, tmp_path / "run"), tmp_path / "scores.csv"
    for clusters in (3, 2):
        done = run("outliers", own, partly, "--out", out, "--score", "centre")
        assert done.code == 0, done.err
        with out.open(newline="") as file:
            assert len({row["cluster"] for row in csv.DictReader(file)}) == clusters
        run("merge", own, "ash", "elm")


def label(folder: Path, answers: str) -> str:
    done = CliRunner().invoke(app, ["label", str(folder), "-n", "3"], input=answers, prog_name="coterie")
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_a_run_is_fitted_again_with_the_labels_that_were_asked_for(blobs: Blobs, tmp_path: Path) -> None:
    own = tmp_path / "run"
    assert run("fit", blobs.npy, "--config", blobs.settings(), "--out", own).code == 0
    for again, count in (("run-labelled", 3), ("run-labelled-labelled", 6)):  # none of the first labels is lost
        label(own, "a\nb\nc\n")
        own = own.with_name(again)
        assert coterie.load(own / "model").n_known_ == count
        assert {row["known"] for row in rows_of(own)} == {"", "a", "b", "c"}
        assert coterie.load(own / "model").cluster_names_ == ["a", "b", "c"]


def test_labels_that_a_column_holds_are_joined_by_those_that_were_asked_for(taught: Path, tmp_path: Path) -> None:
    own = shutil.copytree(taught, tmp_path / "run")
    said = label(own, "ash\n\nelm\n")
    assert "32 of 300 rows have a label, of 3 kinds" in said
    again = own.with_name("run-labelled")
    model = coterie.load(again / "model")
    assert model.n_known_ == 32
    assert "told" not in model.feature_names_in_
    assert 'drop = ["told"]' in (again / "config.toml").read_text()
    assert json.loads((again / "metrics.json").read_text())["metrics"]["accuracy"] > 0.9  # "kind" still evaluates
