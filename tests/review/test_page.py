import csv
import re

import numpy as np
import pytest
from nasty import check_names_are_text, nasty, nasty_classes
from support import Watched, check_policy

from lookbook.datasets.labels import COLUMNS, read_table
from lookbook.review.page import Candidate, Section, write_page

CLASSES, FILES = nasty_classes(200), nasty(200)


@pytest.fixture
def page(tmp_path):
    def write(sections, classes=("a", "b")):
        path = tmp_path / "page.html"
        write_page(
            path, dataset="pets", version="0123", classes=list(classes), sections=sections,
            lines=["said"],
        )  # fmt: skip
        return path.read_text()

    return write


def candidate(side=8, **changes):
    pixels = np.full((side, side, 1), 100, np.uint8)
    fields = {
        "pixels": pixels, "id": "f" * 16, "source": "a/1.png", "split": "train", "given": "a",
        "suggested": "b", "given_share": 0.1, "suggested_share": 0.9,
        "neighbours": [(pixels, "b")] * 3,
    }  # fmt: skip
    return Candidate(**fields | changes)


def test_the_page_shows_each_candidate_and_loads_nothing(page):
    text = page([Section("Suspects", "why", [candidate(), candidate(id="e" * 16)])])
    assert len(re.findall(r"<article ", text)) == 2
    assert f'data-id="{"e" * 16}" data-given="a" data-suggested="b"' in text
    assert text.count('src="data:image/png;base64,') == 2 * (1 + 3)
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "http:" not in text
    assert "https:" not in text


def test_its_policy_allows_its_own_script_and_style_alone(page):
    text = page([Section("Suspects", "why", [candidate()])])
    check_policy(text)
    assert not re.findall(r'\sstyle="|\son\w+="', text)


def of_names(classes, files):
    """A section with a candidate for each class and file."""
    pixels = np.full((2, 2, 1), 100, np.uint8)
    return Section("Suspects", "why", [
        candidate(id=f"{place:016x}", source=file, given=name, suggested=classes[place - 1],
                  neighbours=[(pixels, classes[place - 2])])
        for place, (name, file) in enumerate(zip(classes, files, strict=True))
    ])  # fmt: skip


def test_names_are_only_text(page):
    plain = [f"class {place}" for place in range(200)]
    text = page([of_names(CLASSES, FILES)], CLASSES)
    check_names_are_text(text, page([of_names(plain, plain)], plain), [*CLASSES, *FILES])


def test_names_come_back_in_a_patch_and_no_cell_is_a_formula(page, tmp_path, chromium):
    given = CLASSES[:40]
    page([of_names(given, FILES[:40])], CLASSES)
    watched = Watched(chromium.new_page(), tmp_path / "page.html")
    for _ in given:
        watched.tab.keyboard.press("c")
    with watched.tab.expect_download() as download:
        watched.tab.click("#save")
    patch = tmp_path / "patch.csv"
    download.value.save_as(patch)
    table = read_table(patch, ["set", "data", *COLUMNS])
    assert table["given"].tolist() == given
    assert table["label"].tolist() == [given[place - 1] for place in range(40)]
    with patch.open(encoding="utf-8", newline="") as file:
        cells = {cell for cells in csv.reader(file) for cell in cells}
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert watched.complaints == []


def test_large_pictures_are_jpeg_and_small_ones_keep_their_pixels(page):
    text = page([Section("Suspects", "why", [candidate(side=200)])])
    assert 'class="picture photo" src="data:image/jpeg' in text
    assert 'class="picture" src="data:image/png' in page([Section("S", "", [candidate()])])


def test_a_page_without_candidates_says_so(page):
    assert "There is nothing to check." in page([Section("Suspects", "why", [])])
