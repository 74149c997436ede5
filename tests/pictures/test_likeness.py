"""A small grey likeness of a picture."""

import numpy as np

from lookbook.pictures.likeness import GRID, likeness


def test_a_likeness_is_the_mean_brightness_of_cells():
    cells = np.random.default_rng(0).integers(0, 256, (GRID, GRID), dtype=np.uint8)
    np.testing.assert_array_equal(likeness(cells), cells)
    np.testing.assert_array_equal(likeness(np.kron(cells, np.ones((3, 3), np.uint8))), cells)
