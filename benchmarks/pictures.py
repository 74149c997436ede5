"""Pictures in memory, as `lookbook.training.batches` wants them."""

import numpy as np


class Pictures:
    """Pictures and their classes, by index."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray):
        self.pixels, self.labels = pixels, labels

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices: np.ndarray) -> np.ndarray:
        return self.pixels[indices]

    def targets(self, indices: np.ndarray) -> np.ndarray:
        return self.labels[indices]
