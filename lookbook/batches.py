"""Batches for Keras: shuffled, gathered by index, and augmented, ahead of the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

CHUNK = 32  # batches gathered by one call of Python


class Source(Protocol):
    """What batches are made from: a `lookbook.splits.Split`, or features of one."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs of these examples."""

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return their class indices or one-hot rows."""


@dataclass(frozen=True)
class Augmentation:
    """Random rotation, zoom and shift of a picture, folded into one projective transform.

    Attributes:
        rotation: Largest angle either way, in degrees.
        zoom: Largest change of size, as a share of it.
        shift: Largest move along each side, as a share of it.
    """

    rotation: float
    zoom: float
    shift: float

    def __bool__(self) -> bool:
        return any((self.rotation, self.zoom, self.shift))

    def draw(self, rng: np.random.Generator, count: int, height: int, width: int) -> np.ndarray:
        """Draw a transform for each of `count` pictures.

        A row (a0, a1, a2, b0, b1, b2, c0, c1) says where an output pixel comes from: the pixel at
        column x and row y is read at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with
        k = c0 x + c1 y + 1, as `tf.raw_ops.ImageProjectiveTransformV3` defines it. Rotation and
        zoom are about the picture's centre.

        Returns:
            float32 of shape (count, 8).
        """
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, count))
        zoom = rng.uniform(1 - self.zoom, 1 + self.zoom, count)
        move_x = rng.uniform(-self.shift, self.shift, count) * width
        move_y = rng.uniform(-self.shift, self.shift, count) * height
        cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
        x, y = (width - 1) / 2, (height - 1) / 2
        transforms = np.zeros((count, 8), np.float32)
        transforms[:, 0], transforms[:, 1] = cos, -sin
        transforms[:, 2] = x - cos * (x + move_x) + sin * (y + move_y)
        transforms[:, 3], transforms[:, 4] = sin, cos
        transforms[:, 5] = y - sin * (x + move_x) - cos * (y + move_y)
        return transforms


def project(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Transform a batch of pictures; what comes from outside repeats the nearest edge.

    Args:
        images: uint8 or float32 of shape (n, height, width, channels).
        transforms: float32 of shape (n, 8), see `Augmentation.draw`.

    Returns:
        float32 of the shape of `images`, interpolated bilinearly.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


def batches(
    source: Source,
    *,
    batch_size: int,
    shuffle_seed: int | None = None,
    augmentation: Augmentation | None = None,
) -> tf.data.Dataset:
    """Return one epoch of (inputs, targets) each time it is iterated over.

    With a seed, the order is a permutation of the whole split, another one in each epoch. Python
    is asked for `CHUNK` batches at a time: at 32 pictures a batch, a call for each would cost more
    than the training step.

    Args:
        source: Where inputs and targets come from.
        batch_size: Examples a batch; the last batch of an epoch may be smaller.
        shuffle_seed: For training; None keeps the order.
        augmentation: For training on pictures; None leaves them as they are.
    """
    first = np.arange(1)
    inputs, targets = source.images(first), source.targets(first)
    epochs = 0

    def chunks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal epochs
        epoch, epochs = epochs, epochs + 1
        order = np.arange(len(source))
        rng = np.random.default_rng([shuffle_seed or 0, epoch])
        if shuffle_seed is not None:
            order = rng.permutation(order)
        for start in range(0, len(order), CHUNK * batch_size):
            indices = order[start : start + CHUNK * batch_size]
            if augmentation:
                yield indices, augmentation.draw(rng, len(indices), *inputs.shape[1:3])
            else:
                yield indices, np.empty((len(indices), 0), np.float32)

    def gather(indices: tf.Tensor, transforms: tf.Tensor) -> tf.data.Dataset:
        x, y = tf.numpy_function(
            lambda rows: (source.images(rows), source.targets(rows)),
            [indices],
            [inputs.dtype, targets.dtype],
        )
        x.set_shape([None, *inputs.shape[1:]])
        y.set_shape([None, *targets.shape[1:]])
        return tf.data.Dataset.from_tensor_slices((x, y, transforms)).batch(batch_size)

    def finish(x: tf.Tensor, y: tf.Tensor, transforms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (project(x, transforms) if augmentation else x), y

    signature = (tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None], tf.float32))
    dataset = tf.data.Dataset.from_generator(chunks, output_signature=signature).flat_map(gather)
    dataset = dataset.map(finish)
    steps = -(-len(source) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(tf.data.AUTOTUNE)
