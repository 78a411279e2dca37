"""`rename`, `merge`, `split` and `undo` on a finished run, and what every later command makes of them."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import Blobs, run, start

import coterie
from coterie import Auto
from coterie.cli.choosing import choice_arrays
from coterie.criteria import judge
from coterie.data import make_source
from coterie.errors import InputError
from coterie.report import save_arrays, summarise
from coterie.report.arrays import load_arrays
from coterie.report.wording import percent

FILES = ("arrays.npz", "labels.csv", "metrics.json", "report.html", "config.toml", "history.jsonl", "environment.json")
MODEL = ("model/config.json", "model/weights.safetensors", "model/manifest.json")


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be edited."""
    return shutil.copytree(finished, tmp_path / "run")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def column(path: Path, name: str = "cluster") -> list[str]:
    return [row[name] for row in table(path)]


def test_a_name_stands_wherever_the_cluster_does(own: Path, finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    before = column(own / "labels.csv")
    done = run("rename", own, 1, "<b>old & oak</b>")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Cluster 1 is now called '<b>old & oak</b>'. Cluster 1 has {before.count('1')} of 300 rows.\n"
    rows = table(own / "labels.csv")
    assert list(rows[0]) == ["row", "cluster", "cluster_name", "confidence"]
    assert [row["cluster"] for row in rows] == before
    assert all(row["cluster_name"] == ("<b>old & oak</b>" if row["cluster"] == "1" else "") for row in rows)
    assert run("predict", own, blobs.csv, "--out", tmp_path / "new.csv").code == 0
    assert column(tmp_path / "new.csv", "cluster_name") == column(own / "labels.csv", "cluster_name")
    page = (own / "report.html").read_text()
    assert page.count("&lt;b&gt;old &amp; oak&lt;/b&gt;") >= 5  # card, sizes, legend, heat map, table of classes
    assert "<b>old" not in page
    assert "\n 1 <b>old & oak</b> " in run("compare", own, finished).out
    assert coterie.load(own / "model").cluster_names_ == [None, "<b>old & oak</b>", None]


def test_a_merge_is_followed_by_every_file(own: Path, blobs: Blobs, tmp_path: Path) -> None:
    before = np.array(column(own / "labels.csv"), dtype=int)
    done = run("merge", own, "2", "0", "--name", "both")
    assert (done.code, done.err) == (0, "")
    both = int((before != 1).sum())
    assert done.out == f"Clusters 0 and 2 are now cluster 0, called 'both'. Cluster 0 has {both} of 300 rows.\n"
    now = np.array(column(own / "labels.csv"), dtype=int)
    assert np.array_equal(now, np.where(before == 1, 1, 0))
    metrics = json.loads((own / "metrics.json").read_text())
    assert (metrics["n_clusters"], metrics["sizes"]) == (2, [both, 300 - both])
    assert metrics["metrics"]["accuracy"] == pytest.approx(1 - min(np.bincount(before)[[0, 2]]) / 300)
    assert run("predict", own, blobs.csv, "--out", tmp_path / "new.csv").code == 0
    assert column(tmp_path / "new.csv") == column(own / "labels.csv")
    assert column(tmp_path / "new.csv", "confidence") == column(own / "labels.csv", "confidence")
    assert run("embed", own, blobs.csv, "--out", tmp_path / "z.npy").code == 0
    with np.load(own / "arrays.npz", allow_pickle=False) as arrays:
        assert np.array_equal(np.load(tmp_path / "z.npy"), arrays["z"])
        assert len(arrays["means"]) == 2
    page = (own / "report.html").read_bytes()
    assert run("report", own).code == 0
    assert (own / "report.html").read_bytes() == page  # drawn again from the files alone it is the same


def test_a_split_reads_the_rows_again(own: Path) -> None:
    before = np.array(column(own / "labels.csv"), dtype=int)
    done = run("split", own, 1, "--into", 2)
    assert (done.code, done.err) == (0, "")
    now = np.array(column(own / "labels.csv"), dtype=int)
    sizes = np.bincount(now)
    told = f"Cluster 1 is now clusters 1 and 3. They have {sizes[1]} and {sizes[3]} of 300 rows.\n"
    assert done.out == told
    assert np.array_equal(now != before, now == 3)
    assert json.loads((own / "metrics.json").read_text())["edits"] == ["Cluster 1 is now clusters 1 and 3."]


def test_undo_gives_back_every_byte(own: Path) -> None:
    assert run("report", own).code == 0  # it names its folder
    before = contents(own)
    for command in (["rename", 0, "a"], ["split", "a"], ["merge", 1, 3, "--name", "b"], ["rename", "b", "c"]):
        assert run(command[0], own, *command[1:]).code == 0
    assert set(contents(own)) == set(before)
    for left in ("3 earlier changes are", "2 earlier changes are", "1 earlier change is", "no earlier change is"):
        done = run("undo", own)
        assert done.code == 0
        assert done.out.endswith(f"clusters; {left} left.\n")
    assert contents(own) == before
    assert run("undo", own).err == "error: There is nothing to undo: the clusters are as they were fitted.\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["rename", 3, "x"], "There is no cluster 3; the clusters are 0 to 2."),
        (["rename", "ash", "x"], "There is no cluster 'ash'; the clusters are 0 to 2."),
        (["rename", "9" * 5000, "x"], f"There is no cluster '{'9' * 5000}'; the clusters are 0 to 2."),
        (["rename", 0, " "], "A cluster's name must be a text that is not empty. Got ' ' instead."),
        (["rename", 0, "2"], "A cluster's name must not be a number, which clusters have already. Got '2' instead."),
        (["merge", 0], "A merge needs two clusters or more. Got [0]."),
        (["merge", 0, 0], "Cluster 0 is given twice; a merge needs different clusters."),
        (["merge", 0, 1, 2], "Merging all 3 clusters would leave only one; leave at least one out."),
        (["split", 0, "--into", 1], "The 'into' of split() must be an integer >= 2. Got 1 instead."),
        (["split", 7], "There is no cluster 7; the clusters are 0 to 2."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(own: Path, command: list, message: str) -> None:
    before = contents(own)
    done = run(command[0], own, *command[1:])
    assert (done.code, done.out, done.err) == (2, "", f"error: {message}\n")
    assert contents(own) == before


def test_a_name_is_given_once(own: Path) -> None:
    assert run("rename", own, 0, "x").code == 0
    assert run("rename", own, 1, "x").err == "error: Cluster 0 is called 'x' already; names must differ.\n"


def test_only_finished_runs_are_edited(own: Path, tmp_path: Path) -> None:
    assert "is not a run folder" in run("rename", own / "model", 0, "x").err
    assert "is not a run folder" in run("rename", tmp_path / "nowhere", 0, "x").err
    (own / "checkpoint").mkdir()
    assert "is not finished; to go on with it: coterie fit" in run("merge", own, 0, 1).err


def test_rows_that_are_gone_or_changed_are_noticed(own: Path, blobs: Blobs, tmp_path: Path) -> None:
    moved = tmp_path / "moved.csv"
    settings = (own / "config.toml").read_text()
    (own / "config.toml").write_text(settings.replace(str(blobs.csv), str(moved)))
    before = contents(own)
    done = run("merge", own, 0, 1)
    assert done.code == 2
    gone = f"error: The rows that {own} was fitted on cannot be read any more; give them with --train DATA. There is no"
    assert done.err.startswith(gone)
    lines = blobs.csv.read_text().splitlines()
    moved.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    others = f"{moved} is not what {own} was fitted on any more: "
    assert f"{others}as many rows, but others or in another order; give" in run("split", own, 0).err
    moved.write_text("\n".join(lines[:100]) + "\n")
    assert f"{others}{len(lines) - 1} rows then, 99 now; give" in run("merge", own, 0, 1).err
    assert contents(own) == before
    assert run("rename", own, 0, "x").code == 0  # a name needs no rows
    assert run("undo", own).code == 0


def test_a_number_is_a_clusters_though_another_one_is_called_so(own: Path) -> None:
    model = coterie.load(own / "model")
    model.name_classes(["1", "elm", ""])  # as classes that count from one have it
    model.save(own / "model")
    done = run("rename", own, 1, "oak")
    assert done.out.startswith("1 is the number of a cluster here; the one that is called so is 0.\n")
    assert coterie.load(own / "model").cluster_names_[1] == "oak"
    assert "is called so" not in run("rename", own, "oak", "fir").out


def test_two_edits_at_once_are_refused(own: Path) -> None:
    from coterie.cli.editing import held

    with held(own):
        assert run("rename", own, 0, "x").err == f"error: Another process is at work in {own}.\n"
    with pytest.raises(InputError, match="is not a run folder"), held(own / "model"):
        pass
    assert run("rename", own, 0, "x").code == 0


def _killed_at(step: int, *command: object) -> bool:
    """Run a command in a process that dies without a word at its n-th rename; return whether it came that far."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = step
    for name in ("rename", "replace"):
        whole = getattr(Path, name)

        def dying(self: Path, target: Path, whole=whole) -> Path:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return whole(self, target)

        setattr(Path, name, dying)
    done = run(*command)
    os._exit(0 if done.code == 0 else 1)


def test_a_kill_at_any_step_leaves_the_run_before_or_after(finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    before, edited = contents(finished), shutil.copytree(finished, tmp_path / "edited" / finished.name)
    assert run("merge", edited, 0, 1, "--name", "both").code == 0
    after, outcomes = contents(edited), []
    for step in range(50):
        folder = shutil.copytree(finished, tmp_path / str(step) / finished.name)
        died = _killed_at(step, "merge", folder, 0, 1, "--name", "both")
        if step % 2:
            assert run("compare", folder, folder).code == 0  # any later command finishes what was begun
        else:
            again = run("fit", blobs.csv, "--warm-start", folder, "--system", "idec", "--out", tmp_path / "again")
            assert again.err.endswith("is a run of DEC, not of IDEC.\n")
        found = {name: content for name, content in contents(folder).items() if ".coterie-" not in name}
        assert found in (before, after)
        outcomes.append(found == after)
        if not died:
            break
    assert outcomes == sorted(outcomes)  # first nothing, then all
    assert len(outcomes) > 8
    assert outcomes.count(True) >= 5
    assert not died


def test_a_killed_edit_in_a_process_of_its_own_can_be_done_again(own: Path) -> None:
    before = contents(own)
    process = start("merge", own, 0, 1)
    process.kill()
    process.communicate()
    assert contents(own) == before
    assert run("merge", own, 0, 1).code == 0


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A choice on rows without groups, where two runs do not agree."""
    home = tmp_path_factory.mktemp("chosen")
    np.save(home / "rows.npy", np.random.default_rng(3).normal(size=(120, 2)).astype(np.float32))
    return choose(home)


def choose(home: Path) -> Path:
    (home / "few.toml").write_text('[parameters]\nn_clusters = 4\ncandidates = ["kmeans"]\n')
    done = run("fit", home / "rows.npy", "--config", home / "few.toml", "--out", home / "run")
    assert done.code == 0, done.err
    return home / "run"


def numbers(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clusters of both runs, and the confidence of each row, as they were fitted."""
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        return arrays["labels"], arrays["second_labels"], arrays["q_max"]


def test_the_report_is_as_sure_as_labels_csv(chosen: Path, tmp_path: Path) -> None:
    own = shutil.copytree(chosen, tmp_path / "run")
    for command in (["rename", own, 0, "x"], ["merge", own, 0, 3], ["split", own, 1], ["undo", own]):
        told = np.array(column(own / "labels.csv", "confidence"), dtype=float)
        np.testing.assert_allclose(numbers(own)[2], told, atol=1e-6)
        assert told.min() < 0.9, "the case this is about: the soft assignments of k-means here are all near 1"
        above = summarise(own)["confidence"]["sentence"].split(" above")[0]
        assert above == percent(float((told > 0.9).mean()))
        assert run(*command).code == 0


def test_after_an_edit_clusters_are_judged_on_the_code_of_before(chosen: Path, tmp_path: Path) -> None:
    own = shutil.copytree(chosen, tmp_path / "run")
    arrays, code = load_arrays(own / "arrays.npz"), np.random.default_rng(0).normal(size=(120, 3))
    save_arrays(own / "arrays.npz", arrays | {"judged_code": code})
    assert run("merge", own, 1, 3).code == 0
    metrics = json.loads((own / "metrics.json").read_text())
    labels = np.array(column(own / "labels.csv", "cluster"), dtype=int)
    assert metrics["criteria"]["silhouette"] == judge(code, None, labels)["silhouette"]


def test_the_code_that_a_choice_was_judged_on_is_kept_where_its_best_has_none() -> None:
    X = np.random.default_rng(3).normal(size=(120, 2))
    auto = Auto(3, candidates=["kmeans", "ward"], random_state=0).fit(X)
    data = SimpleNamespace(source=make_source(X))
    assert "judged_code" not in choice_arrays(auto, data, {"doubtful": []})
    auto.trials_[1].model.pretrained_code_ = X
    assert choice_arrays(auto, data, {"doubtful": []})["judged_code"] is X
    auto.best_.pretrained_code_ = X
    assert "judged_code" not in choice_arrays(auto, data, {"doubtful": []})


def test_what_a_choice_says_of_clusters_is_told_anew(chosen: Path, tmp_path: Path) -> None:
    own = shutil.copytree(chosen, tmp_path / "run")
    whole, (labels, second, _) = contents(own), numbers(own)
    assert column(own / "labels.csv", "agreed") == np.where(labels == second, "yes", "no").tolist()
    assert run("merge", own, 1, 3).code == 0
    merged = np.array([0, 1, 2, 1, *range(3, 20)])  # clusters without a counterpart have none afterwards
    here, there = merged[labels], merged[second]
    same = here == there
    assert same.mean() > (labels == second).mean(), "the case this is about"
    assert column(own / "labels.csv", "agreed") == np.where(same, "yes", "no").tolist()
    choice = json.loads((own / "metrics.json").read_text())["choice"]
    assert choice["stability"] == [round(same[here == k].mean(), 4) for k in range(3)]
    rows = [row["row"] for row in choice["doubtful"]]
    assert sorted(rows) == np.flatnonzero(~same).tolist()
    assert [(row["cluster"], row["again"]) for row in choice["doubtful"]] == [(here[i], there[i]) for i in rows]
    sure = np.array(column(own / "labels.csv", "confidence"), dtype=float)
    np.testing.assert_allclose([row["confidence"] for row in choice["doubtful"]], np.sort(sure[~same]), atol=1e-4)
    page = (own / "report.html").read_text()
    assert f"An independent run agrees on {same.mean():.1%} of the rows." in page
    assert page.count("An independent run agrees") == 1
    assert "These are the clusters of the fit" in page
    assert run("undo", own).code == 0
    assert contents(own) == whole


def test_of_the_parts_of_a_split_a_second_run_knows_nothing(chosen: Path, tmp_path: Path) -> None:
    own = shutil.copytree(chosen, tmp_path / "run")
    agreed, (labels, second, _) = column(own / "labels.csv", "agreed"), numbers(own)
    assert run("split", own, 1).code == 0
    assert column(own / "labels.csv", "agreed") == agreed
    stability = json.loads((own / "metrics.json").read_text())["choice"]["stability"]
    now = numbers(own)[0]
    assert set(now[labels == 1]) == {1, 4}
    assert stability == [round((labels == second)[now == k].mean(), 4) for k in range(5)]


def test_doubtful_images_follow_their_rows(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (120, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "rows.npy", x)
    own = choose(tmp_path)
    whole = contents(own)
    assert run("merge", own, 0, 3).code == 0
    rows = [row["row"] for row in json.loads((own / "metrics.json").read_text())["choice"]["doubtful"]]
    assert rows
    with np.load(own / "arrays.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["doubtful_choice"], x[rows])
    assert run("undo", own).code == 0
    assert contents(own) == whole


def test_what_an_earlier_version_did_not_keep_is_left_out(chosen: Path, tmp_path: Path) -> None:
    own = shutil.copytree(chosen, tmp_path / "run")
    with np.load(own / "arrays.npz", allow_pickle=False) as arrays:
        np.savez(own / "arrays.npz", **{name: arrays[name] for name in arrays.files if name != "second_labels"})
    assert run("report", own).code == 0
    assert "An independent run agrees" in (own / "report.html").read_text()
    assert run("rename", own, 0, "x").code == 0
    assert set(column(own / "labels.csv", "agreed")) == {"yes", "no"}
    done = run("merge", own, 0, 3)
    assert done.code == 0, done.err
    assert "agreed" not in table(own / "labels.csv")[0]
    page = (own / "report.html").read_text()
    assert "An independent run agrees" not in page
    assert "How stable each cluster is" not in page
    assert "that two runs do not agree on" not in page


def test_plain_methods_have_the_number_of_clusters_of_the_fit(own: Path) -> None:
    said = "K-means has the K of the fit (3)."
    assert said not in (own / "report.html").read_text()
    assert run("split", own, 0).code == 0
    assert (own / "report.html").read_text().count(said) == 2  # at the top, and below the comparison
    assert run("merge", own, 0, 3).code == 0
    assert said not in (own / "report.html").read_text()


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Rewrite the lines of a file below its heading."""
    heading, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([heading, *change(lines)]) + "\n", encoding="utf-8")


def test_a_sorted_file_of_labels_is_put_in_order(own: Path) -> None:
    path = own / "labels.csv"
    rewrite(path, lambda lines: [f"{line},note {line.split(',')[0]}" for line in lines])
    path.write_text("\ufeff" + path.read_text().replace("confidence\n", "confidence,my notes\n", 1))  # as Excel does
    before = contents(own)["labels.csv"]
    assert run("rename", own, 0, "x").code == 0
    rewrite(path, lambda lines: sorted(lines, key=lambda line: line.split(",")[1:]))
    assert run("rename", own, 1, "y").code == 0
    rows = table(path)
    assert [row["row"] for row in rows] == [str(i) for i in range(300)]
    assert [row["my notes"] for row in rows] == [f"note {i}" for i in range(300)]
    assert [run("undo", own).code for _ in range(2)] == [0, 0]
    assert path.read_bytes() == before.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[:120], "each once. Got 120 rows instead."),
        (lambda lines: [*lines[:-1], lines[0]], "each once. Got 2 rows of number"),
        (lambda lines: [*lines, lines[0]], "each once. Got 301 rows instead."),
        (lambda lines: [*lines[:-1], "x" + lines[-1]], "has no column of whole numbers called 'row'"),
        (lambda lines: [], "each once. Got 0 rows instead."),
    ],
)
def test_lines_that_are_not_those_of_the_rows_are_refused(own: Path, change: Callable, told: str) -> None:
    rewrite(own / "labels.csv", change)
    before = contents(own)
    done = run("rename", own, 0, "x")
    assert (done.code, done.out) == (2, "")
    assert str(own / "labels.csv") in done.err
    assert told in done.err
    assert done.err.count("\n") == 1
    assert contents(own) == before


