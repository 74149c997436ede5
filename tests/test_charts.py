import numpy as np
import pytest
from PIL import Image

from lookbook.charts import draw_class_counts, draw_samples
from lookbook.splits import Scaling, Spec, Split, SplitWriter


@pytest.fixture
def split(tmp_path):
    """A function that returns a split of pictures of one colour each."""

    def make(labels, channels=3, names=("red hats and other hats", "b")):
        writer = SplitWriter(tmp_path / "train", (8, 8, channels))
        for i, label in enumerate(labels):
            pixels = np.full((8, 8, channels), 40 + 5 * i, np.uint8)
            writer.append([pixels], [(f"{i:016x}", str(i), label)])
        writer.finish()
        scaling = Scaling("none", [1.0] * channels, [0.0] * channels)
        spec = Spec(list(names), (8, 8, channels), scaling, False, {"train": len(labels)}, {})
        return Split("train", tmp_path, spec)

    return make


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_show_the_pictures_of_each_class_in_turn(split, tmp_path, channels):
    draw_samples(tmp_path / "samples.png", split([0] * 30 + [1] * 4, channels))
    picture = np.asarray(Image.open(tmp_path / "samples.png").convert("RGB"))
    # The first two tiles are the first picture of each class: 40 and 40 + 5 * 30.
    tiles = [picture[80, place].tolist() for place in (60, 180)]
    assert tiles == [[40] * 3, [190] * 3]


def test_charts_are_the_same_bytes_for_the_same_content(split, tmp_path):
    pictures = split([0, 1, 1])
    for name in ("a.png", "b.png"):
        draw_samples(tmp_path / name, pictures)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    counts = {"train": {"cat": 3, "dog": 9}, "test": {"cat": 1, "dog": 0}}
    for name in ("c.png", "d.png"):
        draw_class_counts(tmp_path / name, counts)
    assert (tmp_path / "c.png").read_bytes() == (tmp_path / "d.png").read_bytes()


def test_bars_are_as_long_as_the_counts(tmp_path):
    counts = {"train": {"cat": 300, "dog": 100}, "test": {"cat": 100, "dog": 0}}
    draw_class_counts(tmp_path / "counts.png", counts)
    picture = np.asarray(Image.open(tmp_path / "counts.png").convert("RGB")).astype(int)
    rows = picture[60:]  # below the legend
    blue = (np.abs(rows - [0x44, 0x77, 0xAA]).sum(axis=2) < 30).sum(axis=1)
    lengths = sorted({length for length in blue.tolist() if length > 20})
    assert lengths[-1] / lengths[0] == pytest.approx(3, abs=0.05)
