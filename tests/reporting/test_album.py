import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from lookbook.reporting.album import CELLS, Album, Cell


def noise(seed, side=8, channels=1):
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), np.uint8)


def sheets_of(album):
    addresses = re.findall(r"url\(data:image/\w+;base64,([^)]+)\)", album.style)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in addresses]


def test_a_picture_is_where_its_cell_says():
    album = Album()
    cells = [album.add(noise(seed)) for seed in range(CELLS**2 + 3)]
    assert cells[0] == Cell(0, 0, 0)
    assert cells[CELLS + 1] == Cell(0, 1, 1)
    assert cells[-1] == Cell(1, 2, 0)
    sheets = sheets_of(album)
    for seed in (0, 9, CELLS**2 - 1, CELLS**2 + 2):
        cell = cells[seed]
        top, left = 8 * cell.row, 8 * cell.column
        shown = sheets[cell.sheet][top : top + 8, left : left + 8]
        np.testing.assert_array_equal(shown, noise(seed)[..., 0])


def test_a_picture_is_stored_once():
    album = Album()
    assert album.add(noise(1)) == album.add(noise(1).copy())
    assert len(sheets_of(album)) == 1


def test_shapes_have_sheets_of_their_own():
    album = Album()
    assert [album.add(noise(1, channels=channels)).sheet for channels in (1, 3, 1)] == [0, 1, 0]


@pytest.mark.parametrize(("side", "kind", "shown"), [(64, "png", 64), (160, "jpeg", 128)])
def test_large_pictures_are_shrunk_to_jpeg_and_small_ones_keep_their_pixels(side, kind, shown):
    album = Album()
    album.add(noise(1, side, 3))
    assert f"data:image/{kind};" in album.style
    assert ("pixelated" in album.style) == (kind == "png")
    assert sheets_of(album)[0].shape == (CELLS * shown, CELLS * shown, 3)
