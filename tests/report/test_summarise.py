"""The facts of a run are those of its files."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.metrics import accuracy
from coterie.report import load_arrays, summarise
from coterie.report.summarise import flatten

KINDS = ("labelled", "unlabelled", "many", "one", "empty", "table", "texts", "bare table", "hostile")


@pytest.fixture
def copied(runs, tmp_path):
    """A run that a test may damage."""

    def copy(kind="one"):
        shutil.copytree(runs[kind], tmp_path / "run")
        return tmp_path / "run"

    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_facts_are_json_and_clusters_add_up(kind, runs):
    facts = summarise(runs[kind])
    assert json.loads(json.dumps(facts, allow_nan=False))
    arrays = load_arrays(runs[kind] / "arrays.npz")
    sizes = np.bincount(arrays["labels"], minlength=len(facts["clusters"]))
    assert [cluster["rows"] for cluster in facts["clusters"]] == sizes.tolist()
    assert sum(cluster["share"] for cluster in facts["clusters"]) == pytest.approx(1)
    assert sum(facts["confidence"]["counts"]) == len(arrays["labels"])
    for cluster in facts["clusters"]:
        rows = [example["row"] for which in ("typical", "doubtful") for example in cluster[which]]
        assert set(arrays["labels"][rows]) <= {cluster["cluster"]}
        if cluster["rows"]:
            mine = arrays["labels"] == cluster["cluster"]
            assert cluster["confidence"] == pytest.approx(arrays["q_max"][mine].mean(), rel=1e-5)


def test_the_matched_diagonal_is_the_accuracy(runs):
    for kind in ("labelled", "many", "empty", "table"):
        arrays = load_arrays(runs[kind] / "arrays.npz")
        facts = summarise(runs[kind])["agreement"]
        counts = np.array(facts["counts"])
        assert counts.sum() == len(arrays["labels"])
        paired = sum(counts[c, facts["order"].index(k)] for c, k in enumerate(facts["paired"]) if k is not None)
        assert paired / counts.sum() == pytest.approx(accuracy(arrays["y"], arrays["labels"]))
        assert sorted(facts["order"]) == list(range(len(arrays["means"])))
        np.testing.assert_array_equal(counts.sum(1), facts["totals"])


def test_more_clusters_than_classes_leaves_columns_unpaired(runs):
    facts = summarise(runs["many"])["agreement"]
    assert len(facts["order"]) == 50
    assert facts["order"][:10] == facts["paired"]


def test_accuracy_is_followed_from_refresh_to_refresh(runs):
    facts = summarise(runs["labelled"])
    arrays = load_arrays(runs["labelled"] / "arrays.npz")
    curve = facts["training"]["accuracy"]
    assert curve["values"] == [accuracy(arrays["y"], labels.astype(int)) for labels in arrays["refresh_labels"]]
    assert curve["steps"] == arrays["refresh_steps"].tolist()
    assert summarise(runs["unlabelled"])["training"]["accuracy"] is None


def test_curves_follow_the_history(runs):
    training = summarise(runs["labelled"])["training"]
    pretrain, train = training["phases"]
    assert [curve["name"] for curve in pretrain["curves"]] == ["reconstruction"]
    assert [curve["name"] for curve in train["curves"]] == ["kl"]
    assert pretrain["curves"][0]["steps"][0] == 50
    assert train["curves"][0]["values"] == pytest.approx([0.6 / (i + 1) for i in range(6)])
    assert training["changed"]["steps"] == [140, 280, 420, 560, 700]  # the first refresh has nothing to compare with


def test_a_long_history_is_thinned_without_bias(copied):
    folder = copied()
    records = [{"phase": "train", "step": i, "loss": float(i % 2)} for i in range(4000)]
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, records)))
    (curve,) = summarise(folder)["training"]["phases"][0]["curves"]
    assert len(curve["values"]) == 300
    assert np.mean(curve["values"]) == pytest.approx(0.5, abs=0.01)
    assert (curve["first"], curve["last"]) == (0.0, 1.0)


def test_phases_that_repeat_stay_apart(copied):
    folder = copied()
    records = [{"phase": "train", "step": s, "loss": 1.0} for s in (50, 100, 50, 100)]
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, records)))
    assert len(summarise(folder)["training"]["phases"]) == 2


def test_the_comparison_shows_what_can_be_compared(runs):
    labelled, bare = summarise(runs["labelled"]), summarise(runs["unlabelled"])
    assert [chart["key"] for chart in labelled["comparison"]] == ["accuracy", "nmi", "ari"]
    assert [chart["key"] for chart in bare["comparison"]] == ["silhouette"]
    metrics = json.loads((runs["labelled"] / "metrics.json").read_text())
    bars = labelled["comparison"][0]["bars"]
    assert [bar["name"] for bar in bars] == [
        "DEC, this run",
        "k-means on the raw pixels",
        "k-means on the autoencoder’s code",
    ]
    assert [bar["value"] for bar in bars] == [
        metrics["metrics"]["accuracy"],
        *(metrics["baselines"][key]["metrics"]["accuracy"] for key in ("kmeans", "autoencoder_kmeans")),
    ]
    assert "against your labels" in labelled["headline"]
    assert "labels" not in bare["headline"]


def test_a_system_without_an_autoencoder_is_not_said_to_have_one(copied):
    folder = copied("unlabelled")
    assert "k-means on this very code" in summarise(folder)["silhouettes"]
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["baselines"]["code_kmeans"] = metrics["baselines"].pop("autoencoder_kmeans")
    (folder / "metrics.json").write_text(json.dumps(metrics))
    facts = summarise(folder)
    assert "k-means on the code" in [bar["name"] for bar in facts["comparison"][0]["bars"]]
    assert "in the run’s own code. That favours the run" in facts["silhouettes"]
    assert "autoencoder" not in json.dumps(facts["comparison"]) + facts["silhouettes"] + facts["beside"]
    (folder / "metrics.json").write_text(json.dumps(metrics | {"system": "shallow"}))
    assert "favours" not in summarise(folder)["silhouettes"]  # the code of what learned none


def test_a_baseline_fitted_on_fewer_rows_says_so(copied):
    folder = copied("labelled")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["baselines"]["kmeans"]["rows_fitted"] = 500
    (folder / "metrics.json").write_text(json.dumps(metrics))
    rows = summarise(folder)["figures"]["rows"]
    assert [row["fitted"] for row in rows] == ["", "fitted on 500 of 1,797", ""]


def test_an_empty_cluster_is_warned_about(runs):
    facts = summarise(runs["empty"])
    assert facts["warnings"][0].startswith("Cluster 2 is empty")
    assert facts["clusters"][2]["confidence"] is None
    assert facts["clusters"][2]["typical"] == []


def test_tables_tell_which_columns_set_a_cluster_apart(runs, wine):
    table, _, columns = wine
    arrays = load_arrays(runs["table"] / "arrays.npz")
    for cluster in summarise(runs["table"])["clusters"]:
        mine = table[arrays["labels"] == cluster["cluster"]]
        others = table[arrays["labels"] != cluster["cluster"]]
        apart = (mine.mean(0) - others.mean(0)) / table.std(0)
        best = np.abs(apart).argmax()
        first = cluster["columns"][0]
        assert first["name"] == columns[best]
        assert first["mean"] == pytest.approx(mine[:, best].mean(), rel=1e-5)
        assert first["elsewhere"] == pytest.approx(others[:, best].mean(), rel=1e-9)
        assert first["effect"] == pytest.approx(apart[best], rel=1e-9)
    assert summarise(runs["bare table"])["clusters"][0]["columns"][0]["name"].startswith("column ")


def test_thousands_of_labels_are_not_drawn(copied):
    folder = copied()
    arrays = load_arrays(folder / "arrays.npz")
    np.savez(folder / "arrays.npz", **arrays, y=np.arange(len(arrays["labels"])))
    facts = summarise(folder)
    assert facts["agreement"] is None
    assert any("300 classes, too many to draw" in said for said in facts["warnings"])


def test_a_run_needs_no_more_than_metrics_and_arrays(copied):
    folder = copied()
    for name in ("history.jsonl", "config.toml", "environment.json"):
        (folder / name).unlink()
    (folder / "metrics.json").write_text("{}")
    facts = summarise(folder)
    assert facts["title"] == "Clustering on run"
    assert facts["comparison"] == [] and facts["settings"] == [] and facts["training"]["phases"] == []


def test_half_a_last_line_is_forgiven_but_not_another(copied):
    folder = copied()
    whole = (folder / "history.jsonl").read_text()
    (folder / "history.jsonl").write_text(whole + '{"phase": "tra')
    assert summarise(folder)["training"] == summarise_training(whole, folder)
    (folder / "history.jsonl").write_text("{nonsense\n" + whole)
    with pytest.raises(InputError, match=r"Line 1 of .*history\.jsonl is damaged"):
        summarise(folder)


def summarise_training(whole, folder):
    (folder / "history.jsonl").write_text(whole)
    return summarise(folder)["training"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", "{", "metrics.json is damaged: it is not JSON"),
        ("metrics.json", "[1]", "does not hold a JSON object"),
        ("environment.json", "nul", "environment.json is damaged"),
        ("config.toml", "= 3", "config.toml is damaged: it is not TOML"),
        ("metrics.json", None, "not the folder of a finished run"),
        ("arrays.npz", None, "arrays.npz does not exist"),
    ],
)
def test_damage_is_told_in_one_sentence(copied, name, content, message):
    folder = copied()
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        summarise(folder)
    assert "\n" not in str(caught.value)


def test_what_does_not_go_together_is_damage_too(copied):
    folder = copied()
    arrays, metrics = load_arrays(folder / "arrays.npz"), json.loads((folder / "metrics.json").read_text())
    for wrong, told in (
        ({"baselines": []}, "baselines are no JSON object"),
        ({"cluster_names": ["a"] * 40}, "40 names for"),
    ):
        (folder / "metrics.json").write_text(json.dumps(metrics | wrong))
        with pytest.raises(InputError, match=f"metrics.json is damaged: .*{told}"):
            summarise(folder)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "history.jsonl").write_text("5\n")
    with pytest.raises(InputError, match=r"Line 1 of .*history\.jsonl is damaged: it does not hold a JSON object"):
        summarise(folder)
    (folder / "history.jsonl").unlink()
    np.savez(folder / "arrays.npz", **arrays | {"labels": arrays["labels"][:50]})
    with pytest.raises(InputError, match="arrays.npz is damaged: its arrays are of different numbers of rows"):
        summarise(folder)


def test_commands_do_not_take_a_folder_for_a_flag(runs, tmp_path):
    folder = shutil.copytree(runs["bare table"], tmp_path / "-dash")
    for command in dict(summarise(folder)["commands"])[
        "Clusters as you see them, each line by itself; undo takes the last change back"
    ].splitlines():
        assert " ./-dash" in command


def test_commands_survive_a_folder_with_a_space(runs):
    commands = dict(summarise(runs["bare table"])["commands"])
    assert commands["Clusters of new data, as a table"].startswith("coterie predict 'bare table' ")
    assert "coterie.load('bare table/model')" in commands["The same in Python"]


def test_settings_are_laid_flat():
    assert flatten({"a": {"b": {"c": [1, True]}, "d": None}, "e": "x"}) == [
        ("a.b.c", "1, yes"),
        ("a.d", "–"),
        ("e", "x"),
    ]
