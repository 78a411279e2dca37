"""Figures in documents are those of the results, and results are those of today's defaults."""

import numpy as np
import pytest

from benchmarks import tables
from benchmarks.accuracy import make_estimator
from benchmarks.common import read
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


def test_every_run_that_was_begun_is_recorded():
    begun = {(r["system"], r["dataset"], r["seed"], r["commit"]) for r in read("started.jsonl")}
    ended = {(r["system"], r["dataset"], r["seed"], r["commit"]) for r in read("accuracy.jsonl")}
    assert ended <= begun
