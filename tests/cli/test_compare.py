"""``coterie compare``: what it says of runs, its file, and what it refuses."""

import csv
import html
import random
import shutil
import tomllib

import pytest
from commands import run, start


def labels(path, clusters, names=None):
    """Write a file such as a run's labels.csv."""
    rows = [["row", *(["name"] if names else []), "cluster", "confidence"]]
    rows += [[i, *([names[i]] if names else []), k, 1.0] for i, k in enumerate(clusters)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path.parent


def test_matched_clusters_agreement_and_what_moved(tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [0] * 6 + [1] * 4)
    b = labels(tmp_path / "b" / "labels.csv", [1] * 5 + [0] * 5)  # the same but for one row, the other way round
    done = run("compare", a, b, "--out", tmp_path / "moved.csv")
    assert done.code == 0, done.err
    assert "a and b: 1 of 10 rows is in another cluster." in done.out
    assert "Both runs agree on 90.0% of the rows" in done.out
    cells = [line.split() for line in done.out.splitlines()]
    assert ["0", "6", "5", "5", "1"] in cells  # cluster, rows in a, rows in b, in both, its number in b itself
    assert ["1", "4", "5", "4", "0"] in cells
    assert "closest" not in done.out  # of two, neither is
    assert ["1", "0", "0"] in cells  # one row moved from 0 to what b itself calls 0
    with (tmp_path / "moved.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["a"] for row in rows] == ["0"] * 6 + ["1"] * 4
    assert [row["b"] for row in rows] == ["0"] * 5 + ["1"] * 5
    assert [float(row["agreement"]) for row in rows] == [1.0] * 5 + [0.5] + [1.0] * 4


def test_the_page_is_written_where_it_is_asked_for(tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [0] * 6 + [1] * 4)
    b = labels(tmp_path / "b" / "labels.csv", [1] * 5 + [0] * 5)
    done = run("compare", a, b, "--report", tmp_path / "page.html")
    assert done.code == 0, done.err
    assert done.out.endswith(f"Report: {tmp_path / 'page.html'}\n")
    assert "Both runs agree on 90 % of 10 rows." in (tmp_path / "page.html").read_text(encoding="utf-8")
    done = run("compare", a, b, "--report", tmp_path / "page.csv")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--report must end in .html, or have no ending." in done.err
    assert not (tmp_path / "page.csv").exists()


def test_names_of_rows_stand_as_they_were_given_and_lines_without_anything_are_none(tmp_path):
    runs = [labels(tmp_path / name / "labels.csv", [0, 1], ["'=cmd()", "y"]) for name in "ab"]
    for each in runs:
        with (each / "labels.csv").open("a") as file:
            file.write(",,,\n")
    done = run("compare", *runs, "--out", tmp_path / "all.csv")
    assert done.code == 0, done.err
    with (tmp_path / "all.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["'=cmd()", "y"]


@pytest.mark.parametrize("known", ["null", "[1]", '"x"', '{"n_known": "many"}', '{"n_known": -3}'])
def test_metrics_that_are_damaged_are_named(tmp_path, known):
    a, b = (labels(tmp_path / name / "labels.csv", [0, 1]) for name in "ab")
    (b / "metrics.json").write_text(f'{{"known": {known}}}')
    for each in (b, b / "labels.csv"):
        done = run("compare", a, each)
        assert done.code == 2
        assert done.err == f"error: {b / 'metrics.json'} is damaged: it does not say how many labels were known.\n"


def test_what_agrees_is_counted_in_the_numbers_that_are_shown(tmp_path):
    partitions = ([1, 1, 0, 1, 2, 1, 1, 1], [1, 1, 2, 0, 2, 0, 1, 0], [0, 2, 1, 2, 2, 2, 0, 1])
    runs = [labels(tmp_path / name / "labels.csv", each) for name, each in zip("abc", partitions, strict=True)]
    done = run("compare", *runs, "--out", tmp_path / "moved.csv")
    assert done.code == 0, done.err
    with (tmp_path / "moved.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        shown = [row[name] for name in "abc"]
        assert float(row["agreement"]) == pytest.approx(max(map(shown.count, shown)) / 3, abs=1e-4)
    whole = sum(row["a"] == row["b"] == row["c"] for row in rows)
    assert f"All runs agree on {whole / 8:.1%} of the rows" in done.out


def test_runs_of_one_name_are_told_apart_and_names_of_rows_are_kept(tmp_path):
    names = ["x.png", "=y.png", "z.png"]
    runs = [labels(tmp_path / day / "photos" / "labels.csv", [0, 1, 1], names) for day in ("mon", "tue", "wed")]
    done = run("compare", *runs, "--out", tmp_path / "all.csv")
    assert done.code == 0, done.err
    assert "mon/photos and wed/photos: 0 of 3 rows" in done.out
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["x.png", "'=y.png", "z.png"]
    assert list(rows[0]) == ["row", "name", "mon/photos", "tue/photos", "wed/photos", "agreement"]
    done = run("compare", runs[0], runs[0])
    assert done.code == 0, done.err
    assert f"{runs[0]} (1) and {runs[0]} (2): 0 of 3 rows" in done.out


def test_rows_are_compared_by_their_numbers(tmp_path):
    clusters = [i % 3 for i in range(30)]
    names = [f"{i}.png" for i in range(30)]
    a, b = (labels(tmp_path / name / "labels.csv", clusters, names) for name in "ab")
    header, *lines = (b / "labels.csv").read_text().splitlines()
    random.Random(0).shuffle(lines)
    (b / "labels.csv").write_text("\n".join(["\ufeff" + header, *lines]), encoding="utf-8")  # as spreadsheets do
    done = run("compare", a, b)
    assert done.code == 0, done.err
    assert "a and b: 0 of 30 rows are in another cluster" in done.out


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ("0 1 1", "must be numbered from 0 to 2, each once. Got 2 rows of number 1 instead"),
        ("1 2 3", "must be numbered from 0 to 2, each once. Got a row of number 3 instead"),
        ("0 1 two", "has no column of whole numbers called 'row'"),
    ],
)
def test_rows_that_are_not_numbered_through_are_refused(tmp_path, numbers, sentence):
    a, b = (labels(tmp_path / name / "labels.csv", [0, 1, 1]) for name in "ab")
    lines = "".join(f"{number},{k},1\n" for number, k in zip(numbers.split(), (0, 1, 1), strict=True))
    (b / "labels.csv").write_text("row,cluster,confidence\n" + lines)
    done = run("compare", a, b)
    assert done.code == 2
    assert f"{b / 'labels.csv'} {sentence}" in done.err or f"The rows of {b / 'labels.csv'} {sentence}" in done.err


def test_names_with_a_carriage_return_stay_one_field(tmp_path):
    names = ["a\rb.png", "c.png"]
    a = labels(tmp_path / "a" / "labels.csv", [0, 1], names)
    done = run("compare", a, a, "--out", tmp_path / "all.csv")
    assert done.code == 0, done.err
    with (tmp_path / "all.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    assert b'"a\rb.png"' in (tmp_path / "all.csv").read_bytes()


def test_the_file_to_write_is_none_of_those_compared(tmp_path):
    a, b = (labels(tmp_path / name / "labels.csv", [0, 1, 1]) for name in "ab")
    before = (b / "labels.csv").read_bytes()
    for runs in ((a, b), (a, b / "labels.csv")):
        done = run("compare", *runs, "--out", b / "labels.csv")
        assert done.code == 2
        assert f"--out must not be the run {runs[1]}, nor lie in it" in done.err
    assert (b / "labels.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ([0, 1], "are not of the same rows: 3 and 2"),
        (["a", "b", "c"], "has no column of whole numbers called 'cluster'"),
    ],
)
def test_other_rows_are_refused(tmp_path, other, sentence):
    a, b = labels(tmp_path / "a" / "labels.csv", [0, 1, 1]), labels(tmp_path / "b" / "labels.csv", other)
    done = run("compare", a, b)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_other_names_no_run_and_a_single_one_are_refused(tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [0, 1], ["x", "y"])
    b = labels(tmp_path / "b" / "labels.csv", [0, 1], ["x", "z"])
    assert "row 1 is 'y' in one and 'z' in the other" in run("compare", a, b).err
    assert "There is no" in run("compare", a, tmp_path / "c").err
    assert "at least two runs. Got 1" in run("compare", a).err


def test_a_run_without_names_of_rows_is_compared_by_their_order(tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [0, 1])
    b, c = (labels(tmp_path / name / "labels.csv", [0, 1], ["x", "y"]) for name in "bc")
    done = run("compare", a, b, c, "--out", tmp_path / "all.csv")
    assert done.code == 0, done.err
    with (tmp_path / "all.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["x", "y"]
    d = labels(tmp_path / "d" / "labels.csv", [0, 1], ["x", "z"])
    assert f"{b} and {d} are not of the same rows" in run("compare", a, b, d).err


def test_what_the_first_run_lacks_is_compared_too(tmp_path):
    partitions = ([0] * 6, [0, 0, 1, 1, 2, 2], [2, 2, 0, 0, 1, 1])
    runs = [labels(tmp_path / name / "labels.csv", each) for name, each in zip("abc", partitions, strict=True)]
    done = run("compare", *runs, "--out", tmp_path / "all.csv")
    assert done.code == 0, done.err
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["b"] == row["c"] for row in rows)
    assert min(float(row["agreement"]) for row in rows) == pytest.approx(2 / 3, abs=1e-4)


def test_no_part_of_any_run_is_written_over(finished, tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [i % 3 for i in range(300)])
    before = {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()}
    for flag, name in (("--out", "labels.csv"), ("--report", "report.html"), ("--report", "page.html")):
        done = run("compare", a, finished / "labels.csv", flag, finished / name)
        assert (done.code, done.out) == (2, "")
        assert f"{flag} must not" in done.err
        done = run("compare", a, a, flag, finished / name)
        assert f"{flag} must not lie in a run, of which it may be a part: {finished} is one." in done.err
    assert before == {path.name: path.read_bytes() for path in finished.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("folder", "--report must be a file to write. Got the folder"),
        ("note.txt/page.html", "--report must be a file in a folder that can be written to."),
        ("page.pdf", "--report must end in .html, or have no ending."),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_anything_is(tmp_path, name, sentence):
    a = labels(tmp_path / "a" / "labels.csv", [0, 1])
    (tmp_path / "folder").mkdir()
    (tmp_path / "note.txt").touch()
    done = run("compare", a, a, "--out", tmp_path / "all.csv", "--report", tmp_path / name)
    assert done.code == 2
    assert sentence in done.err
    assert not (tmp_path / "all.csv").exists()


def test_files_are_written_whoever_listens(tmp_path):
    runs = [labels(tmp_path / name / "labels.csv", [0, 1] * 5) for name in "ab"]
    process = start("compare", *runs, "--out", tmp_path / "all.csv", "--report", tmp_path / "all.html")
    process.stdout.close()
    process.wait(60)
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert (tmp_path / "all.csv").exists()
    assert (tmp_path / "all.html").exists()


def test_a_run_that_is_called_as_a_column_is_told_from_it(tmp_path):
    runs = [labels(tmp_path / "w" / name / "labels.csv", [0, 1] * 5) for name in ("row", "agreement")]
    assert run("compare", *runs, "--out", tmp_path / "all.csv").code == 0
    with (tmp_path / "all.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["row", "w/row", "w/agreement", "agreement"]


def test_finished_runs_can_be_compared(finished):
    done = run("compare", finished, finished)
    assert done.code == 0, done.err
    assert "0 of 300 rows are in another cluster" in done.out


def test_runs_of_different_data_are_matched_by_order_and_that_is_said(finished, tmp_path):
    other = shutil.copytree(finished, tmp_path / "other")
    assert "different data" not in run("compare", finished, other).out
    data = tomllib.loads((other / "config.toml").read_text())["data"]
    (other / "config.toml").write_text((other / "config.toml").read_text().replace(data, "/elsewhere.csv"))
    done = run("compare", finished, other, "--report", tmp_path / "page.html")
    assert done.code == 0, done.err
    said = f"The runs are of different data, {', '.join(sorted(['/elsewhere.csv', data]))}: rows are matched"
    assert said in done.out
    assert said in html.unescape((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_a_name_that_was_defused_for_spreadsheets_is_shown_as_given(tmp_path):
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "labels.csv").write_text("row,cluster,cluster_name\n0,0,'=cmd()\n1,1,'quoted\n2,0,'=cmd()\n")
    said = run("compare", tmp_path / "a", tmp_path / "b").out
    assert "=cmd()" in said
    assert "'=cmd()" not in said
    assert "'quoted" in said


def test_one_row_of_many_is_not_rounded_away(tmp_path):
    clusters = [i % 2 for i in range(2600)]
    a = labels(tmp_path / "a" / "labels.csv", clusters)
    b = labels(tmp_path / "b" / "labels.csv", [1, *clusters[1:]])
    done = run("compare", a, b)
    assert done.code == 0, done.err
    assert "1 of 2,600 rows is in another cluster" in done.out
    assert "Both runs agree on 99.9% of the rows" in done.out
    cells = [line.split() for line in done.out.splitlines()]
    assert ["a", "1.000", "0.998"] in cells
    assert "Both runs agree on 100.0% of the rows" in run("compare", a, a).out


def test_a_figure_that_is_nearly_1_is_not_written_as_1(tmp_path):
    clusters = [i % 2 for i in range(20000)]
    a = labels(tmp_path / "a" / "labels.csv", clusters)
    b = labels(tmp_path / "b" / "labels.csv", [1, *clusters[1:]])
    cells = [line.split() for line in run("compare", a, b).out.splitlines()]
    assert ["a", "1.000", "0.999"] in cells
    assert ["b", "0.999", "1.000"] in cells


def test_a_row_in_no_cluster_is_named_with_its_file(tmp_path):
    a = labels(tmp_path / "a" / "labels.csv", [0, 1, 1])
    noise = labels(tmp_path / "b" / "labels.csv", [0, 1, -1]) / "labels.csv"
    done = run("compare", a, noise)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: The clusters of {noise} must be numbers from 0 to {2**53}. Got -1 in row 2 instead.\n"
