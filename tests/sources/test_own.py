"""From data/own to data/raw: links where they can be had, and nothing that the list lacks."""

import os
from pathlib import Path

import pytest
from support import listed, packed, write_photos

from lookbook.datasets import packs
from lookbook.datasets.cards import load_card
from lookbook.foundation.errors import LookbookError
from lookbook.sources import own


@pytest.fixture
def taken(photos, add, monkeypatch):
    """A set in two packs, and one pack that the list does not name."""
    add(photos)
    add(write_photos(photos, {"cats": 2}, first=100))
    folder = Path("data/own/pets")
    list(packs.write_packs(folder, [("x.png", b"left behind")]))
    return folder


@pytest.fixture
def raw(project):
    """An empty folder for the files."""
    folder = project / "raw"
    folder.mkdir()
    return folder


def test_what_the_list_names_is_linked(taken, raw):
    own.fetch("pets", load_card("pets"), raw)
    assert sorted(path.name for path in raw.iterdir()) == ["00000.zip", "00001.zip", "list.csv"]
    for path in raw.iterdir():
        assert path.samefile(taken / path.name)


def test_where_links_cannot_be_had_it_is_copied(taken, raw, monkeypatch):
    def refuse(*arguments):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    own.fetch("pets", load_card("pets"), raw)
    for path in raw.iterdir():
        assert not path.samefile(taken / path.name)
        assert path.read_bytes() == (taken / path.name).read_bytes()


def test_what_happens_to_the_set_later_does_not_reach_the_copy(taken, raw, add, photos):
    own.fetch("pets", load_card("pets"), raw)
    before = {path.name: path.read_bytes() for path in raw.iterdir()}
    add(write_photos(photos, {"dogs": 2}, first=200))
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == before
    assert len(listed()) == 24
    assert len(packed()) == 3


def test_another_version_has_a_sentence(taken, raw):
    card = load_card("pets")
    (taken / "list.csv").write_bytes((taken / "list.csv").read_bytes()[:-1])
    with pytest.raises(LookbookError) as error:
        own.fetch("pets", card, raw)
    assert f"whose list.csv has the SHA-256 {card.files[0].sha256}" in str(error.value)
    assert list(raw.iterdir()) == []


def test_a_missing_pack_has_a_sentence(taken, raw):
    (taken / "00001.zip").unlink()
    with pytest.raises(LookbookError, match=r"Expected data/own/pets/00001\.zip\. Received: no s"):
        own.fetch("pets", load_card("pets"), raw)
