import json
import re

import pytest
from made_up import KINDS, write_run
from nasty import check_names_are_text
from support import check_policy, rows_of

from lookbook.ladder.rungs import RUNGS
from lookbook.reporting.page import in_words
from lookbook.reporting.rendering import with_code

MOST_BYTES = {"ten": 500_000, "two": 3_000_000, "many": 1_000_000}


@pytest.mark.parametrize("kind", KINDS)
def test_its_policy_allows_its_own_style_and_script_alone(pages, kind):
    text = pages[kind].read_text()
    check_policy(text)
    assert not re.findall(r'\sstyle="|\son\w+="|\s(?:src|href)="https?:', text)


def test_two_hundred_classes_of_any_names_are_only_text(tmp_path, monkeypatch, pages):
    monkeypatch.chdir(tmp_path)
    kind = KINDS["many"]
    plain = write_run(tmp_path, **kind | {"names": [f"class {n}" for n in range(200)]})
    check_names_are_text(pages["many"].read_text(), plain.read_text(), kind["names"])


def test_the_same_run_is_the_same_bytes(tmp_path, monkeypatch, pages):
    monkeypatch.chdir(tmp_path)
    assert write_run(tmp_path, **KINDS["ten"]).read_bytes() == pages["ten"].read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_small(pages, kind):
    assert pages[kind].stat().st_size < MOST_BYTES[kind]


def test_the_table_has_every_model_and_the_one_that_guesses(pages):
    rows = rows_of(pages["ten"].read_text(), "results")
    assert [row[0] for row in rows[1:]] == [
        *(rung.title for rung in RUNGS), "Always the most frequent class",
    ]  # fmt: skip
    guessed = json.loads(pages["ten"].with_name("evaluate.json").read_text())["majority_class"]
    assert rows[-1][1].split()[0] == f"{100 * guessed['accuracy']:.0f}"


def test_what_would_help_is_said_only_where_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = write_run(tmp_path, "ab", counts=(12, 6, 3)).read_text()
    assert "How many more photos?" not in text
    assert "What would help" not in text


def test_a_name_of_a_data_set_is_a_title_and_commands_are_code():
    assert in_words("cats_vs_dogs_sample") == "Cats vs dogs sample"
    assert with_code("a <b> `c <d>` e") == "a &lt;b&gt; <code>c &lt;d&gt;</code> e"
