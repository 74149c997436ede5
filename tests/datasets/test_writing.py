"""Cards are written so that PyYAML reads what was meant, and people's comments stay."""

import yaml

from lookbook.datasets.writing import write_card

MISREAD = ["no", "yes", "on", "y", "Y", "12:30", "1e3", "0o7", "1_000", "null", "~", "", "=", "<<"]
MISREAD += ["2024-01-01", ".5", "+1", "0x1F", "true", "- a", "a: b", "#x", "'", '"', "é", "a\nb"]


def test_every_text_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "card.yaml"
    card = {"classes": MISREAD, "counts": dict.fromkeys(MISREAD, 3), "flips": False}
    write_card(path, card)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == card
    changed = card | {"flips": True}
    write_card(path, changed)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == changed


def test_what_does_not_change_stays_to_the_byte(tmp_path):
    path = tmp_path / "card.yaml"
    text = """\
# Ours.
title: "Pets" # of the street
classes: ["no", cats] # two

counts: {"no": 3, cats: 4}
flips: true
licence: no
"""
    path.write_text(text)
    card = yaml.safe_load(text)
    assert card["licence"] is False
    write_card(path, card | {"counts": {"no": 3, "cats": 5}})
    lines = path.read_text().splitlines()
    assert lines[:3] == text.splitlines()[:3]
    assert "flips: true" in lines
    assert yaml.safe_load(path.read_text()) == card | {"counts": {"no": 3, "cats": 5}}


def test_a_card_without_an_end_of_line_is_changed_as_yaml(tmp_path):
    path = tmp_path / "null.yaml"
    path.write_text("# Ours.\ntitle: 'null' # a name\nclasses: [\"~\", cats]\nflips: true")
    write_card(path, {"title": "null", "classes": ["~", "cats", "null"], "flips": True})
    text = path.read_text()
    assert text.startswith("# Ours.\ntitle: 'null' # a name\n")
    assert text.endswith("flips: true\n")
    assert yaml.safe_load(text)["classes"] == ["~", "cats", "null"]
