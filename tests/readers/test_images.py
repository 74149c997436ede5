"""The reader of picture folders in archives."""

import unicodedata
import zipfile

import numpy as np
import pytest

from lookbook.datasets.cards import Card
from lookbook.foundation.errors import LookbookError
from lookbook.pictures.batch import Fault
from lookbook.readers import images
from lookbook.readers.images import NO_CLASS, NOT_A_NAME, OTHER_CLASS, arrange


def places(*names):
    return {name: tuple(place) for name, place in arrange(list(names)).items()}


@pytest.mark.parametrize("prefix", ["", "photos/", "a/b/c/"])
def test_the_class_is_the_folder_below_the_common_ones(prefix):
    received = places(f"{prefix}cats/1.jpg", f"{prefix}cats/2020/may/2.JPG", f"{prefix}dogs/1.png")
    assert list(received.values()) == [("cats", ""), ("cats", ""), ("dogs", "")]


def test_strays_do_not_hide_the_classes():
    received = places("p/cover.jpg", "p/cats/1.jpg", "p/dogs/1.jpg", "p/LICENSE.txt", "top.jpg")
    assert received == {"p/cats/1.jpg": ("cats", ""), "p/dogs/1.jpg": ("dogs", "")}


@pytest.mark.parametrize(
    ("folder", "split"),
    [("train", "train"), ("Training", "train"), ("val", "validation"), ("valid", "validation")],
)
def test_a_level_of_splits_is_understood(folder, split):
    received = places(f"set/{folder}/cats/1.jpg", f"set/{folder}/dogs/1.jpg", "set/test/cats/2.jpg")
    assert list(received.values()) == [("cats", split), ("dogs", split), ("cats", "test")]


def test_a_class_called_like_a_split_stays_a_class():
    assert places("train/1.jpg", "plane/1.jpg")["train/1.jpg"] == ("train", "")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "Received: 0 pictures and no such folders"),
        (["1.jpg", "2.jpg"], "Received: 2 pictures and no such folders"),
        (["cats/1.jpg", "cats/2.jpg"], "Received: 2 pictures and no such folders"),
        (["note.txt", "cats/note.txt"], "Received: 0 pictures"),
        (["train/cats/1.jpg", "test/cats/1.jpg"], "2 pictures in the one folder 'cats'"),
        (["Cats/1.jpg", "cats /2.jpg", "dogs/1.jpg"], "'Cats' and 'cats ', the same but for"),
    ],
)
def test_what_is_not_sorted_into_classes_has_a_sentence(names, sentence):
    with pytest.raises(LookbookError) as error:
        arrange(names)
    assert sentence in str(error.value)


def card(classes, **reader):
    return Card.model_validate(
        {
            "title": "",
            "licence": "",
            "homepage": "",
            "classes": classes,
            "files": [{"name": "a.zip", "bytes": 1, "sha256": "0" * 64}],
            "source": {"kind": "mirror", "folder": "ours"},
            "reader": {"kind": "images", "channels": 3} | reader,
        }
    )


def pack(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_several_archives_are_read_as_one(tmp_path, monkeypatch):
    pack(tmp_path / "b.zip", {"p/Dog/3.jpg": b"3", "p/Cat/4.jpg": b"44"})
    pack(tmp_path / "a.zip", {"p/Cat/1.jpg": b"1", "p/Cat/Thumbs.db": b"x", "p/Dog/2.jpg": b"2"})
    (tmp_path / "list.csv").write_text("not an archive")
    monkeypatch.setattr(images, "BATCH", 3)
    reading = images.read(card(["cat", "dog"]), tmp_path)
    assert reading.index["source"].tolist() == [
        "p/Cat/1.jpg",
        "p/Dog/2.jpg",
        "p/Dog/3.jpg",
        "p/Cat/4.jpg",
    ]
    assert reading.index["label"].tolist() == [0, 1, 1, 0]
    assert list(reading.batches) == [[b"1", b"2", b"3"], [b"44"]]
    assert reading.others == [("p/Cat/Thumbs.db", NOT_A_NAME)]


def test_nothing_vanishes(tmp_path, monkeypatch):
    content = {"cats/1.jpg": b"1", "dogs/2.jpg": b"22", "birds/3.jpg": b"3", "top.jpg": b""}
    pack(tmp_path / "a.zip", content)
    monkeypatch.setattr(images, "MAX_PICTURE_BYTES", 1)
    reading = images.read(card(["dogs", "cats"]), tmp_path)
    assert reading.others == [("birds/3.jpg", OTHER_CLASS), ("top.jpg", NO_CLASS)]
    assert reading.index["label"].tolist() == [1, 0]
    assert list(reading.batches) == [[b"1", Fault("file over 1 bytes")]]


def test_a_class_in_another_unicode_form_is_the_cards(tmp_path):
    composed, apart = (unicodedata.normalize(form, "L\u00f6wen") for form in ("NFC", "NFD"))
    assert composed != apart
    content = {f"{apart}/1.jpg": b"1", f"{composed}/2.jpg": b"2", "dogs/3.jpg": b"3"}
    pack(tmp_path / "a.zip", content)
    reading = images.read(card([composed, "dogs"]), tmp_path)
    assert reading.index["label"].tolist() == [0, 0, 1]
    assert reading.others == []


def test_folders_of_other_names_than_the_classes_have_a_sentence(tmp_path):
    pack(tmp_path / "a.zip", {"a/1.jpg": b"", "b/1.jpg": b""})
    with pytest.raises(LookbookError, match="called 'cat', 'dog'. Received: the folders 'a', 'b'"):
        images.read(card(["cat", "dog"]), tmp_path)


@pytest.mark.parametrize(
    ("sample", "card_classes", "counts"),
    [
        ("cats_vs_dogs", ["cat", "dog"], [2000, 2000]),
        (
            "flowers",
            ["dandelion", "daisy", "tulip", "sunflower", "rose"],
            [1052, 764, 984, 733, 784],
        ),
    ],
)
def test_the_samples_have_their_counts(mirror, tmp_path, sample, card_classes, counts):
    (tmp_path / "a.zip").symlink_to(mirror / f"samples/{sample}_sample.zip")
    index = images.read(card(card_classes), tmp_path).index
    assert np.bincount(index["label"]).tolist() == counts
