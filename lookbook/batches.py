"""Batches for Keras: shuffled, gathered by index, and augmented, ahead of the model."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import tensorflow as tf

from lookbook.params import AugmentationParams
from lookbook.splits import Spec, index_blocks

CHUNK_BATCHES = 128  # at most; fewer where they would hold more than CHUNK_BYTES
CHUNK_BYTES = 8 * 2**20  # of inputs as they are stored


class Source(Protocol):
    """What batches are made from: a `lookbook.splits.Split`, or features of one."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs of these examples."""

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return their class indices or one-hot rows."""

    def fingerprint(self) -> str:
        """Return a hash of all of it."""


@dataclass(frozen=True)
class Augmentation:
    """Random mirroring, rotation, zoom and shift, folded into one affine transform.

    Attributes:
        rotation: Largest angle either way, in degrees.
        zoom: Largest change of size, as a share of it.
        shift: Largest move along each side, as a share of it.
        flip: Whether half of the pictures are mirrored left to right.
    """

    rotation: float
    zoom: float
    shift: float
    flip: bool = False

    def __bool__(self) -> bool:
        return any((self.rotation, self.zoom, self.shift, self.flip))

    @classmethod
    def of(cls, settings: AugmentationParams, spec: Spec) -> "Augmentation":
        """Return what the parameters ask for and the data set allows."""
        return cls(
            settings.rotation, settings.zoom, settings.shift, flip=settings.flip and spec.flips
        )

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
        """Return uint8 pictures (n, height, width, channels), each transformed in its own way."""
        return transformed(images, self.draw(rng, len(images), *images.shape[1:3]))


def transformed(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Transform pictures; what comes from outside repeats the nearest edge.

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
    for image, transform, target in zip(images, transforms, result, strict=True):
        cv2.warpAffine(
            image,
            transform,
            (width, height),
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return result


def evaluation_batches(source: Source) -> tf.data.Dataset:
    """Return (inputs, targets) of all examples in order, as many at once as fit."""
    blocks = index_blocks(len(source), source.images(np.arange(1)).nbytes)
    if len(blocks) == 1:  # without a thread: an epoch of a few hundred pictures takes a third less
        whole = (source.images(blocks[0]), source.targets(blocks[0]))
        return _untuned(tf.data.Dataset.from_tensors(whole))

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for indices in blocks:
            yield source.images(indices), source.targets(indices)

    return _dataset(source, parts, len(blocks))


def training_chunks(
    source: Source,
    *,
    batch_size: int,
    seed: int,
    augmentation: Augmentation | None = None,
    first_epoch: int = 0,
    max_batches: int | None = None,
) -> tuple[tf.data.Dataset, int]:
    """Return training examples, epoch after epoch without end.

    The order is a permutation of the whole source, another one in each epoch. An element is not a
    batch but a chunk of several, see `chunk_batches`: with one of 32 small pictures at a time,
    passing them from hand to hand would cost more than the training step. The first chunk of an
    epoch is made ready while the epoch before is validated.

    Args:
        source: Where inputs and targets come from.
        batch_size: Examples a batch.
        seed: Of the order and the augmentation.
        augmentation: None leaves the inputs as they are.
        first_epoch: The epoch to begin with, where a training goes on.
        max_batches: Batches a chunk, at most; by default as many as are good for speed.

    Returns:
        (inputs, targets), with as many examples as `chunk_batches` batches; the last chunk of an
        epoch, and its last batch, may be smaller. And how many chunks make an epoch.
    """
    chunk_size = batch_size * min(chunk_batches(source, batch_size), max_batches or CHUNK_BATCHES)

    def parts() -> Iterator[tuple[np.ndarray, ...]]:
        for epoch in itertools.count(first_epoch):
            rng = np.random.default_rng([seed, epoch])
            order = rng.permutation(len(source))
            for start in range(0, len(order), chunk_size):
                indices = order[start : start + chunk_size]
                images = source.images(indices)
                if augmentation:
                    images = augmentation.apply(rng, images)
                yield images, source.targets(indices)

    return _dataset(source, parts, tf.data.INFINITE_CARDINALITY), -(-len(source) // chunk_size)


def chunk_batches(source: Source, batch_size: int) -> int:
    """Return how many batches a chunk of this source holds."""
    batch_bytes = batch_size * source.images(np.arange(1)).nbytes
    return max(1, min(CHUNK_BATCHES, CHUNK_BYTES // batch_bytes))


def _dataset(
    source: Source,
    parts: Callable[[], Iterator[tuple[np.ndarray, ...]]],
    cardinality: int,
) -> tf.data.Dataset:
    first = np.arange(1)
    signature = tuple(
        tf.TensorSpec([None, *example.shape[1:]], example.dtype)
        for example in (source.images(first), source.targets(first))
    )
    dataset = tf.data.Dataset.from_generator(parts, output_signature=signature)
    return _untuned(dataset.apply(tf.data.experimental.assert_cardinality(cardinality)).prefetch(2))


def _untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset without a thread that tunes it.

    At the end of an epoch TensorFlow waits for that thread, which now and then sleeps on, for as
    long as the epoch took.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
