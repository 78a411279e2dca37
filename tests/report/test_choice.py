"""The part of the page that says how a system and the number of clusters were chosen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coterie.report.choice import candidate_name, counting_chart, describe_choice, found_sentence
from coterie.report.html import render
from coterie.report.run import read_run


def test_a_run_with_a_system_named_has_made_no_choice(runs: dict[str, Path]) -> None:
    run = read_run(runs["labelled"])
    assert describe_choice(run) is counting_chart(run) is None
    assert 'id="choice"' not in render(run)


def test_candidates_are_called_by_their_names(runs: dict[str, Path]) -> None:
    found = describe_choice(read_run(runs["chosen"]))
    assert found is not None
    assert found["why"].startswith("DEC was chosen of 3: ")
    assert "The simpler spectral clustering is as good." in found["why"]
    assert [trial["name"] for trial in found["trials"]] == ["DEC", "spectral clustering", "k-means"]
    assert found["left_out"] == [("N2D", "out of time")]
    assert found["names"][-1] == "DEC, again"
    assert candidate_name("ward") == "Ward’s agglomeration"


def test_how_well_clusters_are_learned_is_shown_where_that_was_asked(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs["chosen"], tmp_path / "run"))
    section = render(read_run(folder)).split('id="choice"')[1].split("</section>")[0]
    assert ">Learned</abbr>" not in section
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["choice"]["trials"][0]["learned"] = 0.9512
    (folder / "metrics.json").write_text(json.dumps(metrics))
    section = render(read_run(folder)).split('id="choice"')[1].split("</section>")[0]
    table = section.split("</table>")[0]
    heads, first, *others = [row for row in table.split("<tr>")[1:] if row]
    assert ">Learned</abbr>" in heads and "<td>.95</td>" in first
    assert all(row.count("<td") == first.count("<td") for row in others if "colspan" not in row)
    assert f'colspan="{first.count("<td") - 1}"' in table


def test_what_columns_tell_is_shown_where_it_decided(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs["chosen"], tmp_path / "run"))
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["choice"]["criterion"] = "columns"
    for i, trial in enumerate(metrics["choice"]["trials"]):
        trial["columns"] = 1.75 - i
    (folder / "metrics.json").write_text(json.dumps(metrics))
    section = render(read_run(folder)).split('id="choice"')[1].split("</section>")[0]
    heads, first, *others = [row for row in section.split("</table>")[0].split("<tr>")[1:] if row]
    assert ">Told by columns</abbr>" in heads and "<td>1.75</td>" in first
    assert all(row.count("<td") == first.count("<td") for row in others if "colspan" not in row)
    assert f'colspan="{first.count("<td") - 1}"' in section
    assert ">Told by columns</abbr>" not in render(read_run(runs["chosen"]))


def test_groups_that_touch_were_seen_too() -> None:
    said = found_sentence({"n": 6, "apart": 1, "replication": [[3, 0.99], [6, 0.7]], "asked": True, "seen": 3})
    assert said == "3 groups were seen; of the numbers of clusters that were asked for, 6 is the likeliest."


def test_groups_within_groups_are_told() -> None:
    found = {"n": 7, "apart": 1, "replication": [[3, 0.99], [7, 0.5]], "within": [3, 1, 3]}
    assert found_sentence(found) == "Found 7 clusters. At first there are 3 groups, and within these 3, 1 and 3."
    flat = found_sentence({**found, "n": 3, "within": [1, 1, 1]})
    assert flat == "Found 3 clusters."
    assert found_sentence({**found, "apart": 7}).endswith("The rows themselves show gaps between 7 groups.")
    known = found_sentence({**found, "n": 9, "replication": [[3, 0.99], [9, 0.3]]})
    assert known == "Found 9 clusters. 7 groups were seen."


def test_the_most_that_was_asked_for_is_told_beside_groups_within_groups() -> None:
    found = {"n": 5, "apart": 1, "replication": [[3, 0.99], [5, 0.4]], "within": [3, 1, 3]}
    assert found_sentence(found) == "5 clusters are the most that were asked for; 7 groups were seen."
    one = found_sentence({**found, "n": 1, "replication": []})
    assert one == "One cluster is the most that was asked for; 7 groups were seen."


def test_no_dip_is_spoken_of_only_where_one_was_looked_for() -> None:
    none = {"n": 1, "apart": 1, "replication": [[2, 0.75]]}
    assert "no dip" in found_sentence(none) and "no dip" in found_sentence(
        {**none, "replication": [[2, 0.9]], "within": [1]}
    )
    assert "no division is found again" in found_sentence({**none, "within": [1]})


def test_the_chart_marks_the_division_that_decided(tmp_path: Path, runs: dict[str, Path]) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs["chosen"], folder)
    for n, within, at in ((7, [3, 1, 3], 3), (24, [8, 8, 8], 3), (24, [], 4)):
        told = json.loads((folder / "metrics.json").read_text())
        curve = [[2, 0.5], [3, 0.9], [4, 0.95], [7, 0.3]]
        told["choice"]["count"] = {"n": n, "apart": n if not within else 1, "replication": curve, "within": within}
        (folder / "metrics.json").write_text(json.dumps(told))
        chart = counting_chart(read_run(folder))
        assert chart is not None and chart["title"] == f"Found again in another half of the rows, at {at} clusters"


def test_an_end_of_the_range_that_was_met_is_told() -> None:
    said = found_sentence({"n": 3, "apart": 5, "replication": [[2, 0.9], [3, 0.8]]})
    assert said == "3 clusters are the most that were asked for; 5 groups lie apart."


def test_it_is_told_why_the_others_were_not_chosen(runs: dict[str, Path]) -> None:
    section = render(read_run(runs["chosen"])).split('id="choice"')[1].split("</table>")[0]
    chosen, second, third, left_out = section.split("<tbody>")[1].split("<tr>")[1:]
    assert '<td class="said"></td>' in chosen  # as also where an earlier version wrote the run
    assert '<td class="said">about as good</td>' in second
    assert '<td class="said"></td>' in third
    assert '<td class="said">out of time</td>' in left_out


def test_doubtful_images_are_shown_and_names_do_no_harm(runs: dict[str, Path]) -> None:
    page = render(read_run(runs["chosen"]))
    section = page.split('id="choice"')[1].split("</section>")[0]
    assert section.count('<img class="pixel"') == 12
    assert "<img src=x" not in section
    assert "&lt;img src=x" in section
    assert "out of time" in section


def test_labels_that_had_a_say_in_the_choice_are_not_denied(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs["chosen"], tmp_path / "run"))
    assert "Labels played no part in the choice" in render(read_run(folder))
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | {"known": {"n_known": 40, "classes": [], "kept": 1.0}}))
    page = render(read_run(folder))
    assert (
        "But for the known ones, labels played no part in the choice; accuracy is shown for your information only."
        in page
    )
    assert "Labels played no part in the choice" not in page


def test_candidates_that_learned_from_labels_are_marked(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs["chosen"], tmp_path / "run"))
    metrics = json.loads((folder / "metrics.json").read_text())
    first, second, third = metrics["choice"]["trials"]
    first["n_known"], second["n_known"] = 40, 1
    (folder / "metrics.json").write_text(json.dumps(metrics))
    table = render(read_run(folder)).split('id="choice"')[1].split("</table>")[0]
    rows = [row for row in table.split("<tr>")[2:] if candidate_name(third["name"]) in row or "learned" in row]
    assert "chosen, learned from 40 labels" in rows[0]
    assert "learned from 1 label" in rows[1] and "1 labels" not in rows[1]
    assert "learned" not in rows[2]


def test_the_curve_has_a_point_for_each_number(runs: dict[str, Path]) -> None:
    chart = counting_chart(read_run(runs["chosen"]))
    assert chart is not None
    assert chart["line"].count("L") == 13
    assert chart["title"] == "Found again in another half of the rows, at 6 clusters"  # whose point is marked
    assert chart["end"][0] < max(x for x, _ in chart["x_ticks"])
    assert chart["found"] == "Found 6 clusters. The rows themselves show gaps between 2 groups."


@pytest.mark.parametrize(
    ("n", "apart", "replication", "sentence"),
    [
        (1, 1, [[2, 0.1], [3, 0.2]], "Found no groups: "),
        (1, 1, [], "Saw no gaps between groups. Whether a division"),  # where the time ran out
        (1, 1, [[2, 0.9], [3, 0.2]], "Found no groups: the rows hang together. Another half"),
        (3, 1, [], "Took 3 clusters, the fewest that there may be"),
        (3, 3, [], "Found 3 clusters. The rows themselves show gaps between 3 groups"),
        (5, 1, [[4, 0.9], [5, 0.4]], "Found 5 clusters. Between so many there are no gaps, and no such division"),
        (5, 1, [[4, 0.4], [5, 0.9]], "Found 5 clusters."),
        (20, 1, [[4, 0.4], [5, 0.4]], "Found 20 clusters."),  # as many classes were known
    ],
)
def test_what_was_found_is_said(n: int, apart: int, replication: list[list[float]], sentence: str) -> None:
    said = found_sentence({"n": n, "apart": apart, "replication": replication})
    assert said.startswith(sentence)
    assert ("no such division" in said) == ("no such division" in sentence)


def test_a_number_that_only_the_range_asks_for_is_said_to_be_that() -> None:
    said = found_sentence({"n": 5, "apart": 1, "replication": [[4, 0.69], [5, 0.7]], "asked": True})
    assert said == "No groups were seen; of the numbers of clusters that were asked for, 5 is the likeliest."
    said = found_sentence({"n": 5, "apart": 3, "replication": [[5, 0.4]], "asked": True})
    assert said.startswith("3 groups were seen; ") and said.endswith(
        "5 is the likeliest. No such division is found again."
    )


def test_a_count_without_a_curve_is_a_sentence(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs["table"], tmp_path / "run"))
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["count"] = {"n": 3, "apart": 3, "replication": []}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = render(read_run(folder))
    assert "Found 3 clusters." in page.split('id="choice"')[1]
