"""`predict`, `embed` and `report` on a finished run."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Blobs, run

import coterie


def rows_of(path: Path, *left_out: str) -> list[dict[str, str]]:
    """The rows of a file, without some of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name not in left_out} for row in csv.DictReader(file)]


def clusters(path: Path) -> list[dict[str, str]]:
    """Row, name and cluster: a row that was resized is placed with a slightly different confidence."""
    return rows_of(path, "confidence", "strange")


def test_the_rows_of_the_fit_get_their_clusters_again(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    done = run("predict", finished, blobs.csv, "--out", tmp_path / "labels.csv")
    assert (done.code, done.err) == (0, "")
    wrote, drift = done.out.splitlines()
    assert wrote == f"Wrote the clusters of 300 rows to {tmp_path / 'labels.csv'}"
    assert re.match(r"\d of 300 rows \([01]\.\d%\) are unlike any seen in training, where 1\.0% is usual; ", drift)
    assert rows_of(tmp_path / "labels.csv", "strange") == rows_of(finished / "labels.csv")


def test_rows_unlike_any_are_named_and_summed_up(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    known = np.load(blobs.npy)[:30]
    np.save(tmp_path / "new.npy", np.concatenate([known, known + 50]))
    files = {"--out": tmp_path / "labels.csv", "--report": tmp_path / "drift.json"}
    done = run("predict", finished, tmp_path / "new.npy", *(each for pair in files.items() for each in pair))
    assert done.code == 0, done.err
    strange = [row["strange"] for row in rows_of(tmp_path / "labels.csv")]
    assert strange[:30].count("yes") <= 3
    assert strange[30:] == ["yes"] * 30
    told = json.loads((tmp_path / "drift.json").read_text())
    assert (told["rows"], told["strange"]) == (60, strange.count("yes"))
    assert told["shift"] > 1


def test_the_page_shows_what_is_new_beside_the_rows_of_the_fit(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    known = np.load(blobs.npy)[:30]
    np.save(tmp_path / "new.npy", np.concatenate([known, known[:3] + 50]))
    page, out = tmp_path / "drift.html", tmp_path / "labels.csv"
    for model in (finished, finished / "model"):
        done = run("predict", model, tmp_path / "new.npy", "--out", out, "--report", page)
        assert done.code == 0, done.err
        assert done.out.endswith(f"Report: {page}\n")
        strange = [row["strange"] for row in rows_of(out)].count("yes")
        text = page.read_text(encoding="utf-8")
        assert f"{strange} of 33 rows are unlike any seen in training." in text
        assert text.index(">row 32</th>") < text.index(">row 0</th>")
        # Columns of the training rows are known to a run alone.
        assert ("from the mean of the training rows" in text) is (model == finished)
    done = run("predict", finished, tmp_path / "new.npy", "--out", out, "--report", tmp_path / "drift.csv")
    assert done.code == 2
    assert "--report must end in .html, or in .json for the figures alone, or have no ending." in done.err


def test_a_file_without_the_label_column_will_do(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] for line in blobs.csv.read_text().splitlines()]
    (tmp_path / "new.csv").write_text("\n".join(rows[:11]) + "\n")
    assert run("predict", finished, tmp_path / "new.csv", "--out", tmp_path / "labels.csv").code == 0
    assert rows_of(tmp_path / "labels.csv", "strange") == rows_of(finished / "labels.csv")[:10]


def test_the_model_folder_alone_will_do(finished: Path, tmp_path: Path, blobs: Blobs) -> None:
    model = shutil.copytree(finished / "model", tmp_path / "m")
    np.save(tmp_path / "rows.npy", np.loadtxt(blobs.csv, delimiter=",", skiprows=1, usecols=range(6)))
    assert run("predict", model, tmp_path / "rows.npy", "--out", tmp_path / "labels.csv").code == 0
    assert rows_of(tmp_path / "labels.csv", "strange") == rows_of(finished / "labels.csv")


def test_codes_are_those_of_the_model(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    done = run("embed", finished, blobs.csv, "--out", tmp_path / "z.npy")
    assert (done.code, done.err) == (0, "")
    z = np.load(tmp_path / "z.npy", allow_pickle=False)
    rows = pd.read_csv(blobs.csv).drop(columns="kind")
    assert (z.shape, z.dtype) == ((300, 2), np.float32)
    assert np.array_equal(z, coterie.load(finished / "model").transform(rows))


def test_images_come_in_the_size_of_the_fit(blobs: Blobs, make_images: Callable[[int], Path], tmp_path: Path) -> None:
    from PIL import Image

    images = make_images(20)
    fitted = run("fit", images, "-k", 2, "--config", blobs.settings(), "--out", tmp_path / "run", "--no-report")
    assert fitted.code == 0, fitted.err
    for path in images.glob("*.png"):
        with Image.open(path) as image:
            image.resize((32, 32), Image.Resampling.NEAREST).convert("RGB").save(path)
    (images / "broken.png").write_bytes(b"")
    done = run("predict", tmp_path / "run", images, "--out", tmp_path / "labels.csv")
    assert done.code == 0, done.err
    assert "broken.png" in done.err
    assert clusters(tmp_path / "labels.csv") == clusters(tmp_path / "run" / "labels.csv")
    strict = run("predict", tmp_path / "run", images, "--out", tmp_path / "strict.csv", "--strict")
    assert strict.code == 2
    assert not (tmp_path / "strict.csv").exists()


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_rows_of_another_kind_are_refused(command: str, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / ("out.npy" if command == "embed" else "out.csv")
    for data, sentence in [("mnist10k", "rows of shape (28, 28)"), ("nowhere.csv", "There is no file or folder")]:
        done = run(command, finished, data, "--out", out)
        assert done.code == 2
        assert sentence in done.err
        assert not out.exists()


def columns_of(blobs: Blobs, path: Path, order: list[str]) -> Path:
    """Write the rows with some of their columns, in an order; a name that is none of theirs repeats column a."""
    with blobs.csv.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([order, *([row.get(name, row["a"]) for name in order] for row in rows)])
    return path


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ("bacdef", "'b' in the place of 'a'"),
        ("abcd", "they lack 'e', 'f'"),
        ("abcdefgh", "they add 'g', 'h'"),
        ("abcdeg", "they lack 'f' and they add 'g'"),
    ],
)
def test_other_columns_are_named_and_refused(
    order: str, sentence: str, finished: Path, blobs: Blobs, tmp_path: Path
) -> None:
    new = columns_of(blobs, tmp_path / "new.csv", [*order, "kind"])
    done = run("predict", finished, new, "--out", tmp_path / "labels.csv")
    assert done.code == 2
    assert done.err == f"error: The columns of new are not those of the fit: {sentence}.\n"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("column", "order"), [("-1", [*"abcdef", "kind"]), ("0", ["kind", *"abcdef"])])
def test_a_label_column_given_by_number_is_not_looked_for_among_the_features(
    column: str, order: list[str], header: bool, blobs: Blobs, tmp_path: Path
) -> None:
    def write(name: str, order: list[str]) -> Path:
        path = columns_of(blobs, tmp_path / name, order)
        path.write_text("".join(path.read_text().splitlines(keepends=True)[not header :]))
        return path

    fitted, own, out = write("fitted.csv", order), tmp_path / "run", tmp_path / "labels.csv"
    how = ("--system", "kmeans", "-k", 3, "--labels", column, "--no-report")
    assert run("fit", fitted, *how, "--out", own).code == 0
    for rows in (fitted, write("new.csv", [*"abcdef"])):
        done = run("predict", own, rows, "--out", out)
        assert done.code == 0, done.err
        assert rows_of(out, "strange") == rows_of(own / "labels.csv")
    lacking = run("predict", own, write("new.csv", [*"abcde"]), "--out", out)
    assert lacking.code == 2
    assert ("they lack 'f'" if header else "rows of shape (5,)") in lacking.err


def test_a_bad_cell_is_not_put_down_to_the_labels(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    lines = blobs.csv.read_text().splitlines()
    a, b, _, rest = lines[7].split(",", 3)
    for cell, sentence in [("", "the value of column 'c' is missing"), ("x", "column 'c' holds 'x'")]:
        lines[7] = ",".join((a, b, cell, rest))
        (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
        done = run("predict", finished, tmp_path / "new.csv", "--out", tmp_path / "labels.csv")
        assert done.code == 2
        assert f"line 8: {sentence}" in done.err


@pytest.mark.parametrize("label", ["", "-1"])
def test_rows_whose_label_is_not_known_get_their_clusters(
    label: str, finished: Path, blobs: Blobs, tmp_path: Path
) -> None:
    lines = blobs.csv.read_text().splitlines()
    lines[1] = lines[1].rpartition(",")[0] + f",{label}"
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    done = run("predict", finished, tmp_path / "new.csv", "--out", tmp_path / "labels.csv")
    assert done.code == 0, done.err
    assert rows_of(tmp_path / "labels.csv", "strange") == rows_of(finished / "labels.csv")


@pytest.mark.parametrize("command", ["predict", "embed", "outliers"])
def test_no_output_takes_the_place_of_what_is_read(command: str, finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    own = shutil.copytree(finished, tmp_path / "run")
    data = Path(shutil.copy(blobs.npy, tmp_path / "mine.npy"))
    (tmp_path / "link.npy").symlink_to(own / "labels.csv")
    before = {path: path.read_bytes() for path in (data, *own.rglob("*")) if path.is_file()}
    for out, sentence in [
        (data, f"--out must not be the data {data}, nor lie in it"),
        (tmp_path / "run" / ".." / "mine.npy", f"--out must not be the data {data}, nor lie in it"),
        (own / "new.npy", f"--out must not be the run {own}, nor lie in it"),
        (tmp_path / "link.npy", f"--out must not be the run {own}, nor lie in it"),
    ]:
        done = run(command, own, data, "--out", out)
        assert done.code == 2
        assert done.err == f"error: {sentence}. Got {out} instead.\n"
    assert {path: path.read_bytes() for path in (data, *own.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize("command", ["predict", "outliers"])
def test_two_outputs_are_two_files_outside_of_the_data(
    command: str, finished: Path, make_images: Callable[[int], Path], tmp_path: Path
) -> None:
    images, same = make_images(3), tmp_path / "same"
    done = run(command, finished, images, "--out", same, "--report", same)
    assert (done.code, done.err) == (2, f"error: --out and --report must be different files. Got {same} for both.\n")
    done = run(command, finished, images, "--out", same, "--report", images / "page")
    assert done.code == 2
    assert f"--report must not be the data {images}, nor lie in it" in done.err
    assert not same.exists()


def test_what_is_no_run_is_refused(tmp_path: Path, blobs: Blobs) -> None:
    (tmp_path / "empty").mkdir()
    for folder, sentence in [("none", "does not exist"), ("empty", "not a coterie model folder")]:
        run_folder = tmp_path / folder
        done = run("predict", run_folder, blobs.npy, "--out", tmp_path / "labels.csv")
        assert done.code == 2
        assert sentence in done.err


def test_a_run_that_is_not_finished_says_how_to_go_on(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / "checkpoint").mkdir()
    done = run("embed", folder, blobs.csv, "--out", tmp_path / "z.npy")
    assert done.code == 2
    assert f"coterie fit --out {folder} --resume" in done.err


def test_codes_need_the_ending_npy(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    done = run("embed", finished, blobs.csv, "--out", tmp_path / "z.csv")
    assert done.code == 2
    assert "--out must end in .npy" in done.err


@pytest.mark.parametrize("ending", [".csv.gz", ".npy", ".NPZ", ".parquet", ".xlsx"])
@pytest.mark.parametrize("command", ["predict", "outliers", "compare"])
def test_a_name_that_promises_anything_but_text_is_refused(
    command: str, ending: str, finished: Path, blobs: Blobs, tmp_path: Path
) -> None:
    out = tmp_path / f"x{ending}"
    done = run(command, finished, finished if command == "compare" else blobs.csv, "--out", out)
    last = Path(ending.lower()).suffix or ending.lower()
    told = f"error: --out is written as plain CSV and must not end in {last}. Got {out} instead.\n"
    assert (done.code, done.out, done.err) == (2, "", told)
    assert not out.exists()


@pytest.mark.parametrize("header", [True, False])
def test_a_value_that_is_infinite_is_found_by_the_name_of_its_column(
    header: bool, finished: Path, blobs: Blobs, tmp_path: Path
) -> None:
    x = np.load(blobs.npy)
    x[7, 5] = np.inf
    new = tmp_path / ("new.csv" if header else "new.npy")
    if header:
        pd.DataFrame(x, columns=list("abcdef")).to_csv(new, index=False)
    else:
        np.save(new, x)
    for command, out in [("predict", "labels.csv"), ("embed", "z.npy")]:
        done = run(command, finished, new, "--out", tmp_path / out)
        assert (done.code, done.err) == (2, "error: Input DATA contains infinity, first in row 7, column 'f'.\n")


def test_a_report_is_drawn_again_without_the_data(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "finished")
    (folder / "report.html").unlink()
    done = run("report", folder)
    assert (done.code, done.out) == (0, f"Report: {folder / 'report.html'}\n")
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_report_needs_a_finished_run(tmp_path: Path) -> None:
    done = run("report", tmp_path)
    assert done.code == 2
    assert done.err.startswith("error: ")