def test_a_file_of_labels_that_is_gone_is_written_again(own: Path, finished: Path) -> None:
    (own / "labels.csv").unlink()
    assert run("rename", own, 0, "x").code == 0
    assert list(table(own / "labels.csv")[0]) == ["row", "cluster", "cluster_name", "confidence"]
    assert run("undo", own).code == 0
    assert (own / "labels.csv").read_bytes() == (finished / "labels.csv").read_bytes()


def test_a_name_is_taken_away_with_an_empty_one(own: Path) -> None:
    assert run("rename", own, 1, "x").code == 0
    done = run("rename", own, "x", "")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Cluster 1 has no name any more.")
    assert "cluster_name" not in table(own / "labels.csv")[0]


def test_clusters_whose_classes_are_numbers_are_found_by_them(own: Path) -> None:
    model = coterie.load(own / "model")
    model.name_classes(["10", "1", "30"])
    model.save(own / "model")
    assert run("rename", own, "10", "ten").out.startswith("Cluster 0 is now called 'ten'.")
    assert run("rename", own, "1", "one").out.startswith("Cluster 1 is now called 'one'.")
    assert run("rename", own, "7", "x").err == "error: There is no cluster 7; the clusters are 0 to 2.\n"
    assert run("merge", own, "0", "30").code == 0
    assert coterie.load(own / "model").cluster_names_ == ["ten", "one"]


