import base64
import hashlib
import re

import numpy as np
import pytest

from lookbook.review.page import Candidate, Section, write_page

HOSTILE = '<img src=x onerror=alert(1)>"&'


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
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; img-src data:;")
    for kind in ("script", "style"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.findall(r'\sstyle="|\son\w+="', text)


def test_names_are_only_text(page):
    text = page([Section("Suspects", "why", [candidate(source=HOSTILE, given=HOSTILE)])])
    assert HOSTILE not in text
    assert "<img src=x" not in text


def test_large_pictures_are_jpeg_and_small_ones_keep_their_pixels(page):
    text = page([Section("Suspects", "why", [candidate(side=200)])])
    assert 'class="picture photo" src="data:image/jpeg' in text
    assert 'class="picture" src="data:image/png' in page([Section("S", "", [candidate()])])


def test_a_page_without_candidates_says_so(page):
    assert "There is nothing to check." in page([Section("Suspects", "why", [])])
