import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.pictures.likeness import GRID, NEAR_THRESHOLD
from lookbook.pictures.near import nearest
from lookbook.preprocessing.audit import audit
from lookbook.preprocessing.twins import exact_groups, twins_in_test
from lookbook.splits.spec import TEST, TRAIN, VALIDATION

SIZE = 96


def photo(seed):
    """A picture with the soft shapes of a photograph, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 170, (9, 9, 3), dtype=np.uint8)
    fine = rng.integers(-12, 13, (192, 192, 3))
    large = np.asarray(Image.fromarray(coarse).resize((192, 192), Image.Resampling.BICUBIC))
    return Image.fromarray((large + fine).clip(0, 255).astype(np.uint8))


def recoded(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


CHANGES = {
    "the same": lambda picture: picture,
    "JPEG at 30": lambda picture: recoded(picture, 30),
    "JPEG at 75": lambda picture: recoded(picture, 75),
    "half the size": lambda picture: picture.resize((96, 96), Image.Resampling.BICUBIC),
    "twice the size": lambda picture: picture.resize((384, 384), Image.Resampling.BILINEAR),
    "other shape": lambda picture: picture.resize((160, 120), Image.Resampling.BILINEAR),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.3),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.6),
    "less contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
    "grey": lambda picture: picture.convert("L"),
}
STRANGERS = {
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda picture: picture.rotate(90),
    "the middle": lambda picture: picture.crop((48, 48, 144, 144)),
}


def grids(pictures):
    return process([np.asarray(p.convert("RGB")) for p in pictures], Form(SIZE, 3, "stretch")).grids


BASE = grids([photo(seed) for seed in range(60)])


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_found(change):
    similarity, found = nearest(grids([change(photo(seed)) for seed in range(60)]), BASE)
    assert found.tolist() == list(range(60))
    assert similarity.min() >= NEAR_THRESHOLD


@pytest.mark.parametrize("change", STRANGERS.values(), ids=STRANGERS)
def test_what_the_measure_does_not_see_is_as_documented(change):
    similarity, found = nearest(grids([change(photo(seed)) for seed in range(60)]), BASE)
    assert (found == -1).all()
    assert (similarity == 0).all()


def test_other_pictures_are_strangers():
    assert (nearest(grids([photo(seed) for seed in range(100, 160)]), BASE)[1] == -1).all()


def test_the_similarity_is_the_cosine_of_the_steps():
    query = grids([CHANGES["JPEG at 30"](photo(7))])
    similarity, found = nearest(query, BASE)

    def steps(grid):
        grid = grid.astype(float)
        return np.concatenate([np.diff(grid, axis=0).ravel(), np.diff(grid, axis=1).ravel()])

    a, b = steps(query[0]), steps(BASE[7])
    expected = a @ b / np.sqrt((a @ a) * (b @ b))
    assert found.tolist() == [7]
    assert similarity[0] == pytest.approx(expected, abs=1e-12)


def test_of_equal_copies_the_first_is_named_and_blank_pictures_are_like_none():
    twice = np.concatenate([BASE[5:6], BASE[:3], BASE[5:6]])
    assert nearest(BASE[5:6], twice)[1].tolist() == [0]
    blank = np.full((4, GRID, GRID), 200, np.uint8)
    assert nearest(blank, blank)[1].tolist() == [-1] * 4
    assert nearest(BASE[:0], BASE)[1].tolist() == []
    assert nearest(BASE, BASE[:0])[1].tolist() == [-1] * 60


class Memory:
    """Pictures in place of a split on disk."""

    def __init__(self, images):
        self.images = images

    def read(self, indices):
        return self.images[indices]


def table(splits, labels):
    count = len(splits)
    return pd.DataFrame(
        {
            "id": [f"{i:016x}" for i in range(count)],
            "source": [f"{i}.jpg" for i in range(count)],
            "label": labels,
            "split": splits,
            "width": [10 * (1 + i % 3) for i in range(count)],
            "height": 20,
        }
    )


@pytest.fixture
def small():
    """Eight pictures: 0 = 4 (test, other class), 1 = 2 = 6, 7 near 3, 5 blank."""
    pictures = [photo(seed) for seed in (0, 1, 1, 2, 0, 3, 1, 2)]
    pictures[7] = recoded(pictures[7], 60)
    pictures[5] = Image.new("RGB", (50, 50), (90, 90, 90))
    done = process([np.asarray(p.convert("RGB")) for p in pictures], Form(SIZE, 3, "stretch"))
    splits = np.array([TRAIN, TRAIN, TRAIN, TRAIN, TEST, TRAIN, VALIDATION, TEST])
    index = table(splits, [0, 1, 1, 0, 1, 0, 1, 0])
    images = np.stack(done.pixels)
    stores = [Memory(images[splits == split]) for split in (TRAIN, VALIDATION, TEST)]
    return index, done.grids, exact_groups(index, done.grids, stores)


def test_groups_hold_what_is_the_same(small):
    _, _, groups = small
    assert groups[0] == groups[4] != -1
    assert groups[1] == groups[2] == groups[6] != -1
    assert groups[[3, 5, 7]].tolist() == [-1] * 3


def test_the_same_likeness_is_not_yet_the_same_picture():
    pixels = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pixels[1, 0, 0] = 1
    alike = np.zeros((2, GRID, GRID), np.uint8)
    index = table(np.array([TRAIN, TRAIN]), [0, 0])
    assert exact_groups(index, alike, [Memory(pixels)] * 3).tolist() == [-1, -1]


def test_twins_in_test(small):
    assert twins_in_test(*small, "none").tolist() == []
    assert twins_in_test(*small, "exact").tolist() == [0]
    assert twins_in_test(*small, "near").tolist() == [0, 3]


def test_the_audit_counts_and_lists(small):
    figures, tables = audit(*small, ["cat", "dog"])
    assert figures["pictures"] == {"train": 5, "validation": 1, "test": 2}
    assert figures["classes"]["train"] == {"cat": 3, "dog": 2}
    assert figures["imbalance"] == 1.0
    assert figures["duplicates"] == {
        "train": 2,
        "validation": 0,
        "test": 0,
        "train_validation": 1,
        "train_test": 1,
        "validation_test": 0,
        "conflicting_labels": 2,
    }
    near = figures["near_duplicates"]
    assert near["threshold"] == NEAR_THRESHOLD
    assert near["train_validation"] == {"pictures": 1, "share": 1.0}
    assert near["train_test"] == {"pictures": 2, "share": 1.0}
    assert near["validation_test"] == {"pictures": 0, "share": 0.0}
    assert figures["near_blank"] == 1
    assert figures["sizes"]["different"] == 3
    assert figures["sizes"]["width_median"] == 20
    duplicates = tables["duplicates"]
    assert sorted(duplicates["source"]) == ["0.jpg", "1.jpg", "2.jpg", "4.jpg", "6.jpg"]
    assert set(duplicates.loc[duplicates["group"] == duplicates["group"].iloc[0], "class"]) == {
        "cat",
        "dog",
    }
    pair = tables["near_duplicates"].set_index("source").loc["7.jpg"]
    assert pair["twin_source"] == "3.jpg"
    assert pair["twin_split"] == "train"
    assert NEAR_THRESHOLD <= pair["similarity"] < 1
    assert tables["near_blank"]["source"].tolist() == ["5.jpg"]
    assert tables["sizes"]["pictures"].sum() == 8
