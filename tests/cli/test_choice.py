"""`fit` without a system, and without a number of clusters."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import Blobs, run

import coterie


@pytest.fixture(scope="module")
def chosen(blobs: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("choice") / "run"
    (settings := folder.with_suffix(".toml")).write_text(
        '[parameters]\ncandidates = ["kmeans", "mixture", "spectral", "ward"]\n'
    )
    done = run("fit", blobs.csv, "--labels", "kind", "--out", folder, "--seed", 3, "--config", settings)
    assert done.code == 0, done.err
    assert "Found 3 clusters. The rows themselves show gaps between 3 groups." in done.out
    assert "was chosen of 4: it keeps neighbours together best (1.00 of 1)" in done.out
    return folder


def test_the_choice_is_told_with_what_was_tried(chosen: Path) -> None:
    metrics = json.loads((chosen / "metrics.json").read_text())
    choice = metrics["choice"]
    assert metrics["n_clusters"] == choice["count"]["n"] == 3
    assert choice["trials"][0]["name"] == metrics["system"] == "kmeans"
    assert {trial["name"] for trial in choice["trials"]} >= {"kmeans", "mixture", "spectral", "ward"}
    assert np.shape(choice["agreement"]) == (len(choice["names"]),) * 2
    assert choice["stability"] == [1.0, 1.0, 1.0]
    assert [trial.get("why_not") for trial in choice["trials"]] == [None] + ["about as good"] * 3
    assert not metrics["labels_used"]


def test_where_nothing_was_compared_nothing_is_said_of_how_stable_clusters_are(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 3)))
    (tmp_path / "one.toml").write_text('[parameters]\nn_clusters = 16\ncandidates = ["ward"]\ntime_budget = "none"\n')
    done = run("fit", tmp_path / "x.npy", "--config", tmp_path / "one.toml", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    choice = json.loads((tmp_path / "run" / "metrics.json").read_text())["choice"]
    assert (choice["second"], choice["stability"]) == (None, [])
    assert "How stable each cluster is" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_rows_say_whether_an_independent_run_agrees(chosen: Path) -> None:
    with (chosen / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "cluster", "confidence", "agreed"]
    assert {row["agreed"] for row in rows} == {"yes"}
    with np.load(chosen / "arrays.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["second_labels"], arrays["labels"])
    assert min(float(row["confidence"]) for row in rows) > 0.99  # 300 rows cannot show more


def test_the_report_shows_the_choice(chosen: Path) -> None:
    page = (chosen / "report.html").read_text(encoding="utf-8")
    assert '<section class="wrap" id="choice"' in page
    assert "K-means was chosen of 4" in page
    assert ">about as good</td>" in page
    assert "Gaussian mixture" in page
    assert "is not the share that is right" not in page


def test_the_report_of_one_system_says_that_its_confidence_is_not_calibrated(finished: Path) -> None:
    assert "is not the share that is right" in (finished / "report.html").read_text(encoding="utf-8")


def test_the_model_and_the_settings_make_it_again(chosen: Path, blobs: Blobs, tmp_path: Path) -> None:
    assert run("predict", chosen, blobs.csv, "--out", tmp_path / "labels.csv").code == 0
    model = coterie.load(chosen / "model")
    assert len(model.cluster_centers_) == 3
    again = run("fit", "--config", chosen / "config.toml", "--out", tmp_path / "again", "--no-report", "-q")
    assert again.code == 0, again.err
    assert (tmp_path / "again" / "labels.csv").read_bytes() == (chosen / "labels.csv").read_bytes()


def test_a_run_that_was_stopped_goes_on(chosen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "config.toml").write_bytes((chosen / "config.toml").read_bytes())
    done = run("fit", "--out", folder, "--resume")
    assert done.code == 0, done.err
    assert (folder / "labels.csv").read_bytes() == (chosen / "labels.csv").read_bytes()
    assert not (folder / "checkpoint").exists()


def test_what_could_hardly_be_better_is_not_tried(blobs: Blobs, tmp_path: Path) -> None:
    done = run("fit", blobs.csv, "--labels", "kind", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert "kmeans was chosen: it keeps neighbours together (1.00 of 1). Others, which take longer, could" in done.out
    choice = json.loads((tmp_path / "run" / "metrics.json").read_text())["choice"]
    assert choice["names"] == ["kmeans", "kmeans, again"]
    assert set(choice["left_out"].values()) == {"not needed"}
    assert "HDBSCAN" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_what_there_was_no_time_for_is_told(blobs: Blobs, tmp_path: Path) -> None:
    # In a process of its own, whose alarm is free.
    given = ("--time-budget", "0.001", "--candidates", "kmeans,ward", "--no-report", "--out", tmp_path / "run")
    said = subprocess.run(
        [sys.executable, "-m", "coterie", "fit", blobs.npy, *given], check=True, capture_output=True, text=True
    ).stdout
    assert "Counting: out of time; only gaps between groups were looked for. Give -k, or more time." in said
    assert "There was no time for 1 other." in said


def test_a_choice_may_be_among_a_few(blobs: Blobs, tmp_path: Path) -> None:
    done = run("fit", blobs.npy, "-k", 3, "--candidates", "ward, kmeans", "--out", tmp_path / "run", "--no-report")
    assert done.code == 0, done.err
    choice = json.loads((tmp_path / "run" / "metrics.json").read_text())["choice"]
    assert {trial["name"] for trial in choice["trials"]} == {"ward", "kmeans"}
    assert not choice["left_out"] and choice["second"].endswith(", again")
    assert 'candidates = ["ward", "kmeans"]' in (tmp_path / "run" / "config.toml").read_text()


def test_the_baseline_beside_a_choice_sees_all_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(3000, 2)))
    settings = tmp_path / "few.toml"
    settings.write_text('[parameters]\ncandidates = ["kmeans"]\nn_clusters = 3\nconfidence = false\n')
    done = run("fit", tmp_path / "rows.npy", "--config", settings, "--out", tmp_path / "run", "--no-report")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["baselines"]["kmeans"]["rows_fitted"] == 3000


def test_noise_has_no_groups(tmp_path: Path) -> None:
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).normal(size=(500, 3)))
    done = run("fit", tmp_path / "noise.npy", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert "Found no groups: the rows hang together" in done.out
    assert "Found no groups" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_one_system_finds_the_number_within_a_range(blobs: Blobs, tmp_path: Path) -> None:
    done = run("fit", blobs.npy, "--system", "kmeans", "-k", "2-6", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert "Found 3 clusters." in done.out
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["count"]["n"] == 3
    assert "n_clusters = [2, 6]" in (tmp_path / "run" / "config.toml").read_text()
