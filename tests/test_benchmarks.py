"""Figures in documents are those of the results, and results are those of today's defaults."""

import json

import numpy as np
import pytest

from benchmarks import common, few_tables, tables
from benchmarks.accuracy import make_estimator
from benchmarks.common import of_one_program, read
from benchmarks.few_methods import BELIEVED, NEIGHBOURS, SVM_ROWS, joined
from benchmarks.splits import SVM
from benchmarks.step_times import step_times
from benchmarks.suggesting import labels_needed, rule
from coterie import DEC, AEKMeans, KMeans, SelfLabel, SNNLKMeans
from coterie.algorithms.classifying import ENOUGH, FITTED, PENALTY
from coterie.algorithms.defaults import digest, resolve
from coterie.data import make_source

SHAPES = {
    "mnist": ((70_000, 28, 28), np.uint8, 255),
    "fashion-mnist": ((70_000, 28, 28), np.uint8, 255),
    "mnist10k": ((10_000, 28, 28), np.uint8, 255),
    "usps": ((9298, 16, 16), np.float32, 1),
    "pendigits": ((10_992, 16), np.uint8, 100),
}


def rows_like(dataset):
    """Rows that are to the defaults what the data set is: they look at shape, dtype, range and number only."""
    shape, dtype, top = SHAPES[dataset]
    rows = np.zeros(shape, dtype)
    rows[0] = top
    if dtype is np.float32:
        rows[1] = -1
    return rows


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_the_tables_of_documents_are_made_from_the_results(page):
    text = page.read_text(encoding="utf-8")
    assert tables.render(text) == text


@pytest.mark.parametrize("dataset", sorted({row["dataset"] for row in read("accuracy.jsonl")}) or ["mnist10k"])
def test_no_row_was_made_with_other_defaults_than_todays(dataset):
    source = make_source(rows_like(dataset))
    for row in read("accuracy.jsonl"):
        if row["dataset"] == dataset:
            model = make_estimator(row, row["n_clusters"])
            assert row["settings"] == digest(resolve(model, source)), (row["seed"], row["commit"])
            assert "+changes" not in row["commit"]


@pytest.mark.parametrize(
    ("file", "started", "names"),
    [
        ("accuracy.jsonl", "started.jsonl", ("system", "dataset", "seed")),
        ("few_labels.jsonl", "few_labels_started.jsonl", ("method", "dataset", "labels", "seed")),
        ("outliers.jsonl", "outliers_started.jsonl", ("part", "dataset", "left_out", "seed")),
        ("suggest.jsonl", "suggest_started.jsonl", ("way", "dataset", "seed")),
    ],
)
def test_every_row_is_of_a_run_that_was_begun(file, started, names):
    rows = [row for row in read(file) if "seed" in row]  # which times of steps did not always have
    begun = {tuple(row.get(name) for name in (*names, "commit")) for row in read(started)}
    assert {tuple(row.get(name) for name in (*names, "commit")) for row in rows} <= begun


@pytest.mark.parametrize("file", ["few_labels.jsonl", "outliers.jsonl", "suggest.jsonl"])
def test_what_is_reported_was_made_by_what_is_committed(file):
    assert not [row for row in read(file) if row.get("seed", 100) <= 9 and row["commit"].endswith("+changes")]


def test_a_mean_is_over_rows_of_one_program():
    rows = [{"data": "a", "seed": s, "settings": settings} for s, settings in enumerate("xxyyx")]
    rows.append({"data": "b", "seed": 0, "settings": "z"})
    kept = of_one_program(rows, lambda row: row["data"])
    assert [(row["data"], row["seed"]) for row in kept] == [("a", 0), ("a", 1), ("a", 4), ("b", 0)]


def test_labels_needed_are_those_from_which_on_a_curve_stays_above():
    assert labels_needed([(10, 0.8), (12, 0.7), (14, 0.8), (17, 0.9)], 0.75) == 14
    assert labels_needed([(10, 0.8), (12, 0.7)], 0.75) == float("inf")