def test_rows_that_have_moved_can_be_given(own: Path, finished: Path, blobs: Blobs, tmp_path: Path) -> None:
    settings = own / "config.toml"
    settings.write_text(settings.read_text().replace(str(blobs.csv), str(tmp_path / "gone.csv")))
    assert run("report", own).code == 0  # it names its folder
    before = contents(own)
    gone = f"error: The rows that {own} was fitted on cannot be read any more; give them with --train DATA. There"
    for command in (["merge", own, 0, 1], ["split", own, 0]):
        done = run(*command)
        assert done.code == 2
        assert done.err.startswith(gone)
        assert run(*command, "--train", blobs.csv).code == 0
    assert run("rename", own, 0, "x").code == 0
    assert run("undo", own).code == 0  # a name needs no rows
    assert run("undo", own).code == 2
    assert [run("undo", own, "--train", blobs.csv).code for _ in range(2)] == [0, 0]
    assert contents(own) == before
    np.save(tmp_path / "other.npy", np.load(blobs.npy)[::-1])
    told = f"error: --train must hold the rows that {own} was fitted on. {tmp_path / 'other.npy'} holds others: as many"
    assert run("merge", own, 0, 1, "--train", tmp_path / "other.npy").err.startswith(told)
    assert run("merge", own, 0, 1, "--train", "nowhere.csv").err.startswith("error: There is no file or folder")
    assert contents(own) == before


