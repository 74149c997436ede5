import gzip

import numpy as np
import pytest
from support import write_idx

from lookbook.datasets.cards import load_card
from lookbook.foundation.errors import LookbookError
from lookbook.readers import read_pictures

LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)
IMAGES = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"


@pytest.fixture
def idx_folder(project, tmp_path):
    """The four files of an IDX set: six pictures in each split."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for prefix in ("train", "t10k"):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", IMAGES)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", LABELS)
    return folder


def read(folder):
    reading = read_pictures(load_card("mnist"), folder)
    return reading.index, np.concatenate(list(reading.batches))


def test_idx_pictures_keep_order_values_and_split(idx_folder):
    index, pixels = read(idx_folder)
    assert index["published"].tolist() == ["train"] * 6 + ["test"] * 6
    assert index["label"].tolist() == LABELS.tolist() * 2
    assert index["source"].iloc[2] == f"{TRAIN_IMAGES}:2"
    assert pixels.shape == (12, 4, 3, 1)
    np.testing.assert_array_equal(pixels[2, ..., 0], IMAGES[2])


def test_idx_files_may_serve_two_splits(idx_folder):
    card = load_card("mnist")
    both = card.reader.model_copy(update={"test": card.reader.train})
    reading = read_pictures(card.model_copy(update={"reader": both}), idx_folder)
    assert sum(map(len, reading.batches)) == len(reading.index) == 12


def test_idx_reads_in_blocks(idx_folder, monkeypatch):
    _, whole = read(idx_folder)
    monkeypatch.setattr("lookbook.readers.idx.BLOCK", 4)
    np.testing.assert_array_equal(read(idx_folder)[1], whole)


def damage(change):
    """A function that rewrites a file's unpacked bytes by `change`."""

    def apply(path):
        path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))

    return apply


@pytest.mark.parametrize(
    ("name", "fault", "sentence"),
    [
        (
            TRAIN_IMAGES,
            lambda path: write_idx(path, IMAGES, magic=0x0D03),
            "Expected the IDX magic number 0x00000803 in train-images-idx3-ubyte.gz. Received: "
            "0x00000d03.",
        ),
        (TRAIN_IMAGES, lambda path: write_idx(path, LABELS), "Received: 0x00000801."),
        (TRAIN_IMAGES, lambda path: write_idx(path, IMAGES[:5]), "6 pictures, one a label"),
        (TRAIN_IMAGES, lambda path: write_idx(path, IMAGES[:, :0]), "Received: the shape (6, 0"),
        (
            TRAIN_IMAGES,
            damage(lambda raw: raw[:8] + b"\xff" * 8),
            "Received: the shape (6, 4294967295, 4294967295)",
        ),
        (
            TRAIN_LABELS,
            damage(lambda raw: raw[:4] + b"\xff" * 4 + raw[8:]),
            "Expected at most 5,000,000 entries of 67,108,864 values",
        ),
        (TRAIN_LABELS, lambda path: write_idx(path, LABELS + 1), "Received: a label 10."),
        (TRAIN_LABELS, lambda path: write_idx(path, LABELS[:0]), "no dimension of size 0"),
        (
            TRAIN_IMAGES,
            damage(lambda raw: raw[:-5]),
            "6 entries in train-images-idx3-ubyte.gz. Rec",
        ),
        (TRAIN_IMAGES, damage(lambda raw: raw + b"0"), "the file to end after 6 entries"),
        (TRAIN_IMAGES, damage(lambda raw: raw[:9]), "a header of 16 bytes"),
        (TRAIN_IMAGES, damage(lambda raw: b""), "Received: 0x."),
        (TRAIN_IMAGES, lambda path: path.write_bytes(b"GIF89a"), "a whole gzip file"),
        (
            TRAIN_IMAGES,
            lambda path: path.write_bytes(path.read_bytes()[:-12]),
            "a whole gzip file",
        ),
        (TRAIN_IMAGES, lambda path: path.unlink(), "Received: no such file"),
    ],
)
def test_each_fault_of_an_idx_file_has_a_sentence(idx_folder, name, fault, sentence):
    fault(idx_folder / name)
    with pytest.raises(LookbookError) as error:
        read(idx_folder)
    assert sentence in str(error.value)
    assert name in str(error.value)


def test_digits_are_those_of_scikit_learn(processed):
    from sklearn.datasets import load_digits

    published = load_digits()
    reading = read_pictures(load_card("digits"), processed.parent / "raw")
    assert reading.index["label"].tolist() == published.target.tolist()
    pixels = np.concatenate(list(reading.batches))[..., 0]
    np.testing.assert_allclose(pixels, published.images * 255 / 16, atol=0.5)
    assert pixels.dtype == np.uint8
    assert pixels.max() == 255


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("0,1\n", "Expected digits.csv.gz to hold 64 values of 0-16 a row. Received: 1 values"),
        ("1\n", "Expected digits.csv.gz to hold 64 values of 0-16 a row. Received: 0 values."),
        (",".join(["17"] * 64 + ["1"]), "values of 17-17"),
        (",".join(["1"] * 64 + ["10"]), "Expected labels of 0-9"),
        ("one,two", "Expected digits.csv.gz to hold rows of whole numbers"),
        ("", "Expected digits.csv.gz to hold rows of whole numbers. Received: no rows"),
        ("9" * 30, "Expected digits.csv.gz to hold rows of whole numbers"),
    ],
)
def test_each_fault_of_the_digits_has_a_sentence(project, tmp_path, rows, sentence):
    (tmp_path / "digits.csv.gz").write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(LookbookError) as error:
        read_pictures(load_card("digits"), tmp_path)
    assert sentence in str(error.value)


def test_digits_whose_stream_is_damaged_have_a_sentence(project, tmp_path):
    whole = gzip.compress(b"1,2\n" * 9000)
    for place in range(10, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 255
        (tmp_path / "digits.csv.gz").write_bytes(damaged)
        with pytest.raises(LookbookError, match="Expected digits.csv.gz to hold rows of whole"):
            read_pictures(load_card("digits"), tmp_path)