def test_a_curve_that_never_reaches_is_told_and_methods_are_compared_seed_by_seed(monkeypatch):
    told = {"dataset": "fashion-mnist", "system": "dec", "learner": "svm", "rows": None, "steps": None, "settings": "a"}
    curves = {"suggest": [(10, 0.7), (12, 0.8)], "random": [(10, 0.6), (12, 0.7)]}
    # Those of an earlier rule, which were reached with less, are no part of it.
    rows = [told | {"way": "suggest", "seed": seed, "curve": [(10, 0.8)], "settings": "b"} for seed in (0, 1)]
    rows += [told | {"way": way, "seed": 0, "curve": curve} for way, curve in curves.items()]
    # Nor are short runs that tried the script.
    rows += [told | {"way": way, "seed": 0, "curve": [(10, 0.9)], "steps": 5, "settings": "c"} for way in curves]
    monkeypatch.setattr(few_tables, "read", lambda name: rows)
    assert (
        few_tables.suggested()[-1] == "| fashion-mnist | dec | svm | .780 | 1 | 12 | more than were tried | – | – | – |"
    )
    told = {"dataset": "mnist", "labels": "1000", "labels_used": 1000, "accuracy": 0.99, "settings": "a"}
    found = {"snnl annealed": [0.9, 0.8], "snnl fixed": [0.8, 0.85, 0.9]}
    rows = [
        told | {"method": method, "seed": seed, "unmatched_accuracy": value}
        for method, values in found.items()
        for seed, value in enumerate(values)
    ]
    assert few_tables.paired()[-1] == (
        "| mnist | 1000 | snnl annealed | snnl fixed | 2 | +.025 ± .106 | −.050 – +.100 | 1 of 2 |"
    )


def test_rows_are_joined_to_their_nearest_and_new_ones_to_those_they_lie_beside():
    x = np.repeat([[0.0, 0.0], [9.0, 9.0]], 30, axis=0) + np.random.default_rng(0).normal(size=(60, 2))
    among = joined(x, x).toarray()
    assert (among == among.T).all() and not among.diagonal().any()
    assert (among.sum(1) >= 10).all() and not among[:30, 30:].any()
    new = joined(x, np.array([[9.0, 9.0]])).toarray()
    assert (new[:30].sum(), new[30:].sum()) == (0, 10)


def test_a_run_that_fails_is_told_and_does_not_end_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "commit", lambda: "0123")
    job = {"system": "no such system", "dataset": "mnist10k", "recipe": None, "seed": 100}
    assert common.carry_out("benchmarks.accuracy", job, file="rows.jsonl", started="begun.jsonl") == []
    assert read("rows.jsonl") == []
    assert [row["system"] for row in read("begun.jsonl")] == ["no such system"]
    assert json.loads((tmp_path / "rows.jsonl").read_text())["failed"] == "exit status 1"


def with_labels(dataset, k, source):
    """Digests of today's defaults by the methods of few labels that have settings."""
    teacher, pupil = resolve(DEC(k), source), resolve(SelfLabel(k), source)
    machine = {"enough": ENOUGH, "penalty": PENALTY, "fitted": FITTED}
    return {
        "snnl fixed": resolve(SNNLKMeans(k), source),
        "snnl annealed": resolve(SNNLKMeans(k, temperature="annealed"), source),
        "plain autoencoder": resolve(AEKMeans(k, code_size=max(10, k)), source),
        "raw k-means": resolve(KMeans(k), source),
        "selflabel known": pupil | {"teachers": ("dec", "svm"), "dec": digest(teacher), "svm": digest(machine)},
        "selflabel known, one a class": pupil | {"teachers": ("dec", "dec"), "dec": digest(teacher)},
        "label spreading in DEC": teacher | {"alpha": BELIEVED, "spread_neighbours": NEIGHBOURS},
        "svm": SVM | {"rows": SVM_ROWS},
    }


@pytest.mark.parametrize(
    ("dataset", "n", "k"), [("mnist", 60_000, 10), ("fashion-mnist", 60_000, 10), ("emnist", 39_373, 47)]
)
def test_no_figure_with_labels_was_made_with_other_defaults_than_todays(dataset, n, k):
    images = np.zeros((n, 28, 28), np.uint8)
    images[0] = 255
    source = make_source(images)
    today = {method: digest(settings) for method, settings in with_labels(dataset, k, source).items()}
    for (data, labels, method), rows in few_tables._groups().items():
        if data == dataset:
            few = ", one a class" if (method, labels) == ("selflabel known", "1 a class") else ""
            assert {row["settings"] for row in rows.values() if "settings" in row} <= {today.get(method + few)}, method
    dec = resolve(DEC(k), source)
    ways = {"random": digest(dec), "suggest": digest(dec | rule())}
    for row in read("suggest.jsonl"):
        if row["dataset"] == dataset and row["seed"] <= 9:
            assert row["settings"] == ways[row["way"]], (row["way"], row["seed"])


@pytest.mark.parametrize("network", ["default", "paper"])
def test_steps_with_labels_and_without_are_timed(network):
    found = step_times(network, batch_size=32, steps=12)
    assert min(found["milliseconds"], found["milliseconds_plain"], found["ratio"]) > 0
