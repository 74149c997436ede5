"""Random changes to training pictures: one affine transform of each, then random erasing."""

from dataclasses import dataclass

import cv2
import numpy as np

from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.params import AugmentationParams
from lookbook.splits.spec import Spec

BYTES_AT_ONCE = 2**19  # of pictures that a thread takes
# Of random erasing (Zhong et al., arXiv 1708.04896), as its authors chose them.
ERASED = 0.5  # share of the pictures
LEAST_ERASED = 0.02  # share of such a picture
STRETCHED = 10 / 3  # a rectangle's longer side, in its shorter ones, at most


@dataclass(frozen=True)
class Augmentation:
    """Random mirroring, rotation, zoom and shift, folded into one transform; random erasing.

    Attributes:
        rotation: Largest angle either way, in degrees.
        zoom: Largest change of size, as a share of it.
        shift: Largest move along each side, as a share of it.
        flip: Whether half of the pictures are mirrored left to right.
        erase: Largest share of a picture that noise covers, as a rectangle, in half of them.
    """

    rotation: float
    zoom: float
    shift: float
    flip: bool = False
    erase: float = 0.0

    def __bool__(self) -> bool:
        return any((self.rotation, self.zoom, self.shift, self.flip, self.erase))

    @classmethod
    def of(cls, settings: AugmentationParams, spec: Spec) -> "Augmentation":
        """Return what the parameters ask for, and where they do not say, what the data allow."""
        flip = spec.flips if settings.flip == "auto" else settings.flip
        return cls(settings.rotation, settings.zoom, settings.shift, flip, settings.erase)

    def draw(self, rng: np.random.Generator, count: int, height: int, width: int) -> np.ndarray:
        """Draw a transform for each of `count` pictures.

        It says where an output pixel comes from: the one at column x and row y is read at
        (a0 x + a1 y + a2, b0 x + b1 y + b2), as `cv2.warpAffine` takes it. Rotation and zoom are
        about the picture's centre.

        Returns:
            float32 of shape (count, 2, 3): rows (a0, a1, a2) and (b0, b1, b2).
        """
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, count))
        zoom = rng.uniform(1 - self.zoom, 1 + self.zoom, count)
        move_x = rng.uniform(-self.shift, self.shift, count) * width
        move_y = rng.uniform(-self.shift, self.shift, count) * height
        cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
        x, y = (width - 1) / 2, (height - 1) / 2
        transforms = np.empty((count, 2, 3), np.float32)
        transforms[:, 0, 0], transforms[:, 0, 1] = cos, -sin
        transforms[:, 0, 2] = x - cos * (x + move_x) + sin * (y + move_y)
        transforms[:, 1, 0], transforms[:, 1, 1] = sin, cos
        transforms[:, 1, 2] = y - sin * (x + move_x) - cos * (y + move_y)
        if self.flip:  # of the output: column c shows what width - 1 - c showed
            flipped = rng.random(count) < 0.5
            transforms[flipped, :, 2] += transforms[flipped, :, 0] * (width - 1)
            transforms[flipped, :, 0] *= -1
        return transforms

    def apply(self, rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
        """Return uint8 pictures (n, height, width, channels), each changed in its own way."""
        changed = transformed(images, self.draw(rng, len(images), *images.shape[1:3]))
        if self.erase:
            cover(rng, changed, self.erase)
        return changed


def transformed(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Transform pictures on all cores; what comes from outside repeats the nearest edge.

    On photos OpenCV needs a sixth of the time of TensorFlow's `ImageProjectiveTransformV3`, on
    small grey pictures half.

    Args:
        images: uint8 of shape (n, height, width, channels).
        transforms: float32 of shape (n, 2, 3), see `Augmentation.draw`.

    Returns:
        uint8 of the shape of `images`, interpolated bilinearly.
    """
    height, width = images.shape[1:3]
    result = np.empty_like(images)

    def transform(start: int) -> None:
        rows = slice(start, start + at_once)
        for image, matrix, target in zip(images[rows], transforms[rows], result[rows], strict=True):
            cv2.warpAffine(
                image,
                matrix,
                (width, height),
                dst=target,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )

    # OpenCV itself shares out the rows of a picture, but not of one below 65,536 pixels.
    at_once = max(1, BYTES_AT_ONCE // images[:1].nbytes) if len(images) else 1
    for _ in in_parallel(transform, range(0, len(images), at_once)):
        pass
    return result


def cover(rng: np.random.Generator, images: np.ndarray, most: float) -> None:
    """Cover a rectangle of some of the pictures with noise, in place.

    Args:
        rng: Draws which, where and how large it is, and the noise.
        images: uint8 of shape (n, height, width, channels).
        most: Largest share of a picture that is covered.
    """
    count, height, width, _ = images.shape
    areas = rng.uniform(min(LEAST_ERASED, most), most, count) * (rng.random(count) < ERASED)
    upright = np.exp(rng.uniform(-1, 1, count) * np.log(STRETCHED))
    rows = _stretch(rng, np.sqrt(areas * upright), height)
    columns = _stretch(rng, np.sqrt(areas / upright), width)
    inside = rows[:, :, np.newaxis, np.newaxis] & columns[:, np.newaxis, :, np.newaxis]
    np.copyto(images, rng.integers(0, 256, images.shape, np.uint8), where=inside)


def _stretch(rng: np.random.Generator, shares: np.ndarray, side: int) -> np.ndarray:
    """Return which pixels of a side a stretch of it covers, somewhere: bool (n, side)."""
    lengths = np.minimum(np.floor(shares * side), side)
    first = np.floor(rng.random(len(shares)) * (side - lengths + 1))[:, np.newaxis]
    pixels = np.arange(side)
    return (first <= pixels) & (pixels < first + lengths[:, np.newaxis])
