"""The page in a browser: what stands on the first screen, and that anybody can read and use it."""

import json
import re

import numpy as np
import pytest
from made_up import KINDS

from lookbook.drawing.galleries import Tile
from lookbook.ladder.rungs import rung
from lookbook.reporting.album import Album
from lookbook.reporting.comparison import ModelChange, Part, write_comparison
from lookbook.reporting.gallery import shown

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
HEIGHT = "document.documentElement.scrollHeight"
IDENTIFIER = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b|\b[a-z]+(?:\.[a-z]+)+\b")

# What stands in the page but in code, in an SVG file's own words, or in people's own names.
WORDS = """() => {
  const copy = document.body.cloneNode(true);
  for (const one of copy.querySelectorAll("code, pre, bdi, script, style")) one.remove();
  return copy.textContent;
}"""
# The contrast of words with what is painted behind them, for those that axe cannot decide.
CONTRASTS = """(selectors) => {
  const pen = document.createElement("canvas").getContext("2d");
  const channels = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return channels(colour)[3] === 255 ? colour : behind(one.parentElement);
  };
  return selectors.map((selector) => {
    const one = document.querySelector(selector), style = getComputedStyle(one);
    const ink = light(one.tagName === "text" ? style.fill : style.color);
    const paper = light(behind(one));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}"""


def metrics_of(pages, kind):
    metrics = json.loads(pages[kind].with_name("evaluate.json").read_text())
    del metrics["majority_class"]
    return metrics


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_screen_has_the_answer(opened, kind, size):
    tab = opened(kind, viewport=size).tab
    for part in ("#learnt", "#model", "#interval", "#ladder"):
        box = tab.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        assert box["y"] + box["height"] <= size["height"]
    assert tab.locator("#ladder svg.plot").bounding_box()["height"] >= 200
    sizes = tab.evaluate("[...document.querySelectorAll('p, li, dd, td, h1, h2, h3, summary')]"
                         ".map((one) => parseFloat(getComputedStyle(one).fontSize))")  # fmt: skip
    assert min(sizes) >= 16


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_to_use_and_its_figure_are_those_of_the_metrics(opened, pages, kind):
    tab, metrics = opened(kind).tab, metrics_of(pages, kind)
    best = max(metrics, key=lambda name: metrics[name]["validation_accuracy"])
    assert tab.inner_text("#picked") == rung(best).title
    value = float(tab.get_attribute("#figure", "value"))
    assert value == pytest.approx(metrics[best]["accuracy"], abs=5e-7)
    shown = float(tab.inner_text("#figure").split()[0]) / 100
    assert metrics[best]["accuracy_low"] <= shown <= metrics[best]["accuracy_high"]
    low, high, scale = (
        int(text.replace(",", ""))
        for text in re.findall(r"[\d,]+\d|\d", tab.inner_text("#interval"))
    )
    assert low / scale == pytest.approx(metrics[best]["accuracy_low"], abs=1 / scale)
    assert high / scale == pytest.approx(metrics[best]["accuracy_high"], abs=1 / scale)


@pytest.mark.parametrize("kind", KINDS)
def test_no_identifier_is_a_label(opened, kind):
    tab = opened(kind).tab
    tab.evaluate(UNFOLD)
    assert IDENTIFIER.findall(tab.evaluate(WORDS)) == []


def test_the_page_is_short_until_it_is_unfolded(opened):
    for size, folded, unfolded in ((PHONE, 6000, None), (DESKTOP, 3500, 16000)):
        tab = opened("ten", viewport=size).tab
        assert tab.evaluate(HEIGHT) <= folded
        tab.evaluate(UNFOLD)
        assert unfolded is None or tab.evaluate(HEIGHT) <= unfolded


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 390, 1440, 2560])
def test_nothing_is_wider_than_the_window(opened, kind, width):
    tab = opened(kind, viewport={"width": width, "height": 900}).tab
    tab.evaluate(UNFOLD)
    assert tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("kind", ["ten", "two", pytest.param("many", marks=pytest.mark.slow)])
def test_axe_finds_nothing_and_every_contrast_is_known(opened, kind, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    size = {"width": width, "height": 900}
    page = opened(kind, viewport=size, color_scheme=theme, bypass_csp=True)
    page.tab.evaluate(UNFOLD)
    found = axe.run(page.tab, options={"resultTypes": ["violations", "incomplete"]}).response
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    undecided = [node["target"][0] for one in found["incomplete"] for node in one["nodes"]]
    cells = [
        f"td.wrong-{level}" for level in range(1, 8) if page.tab.query_selector(f"td.wrong-{level}")
    ]
    assert min(page.tab.evaluate(CONTRASTS, undecided + cells)) >= 4.5


def test_it_asks_for_nothing_and_complains_of_nothing(opened):
    page = opened("ten")
    page.tab.evaluate(UNFOLD)
    page.tab.wait_for_timeout(200)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [page.tab.url]


def test_every_control_works_by_keyboard(opened):
    tab = opened("ten").tab
    tab.focus("#by-class > summary")
    tab.keyboard.press("Enter")
    assert tab.get_attribute("#by-class", "open") is not None
    tab.focus("#by-class .sorts th:nth-child(3) button")
    column = (
        "[...document.querySelectorAll('#by-class tbody tr')].map((r) => +r.cells[2].innerText)"
    )
    tab.keyboard.press("Enter")
    assert tab.evaluate(column) == sorted(tab.evaluate(column), reverse=True)
    tab.keyboard.press("Space")
    assert tab.evaluate(column) == sorted(tab.evaluate(column))
    assert tab.get_attribute("#by-class .sorts th:nth-child(3)", "aria-sort") == "ascending"
    tab.focus("#model button.why")
    tab.keyboard.press("Enter")
    assert tab.is_visible("#why-accuracy")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#why-accuracy")
    tab.focus("button.more")
    tab.keyboard.press("Enter")
    assert tab.locator("details:not([open])").count() == 0
    tab.keyboard.press("Enter")
    assert tab.locator("details[open]").count() == 0


def test_without_scripts_all_of_it_unfolds_and_is_explained(opened):
    tab = opened("ten", java_script_enabled=False).tab
    tab.click("#pairs > summary")
    tab.click("#pair-1 > summary")
    assert tab.is_visible("#pair-1 .picture >> nth=0")
    tab.click("#model button.why")
    assert tab.inner_text("#why-accuracy").startswith("Test accuracy\nOf the test pictures")


def test_a_cell_of_the_confusion_table_leads_to_its_pictures(opened):
    tab = opened("ten").tab
    tab.click("#baseline > summary")
    link = tab.locator("#baseline td a >> nth=0")
    target = link.get_attribute("href")
    link.click()
    assert tab.url.endswith(target)
    assert tab.locator(f"{target} .picture").count() >= 1


def test_the_page_prints_whole(opened):
    tab = opened("ten").tab
    pdf = tab.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 8


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_a_comparison_is_as_accessible(opened, tmp_path, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    album = Album()
    pictures = shown(album, [Tile(np.full((8, 8, 1), 9, np.uint8), ["was a 91%", "is b"])])
    change = ModelChange("CNN", "better", "+2 points", Part(30, pictures), Part(0, []))
    path, remarks = tmp_path / "report.html", ["Run `dvc repro`."]
    write_comparison(path, "main", [change], remarks, {"Metrics": "none"}, album.style)
    page = opened(path=path, color_scheme=theme, bypass_csp=True)
    assert page.tab.inner_text("section.change h2") == "CNN: better"
    assert [one["id"] for one in axe.run(page.tab).response["violations"]] == []
    assert page.complaints == []
