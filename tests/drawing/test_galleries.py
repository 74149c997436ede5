import base64
import io

import numpy as np
import pytest
from PIL import Image

from lookbook.drawing.galleries import COLUMNS, GAP, LINE, SIDE, Tile, draw_gallery, samples, short
from lookbook.splits.spec import Scaling, Spec
from lookbook.splits.split import Split
from lookbook.splits.writing import SplitWriter


@pytest.fixture
def split(tmp_path):
    """A function that returns a split of pictures of one shade each."""

    def make(labels, channels=3):
        writer = SplitWriter(tmp_path / "train", (8, 8, channels))
        for i, label in enumerate(labels):
            pixels = np.full((8, 8, channels), 40 + 5 * i, np.uint8)
            writer.append([pixels], [(f"{i:016x}", str(i), label)])
        writer.finish()
        scaling = Scaling("none", [1.0] * channels, [0.0] * channels)
        spec = Spec(["hats", "b"], (8, 8, channels), scaling, False, {"train": len(labels)}, {})
        return Split("train", tmp_path, spec)

    return make


def tile(shade, words=("a",), side=8, channels=1):
    return Tile(np.full((side, side, channels), shade, np.uint8), words)


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_the_pictures_of_each_class_in_turn(split, channels):
    shown = samples(split([0] * 4 + [1], channels), 4)
    assert [sample.words for sample in shown] == [["hats"], ["b"], ["hats"], ["hats"]]
    assert [sample.pixels[0, 0, 0] for sample in shown] == [40, 60, 45, 50]


def test_a_gallery_shows_its_tiles_in_reading_order(tmp_path):
    shades = range(100, 100 + COLUMNS + 1)
    draw_gallery(tmp_path / "a.png", [tile(shade) for shade in shades])
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    middle = GAP + SIDE // 2
    width, height = SIDE + GAP, SIDE + GAP + LINE
    assert [picture[middle, middle + width * place, 0] for place in range(COLUMNS)] == list(shades)[
        :COLUMNS
    ]
    assert picture[middle + height, middle, 0] == shades[-1]
    below = picture[GAP + SIDE : GAP + SIDE + LINE, GAP : GAP + SIDE]
    assert below.min() < 100, "there are no words below"


def test_a_gallery_is_the_same_bytes_for_the_same_tiles_and_never_empty(tmp_path):
    for name in ("a", "b"):
        draw_gallery(tmp_path / f"{name}.png", [tile(9), tile(200, side=300, channels=3)])
        draw_gallery(tmp_path / f"{name}0.png", [], "no mistakes")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert np.asarray(Image.open(tmp_path / "a0.png")).min() < 100


@pytest.mark.parametrize(("side", "kind"), [(8, "png"), (64, "png"), (65, "jpeg"), (500, "jpeg")])
def test_a_tile_carries_its_picture(side, kind):
    address = tile(77, side=side, channels=3).address
    start, content = address.split(",")
    assert start == f"data:image/{kind};base64"
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert max(image.size) == min(side, SIDE)
    assert abs(int(np.asarray(image)[0, 0, 0]) - 77) <= 2


def test_long_names_are_cut():
    assert short("red hats and other hats") == "red hats and other …"
    assert short("hats") == "hats"
