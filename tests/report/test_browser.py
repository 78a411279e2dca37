"""The page works in a real browser: everything is drawn, by mouse and by keyboard, by day and by night, offline."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from coterie.data import make_source
from coterie.report import Scored, write_drift, write_outliers, write_report
from coterie.report.comparison import compared, write_comparison
from coterie.selection import Drift

FURTHER = ("outliers-images", "outliers-table", "drift-images", "drift-table", "runs")
KINDS = ("labelled", "unlabelled", "chosen", "many", "one", "empty", "table", "texts", "bare table", "hostile")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Different colours among the pixels of the map: one if nothing was drawn.
COLOURS = """() => {
  const canvas = document.querySelector("#canvas"), pen = canvas.getContext("2d");
  return new Set(new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
}"""
PICTURE = """() => document.querySelector("#canvas").toDataURL()"""
# Every visible text whose contrast with what lies behind it is less than WCAG AA asks of its size.
FAINT = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) known.set(colour, measured(colour));
    return known.get(colour);
  };
  const measured = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (!own || box.width < 2 || box.height < 2 || element.closest("script, style, .hidden")) continue;
    const ink = light(rgba(element instanceof SVGElement ? style.fill : style.color)), ground = light(behind(element));
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (contrast < (large ? 3 : 4.5)) faint.push(`${element.tagName} ${element.className} ${contrast.toFixed(2)}`);
  }
  return faint;
}"""

# Every heading of a table that does not stand as the values below it do, which is left of a bar and right of a number.
CROOKED = """() => [...document.querySelectorAll("table.apart")].flatMap((table) => {
  const cells = [...table.tBodies[0].rows[0].cells];
  return [...table.tHead.rows[0].cells].filter((heading, i) => {
    const own = getComputedStyle(heading), below = getComputedStyle(cells[i]);
    return own.textAlign !== below.textAlign || own.paddingRight !== below.paddingRight;
  }).map((heading) => heading.textContent);
})"""


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(runs, tmp_path_factory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("reports")
    for kind in KINDS:
        shutil.copytree(runs[kind], home / kind)
    return {kind: write_report(home / kind).as_uri() for kind in KINDS}


@pytest.fixture(scope="module")
def further_pages(tmp_path_factory) -> dict[str, str]:
    """Pages without a script: outliers and tomorrow's rows, of images and of a table, and runs beside each other."""
    home, random = tmp_path_factory.mktemp("pages"), np.random.default_rng(0)
    s, clusters = np.r_[random.uniform(0.5, 1.9, 80), random.uniform(2, 9, 20)], random.integers(0, 3, 100)
    drift = Drift(s, 2.0, clusters, np.array([0.1, 0.3, 0.6]), shift=0.3, n_fitted=80)
    about = {"strangeness": s, "threshold": 2.0, "usual": s[:80], "clusters": clusters, "n_clusters": 3}
    for kind, shape in (("images", (9, 9)), ("table", (12,))):
        source = make_source(random.integers(0, 255, (100, *shape)).astype(np.uint8))
        scored = Scored(
            title="New ones", facts=[("Rows", "a hundred")], score_in_words="made up", source=source, **about
        )
        write_outliers(home / f"outliers-{kind}.html", scored)
        write_drift(home / f"drift-{kind}.html", scored, drift)
    called = [{0: "a name that is rather long for a cluster"}, {}, {}]
    runs = [clusters, random.permutation(clusters), random.integers(0, 4, 100)]
    write_comparison(home / "runs.html", compared(["one", "two", "three"], runs, called=called, learned=[0, 9, 0]))
    return {page.stem: page.as_uri() for page in home.iterdir()}


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = 1280, scheme: str = "light", has_map: bool = True
) -> Iterator[Page]:
    """Open a page; afterwards nothing may have gone wrong in it, and nothing been asked of the network."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )  # pyright: ignore
    context.set_default_timeout(120_000)  # a busy machine is not a fault of the page
    page, trouble, asked = context.new_page(), [], []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    if has_map:
        page.wait_for_function("document.querySelector('#canvas').dataset.drawn === 'yes'")
    yield page
    assert trouble == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_section_is_drawn_and_readable(kind, scheme, browser, reports):
    with opened(browser, reports[kind], scheme=scheme) as page:
        for section in page.locator("section, article, figure, table").all():
            if section.evaluate("e => !e.closest('details')"):
                box = section.bounding_box()
                assert box and box["width"] > 40 and box["height"] > 40
        assert page.evaluate(COLOURS) > 3
        broken = "[...document.images].filter((picture) => !picture.complete || !picture.naturalWidth).length"
        assert page.evaluate(broken) == 0
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("kind", ["labelled", "many", "table", "hostile"])
def test_no_page_is_wider_than_its_window(kind, width, browser, reports):
    with opened(browser, reports[kind], width=width) as page:
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", ["chosen", "labelled", "table"])
def test_headings_stand_as_the_values_below_them(kind, browser, reports):
    with opened(browser, reports[kind]) as page:
        assert page.locator("table.apart").count() > 0
        assert page.evaluate(CROOKED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", FURTHER)
def test_pages_without_a_map_can_be_read_on_any_window(kind, scheme, browser, further_pages):
    for width in (1280, 390):
        with opened(browser, further_pages[kind], width=width, scheme=scheme, has_map=False) as page:
            assert page.evaluate(FAINT) == []
            assert page.evaluate(CROOKED) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("section h2").count() >= 3


def test_clusters_are_shown_and_hidden_from_the_keyboard(browser, reports):
    with opened(browser, reports["labelled"]) as page:
        before = page.evaluate(PICTURE)
        button = page.get_by_role("group", name="Clusters shown on the map").get_by_role("button").nth(3)
        button.focus()
        page.keyboard.press("Space")
        assert button.get_attribute("aria-pressed") == "false"
        without = page.evaluate(PICTURE)
        assert without != before
        page.keyboard.press("Enter")
        assert button.get_attribute("aria-pressed") == "true"
        assert page.evaluate(PICTURE) == before
        page.locator("#legend-cluster [data-all=false]").press("Enter")
        assert page.evaluate(COLOURS) == 1
        page.locator("#legend-cluster [data-all=true]").press("Enter")
        assert page.evaluate(PICTURE) == before


def test_colours_pictures_and_zoom_change_the_map_and_back(browser, reports):
    with opened(browser, reports["labelled"]) as page:
        seen = {page.evaluate(PICTURE)}
        for name in ("Your labels", "Confidence", "Clusters"):
            button = page.get_by_role("button", name=name, exact=True)
            button.press("Enter")
            assert button.get_attribute("aria-pressed") == "true"
            assert page.locator("[data-colour][aria-pressed=true]").count() == 1
            assert page.locator(".legend:visible").count() == 1
            seen.add(page.evaluate(PICTURE))
        assert len(seen) == 3  # back at the clusters it looks as in the beginning
        for press, undo in (("#pictures", "#pictures"), ("[data-zoom=in]", "[data-zoom=reset]")):
            page.locator(press).press("Enter")
            changed = page.evaluate(PICTURE)
            assert changed not in seen
            page.locator(undo).press("Enter")
            assert page.evaluate(PICTURE) in seen


def test_points_tell_about_themselves_to_keyboard_and_mouse(browser, reports):
    with opened(browser, reports["labelled"]) as page:
        tip, told = page.locator("#tip"), page.locator("#told")
        page.locator("#canvas").focus()
        heard = set()
        for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):
            page.keyboard.press(key)
            assert tip.is_visible()
            heard.add(told.text_content())
        assert len(heard) >= 3
        assert all("Row " in said and "Cluster " in said and "Labelled " in said for said in heard if said)
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        page.locator("#canvas").scroll_into_view_if_needed()
        page.locator("#canvas").focus()
        page.keyboard.press("ArrowRight")
        place = page.evaluate("() => { const b = document.querySelector('#tip').getBoundingClientRect();"
                              " return [b.left - 16, b.top + b.height / 2]; }")  # fmt: skip
        words = tip.inner_text()
        page.keyboard.press("Escape")
        page.mouse.move(*place)
        assert tip.is_visible()
        assert tip.inner_text() == words


def test_the_head_leads_by_keyboard_to_the_sections(browser, reports):
    with opened(browser, reports["labelled"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the result"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        for link in page.get_by_role("navigation").get_by_role("link").all():
            target = link.get_attribute("href")
            link.press("Enter")
            page.wait_for_url(f"**{target}")
            box = page.locator(str(target)).bounding_box()
            assert box and -1 < box["y"] < 900


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_day_and_night_follow_the_system_until_told_otherwise(scheme, browser, reports):
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, reports["labelled"], scheme=scheme) as page:
        button = page.get_by_role("button", name="Dark")
        assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()
        first, drawn = page.evaluate(ground), page.evaluate(PICTURE)
        button.press("Enter")
        assert button.get_attribute("aria-pressed") == str(scheme == "light").lower()
        second = page.evaluate(ground)
        assert second != first
        assert page.evaluate(PICTURE) != drawn
        assert page.evaluate(FAINT) == []
        button.press("Enter")
        assert page.evaluate(ground) == first
        page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
        assert page.evaluate(ground) == first  # the reader's own choice stays


def test_hostile_names_do_nothing(browser, reports):
    with opened(browser, reports["hostile"]) as page:
        assert page.locator("img[src=x]").count() == 0
        assert "</script><img src=x onerror=alert(1)>" in page.locator("h1").inner_text()
        page.locator("#canvas").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#tip img").count() == 0


def test_the_policy_refuses_what_is_not_the_pages_own(browser, reports):
    context = browser.new_context()
    page = context.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(reports["one"])
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.intruded = true";
      document.body.append(script);
      const picture = new Image();
      picture.src = "http://127.0.0.1:9/beacon.png";
      document.body.append(picture);
      document.body.insertAdjacentHTML("beforeend", "<p style='color:red' onclick='1'>x</p>");
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.intruded") is None
    for rule in ("script-src", "img-src", "style-src"):
        assert any("Content Security Policy" in text and rule in text for text in refused), refused
    context.close()
