"""The reader of people's own photos: classes and splits as the list says."""

import pandas as pd
import pytest

from lookbook.datasets.cards import Card
from lookbook.datasets.packs import COLUMNS, write_list, write_packs
from lookbook.foundation.errors import LookbookError
from lookbook.pictures.batch import Fault
from lookbook.readers import packs

ROWS = [
    ("a", "cats/1.jpg", "cat", "", "", "test"),
    ("b", "dogs/2.jpg", "dog", "g", "", "train"),
    ("c", "dogs/3.jpg", "dog", "g", "", "train"),
    ("d", "cats/4.jpg", "cat", "", "", "validation"),
]


def card(*classes, channels=3):
    return Card.model_validate(
        {
            "title": "",
            "licence": "",
            "homepage": "",
            "classes": classes,
            "files": [{"name": "list.csv", "bytes": 1, "sha256": "0" * 64}],
            "source": {"kind": "own", "places": [], "validation_size": 0.2, "test_size": 0.2},
            "reader": {"kind": "packs", "channels": channels},
        }
    )


def write_set(folder, rows=ROWS):
    placed = list(write_packs(folder, [(f"{row[0]}.jpg", row[0].encode()) for row in rows]))
    places = [(photo.pack, photo.member) for photo in placed]
    table = pd.DataFrame([(*row, *place) for row, place in zip(rows, places, strict=True)])
    table.columns = COLUMNS
    write_list(folder, table)
    return table


def test_photos_come_with_the_class_and_split_of_the_list(tmp_path):
    write_set(tmp_path)
    reading = packs.read(card("dog", "cat", channels=1), tmp_path)
    assert reading.index["source"].tolist() == [row[1] for row in ROWS]
    assert reading.index["label"].tolist() == [1, 0, 0, 1]
    assert reading.index["published"].tolist() == ["test", "train", "train", "validation"]
    assert list(reading.batches) == [[b"a", b"b", b"c", b"d"]]
    assert reading.is_shared_out
    assert reading.groups[1] == reading.groups[2]
    assert len(set(reading.groups)) == 3
    assert reading.channels == 1
    assert reading.others == []


def test_a_split_that_is_none_has_a_sentence(tmp_path):
    write_set(tmp_path, [*ROWS[:3], (*ROWS[3][:5], "tset")])
    with pytest.raises(LookbookError, match="Expected the splits test, train, validation .*'tset'"):
        packs.read(card("dog", "cat"), tmp_path)


def test_a_few_photos_are_handed_on_at_a_time(tmp_path, monkeypatch):
    write_set(tmp_path)
    monkeypatch.setattr(packs, "BATCH", 3)
    batches = packs.read(card("dog", "cat"), tmp_path).batches
    assert list(batches) == [[b"a", b"b", b"c"], [b"d"]]
    monkeypatch.setattr(packs, "BATCH_BYTES", 1)
    batches = packs.read(card("dog", "cat"), tmp_path).batches
    assert list(batches) == [[b"a", b"b"], [b"c", b"d"]]


def test_rows_of_a_pack_need_not_be_together(tmp_path):
    first = write_set(tmp_path, ROWS[:2])
    second = write_set(tmp_path, ROWS[2:])
    assert set(second["pack"]) == {"00001.zip"}
    write_list(tmp_path, pd.concat([first, second]).iloc[[2, 0, 3, 1]])
    reading = packs.read(card("dog", "cat"), tmp_path)
    assert reading.index["source"].tolist() == [row[1] for row in ROWS]
    assert list(reading.batches) == [[b"a", b"b", b"c", b"d"]]


def test_a_photo_that_cannot_be_had_keeps_its_place(tmp_path):
    table = write_set(tmp_path)
    table.loc[1, "member"] = "unknown.jpg"
    write_list(tmp_path, table)
    reading = packs.read(card("dog", "cat"), tmp_path)
    assert list(reading.batches) == [[b"a", Fault("damaged in its pack"), b"c", b"d"]]


def test_a_class_that_is_not_on_the_card_has_a_sentence(tmp_path):
    write_set(tmp_path)
    with pytest.raises(LookbookError) as error:
        packs.read(card("dog", "bird"), tmp_path)
    assert "Expected photos of the card's classes 'dog', 'bird'. Received: 'cat'." in str(
        error.value
    )
