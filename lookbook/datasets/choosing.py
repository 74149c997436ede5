"""What `auto` means: chosen from the data and their card alone, with the reason in words.

Nothing else has a say, neither a network nor the machine, so that a set means the same everywhere.
"""

from collections.abc import Sequence

import numpy as np

from lookbook.foundation.classes import are_unequal
from lookbook.foundation.schema import Choice

SIDES = (28, 32, 48, 64, 96, 128, 160)  # pixels, of photos
SMALLEST_TABLE = 28  # pixels: what the networks are made for
SMALL_GREY = 48  # pixels: below this, grey pictures are drawings and scans rather than photos


def choose(
    shorter: Sequence[int] | np.ndarray, channels: int, counts: dict[str, int], *, is_table: bool
) -> dict[str, Choice]:
    """Return what `auto` means for a data set.

    Args:
        shorter: The shorter side of each picture as published, in pixels; of some are enough.
        channels: 1 for grey, 3 for colour.
        counts: Pictures of each class.
        is_table: Whether pictures come from a table of pixels, all of one size.
    """
    size = _image_size(np.asarray(shorter), is_table)
    return {
        "image_size": size,
        "base": _base(int(size.value), channels),
        "class_weights": _class_weights(counts),
    }


def _image_size(shorter: np.ndarray, is_table: bool) -> Choice:
    if not len(shorter):
        return Choice(SMALLEST_TABLE, "no picture could be read")
    middle = int(np.median(shorter))
    if is_table:
        if middle < SMALLEST_TABLE:
            reason = f"the table's {middle} pixels are fewer than networks need"
            return Choice(SMALLEST_TABLE, reason)
        return Choice(middle, "as the table has them")
    side = max((side for side in SIDES if side <= middle), default=SIDES[0])
    if middle < side:
        reason = (
            f"the least; half of the photos have {middle} pixels or fewer on their shorter side"
        )
    else:
        reason = f"half of the photos have at least {middle} pixels on their shorter side"
        reason += "; more is not needed" if side == SIDES[-1] and middle > side else ""
    return Choice(side, reason)


def _base(image_size: int, channels: int) -> Choice:
    if channels == 1 and image_size < SMALL_GREY:
        return Choice("fashion_mnist_cnn", f"grey pictures of {image_size} pixels")
    kind = "colour" if channels == 3 else "grey"
    return Choice("photos", f"{kind} pictures of {image_size} pixels")


def _class_weights(counts: dict[str, int]) -> Choice:
    rarest, largest = (by(counts, key=lambda name: counts[name]) for by in (min, max))
    ratio = counts[largest] / max(1, counts[rarest])
    reason = f"the largest class, {largest}, has {ratio:.1f} times the pictures of the smallest, "
    value = "balanced" if are_unequal(counts.values()) else "none"
    return Choice(value, reason + rarest)
