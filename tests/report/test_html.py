"""The page is one safe, whole, well-formed file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.report import write_report

KINDS = ("labelled", "unlabelled", "many", "one", "empty", "table", "texts", "bare table", "hostile")
HOSTILE = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """A page as a browser's parser would take it apart, as far as these tests need."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]][-1] += data
        else:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages(runs, tmp_path_factory):
    home = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in KINDS:
        shutil.copytree(runs[kind], home / kind)
        path = write_report(home / kind)
        assert path == home / kind / "report.html"
        found[kind] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_tags_close_and_ids_are_unique(kind, pages):
    page = Page(pages[kind])
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = {a["href"][1:] for a in page.all("a")}
    pointed |= {
        target
        for _, a in page.tags
        for key in ("aria-labelledby", "aria-describedby")
        for target in (a.get(key) or "").split()
    }
    assert pointed <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_from_anywhere(kind, pages):
    page = Page(pages[kind])
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|https?://", "".join(page.inside["style"] + page.inside["script"]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_knows_exactly_this_style_and_script(kind, pages):
    page = Page(pages[kind])
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    data, script = page.inside["script"]
    (style,) = page.inside["style"]
    for rule, text in (("style-src", style), ("script-src", script)):
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert json.loads(data)["n"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_headings_go_down_one_step_at_a_time(kind, pages):
    levels = [int(tag[1]) for tag, _ in Page(pages[kind]).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_tables_can_be_read_aloud(kind, pages):
    page = Page(pages[kind])
    assert all("alt" in picture for picture in page.all("img"))
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing["role"] == "img" and drawing["aria-label"])
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    assert tags.count("main") == 1
    assert all(
        "aria-pressed" in button for button in page.all("button") if "data-k" in button or "data-colour" in button
    )


def test_hostile_names_stay_text(pages):
    page = Page(pages["hostile"])
    assert not [a for a in page.all("img") if a.get("src") == "x"]
    assert len(page.inside["script"]) == 2
    assert any(HOSTILE in text for text in page.text)
    data = json.loads(page.inside["script"][0])
    assert HOSTILE in data["names"] and HOSTILE in data["classes"]
    assert HOSTILE not in pages["hostile"]


def test_the_head_says_the_verdict(pages):
    for kind, said in {
        "labelled": r"10 groups in 1,797 images; accuracy \.\d+ against your labels\.",
        "unlabelled": r"10 groups in 1,797 images, of \d+ to \d+; [\d.]+ % of them placed",
        "one": r"1 group in 300 images: there is nothing to tell apart\.",
        "empty": r"Cluster 2 is empty: no images ended there\.",
    }.items():
        assert re.search(said, " ".join(Page(pages[kind]).text)), kind


def test_sections_follow_what_the_run_has(pages):
    def sections(kind):
        return [a["id"] for a in Page(pages[kind]).all("section")]

    assert sections("labelled") == ["top", "result", "map", "clusters", "labels", "training", "setup"]
    assert sections("unlabelled") == ["top", "result", "map", "clusters", "training", "setup"]
    assert "Originals and reconstructions" not in pages["unlabelled"]
    assert "Originals and reconstructions" in pages["labelled"] and "Originals and reconstructions" in pages["table"]


def test_every_cluster_has_a_card_with_its_pictures(pages):
    page = Page(pages["labelled"])
    assert len(page.all("article")) == 10
    titled = [a for a in page.all("img") if "confidence" in (a.get("alt") or "")]
    assert len(titled) == 10 * 24
    assert len([a for a in page.all("img") if (a.get("alt") or "").startswith("Mean image of cluster")]) == 10
    assert len([a for a in Page(pages["many"]).all("img") if "confidence" in (a.get("alt") or "")]) <= 50 * 12


def test_a_table_shows_numbers_not_pictures(pages, wine):
    page = Page(pages["table"])
    assert page.all("img") == []
    text = " ".join(page.text)
    assert all(name in text for name in ("proline", "flavanoids", "class_0"))
    assert "8 of 13 columns" in text


def test_a_page_of_ten_thousand_digits_stays_small(mnist10k, make_run, tmp_path):
    x, y = mnist10k
    page = write_report(make_run(tmp_path / "run", x, 10, y=y, light=True))
    assert page.stat().st_size < 3_000_000
    data = json.loads(Page(page.read_text()).inside["script"][0])
    assert data["n"] == 5000 and data["pictures"]["count"] == 5000


def test_large_colour_pictures_stay_small(make_run, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (60, 64, 64, 3), dtype=np.uint8)  # noise: nothing compresses worse
    page = write_report(make_run(tmp_path / "run", x, 10, light=True))
    assert page.stat().st_size < 3_000_000


def test_a_report_is_written_whole_or_not_at_all(runs, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(runs["one"], folder)
    (folder / "report.html").write_text("the old one")
    (folder / "metrics.json").write_text("{")
    with pytest.raises(InputError):
        write_report(folder)
    assert (folder / "report.html").read_text() == "the old one"


def test_the_same_run_gives_the_same_page(runs, tmp_path, pages):
    shutil.copytree(runs["labelled"], tmp_path / "labelled")
    assert write_report(tmp_path / "labelled").read_text(encoding="utf-8") == pages["labelled"]


@pytest.mark.parametrize("kind", ["labelled", "many", "table"])
def test_names_of_clusters_stand_beside_their_numbers(kind, runs, tmp_path):
    folder = shutil.copytree(runs[kind], tmp_path / kind)
    metrics = json.loads((folder / "metrics.json").read_text())
    with np.load(folder / "arrays.npz") as arrays:
        names = [None] * len(arrays["means"])
    names[0] = f"first {HOSTILE}"
    metrics |= {"cluster_names": names, "edits": [f"Cluster 0 is now called {names[0]!r}."]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    text = write_report(folder).read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert HOSTILE not in text
    told = "".join(page.text)
    assert told.count(names[0]) >= 4  # card, sizes, legend, list of changes
    assert "1 change made by hand after the fit" in told
    data = next(
        part for part, a in zip(page.inside["script"], page.all("script"), strict=True) if a.get("id") == "map-data"
    )
    assert json.loads(data)["called"] == names
