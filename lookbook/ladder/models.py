"""Load any trained model of the ladder and ask it for probabilities."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from lookbook.cluster.elsewhere import Elsewhere
from lookbook.cluster.mapping import mapped
from lookbook.cluster.networks import conditions
from lookbook.foundation.damage import DAMAGED_ARRAYS
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.lock_file import check_locked
from lookbook.ladder.cost import operations
from lookbook.ladder.rungs import rung
from lookbook.networks.architectures import seen_size, with_features, without_mirrored
from lookbook.networks.saving import load_keras, unreadable
from lookbook.shallow.linear import LinearModel
from lookbook.splits.spec import Spec
from lookbook.splits.split import Split, index_blocks


class Model(Protocol):
    """What every model of the ladder can do."""

    @property
    def num_parameters(self) -> int:
        """How many numbers it has learnt."""

    @property
    def operations(self) -> int:
        """How many floating-point operations it takes for one picture."""

    @property
    def network(self) -> keras.Model | None:
        """It as a Keras network, if it is one."""

    @property
    def chain(self) -> keras.Model | None:
        """The part of that network that looks at a picture once."""

    @property
    def image_size(self) -> int:
        """The side in pixels of what it makes of a picture before anything else."""

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what it makes of raw uint8 pixels (n, height, width, channels), and what it says.

        The features are float (n, values), see `lookbook.networks.architectures.with_features`; the
        probabilities float (n, classes).
        """


class KerasModel:
    """A network saved by `lookbook.networks.saving.save_keras`."""

    def __init__(self, path: Path):
        """Load it without running any code that the file might bring (Keras's safe mode)."""
        tf.get_logger().setLevel(logging.ERROR)  # it warns that the last batch is a smaller one
        self.network = load_keras(path, remedy=_remedy(path))
        looking = with_features(self.network)
        # Keras's own functions are built anew for another number of pictures.
        self._looking = tf.function(
            lambda pixels: looking(pixels, training=False),
            input_signature=[tf.TensorSpec([None, *self.network.input_shape[1:]], tf.uint8)],
            autograph=False,
        )

    @property
    def chain(self) -> keras.Model:
        return without_mirrored(self.network)

    @property
    def num_parameters(self) -> int:
        return self.network.count_params()

    @property
    def operations(self) -> int:
        return operations(self.network)

    @property
    def image_size(self) -> int:
        return seen_size(self.network)

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 features and probabilities for raw pixels."""
        shape = self.network.input_shape[1:]
        if pixels.shape[1:] != shape:
            raise ValueError(f"a model for pictures of shape {shape}")
        features, probabilities = self._looking(pixels)
        return features.numpy(), probabilities.numpy()


LOADERS: dict[str, Callable[[Path], Model]] = {"keras": KerasModel, "linear": LinearModel}


def load_model(path: Path) -> Model:
    """Load a model of the ladder, which its file's name tells.

    Raises:
        LookbookError: If the file is missing or damaged, or not the one that dvc.lock names.
    """
    check_locked(path)
    try:
        return LOADERS[rung(path.stem).kind](path)
    except DAMAGED_ARRAYS as error:
        raise unreadable(path, error, _remedy(path)) from None


def features_of(model: Model, split: Split, rows: np.ndarray, path: Path) -> np.ndarray:
    """Return float32 (len(rows), values): what a model makes of some pictures of a split.

    Args:
        model: As `load_model` gives it.
        split: The pictures.
        rows: Which of them, int.
        path: The model's file, for the message.

    Raises:
        LookbookError: As for `look_at`.
    """
    found = [features for features, _ in _looked(model, split, rows, path)]
    features = np.concatenate(found).astype(np.float32)
    _check_numbers(features, split, path)
    return features


def predict(model: Model, split: Split, path: Path) -> np.ndarray:
    """Return float64 probabilities (len(split), classes), rows adding up to 1; see `look_at`."""
    return look_at(model, split, path, lambda features: np.zeros(len(features)))[0]


def look_at(
    model: Model, split: Split, path: Path, strangeness: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model says of each picture of a split, and how strange it finds them.

    Args:
        model: As `load_model` gives it.
        split: The pictures.
        path: The model's file, for the message.
        strangeness: From features (n, values) to float (n,).

    Returns:
        float64 probabilities of shape (len(split), classes), rows adding up to 1, and float32
        (len(split),).

    Raises:
        LookbookError: If the model was made for other classes or another image shape, or what it
            says is not a number.
    """
    parts, strange = [], []
    for features, said in _looked(model, split, np.arange(len(split)), path):
        parts.append(said)
        strange.append(strangeness(features))
    probabilities = np.concatenate(parts).astype(np.float64)
    if probabilities.shape[1] != split.spec.num_classes:
        raise _unfit(path, split.spec, f"a model of {probabilities.shape[1]} classes")
    _check_numbers(probabilities, split, path)
    rows = probabilities / probabilities.sum(axis=1, keepdims=True)
    strangeness_of_all = np.concatenate(strange).astype(np.float32)
    _check_numbers(strangeness_of_all[:, np.newaxis], split, path)
    return rows, strangeness_of_all


def _check_numbers(said: np.ndarray, split: Split, path: Path) -> None:
    unknown = int((~np.isfinite(said).all(axis=1)).sum())
    if unknown:
        raise LookbookError(
            f"Expected probabilities from {path}. Received: NaN for {unknown} of {len(split)} "
            f"{split.name} pictures; its weights are damaged. {_remedy(path)}"
        )


def _looked(
    model: Model, split: Split, rows: np.ndarray, path: Path
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield what a model makes of the pictures, as many at once as may go through it."""
    blocks = index_blocks(len(rows), int(np.prod(split.image_shape)))
    pictures = (split.images(rows[block]) for block in blocks)
    try:
        if model.network is not None:
            elsewhere = Elsewhere(_looking, path.name, path.read_bytes, conditions)
            yield from mapped(model.look, pictures, elsewhere)
        else:  # quicker than sending the pictures would be
            yield from map(model.look, pictures)
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1]
        raise _unfit(path, split.spec, reason) from None


def _looking(path: Path) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return KerasModel(path).look


def _remedy(path: Path) -> str:
    return f"Run `dvc repro {path.stem}`, or `dvc checkout` to bring it back."


def _unfit(path: Path, spec: Spec, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {path} to be a model for {spec.num_classes} classes and pictures of shape "
        f"{spec.image_shape}. Received: {received}. Run `dvc repro {path.stem}`."
    )
