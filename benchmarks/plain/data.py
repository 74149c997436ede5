"""The pictures for the plain scripts: the splits that the pipeline made, as plain arrays."""

from pathlib import Path

import numpy as np


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 pictures of shape (n, height, width, channels) and int32 labels."""
    folder = Path("data/processed", split)
    return tuple(
        np.concatenate([np.load(path) for path in sorted(folder.glob(f"{kind}-*.npy"))])
        for kind in ("images", "labels")
    )
