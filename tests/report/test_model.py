"""What some systems can show besides clusters, with tiny systems that can."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from coterie.data import make_source
from coterie.report import load_arrays, model_arrays, save_arrays
from coterie.report.html import render
from coterie.report.run import read_run
from coterie.report.summarise import facts_of
from coterie.report.tree import merge_tree


def fitted(digits, **more):
    """A stand-in for a fitted system on digits."""
    x = digits[0]
    labels = np.arange(len(x)) % 10
    return SimpleNamespace(labels_=labels, cluster_centers_=np.zeros((10, 2)), spec_=make_source(x).spec, **more)


def drawn(n, *, cluster, random_state):
    return np.random.default_rng(random_state).uniform(0, 16, (n, 8, 8)) + 100 * cluster


def test_rows_are_made_up_for_each_cluster_and_the_same_again(digits):
    arrays = model_arrays(fitted(digits, sample=drawn), seed=3)
    assert set(arrays) == {"samples"} and arrays["samples"].shape == (10, 12, 8, 8)
    assert (arrays["samples"] // 100 == np.arange(10)[:, None, None, None]).all()
    np.testing.assert_array_equal(arrays["samples"], model_arrays(fitted(digits, sample=drawn), seed=3)["samples"])
    assert model_arrays(fitted(digits)) == {}


def test_leaves_of_a_tree_belong_to_the_cluster_of_most_of_their_rows(digits):
    merges = np.array([[0, 1, 1, 3], [2, 3, 2, 5]])
    plain = fitted(digits, merges_=merges)
    assert model_arrays(plain)["merge_clusters"].tolist() == [-1, -1, -1]
    leaves = np.array([0, 1, 2, 2, 0] * 400)[: len(plain.labels_)]
    plain.labels_ = np.where(leaves == 2, 7, leaves)
    assert model_arrays(SimpleNamespace(**vars(plain), leaves_=leaves))["merge_clusters"].tolist() == [0, 1, 7]


def test_a_tree_joins_where_its_branches_do_and_is_cut_at_k():
    rng = np.random.default_rng(100)
    merges = linkage(rng.normal(size=(9, 2)), "ward")
    merges[:, 2] = np.arange(1, 9)
    tree = merge_tree(merges, np.array([0] * 5 + [1] * 4), 3)
    assert len(tree["branches"]) == 8 and len(tree["leaves"]) == 9
    ends = [list(map(float, re.findall(r"[\d.]+", path))) for path, _, _ in tree["branches"]]
    heights = [end[2] for end in ends]  # where each branch turns
    assert heights == sorted(heights)
    assert heights[5] < tree["cut"] < heights[6]  # six of eight merges leave three clusters
    assert sorted(leaf[1] for leaf in tree["leaves"]) == pytest.approx(np.arange(9) * 14 + 10.5)
    assert tree["branches"][-1][1] == -1 and tree["branches"][-1][2] == "9 leaves"
    assert merge_tree(merges, np.full(9, -1), 9)["cut"] < heights[0]


@pytest.mark.parametrize("kind", ["labelled", "table"])
def test_the_page_shows_what_the_model_made_up_merged_and_expected(runs, kind, tmp_path, digits):
    run = read_run(runs[kind])
    shape = run.arrays["typical_raw"].shape[2:]
    k = run.n_clusters
    run.arrays["samples"] = np.random.default_rng(0).uniform(0, 9, (k, 3, *shape)).astype(np.float32)
    merges = linkage(np.random.default_rng(1).normal(size=(k + 4, 2)))
    run.arrays["merges"], run.arrays["merge_clusters"] = merges, np.full(k + 4, -1)
    run.arrays["prior"] = np.arange(1, k + 1) / np.arange(1, k + 1).sum()
    page = render(run)
    assert page.count("Made up by the model") == k
    assert page.count('class="joined"') == k + 3 and 'class="cut"' in page
    assert "expected; the clusters hold from" in page and page.count('class="expected"') == k
    plain = render(read_run(runs[kind]))
    assert "Made up" not in plain and "joined" not in plain.split("</style>")[1]
    assert "The mark is an even share," in plain


def test_difference_pictures_and_figures_of_each_class_are_there(runs):
    run = read_run(runs["labelled"])
    page = render(run)
    assert page.count('apart from all other images"') == run.n_clusters
    per_class = facts_of(run)["agreement"]["per_class"]
    assert len(per_class) == 10 and all(0 <= entry["f"] <= 1 for entry in per_class)
    assert page.count("Class by class") == 1


def test_words_take_the_place_of_columns(runs):
    run = read_run(runs["texts"])
    clusters = facts_of(run)["clusters"]
    assert {cluster["words"][0]["name"] for cluster in clusters} == {"orbit", "puck"}
    assert all(cluster["columns"] == [] for cluster in clusters)
    page = render(run)
    assert page.count("Telling words") == 2 and "Strongest words" in page and "Mean elsewhere" not in page


def test_runs_of_before_are_still_drawn(runs, tmp_path):
    arrays = load_arrays(runs["table"] / "arrays.npz")
    arrays["means"] = arrays["means"].astype(np.float32)
    for name in ("metrics.json",):
        (tmp_path / name).write_bytes((runs["table"] / name).read_bytes())
    save_arrays(tmp_path / "arrays.npz", arrays)
    assert "Mean elsewhere" in render(read_run(tmp_path))


def test_rows_of_many_clusters_are_folded_away(make_run, wine, tmp_path, runs):
    folder = make_run(tmp_path / "many", wine[0], 14, feature_names=wine[2], light=True)
    page = render(read_run(folder))
    assert page.count("<summary>Typical and doubtful rows") == 14 == page.count("</article>")
    assert "Typical and doubtful rows" not in render(read_run(runs["table"]))
