"""The reader of CSV tables of pixels."""

import zipfile

import numpy as np
import pytest

from lookbook.datasets.cards import Card
from lookbook.foundation.errors import LookbookError
from lookbook.readers import table

LETTERS = "ABCDEFGHIKLMNOPQRSTUVWXY"
LABELS = [label for label in range(25) if label != 9]
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (50, 16), dtype=np.uint8)
NUMBERS = RNG.choice(LABELS, 50)


def text(pixels=PIXELS, numbers=NUMBERS, end="\n"):
    header = ",".join(["label", *(f"pixel{i + 1}" for i in range(pixels.shape[1]))])
    rows = [",".join(map(str, [n, *row])) for n, row in zip(numbers, pixels, strict=True)]
    return end.join([header, *rows, ""])


def card(name="sign.zip", test="test.csv"):
    return Card.model_validate(
        {
            "title": "",
            "licence": "",
            "homepage": "",
            "classes": list(LETTERS),
            "files": [{"name": name, "bytes": 1, "sha256": "0" * 64}],
            "source": {"kind": "mirror", "folder": "ours"},
            "reader": {"kind": "csv", "train": "train.csv", "test": test, "labels": LABELS},
        }
    )


def read(folder, train, test=None):
    test = text(PIXELS[:5], NUMBERS[:5]) if test is None else test
    with zipfile.ZipFile(folder / "sign.zip", "w") as archive:
        for name, content in (("train.csv", train), ("test.csv", test)):
            archive.writestr(name, content)
            archive.writestr(f"{name[:-4]}/{name}", "the same again, not to be read")
    reading = table.read(card(), folder)
    return reading.index, np.concatenate(list(reading.batches))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_tables_are_read_once(tmp_path, monkeypatch, end):
    monkeypatch.setattr(table, "ROWS", 7)
    index, pixels = read(tmp_path, text(end=end))
    assert pixels.shape == (55, 4, 4, 1)
    np.testing.assert_array_equal(pixels[:50].reshape(50, 16), PIXELS)
    np.testing.assert_array_equal(pixels[50:].reshape(5, 16), PIXELS[:5])
    assert index["published"].tolist() == ["train"] * 50 + ["test"] * 5
    assert [LABELS[label] for label in index["label"][:50]] == NUMBERS.tolist()
    assert index["source"].iloc[[3, 51]].tolist() == ["train.csv:3", "test.csv:1"]


def test_a_table_by_itself_has_no_published_split(tmp_path):
    (tmp_path / "train.csv").write_text(text())
    reading = table.read(card("train.csv", test=None), tmp_path)
    assert set(reading.index["published"]) == {""}
    assert sum(map(len, reading.batches)) == 50


def changed(line, column, value):
    lines = text().split("\n")
    cells = lines[line - 1].split(",")
    cells[column - 1] = value
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        (changed(1, 1, "class"), "the column `label` in train.csv, line 1, column 1. Received: 'c"),
        (changed(1, 4, "pixel9"), "the column `pixel3` in train.csv, line 1, column 4"),
        (changed(3, 1, "9"), "in train.csv, line 3, column 1. Received: 9."),
        (changed(3, 1, "x"), "a whole number in train.csv, line 3, column 1. Received: 'x'"),
        (changed(3, 1, ""), "a whole number in train.csv, line 3, column 1. Received: nothing"),
        (changed(40, 5, "256"), "a number of 0-255 in train.csv, line 40, column 5. Received: 256"),
        (changed(40, 5, "-1"), "a number of 0-255 in train.csv, line 40, column 5. Received: -1"),
        (changed(40, 5, "1.5"), "a whole number in train.csv, line 40, column 5. Received: 1.5"),
        (changed(40, 5, "red"), "a whole number in train.csv, line 40, column 5. Received: 'red'"),
        (changed(40, 5, ""), "a whole number in train.csv, line 40, column 5. Received: nothing"),
        (changed(40, 5, "inf"), "a whole number in train.csv, line 40, column 5. Received: inf"),
        (changed(9, 17, "1,2"), "17 fields in line 9, saw 18"),
        (text()[:-30] + "\n", "a whole number in train.csv, line 51, column"),
        (text(PIXELS[:, :15]), "a square number of pixel columns in train.csv, line 1, column 16"),
        (text().replace("\n", ",7\n").replace("pixel16,7", "pixel16"), "as many values in each"),
        (text().split("\n")[0] + "\n", "pictures below the header in train.csv"),
        ("", "No columns to parse from file"),
        ("\x00\x01\x02", "the column `label` in train.csv"),
    ],
)
def test_the_first_fault_is_named_by_file_line_and_column(tmp_path, monkeypatch, train, sentence):
    monkeypatch.setattr(table, "ROWS", 7)
    with pytest.raises(LookbookError) as error:
        read(tmp_path, train)
    assert sentence in str(error.value)


def test_a_damaged_zip_has_a_sentence(tmp_path):
    read(tmp_path, text())
    path = tmp_path / "sign.zip"
    content = path.read_bytes()
    assert content.count(b"pixel1,") == 2
    path.write_bytes(content.replace(b"pixel1,", b"pixel1;"))
    with pytest.raises(LookbookError, match="Expected sign.zip to be a whole archive"):
        reading = table.read(card(), tmp_path)
        list(reading.batches)


def test_the_letters_sample(mirror, tmp_path):
    (tmp_path / "sign.zip").symlink_to(mirror / "samples/sign_letters_sample.zip")
    letters = card()
    names = {"train": "sign_mnist_train.csv", "test": "sign_mnist_test.csv"}
    reader = letters.reader.model_copy(update=names)
    reading = table.read(letters.model_copy(update={"reader": reader}), tmp_path)
    counts = np.bincount(reading.index["label"])
    assert len(reading.index) == 27455 + 6000
    assert len(counts) == 24
    assert counts.min() >= 1393
    assert next(reading.batches).shape[1:] == (28, 28, 1)
