"""Batches for Keras: shuffled, gathered by index, and augmented, ahead of the model."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np
import tensorflow as tf

from lookbook.splits.split import index_blocks
from lookbook.training.augmentation import Augmentation
from lookbook.training.shuffling import Stored, example_bytes, shuffled_chunks

Batches: TypeAlias = tf.data.Dataset | tf.distribute.DistributedDataset

CHUNK_BATCHES = 128  # at most; fewer where they would hold more than CHUNK_BYTES
CHUNK_BYTES = 8 * 2**20  # of inputs as they are stored


class Examples(Stored, Protocol):
    """What batches are made from: a `lookbook.splits.split.Split`, or features of one."""

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return their class indices or one-hot rows."""

    def fingerprint(self) -> str:
        """Return a hash of all of it."""


def evaluation_batches(examples: Examples, *, devices: int = 1) -> tuple[Batches, int | None]:
    """Return all examples in order, as many at once as fit.

    Args:
        examples: Where inputs and targets come from.
        devices: Where there are several, each takes a share of every batch, see `_shares`.

    Returns:
        (inputs, targets); and how many batches there are, or None with one device, where Keras sees
        for itself. Of several it would count the shares.
    """
    blocks = index_blocks(len(examples), example_bytes(examples))
    if len(blocks) == devices == 1:
        # Without a thread an epoch of a few hundred pictures takes a third less.
        whole = (examples.images(blocks[0]), examples.targets(blocks[0]))
        return _untuned(tf.data.Dataset.from_tensors(whole)), None

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for indices in blocks:
            yield examples.images(indices), examples.targets(indices)

    steps = len(blocks) if devices > 1 else None
    return _dataset(examples, parts, devices * len(blocks), devices), steps


def training_chunks(
    examples: Examples,
    *,
    batch_size: int,
    seed: int,
    augmentation: Augmentation | None = None,
    first_epoch: int = 0,
    max_batches: int | None = None,
    devices: int = 1,
) -> tuple[Batches, int]:
    """Return training examples, epoch after epoch without end.

    The order is a permutation of all of them, another one in each epoch, see
    `lookbook.training.shuffling`. An element is not a batch but a chunk of several, see
    `chunk_batches`: with one of 32 small pictures at a time, passing them from hand to hand would
    cost more than the training step. The first chunk of an epoch is made ready while the epoch
    before is validated.

    Args:
        examples: Where inputs and targets come from.
        batch_size: Examples a batch.
        seed: Of the order and the augmentation.
        augmentation: None leaves the inputs as they are.
        first_epoch: The epoch to begin with, where a training goes on.
        max_batches: Batches a chunk, at most; by default as many as are good for speed.
        devices: Where there are several, a chunk is one batch, and each takes a share of it, see
            `_shares`.

    Returns:
        (inputs, targets), with as many examples as `chunk_batches` batches; the last chunk of an
        epoch, and its last batch, may be smaller. And how many chunks make an epoch.
    """
    most = 1 if devices > 1 else max_batches or CHUNK_BATCHES
    chunk_size = batch_size * min(chunk_batches(examples, batch_size), most)

    def parts() -> Iterator[tuple[np.ndarray, ...]]:
        for rng, indices, images in shuffled_chunks(
            examples, chunk_size=chunk_size, seed=seed, first_epoch=first_epoch
        ):
            changed = augmentation.apply(rng, images) if augmentation else images
            yield changed, examples.targets(indices)

    chunks = _dataset(examples, parts, tf.data.INFINITE_CARDINALITY, devices)
    return chunks, -(-len(examples) // chunk_size)


def chunk_batches(examples: Examples, batch_size: int) -> int:
    """Return how many batches a chunk of these examples holds."""
    batch_bytes = batch_size * example_bytes(examples)
    return max(1, min(CHUNK_BATCHES, CHUNK_BYTES // batch_bytes))


def _dataset(
    examples: Examples,
    parts: Callable[[], Iterator[tuple[np.ndarray, ...]]],
    cardinality: int,
    devices: int,
) -> Batches:
    first = np.arange(1)
    signature = tuple(
        tf.TensorSpec([None, *example.shape[1:]], example.dtype)
        for example in (examples.images(first), examples.targets(first))
    )
    if devices > 1:
        signature += (tf.TensorSpec([None], tf.bool), tf.TensorSpec([], tf.float32))
    shares = partial(_shares, parts, devices) if devices > 1 else parts
    dataset = tf.data.Dataset.from_generator(shares, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(cardinality))
    dataset = _untuned(dataset.prefetch(2 * devices))
    if devices == 1:
        return dataset
    return tf.distribute.get_strategy().distribute_datasets_from_function(lambda _: dataset)


def _shares(
    parts: Callable[[], Iterator[tuple[np.ndarray, ...]]], devices: int
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield each device's share of a batch in turn, all shares of a batch of one size.

    A batch that cannot be divided has its first examples once more at its end: no device is ever
    without an example, which would make its means, and by them all weights, NaN.

    Yields:
        Inputs and targets; bool of shape (share,), false for an example that another share has; and
        how many examples the batch has, float32 of shape ().
    """
    for images, targets in parts():
        size, share = len(targets), -(-len(targets) // devices)
        for places in np.arange(share * devices).reshape(devices, share):
            rows = places % size
            yield images[rows], targets[rows], places < size, np.array(size, np.float32)


def _untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset without a thread that tunes it.

    At the end of an epoch TensorFlow waits for that thread, which now and then sleeps on, for as
    long as the epoch took.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
