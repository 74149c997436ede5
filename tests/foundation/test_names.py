"""Names of every nasty kind, in each medium that could take them for more than names."""

import logging
import re
import xml.etree.ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasty import NASTY, nasty

from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import read_csv, write_csv
from lookbook.foundation.names import (
    from_cell,
    in_cell,
    in_line,
    in_markdown,
    in_terminal,
    is_harmful,
)
from lookbook.preprocessing.charts import draw_class_counts


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_a_cell_is_never_a_formula_and_is_read_as_it_was_written(tmp_path, name):
    assert from_cell(in_cell(name)) == name
    assert in_cell(name)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    path = tmp_path / "names.csv"
    write_csv(path, pd.DataFrame({"name": [name], "count": [-1]}))
    assert read_csv(path).to_dict("records") == [{"name": name, "count": "-1"}]


def test_numbers_and_gaps_of_a_table_stay(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, pd.DataFrame({"a": [-1, 2], "b": [-0.5, None], "c": ["x", None]}))
    assert path.read_text() == "a,b,c\n-1,-0.5,x\n2,,\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\u2028b\u2066", r"a\u2028b\u2066"),
        ("\udcff", r"\udcff"),
        ("caf\u00e9 \N{CAT FACE} a\u00a0b\u202fc", "caf\u00e9 \N{CAT FACE} a\u00a0b\u202fc"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_a_terminal_is_not_commanded(name, shown):
    assert in_terminal(name) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("![x](http://e.org)", r"!\[x\](http://e.org)"),
        ("a|b `c` & d", r"a\|b `c` &amp; d"),
        ("a\nb", "a b"),
    ],
)
def test_markdown_has_no_markup_of_a_name(name, shown):
    assert in_markdown(name) == shown


@pytest.mark.filterwarnings("ignore:Glyph")
def test_charts_show_names_as_they_are(tmp_path):
    names = [name for name in NASTY if name and len(name) < 20]
    draw_class_counts(tmp_path / "chart.svg", {"train": dict.fromkeys(names, 1)})
    svg = (tmp_path / "chart.svg").read_text()
    for shown in ("$^$", "a$b$", "&lt;b&gt;bold&lt;/b&gt;", r"\u202egnp.exe"):
        assert f">{shown}</text>" in svg
    assert "<b>" not in svg


@pytest.mark.parametrize("where", ["error", "line"])
def test_errors_and_lines_of_a_stage_command_no_terminal(capsys, monkeypatch, where):
    monkeypatch.setattr(logging.root, "handlers", [])

    @explains_errors
    def main():
        if where == "error":
            raise LookbookError("Expected a name. Received: \x1b[2J\u202e.")
        logging.getLogger("stage").info("read %s", "\x1b[2J\u202e.")

    if where == "error":
        with pytest.raises(SystemExit):
            main()
    else:
        main()
    said = capsys.readouterr().err
    assert r"\x1b[2J\u202e." in said
    assert "\x1b" not in said


def harm_in(text):
    return {letter for letter in set(text) if is_harmful(letter)}


def test_every_place_that_shows_names_stands_a_hundred_thousand_nasty_ones(tmp_path):
    names = nasty(100_000)
    assert harm_in("".join(map(in_line, names))) == set()
    assert harm_in(in_terminal("".join(names))) <= {"\n", "\t"}
    markup = re.compile(r"[<>\n]|(?<!\\)(?:\\\\)*[|\[\]]")
    assert [name for name in names if markup.search(in_markdown(name))] == []
    cells = list(map(in_cell, names))
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    assert list(map(from_cell, cells)) == names
    path = tmp_path / "names.csv"
    write_csv(path, pd.DataFrame({"name": names}))
    assert read_csv(path)["name"].tolist() == names


@given(st.text())
def test_any_text_comes_back_from_a_cell_and_keeps_to_its_line(name):
    assert from_cell(in_cell(name)) == name
    assert in_cell(name)[:1] not in ("=", "+", "-", "@")
    assert len(in_line(name).splitlines()) <= 1
    assert in_line(in_line(name)) == in_line(name)
    assert len(in_markdown(name).splitlines()) <= 1


@pytest.mark.filterwarnings("ignore:Glyph", "ignore:.*Tight layout")
def test_a_chart_of_two_hundred_nasty_classes_is_text_alone(tmp_path):
    draw_class_counts(tmp_path / "chart.svg", {"train": dict.fromkeys(nasty(200), 1)})
    found = xml.etree.ElementTree.parse(tmp_path / "chart.svg")
    kinds = {element.tag.rpartition("}")[2] for element in found.iter()}
    assert kinds & {"script", "b", "a", "image", "foreignObject"} == set()
    assert "text" in kinds
