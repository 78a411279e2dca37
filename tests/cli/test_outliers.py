"""``coterie outliers``: scores, flags and a page from a finished run and real files."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Blobs, run

import coterie
from coterie.anomaly import DEFAULT, DETECTORS, load


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def a_run(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def odd(blobs: Blobs, tmp_path: Path) -> Path:
    """Ten rows of the fit, then five from far outside."""
    x = np.load(blobs.npy)[:10]
    np.save(tmp_path / "odd.npy", np.concatenate([x, np.random.default_rng(1).normal(0, 60, (5, 6)).astype(x.dtype)]))
    return tmp_path / "odd.npy"


@pytest.mark.parametrize("score", DETECTORS)
def test_rows_from_outside_are_flagged_and_no_row_of_data_moves_the_threshold(
    score: str, a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.csv"
    done = run("outliers", a_run, odd, "--out", out, "--score", score, "--contamination", "0.05")
    assert (done.code, done.err) == (0, "")
    rows = rows_of(out)
    assert list(rows[0]) == ["row", "score", "flagged", "cluster"]
    assert [row["row"] for row in rows] == [str(i) for i in range(15)]
    assert [row["flagged"] for row in rows[10:]].count("yes") >= (2 if score in ("reconstruction", "isolation") else 4)
    assert "5.0% are." in done.out
    model = coterie.load(a_run / "model")
    train = pd.read_csv(blobs.csv).drop(columns="kind")
    expected = DETECTORS[score](model=model, contamination=0.05, random_state=model.seed_).fit(train)
    scores = -expected.score_samples(pd.DataFrame(np.load(odd), columns=list("abcdef")))
    np.testing.assert_allclose([float(row["score"]) for row in rows], scores, rtol=1e-8)
    assert [row["flagged"] for row in rows] == ["yes" if s > -expected.offset_ else "no" for s in scores]


def test_the_share_holds_of_the_rows_of_the_fit(a_run: Path, blobs: Blobs, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    assert run("outliers", a_run, blobs.csv, "--out", out, "--contamination", "0.1").code == 0
    assert [row["flagged"] for row in rows_of(out)].count("yes") == 30
    assert [row["cluster"] for row in rows_of(out)] == [row["cluster"] for row in rows_of(a_run / "labels.csv")]


def test_the_fitted_score_stays_with_the_run_when_the_data_go(
    a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    own = shutil.copy(blobs.csv, home / "own.csv")
    config = a_run / "config.toml"
    config.write_text(re.sub(r"(?m)^data = .*$", f'data = "{own}"', config.read_text()))
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    assert run("outliers", a_run, odd, "--out", first).code == 0
    assert load(a_run / "outliers" / DEFAULT).train_scores_.shape == (300,)
    own.unlink()
    assert run("outliers", a_run, odd, "--out", second).code == 0
    assert first.read_bytes() == second.read_bytes()
    gone = run("outliers", a_run, odd, "--out", second, "--score", "centre")
    assert gone.code == 2
    assert gone.err.count("\n") == 1
    assert "cannot be read any more; give them with --train DATA. There is no file or folder" in gone.err
    given = run("outliers", a_run, odd, "--out", second, "--score", "centre", "--train", blobs.csv)
    assert given.code == 0, given.err
    assert not (a_run / "outliers" / "centre").exists()  # RUN keeps what it was fitted on itself, nothing else


def test_data_that_changed_since_the_fit_are_noticed(a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path) -> None:
    own, config, out = tmp_path / "own.csv", a_run / "config.toml", tmp_path / "scores.csv"
    lines = blobs.csv.read_text().splitlines()
    config.write_text(re.sub(r"(?m)^data = .*$", f'data = "{own}"', config.read_text()))
    own.write_text("\n".join(lines[:-7]) + "\n")
    done = run("outliers", a_run, odd, "--out", out)
    assert done.code == 2
    assert "300 rows then, 293 now; give the rows of the fit with --train DATA" in done.err
    done = run("outliers", a_run, odd, "--out", out, "--train", own)
    assert done.code == 2
    assert f"{own} holds others: 300 rows then, 293 now." in done.err
    own.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    done = run("outliers", a_run, odd, "--out", out)
    assert done.code == 2
    assert "as many rows, but others or in another order" in done.err
    values = [line.split(",") for line in lines[1:]]
    own.write_text("\n".join([lines[0], *(",".join([f"{float(a) * 1.01}", *rest]) for a, *rest in values)]) + "\n")
    done = run("outliers", a_run, odd, "--out", out, "--train", own)  # each row in the cluster in which it was
    assert done.code == 2
    assert f"{own} holds others: as many rows, but others or in another order." in done.err
    assert not out.exists()


def test_a_score_kept_from_another_fit_is_fitted_anew(a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path) -> None:
    x = np.load(blobs.npy)
    other = coterie.Shallow(n_clusters=2, n_components=2, method="kmeans").fit(x)
    DETECTORS[DEFAULT](model=other).fit(x).save(a_run / "outliers" / DEFAULT)
    assert run("outliers", a_run, odd, "--out", tmp_path / "scores.csv").code == 0
    assert type(load(a_run / "outliers" / DEFAULT).model_) is coterie.DEC


@pytest.mark.parametrize("part", ["weights.safetensors", "config.json", "manifest.json"])
def test_a_kept_score_that_is_damaged_is_fitted_anew(part: str, a_run: Path, odd: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "scores.csv", a_run / "outliers" / DEFAULT
    assert run("outliers", a_run, odd, "--out", out).code == 0
    whole, scores = (kept / part).read_bytes(), out.read_bytes()
    (kept / part).write_bytes(whole[:-9])
    done = run("outliers", a_run, odd, "--out", out)
    assert done.code == 0
    assert done.err.startswith("warning: The kept score cannot be read and is fitted anew: ")
    assert done.err.count("\n") == 1
    assert out.read_bytes() == scores
    assert (kept / part).read_bytes() == whole
    assert run("outliers", a_run, odd, "--out", out).err == ""


def test_what_stands_in_the_place_of_a_kept_score_is_left_alone(a_run: Path, odd: Path, tmp_path: Path) -> None:
    (a_run / "outliers" / DEFAULT).mkdir(parents=True)
    (a_run / "outliers" / DEFAULT / "notes.txt").write_text("mine")
    done = run("outliers", a_run, odd, "--out", tmp_path / "scores.csv")
    assert done.code == 0
    assert done.err.startswith("warning: The kept score cannot be read")
    assert [entry.name for entry in (a_run / "outliers" / DEFAULT).iterdir()] == ["notes.txt"]


def test_a_name_does_not_cost_the_kept_score_and_stands_beside_the_cluster(
    a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "scores.csv", tmp_path / "page.html"
    config = a_run / "config.toml"
    assert run("merge", a_run, 0, 1, "--name", "both").code == 0
    assert run("outliers", a_run, odd, "--out", out).code == 0
    named = [row["cluster_name"] for row in rows_of(out)]
    assert named == [{"0": "both", "1": ""}[row["cluster"]] for row in rows_of(out)]
    config.write_text(config.read_text().replace(str(blobs.csv), "gone.csv"))  # nothing can be fitted any more
    assert run("rename", a_run, "both", "=pair").code == 0
    done = run("outliers", a_run, odd, "--out", out, "--report", page)
    assert (done.code, done.err) == (0, "")
    assert [row["cluster_name"] for row in rows_of(out)] == [name.replace("both", "'=pair") for name in named]
    assert "0 =pair" in page.read_text().replace("</svg>", "")
    assert "from the mean of the training rows" in page.read_text()
    assert run("undo", a_run).code == 0
    assert run("undo", a_run, "--train", blobs.csv).code == 0
    assert "cannot be read any more" in run("outliers", a_run, odd, "--out", out).err  # other clusters: fitted anew


def test_a_model_folder_shows_values_beside_the_rows_that_are_given(
    a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path
) -> None:
    pages = [tmp_path / "run.html", tmp_path / "model.html"]
    for which, page in zip((a_run, a_run / "model"), pages, strict=True):
        done = run("outliers", which, odd, "--out", tmp_path / "scores.csv", "--train", blobs.npy, "--report", page)
        assert done.code == 0, done.err
    tables = [re.search(r'<table class="plain numbers">.*?</table>', page.read_text(), re.DOTALL) for page in pages]
    assert tables[0] is not None and tables[1] is not None
    assert "<b>" in tables[0][0]
    assert tables[0][0] == tables[1][0]


def test_a_model_folder_needs_the_rows_of_the_fit(a_run: Path, blobs: Blobs, odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    done = run("outliers", a_run / "model", odd, "--out", out)
    assert done.code == 2
    assert "does not say where its rows are; give them with --train DATA." in done.err
    assert run("outliers", a_run / "model", odd, "--out", out, "--train", blobs.npy).code == 0
    assert len(rows_of(out)) == 15


def test_a_score_that_does_not_go_with_the_system_is_told_by_its_flag(blobs: Blobs, odd: Path, tmp_path: Path) -> None:
    plain = ("fit", blobs.csv, "--labels", "kind", "--system", "kmeans", "-k", 3, "--no-report")
    assert run(*plain, "--out", tmp_path / "run").code == 0
    done = run("outliers", tmp_path / "run", odd, "--out", tmp_path / "scores.csv", "--score", "reconstruction")
    assert done.code == 2
    assert (
        "--score reconstruction needs a system that reconstructs rows from a code, which KMeans does not." in done.err
    )
    assert "For KMeans there are neighbours, isolation, centre." in done.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--contamination", "0.7"), "--contamination must be 'auto' or a number in (0, 0.5]. Got '0.7' instead."),
        (("--contamination", "much"), "Got 'much' instead."),
        (("--score", "luck"), "--score must be one of neighbours, isolation, reconstruction, centre. Got 'luck'"),
        (("--train", "nowhere.csv"), "There is no file or folder"),
        (("--train", "scores.csv", "--out", "scores.csv"), "--out must not be the data scores.csv, nor lie in it"),
    ],
)
def test_bad_flags_are_one_sentence(
    flags: tuple[str, str], sentence: str, finished: Path, odd: Path, tmp_path: Path
) -> None:
    done = run("outliers", finished, odd, "--out", tmp_path / "scores.csv", *flags)
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "scores.csv").exists()


def test_images_have_names_and_the_page_shows_the_strangest(
    blobs: Blobs, make_images: Callable[[int], Path], tmp_path: Path
) -> None:
    from PIL import Image

    images = make_images(40)
    fitted = run("fit", images, "-k", 2, "--config", blobs.settings(), "--out", tmp_path / "run", "--no-report")
    assert fitted.code == 0, fitted.err
    new = shutil.copytree(images, tmp_path / "new")
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(new / "white.png")
    page, out = tmp_path / "page.html", tmp_path / "scores.csv"
    done = run("outliers", tmp_path / "run", new, "--out", out, "--report", page)
    assert done.code == 0, done.err
    assert done.out.endswith(f"Report: {page}\n")
    rows = {row["name"]: row for row in rows_of(out)}
    assert rows["white.png"]["flagged"] == "yes"
    strangest = max(rows.values(), key=lambda row: float(row["score"]))["name"]
    text = page.read_text(encoding="utf-8")
    assert text.index(strangest) < min(text.index(name) for name in rows if name != strangest)
    assert text.count("data:image/png;base64,") >= 30


def test_a_run_that_demo_made_may_hold_scores(a_run: Path) -> None:
    from coterie.cli.clearing import clear_for_demo

    (a_run / "outliers").mkdir()
    config = a_run / "config.toml"
    config.write_text(re.sub(r"(?m)^made_by = .*$", 'made_by = "demo"', config.read_text()))
    clear_for_demo(a_run)
    assert not a_run.exists()
