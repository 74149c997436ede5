"""The house: its contracts are the table of docs/architecture.md, and every room has both."""

import importlib
import pkgutil
import re
import tomllib

import pytest
from support import ROOT

import lookbook

ROOMS = sorted(module.name for module in pkgutil.iter_modules(lookbook.__path__) if module.ispkg)
LINTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def drawn():
    """Return whom each room may import, as the page's table says."""
    found = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and set(re.findall(r"\w+", cells[0])) <= set(ROOMS):
            for room in re.findall(r"\w+", cells[0]):
                found[room] = set(re.findall(r"\w+", cells[2])) & set(ROOMS)
    return found


def held():
    """Return whom each room may import, as import-linter holds it."""
    found = {}
    for contract in LINTED:
        rooms = [name.removeprefix("lookbook.") for name in contract.get("source_modules", [])]
        if len(rooms) == 1 and rooms[0] in ROOMS:
            forbidden = {name.removeprefix("lookbook.") for name in contract["forbidden_modules"]}
            found[rooms[0]] = set(ROOMS) - forbidden - {rooms[0]}
    return found


def test_the_contracts_are_the_table():
    assert held() == {room: may for room, may in drawn().items() if room != "commands"}


def test_every_room_is_in_both():
    assert sorted(drawn()) == ROOMS
    assert sorted([*held(), "commands"]) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_goes_in_and_what_comes_out(room):
    words = importlib.import_module(f"lookbook.{room}").__doc__
    assert re.search(r"\bIn comes? ", words) or room == "commands"
    assert re.search(r"\bout comes? ", words) or room == "commands"
