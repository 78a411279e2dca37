"""`coterie fit` on small files: what is written, what is said, what is refused."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Blobs, run
from small import small

import coterie
from coterie import DEC, SelfLabel, config_context
from coterie.cli import judging
from coterie.cli.console import Screen
from coterie.cli.inputs import open_data
from coterie.cli.show import show_first
from coterie.cli.trace import LabelTrace
from coterie.metrics import evaluate
from coterie.report import load_arrays

PARTS = {
    "arrays.npz",
    "config.toml",
    "environment.json",
    "history.jsonl",
    "labels.csv",
    "metrics.json",
    "model",
    "report.html",
}


def read_labels(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_folder_is_complete_and_nothing_else_is_in_it(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == PARTS


def test_clusters_of_one_size_are_not_said_to_reach_from_it_to_itself(blobs: Blobs, tmp_path: Path) -> None:
    for k, said in ((1, "one cluster of 300 rows."), (300, "clusters of 1 row.")):
        out = run("fit", blobs.npy, "-k", k, "--system", "kmeans", "--no-report", "--out", tmp_path / str(k)).out
        assert said in out.splitlines()[1]


def test_the_figures_are_those_of_the_labels(finished: Path, blobs: Blobs) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    clusters = np.array([int(row["cluster"]) for row in read_labels(finished)])
    y = blobs.labels.read_text().split()
    assert metrics["metrics"] == pytest.approx(evaluate(y, clusters))
    assert metrics["metrics"]["accuracy"] > 0.95
    assert metrics["sizes"] == np.bincount(clusters, minlength=3).tolist()
    facts = {key: metrics[key] for key in ("system", "dataset", "n_samples", "n_clusters", "seed", "labels_used")}
    assert facts == {
        "system": "dec",
        "dataset": "blobs",
        "n_samples": 300,
        "n_clusters": 3,
        "seed": 3,
        "labels_used": False,
    }
    assert metrics["seconds"] > 0


def test_each_class_has_its_precision_recall_and_f(finished: Path) -> None:
    per_class = json.loads((finished / "metrics.json").read_text())["per_class"]
    assert len(per_class) == 3 and len({entry["cluster"] for entry in per_class}) == 3
    assert all(min(entry["precision"], entry["recall"], entry["f"]) > 0.9 for entry in per_class)


def test_gzipped_idx_files_are_data_and_labels(tmp_path: Path) -> None:
    x = np.repeat(np.array([[10, 240], [240, 10]], np.uint8), 30, axis=0).reshape(60, 1, 2).repeat(4, axis=1)
    x += np.random.default_rng(100).integers(0, 9, x.shape, dtype=np.uint8)
    y = np.repeat(np.array([5, 3], np.uint8), 30)
    for name, values in (("train-images-idx3-ubyte.gz", x), ("train-labels-idx1-ubyte.gz", y)):
        header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
        (tmp_path / name).write_bytes(gzip.compress(header + values.tobytes()))
    done = run(
        *("fit", tmp_path / "train-images-idx3-ubyte.gz", "-k", "2", "--system", "kmeans"),
        *("--labels", tmp_path / "train-labels-idx1-ubyte.gz", "--out", tmp_path / "run"),
    )
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(metrics["baselines"]) == {"kmeans"}  # the code is the raw row
    assert "reconstructions" not in load_arrays(tmp_path / "run" / "arrays.npz")
    assert metrics["dataset"] == "train-images" and metrics["metrics"]["accuracy"] == 1.0
    again = run("predict", tmp_path / "run", tmp_path / "train-images-idx3-ubyte.gz", "--out", tmp_path / "again.csv")
    assert again.code == 0, again.err


def test_both_baselines_have_the_same_figures(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert set(metrics["baselines"]) == {"kmeans", "autoencoder_kmeans"}
    for baseline in metrics["baselines"].values():
        assert set(baseline["metrics"]) == set(metrics["metrics"])
        assert set(baseline["criteria"]) == set(metrics["criteria"]) == {"silhouette", "entropy", "log_likelihood"}
        assert sum(baseline["sizes"]) == 300
        assert baseline["rows_fitted"] == 300
        assert baseline["seconds"] > 0


def test_the_model_agrees_with_the_written_labels(finished: Path, blobs: Blobs) -> None:
    model = coterie.load(finished / "model")
    rows = pd.read_csv(blobs.csv).drop(columns="kind")
    written = read_labels(finished)
    assert model.predict(rows).tolist() == [int(row["cluster"]) for row in written]
    sure = model.predict_proba(rows).max(1)
    np.testing.assert_allclose([float(row["confidence"]) for row in written], sure, atol=1e-6)
    assert [int(row["row"]) for row in written] == list(range(300))


def test_the_history_and_the_trace_are_whole(finished: Path) -> None:
    records = [json.loads(line) for line in (finished / "history.jsonl").read_text().splitlines()]
    assert records == coterie.load(finished / "model").history_
    with np.load(finished / "arrays.npz", allow_pickle=False) as arrays:
        assert arrays["refresh_steps"].tolist() == [
            150,
            160,
            170,
            180,
            190,
        ]  # 150 steps of pretraining, 40 of clustering
        assert arrays["refresh_labels"].shape == (5, 300)
        last = arrays["refresh_labels"][-1].tolist()
    assert last == [int(row["cluster"]) for row in read_labels(finished)]


def test_a_forecast_is_of_a_second_at_least(blobs: Blobs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = open_data(str(blobs.npy))
    first = judging.first_baseline(data, 3, seed=0, seconds=1.0, path=tmp_path / "kmeans.npz")
    figures = judging.figures_of(first.labels, n_clusters=3, y=None)
    said = {}
    for expected in (0.0, 0.9, 90.0):
        show_first(Screen(), data, first, figures=figures, expected=expected)
        said[expected] = capsys.readouterr().out
    assert ["its steps will take about" in text for text in said.values()] == [False, False, True]


def test_what_is_said_begins_with_the_data_and_ends_with_the_report(finished: Path) -> None:
    lines = finished.with_suffix(".txt").read_text().splitlines()
    assert lines[0].startswith("Found 300 rows of 6 columns")
    assert "labels of 3 classes, used only for evaluation" in lines[0]
    assert lines[1].startswith("For a start, k-means on the columns took")
    assert lines[-1] == f"Report: {finished / 'report.html'}"
    titles = ("DEC ", "k-means on the columns ", "k-means on the autoencoder's code ")
    for title in titles:
        (line,) = [line for line in lines if line.lstrip().startswith(title) and not line.startswith("For")]
        assert len([cell for cell in line.split() if cell.replace(".", "").isdigit() and "." in cell]) >= 4
    assert all(each.isprintable() for line in lines for each in line)


def test_config_toml_makes_the_run_again(finished: Path, tmp_path: Path) -> None:
    done = run("fit", "--config", finished / "config.toml", "--out", tmp_path / "again", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    for name in ("labels.csv", "config.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (finished / name).read_bytes()


def test_labels_change_nothing_but_the_figures(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = run(
        "fit", blobs.csv, "--config", blobs.settings(), "--labels", "kind", "--labels", blobs.labels, "--out", out
    )
    assert done.code == 2  # the file's column "kind" is text, and labels were asked for from elsewhere
    assert "kind" in done.err
    rows = np.loadtxt(blobs.csv, delimiter=",", skiprows=1, usecols=range(6))
    np.save(tmp_path / "rows.npy", rows)
    done = run("fit", tmp_path / "rows.npy", "--config", blobs.settings(), "--out", out, "--no-report")
    assert done.code == 0, done.err
    assert (out / "labels.csv").read_bytes() == (finished / "labels.csv").read_bytes()
    assert "metrics" not in json.loads((out / "metrics.json").read_text())
    assert done.out.splitlines()[-1] == f"Run: {out}"
    assert not (out / "report.html").exists()
    assert "All silhouettes are measured in the autoencoder's code from before clustering." in done.out


def test_flags_win_over_the_settings_file(blobs: Blobs, tmp_path: Path) -> None:
    more = ("-k", 4, "--seed", 8, "--system", "aekmeans", "--no-report")
    settings = tmp_path / "run.toml"
    settings.write_text(
        f"data = {str(blobs.npy)!r}\n[parameters]\nn_clusters = 2\ncode_size = 2\n"
        "[parameters.network]\nhidden = [8]\n[parameters.pretrain]\nsteps = 10\n"
    )
    done = run("fit", "--config", settings, "--out", tmp_path / "run", *more)
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["n_clusters"], metrics["seed"], metrics["system"]) == (4, 8, "aekmeans")
    assert len(metrics["sizes"]) == 4
    stored = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert stored["parameters"] == {
        "n_clusters": 4,
        "code_size": 2,
        "network": {"hidden": [8]},
        "pretrain": {"steps": 10},
    }


def test_a_folder_of_images_keeps_its_names(blobs: Blobs, make_images: Callable[[int], Path], tmp_path: Path) -> None:
    images = make_images(24)
    (images / "=evil.png").write_bytes((images / "000.png").read_bytes())
    (images / "broken.png").write_bytes(b"not an image")
    settings = blobs.settings()
    done = run("fit", images, "-k", 2, "--config", settings, "--out", tmp_path / "run", "--no-report")
    assert done.code == 0, done.err
    assert "Found 25 grey images 8 x 8" in done.out
    assert done.err.startswith("warning: ")
    assert "broken.png" in done.err
    assert ".py" not in done.err
    rows = read_labels(tmp_path / "run")
    assert [row["name"] for row in rows] == [*(f"{number:03d}.png" for number in range(24)), "'=evil.png"]


def test_strict_refuses_a_folder_with_a_corrupt_image(
    blobs: Blobs, make_images: Callable[[int], Path], tmp_path: Path
) -> None:
    images = make_images(12)
    (images / "broken.png").write_bytes(b"not an image")
    done = run("fit", images, "-k", 2, "--config", blobs.settings(), "--out", tmp_path / "run", "--strict")
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "broken.png" in done.err
    assert not (tmp_path / "run").exists()


def test_flat_rows_become_images(blobs: Blobs, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--image-shape", "2x3", "--out", out, "--no-report")
    assert done.code == 0, done.err
    assert "Found 300 grey images 2 x 3" in done.out
    assert coterie.load(out / "model").spec_.shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{npy}", "-k", "301"], "n_clusters=301 and n_samples=300"),
        (
            ["{npy}", "-k", "0"],
            "The 'n_clusters' parameter of Auto must be an integer >= 1, 'auto' or a range such as (2, 20). Got 0",
        ),
        (["{npy}", "-k", "many"], "-k must be a number, a range such as 3-12, or auto. Got 'many' instead."),
        (["{npy}", "-k", "5-3"], "or a range such as (2, 20). Got (5, 3)"),
        (["{npy}", "--time-budget", "0"], "The 'time_budget' parameter of Auto must be None or a positive number."),
        (["{npy}", "--system", "dec", "--time-budget", "9"], "--time-budget goes with a choice among systems"),
        (
            ["{npy}", "--candidates", "kmeans,dek"],
            "The 'candidates' parameter of Auto must be 'auto' or a list of",
        ),
        (["{npy}", "--candidates", ","], "The 'candidates' parameter of Auto must be 'auto' or a list of"),
        (["{npy}", "--system", "dec", "--candidates", "dec"], "--candidates goes with a choice among systems"),
        (["-k", "3"], "Say what to cluster"),
        (["no-such.npy", "-k", "3"], "There is no file or folder"),
        (
            ["mnits", "-k", "3"],
            "no benchmark set of that name (mnist10k, mnist, fashion-mnist, usps, pendigits, emnist,",
        ),
        (["{npy}", "-k", "3", "--system", "dek"], "There is no system 'dek'"),
        (["{npy}", "-k", "3", "--recipe", "keras"], "A recipe belongs to a system; say which with --system."),
        (["{npy}", "-k", "3", "--system", "dec", "--recipe", "dek"], "DEC has no recipe 'dek'"),
        (["{npy}", "-k", "3", "--precision", "half"], "'precision' must be"),
        (["{npy}", "-k", "3", "--device", "abacus"], "The 'device' setting must be 'auto' or a device"),
        (["{npy}", "-k", "3", "--image-shape", "5x5"], "'image_shape' parameter must fit the rows"),
        (["{npy}", "-k", "3", "--labels", "no-such"], "no-such"),
        (["{npy}", "-k", "3", "--seed", "4294967296"], "'seed' must be less than or equal to 4294967295"),
        (["{npy}", "-k", "3", "--config", "{list}"], "'parameters' must be a table. Got 3 instead."),
        (["{npy}", "-k", "3", "--config", "{place}"], "'out' must be a path. Got 3 instead."),
        (
            ["{npy}", "-k", "3", "--config", "{float}"],
            "The 'code_size' parameter of DEC must be an integer >= 1. Got 3.0",
        ),
        (["{npy}", "-k", "3", "--config", "{moves}"], "The 'noise' parameter of Augment must be at least 0. Got 'a'"),
        (["{npy}", "-k", "3", "--config", "{kind}"], "kind must be one of"),
        (["{csv}", "-k", "3"], "kind"),
        (["{csv}", "-k", "3", "--labels", "colour"], "colour"),
        (["{csv}", "-k", "3", "--drop", "colour"], "has no column 'colour'"),
        (["{npy}", "-k", "3", "--drop", "a"], "Only a CSV or TSV file has columns to drop."),
        (["mnist10k", "-k", "3", "--drop", "a"], "A benchmark set has no columns to drop."),
        (["{csv}", "-k", "3", "--names", "colour"], "has no column 'colour'"),
        (["{npy}", "-k", "3", "--names", "a"], "Only a CSV or TSV file has a column of names."),
        (["mnist10k", "-k", "3", "--names", "a"], "A benchmark set has no column of names."),
        (["mnist10k", "-k", "3", "--labels", "typo.npy"], "are neither a file nor a label column of the data"),
        (["{nan}", "-k", "3"], "NaN"),
        (["{short}", "-k", "3", "--labels", "{labels}"], "one label for each of the 20 rows"),
        (["{folder}", "-k", "3"], "holds no images"),
    ],
)
def test_bad_input_leaves_nothing_behind(arguments: list[str], sentence: str, blobs: Blobs, tmp_path: Path) -> None:
    rows = np.load(blobs.npy)
    np.save(tmp_path / "short.npy", rows[:20])
    rows[7, 2] = np.nan
    np.save(tmp_path / "nan.npy", rows)
    (tmp_path / "folder").mkdir()
    configs = {
        "list": "parameters = 3",
        "place": "out = 3",
        "float": "system = 'dec'\n[parameters]\ncode_size = 3.0",
        "moves": "system = 'dec'\n[parameters.augment]\nnoise = 'a'",
        "kind": "system = 'dec'\n[parameters.network]\nkind = ['mlp']",
    }
    for name, text in configs.items():
        (tmp_path / f"{name}.toml").write_text(text)
    files = {"npy": blobs.npy, "csv": blobs.csv, "labels": blobs.labels, "folder": tmp_path / "folder"}
    files |= {name: tmp_path / f"{name}.npy" for name in ("nan", "short")}
    files |= {name: tmp_path / f"{name}.toml" for name in configs}
    done = run("fit", *(each.format(**files) for each in arguments), "--out", tmp_path / "run")
    assert done.code == 2
    assert sentence in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_set_that_is_not_here_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    done = run("fit", "usps", "-k", "10", "--out", tmp_path / "run")
    assert done.code == 2
    assert "COTERIE_DATA_HOME" in done.err
    assert not (tmp_path / "run").exists()


def test_a_run_is_never_overwritten(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    before = (copy / "metrics.json").read_bytes()
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--out", copy)
    assert done.code == 2
    assert done.err == f"error: {copy} holds a finished run; give another --out.\n"
    assert (copy / "metrics.json").read_bytes() == before


def test_a_folder_with_something_else_in_it_is_refused(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    for more in ([], ["--resume"]):
        done = run("fit", blobs.npy, "--config", blobs.settings(), "--out", tmp_path, *more)
        assert done.code == 2
        assert "is neither empty nor a run" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_strangers_checkpoints_are_not_taken_for_a_runs(blobs: Blobs, tmp_path: Path) -> None:
    weights = tmp_path / "project" / "checkpoint" / "weights.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"months of work")
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--out", tmp_path / "project")
    assert done.code == 2
    assert "is neither empty nor a run" in done.err
    assert weights.read_bytes() == b"months of work"


def test_a_label_column_may_be_named_by_its_number(blobs: Blobs, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = run("fit", blobs.csv, "--config", blobs.settings(), "--labels", "6", "--out", out, "--no-report")
    assert done.code == 0, done.err
    figures = [json.loads((folder / "metrics.json").read_text())["metrics"] for folder in (out, finished)]
    assert figures[0] == figures[1]


def test_columns_that_are_left_out_are_no_features(blobs: Blobs, tmp_path: Path) -> None:
    path, out = tmp_path / "plants.csv", tmp_path / "run"
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", *header, "place"], *([f"p{i}", *row, "hill"] for i, row in enumerate(rows))])
    flags = ("--drop", "id", "--drop", "place", "--labels", "kind")
    done = run("fit", path, "--config", blobs.settings(), *flags, "--out", out)
    assert done.code == 0, done.err
    assert list(coterie.load(out / "model").feature_names_in_) == list("abcdef")
    with (out / "labels.csv").open(newline="") as file:
        fitted = [row["cluster"] for row in csv.DictReader(file)]
    for new in (path, blobs.csv):  # new data may have those columns, or lack them
        done = run("predict", out, new, "--out", tmp_path / "new.csv")
        assert done.code == 0, done.err
        with (tmp_path / "new.csv").open(newline="") as file:
            assert [row["cluster"] for row in csv.DictReader(file)] == fitted
    again = run("fit", "--config", out / "config.toml", "--out", tmp_path / "again")
    assert again.code == 0, again.err
    assert (tmp_path / "again" / "labels.csv").read_bytes() == (out / "labels.csv").read_bytes()


def test_a_column_names_the_rows_wherever_they_are_told_of(blobs: Blobs, tmp_path: Path) -> None:
    path, out, expert = tmp_path / "plants.csv", tmp_path / "run", tmp_path / "expert.csv"
    with blobs.csv.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", *header], *([f"p{i}", *row] for i, row in enumerate(rows))])
    expert.write_text("id,kind\n" + "".join(f"p{i},{rows[i][-1]}\n" for i in (9, 4, 0)))
    flags = ("--names", "id", "--drop", "kind", "--known", expert)
    done = run("fit", path, "--config", blobs.settings(), *flags, "--out", out)
    assert done.code == 0, done.err
    assert list(coterie.load(out / "model").feature_names_in_) == list("abcdef")
    with (out / "labels.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["name"] for row in told] == [f"p{i}" for i in range(len(rows))]
    assert {row["name"] for row in told if row["known"]} == {"p0", "p4", "p9"}
    for new, names in ((path, "p1"), (blobs.csv, None)):  # new data may have names, or none
        done = run("predict", out, new, "--out", tmp_path / "new.csv")
        assert done.code == 0, done.err
        with (tmp_path / "new.csv").open(newline="") as file:
            predicted = list(csv.DictReader(file))
        assert predicted[1].get("name") == names
        assert [row["cluster"] for row in predicted] == [row["cluster"] for row in told]
    again = run("fit", "--config", out / "config.toml", "--out", tmp_path / "again")
    assert again.code == 0, again.err
    assert (tmp_path / "again" / "labels.csv").read_bytes() == (out / "labels.csv").read_bytes()


def test_new_data_without_a_header_have_all_columns_or_the_features_alone(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.csv.open(newline="") as file:
        rows = list(csv.reader(file))[1:]

    def write(name: str, columns: slice) -> Path:
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([str(i), *row][columns] for i, row in enumerate(rows))
        return tmp_path / name

    whole, out = write("whole.csv", slice(None)), tmp_path / "run"
    flags = ("--drop", "0", "--labels", "7")
    done = run("fit", whole, "--config", blobs.settings(), *flags, "--out", out)
    assert done.code == 0, done.err
    for new in (whole, write("features.csv", slice(1, 7))):
        assert run("predict", out, new, "--out", tmp_path / "new.csv").code == 0
    for new in (write("no-id.csv", slice(1, None)), write("no-kind.csv", slice(0, 7))):
        done = run("predict", out, new, "--out", tmp_path / "new.csv")
        assert done.code == 2
        assert "has no header and 7 columns, so that it cannot be told which are the 6 of the fit" in done.err


def test_the_settings_that_were_run_are_told(finished: Path) -> None:
    told = json.loads((finished / "metrics.json").read_text())["settings"]
    assert told["start"] in ("kmeans", "mixture", "manifold")
    assert [name for name, value in told.items() if value == "auto"] == ["unit"]  # which only a start tells
    assert told["network"].startswith("MLP(")


def test_a_model_of_a_run_knows_its_columns(finished: Path, blobs: Blobs) -> None:
    model = coterie.load(finished / "model")
    assert model.feature_names_in_.tolist() == list("abcdef")
    frame = pd.read_csv(blobs.csv).drop(columns="kind")
    np.testing.assert_array_equal(model.predict(frame), model.labels_)
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        model.predict(frame[list("fedcba")])


def test_a_system_with_teachers_is_fitted(blobs: Blobs, tmp_path: Path) -> None:
    settings, out = tmp_path / "taught.toml", tmp_path / "run"
    settings.write_text(
        'system = "selflabel"\nseed = 0\n[parameters]\nn_clusters = 3\nteachers = ["kmeans", "kmeans"]\n'
        "network = { hidden = [8] }\ntrain = { steps = 60, batch_size = 50, learning_rate = 1e-2 }\n"
    )
    assert run("fit", blobs.npy, "--config", settings, "--out", out).code == 0
    assert {json.loads(line)["phase"] for line in (out / "history.jsonl").read_text().splitlines()} == {"learn"}
    assert json.loads((out / "metrics.json").read_text())["system"] == "selflabel"
    assert run("predict", out, blobs.npy, "--out", tmp_path / "new.csv").code == 0


def test_a_trace_is_that_of_the_last_fit_and_not_of_its_teachers() -> None:
    trace, X = LabelTrace(), np.repeat(np.eye(3), 30, axis=0)
    with config_context(callbacks=(trace,)):
        small(DEC).fit(X)
        assert trace.steps
        pupil = small(SelfLabel).fit_to(X, [np.repeat([0, 1, 2], 30)])
    assert trace.until(pupil)[0] == [60]


def test_the_folder_is_named_after_data_and_system(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blobs-dec").mkdir()  # an empty folder will do
    done = run("fit", blobs.npy, "--config", blobs.settings(), "--no-report")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "Run: blobs-dec"
    assert (tmp_path / "blobs-dec" / "labels.csv").exists()


def test_collapse_is_one_line_of_warning(tmp_path: Path, blobs: Blobs) -> None:
    rows = np.zeros((40, 2), dtype=np.float32)
    rows[20:] = 1  # two distinct rows, three clusters
    np.save(tmp_path / "rows.npy", rows)
    done = run("fit", tmp_path / "rows.npy", "--config", blobs.settings(), "--out", tmp_path / "run", "--no-report")
    assert done.code == 0, done.err
    assert all(line.startswith("warning: ") for line in done.err.splitlines())
    assert "clusters" in done.err


def test_nearly_all_is_not_rounded_to_all(tmp_path: Path) -> None:
    x = np.repeat([[0.0, 0.0], [9.0, 9.0]], 2600, axis=0) + np.random.default_rng(0).normal(0, 0.1, (5200, 2))
    kinds = ["ash"] * 2600 + ["elm"] * 2600
    kinds[0] = "elm"
    lines = [f"{a},{b},{kind}\n" for (a, b), kind in zip(x.tolist(), kinds, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "".join(lines))
    how = ("--labels", "kind", "--system", "kmeans", "-k", 2, "--no-report", "--out", tmp_path / "run")
    done = run("fit", tmp_path / "rows.csv", *how)
    assert done.code == 0, done.err
    assert "0.999" in done.out  # 5,199 of 5,200 rows
    assert "1.000" not in done.out
    assert "elm (100%)" in done.out  # all rows of its cluster are
    assert "ash (99.9%)" in done.out


def test_columns_that_are_likely_no_features_are_warned_of(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(1, 41), np.arange(40) // 20, np.random.default_rng(0).normal(size=(40, 2))])
    np.savetxt(tmp_path / "t.csv", rows, delimiter=",", header="id,label,a,b", comments="")
    told = run("fit", tmp_path / "t.csv", "-k", "2", "--system", "kmeans", "--out", tmp_path / "one").err
    assert "The column 'label' is clustered as a feature; if it holds classes, say --labels label" in told
    assert "The column 'id' is clustered as a feature; it counts the rows: --names id" in told
    flags = ("--labels", "label", "--names", "id")
    told = run("fit", tmp_path / "t.csv", "-k", "2", "--system", "kmeans", "--out", tmp_path / "two", *flags).err
    assert "is clustered as a feature" not in told
