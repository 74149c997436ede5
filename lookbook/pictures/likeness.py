"""A small grey likeness of a picture, by which copies of it are found."""

import cv2
import numpy as np

GRID = 16  # cells a side


def likeness(picture: np.ndarray) -> np.ndarray:
    """Return the likeness of a square picture: brightness, averaged over equal cells.

    Args:
        picture: uint8 of shape (side, side) or (side, side, 3).

    Returns:
        uint8 of shape (GRID, GRID).
    """
    side = max(1, len(picture) // GRID) * GRID
    if side != len(picture):
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)
    # Cells of whole pixels: here area averaging is exact too.
    cells = cv2.resize(picture, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return cells if cells.ndim == 2 else cv2.cvtColor(cells, cv2.COLOR_RGB2GRAY)
