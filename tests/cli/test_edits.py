"""`rename`, `merge`, `split` and `undo` on a finished run, and what every later command makes of them."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Blobs, run, start

import coterie

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
        (["rename", 0, ""], "A cluster's name must be a text that is not empty. Got '' instead."),
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
    assert done.err.startswith("error: The rows of the run are needed again. There is no file or folder")
    lines = blobs.csv.read_text().splitlines()
    moved.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    assert "no longer holds the rows that this run was made from" in run("split", own, 0).err
    moved.write_text("\n".join(lines[:100]) + "\n")
    assert "no longer holds the rows that this run was made from" in run("merge", own, 0, 1).err
    assert contents(own) == before
    assert run("rename", own, 0, "x").code == 0  # a name needs no rows
    assert run("undo", own).code == 0


def test_two_edits_at_once_are_refused(own: Path) -> None:
    from coterie.cli.editing import held
    from coterie.errors import InputError

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


def test_a_kill_at_any_step_leaves_the_run_before_or_after(finished: Path, tmp_path: Path) -> None:
    before, edited = contents(finished), shutil.copytree(finished, tmp_path / "edited" / finished.name)
    assert run("merge", edited, 0, 1, "--name", "both").code == 0
    after, outcomes = contents(edited), []
    for step in range(50):
        folder = shutil.copytree(finished, tmp_path / str(step) / finished.name)
        died = _killed_at(step, "merge", folder, 0, 1, "--name", "both")
        assert run("compare", folder, folder).code == 0  # any later command finishes what was begun
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


def test_what_a_choice_says_of_clusters_is_renumbered(blobs: Blobs, tmp_path: Path) -> None:
    folder = tmp_path / "auto"
    x = np.random.default_rng(3).normal(size=(120, 2)).astype(np.float32)  # no groups: two runs do not agree
    np.save(tmp_path / "rows.npy", x)
    (tmp_path / "few.toml").write_text('[parameters]\nn_clusters = 4\ncandidates = ["kmeans"]\n')
    assert run("fit", tmp_path / "rows.npy", "--config", tmp_path / "few.toml", "--out", folder).code == 0
    whole = contents(folder)
    choice = json.loads((folder / "metrics.json").read_text())["choice"]
    assert choice["doubtful"], "the case this is about"
    agreed = column(folder / "labels.csv", "agreed")
    assert run("merge", folder, 0, 3).code == 0
    now = json.loads((folder / "metrics.json").read_text())["choice"]
    numbers = [0, 1, 2, 0]
    wanted = [
        (row["row"], numbers[row["cluster"]], numbers[row["again"]])
        for row in choice["doubtful"]
        if numbers[row["cluster"]] != numbers[row["again"]]
    ]
    assert [(row["row"], row["cluster"], row["again"]) for row in now["doubtful"]] == wanted
    assert len(now["stability"]) == 3
    assert now["stability"][1:] == choice["stability"][1:3]
    assert column(folder / "labels.csv", "agreed") == agreed
    assert run("undo", folder).code == 0
    assert contents(folder) == whole
