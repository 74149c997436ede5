import json
import re

import pytest
from support import ROOT

from lookbook.reporting.again import flattened
from lookbook.reporting.words import DOCS, WORDS, word


def figures():
    """The dotted names of all figures of the metrics that the page is about, without classes."""
    evaluated = json.loads((ROOT / "metrics/evaluate.json").read_text())
    names = set()
    for entry in evaluated.values():
        names |= flattened({key: value for key, value in entry.items() if key != "classes"}).keys()
        for of_class in entry["classes"].values():
            names |= {f"classes.{key}" for key in of_class}
    return sorted(
        names | flattened(json.loads((ROOT / "metrics/preprocess.json").read_text())).keys()
    )


@pytest.mark.parametrize("name", figures())
def test_every_figure_has_words(name):
    assert word(name).label


def test_a_figure_without_words_is_an_error():
    with pytest.raises(KeyError):
        word("unheard.of")


def test_words_are_a_sentence_and_lead_to_a_heading_of_the_docs():
    text = (ROOT / "docs/report.md").read_text()
    headings = re.findall(r"^## (.+)\?$", text, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    for entry in WORDS.values():
        assert entry.link.partition("#")[2] in anchors
        assert entry.says.endswith(".")
        assert "_" not in entry.label
    assert (ROOT / "metrics" / DOCS).resolve() == ROOT / "docs/report.md"


def test_a_value_is_told_in_its_unit():
    assert word("accuracy").told(0.99164, 1) == "99.2\N{NO-BREAK SPACE}%"
    assert word("parameters").told(575_658) == "575,658"
    assert word("file_bytes").told(33_216) == "33\N{NO-BREAK SPACE}kB"
    assert word("image_size").told(28) == "28\N{NO-BREAK SPACE}px"
    assert word("imbalance").told(1.0517) == "1.1 times"
    assert word("answers.answered_right").told(None) == "none"