def test_an_added_column_is_kept_with_or_without_a_heading(own: Path) -> None:
    path = own / "labels.csv"
    rewrite(path, lambda lines: [f"{line},note {line.split(',')[0]}" for line in lines])
    assert run("rename", own, 0, "x").code == 0
    assert column(path, "") == [f"note {i}" for i in range(300)]
    rewrite(path, lambda lines: [f"{line},more" for line in lines])
    before = contents(own)
    done = run("rename", own, 1, "y")
    assert (done.code, done.out) == (2, "")
    told = f"Each column of {path} must have a heading of its own. Got 2 columns without a heading instead."
    assert done.err == f"error: {told}\n"
    assert contents(own) == before


def test_an_added_column_with_a_heading_that_the_run_does_not_use_itself_stays(own: Path) -> None:
    path = own / "labels.csv"
    rewrite(path, lambda lines: [f"{line},me {line.split(',')[0]}" for line in lines])
    heading, rest = path.read_text().split("\n", 1)
    path.write_text(f"{heading},name\n{rest}")
    for _ in range(2):
        assert run("rename", own, 0, "x").code == 0
        assert column(path, "name") == [f"me {i}" for i in range(300)]
        assert run("undo", own).code == 0
    path.write_text(f"{heading},cluster_name\n{rest}")
    before = contents(own)
    done = run("rename", own, 0, "x")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {path} has a column cluster_name already, which names of clusters need")
    assert contents(own) == before


def test_added_columns_of_one_heading_are_refused_before_anything_is_written(own: Path) -> None:
    path = own / "labels.csv"
    heading, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{heading},note,note", *(f"{line},a,b" for line in lines)]) + "\n")
    before = contents(own)
    done = run("rename", own, 0, "x")
    assert (done.code, done.out) == (2, "")
    assert f"{path} must have a heading of its own. Got 2 columns called 'note' instead." in done.err
    assert contents(own) == before


def test_labels_that_a_spreadsheet_saved_with_semicolons_are_edited(own: Path) -> None:
    path = own / "labels.csv"
    clusters = column(path)
    heading, *lines = (line.replace(",", ";") for line in path.read_text().splitlines())
    path.write_text("\n".join([f"{heading};note", *(f"{line};0,5" for line in lines)]) + "\n")
    assert run("rename", own, 0, "x").code == 0
    assert column(path) == clusters
    assert set(column(path, "note")) == {"0,5"}
