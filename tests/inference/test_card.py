import json
import random
import zipfile

import pytest
from support import light_card

from lookbook.foundation.errors import LookbookError
from lookbook.inference.card import MEMBER, read_card, with_card

MODEL = b"\x20\0\0\0TFL3" + bytes(range(200))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tflite"


def fault(path):
    with pytest.raises(LookbookError) as raised:
        read_card(path)
    return str(raised.value)


def test_a_card_comes_back_and_the_model_stays_in_front(path):
    card = light_card(class_names=["Äpfel", "b"])
    path.write_bytes(with_card(MODEL, card))
    assert path.read_bytes().startswith(MODEL)
    assert path.read_bytes() == with_card(MODEL, card)
    assert read_card(path) == card


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file. Run `dvc repro export`, which makes it."),
        (b"", "a file of another kind. Name one of models/export."),
        (b"PK\3\4 other", "a file of another kind"),
        (MODEL, "a model without a card, or one that is cut off. Run `dvc repro export` again."),
    ],
)
def test_what_is_no_model_of_ours_has_a_sentence(path, content, expected):
    if content is not None:
        path.write_bytes(content)
    said = fault(path)
    assert said.startswith(f"Expected a model that Lookbook exported at {path}. Received: ")
    assert expected in said


@pytest.mark.parametrize("length", [10, 100, 300, -30, -1])
def test_a_model_that_is_cut_off_has_a_sentence(path, length):
    path.write_bytes(with_card(MODEL, light_card())[:length])
    assert "a model without a card, or one that is cut off" in fault(path)


def test_damage_in_the_middle_is_seen_before_litert_reads_it(path):
    whole = with_card(MODEL, light_card())
    path.write_bytes(whole[:50] + b"\0" + whole[51:])
    assert "a model whose bytes are not those that were exported" in fault(path)
    path.write_bytes(whole[:50] + whole[90:])
    assert "a model whose bytes are not those that were exported" in fault(path)


@pytest.mark.parametrize("place", [b"PK\1\2", b"PK\5\6"], ids=["member", "directory"])
def test_a_directory_that_leads_before_the_file_has_a_sentence(path, place):
    content = bytearray(with_card(MODEL, light_card()))
    at = content.rindex(place) + {b"PK\1\2": 42, b"PK\5\6": 16}[place]
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    assert "Run `dvc repro export` again." in fault(path)


def test_every_flipped_bit_is_noticed_or_harmless(path):
    card = light_card()
    whole, rng, refused = with_card(MODEL, card), random.Random(0), 0
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert read_card(path) == card
            assert damaged.startswith(MODEL)
        except LookbookError:
            refused += 1
    assert refused > 900


@pytest.mark.parametrize("names", [["a", 1], []])
def test_classes_that_are_no_names_have_a_sentence(path, names):
    path.write_bytes(with_card(MODEL, light_card(class_names=names)))
    assert "a card whose class_names are no names" in fault(path)


def test_a_newer_format_says_what_to_bring_up_to_date(path):
    path.write_bytes(with_card(MODEL, light_card(format=2)))
    assert "Received: format 2. Bring Lookbook up to date: it knows 1." in fault(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", "list indices"),
        ("{", "Expecting property name"),
        (json.dumps({"format": 1}), "a model whose bytes are not those"),
        (" " * 2**20 + "{}", "a card of over a megabyte"),
    ],
)
def test_a_card_of_somebody_else_has_a_sentence(path, text, expected):
    path.write_bytes(MODEL)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, text)
    assert expected in fault(path)
