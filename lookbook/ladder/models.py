"""Load any trained model of the ladder and ask it for probabilities."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import keras
import numpy as np

from lookbook.foundation.errors import LookbookError
from lookbook.ladder.cost import operations
from lookbook.ladder.rungs import rung
from lookbook.networks.architectures import seen_size
from lookbook.networks.saving import load_keras, unreadable
from lookbook.shallow.linear import LinearModel
from lookbook.splits.spec import Spec
from lookbook.splits.split import Split


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
    def image_size(self) -> int:
        """The side in pixels of what it makes of a picture before anything else."""

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float (n, classes) for raw uint8 pixels (n, height, width, channels)."""


class KerasModel:
    """A network saved by `lookbook.networks.saving.save_keras`."""

    def __init__(self, path: Path):
        """Load it without running any code that the file might bring (Keras's safe mode)."""
        self.network = load_keras(path, remedy=_remedy(path))

    @property
    def num_parameters(self) -> int:
        return self.network.count_params()

    @property
    def operations(self) -> int:
        return operations(self.network)

    @property
    def image_size(self) -> int:
        return seen_size(self.network)

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, classes) for raw pixels."""
        return self.network.predict_on_batch(pixels)


LOADERS: dict[str, Callable[[Path], Model]] = {"keras": KerasModel, "linear": LinearModel}


def load_model(path: Path) -> Model:
    """Load a model of the ladder, which its file's name tells.

    Raises:
        LookbookError: If the file is missing or damaged.
    """
    try:
        return LOADERS[rung(path.stem).kind](path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise unreadable(path, error, _remedy(path)) from None


def predict(model: Model, split: Split, path: Path) -> np.ndarray:
    """Return float64 probabilities of shape (len(split), classes), rows adding up to 1.

    Args:
        model: As `load_model` gives it.
        split: The pictures.
        path: The model's file, for the message.

    Raises:
        LookbookError: If the model was made for other classes or another image shape, or what it
            says is not a number.
    """
    try:
        parts = [model.probabilities(split.images(block)) for block in split.blocks()]
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1]
        raise _unfit(path, split.spec, reason) from None
    probabilities = np.concatenate(parts).astype(np.float64)
    if probabilities.shape[1] != split.spec.num_classes:
        raise _unfit(path, split.spec, f"a model of {probabilities.shape[1]} classes")
    unknown = int((~np.isfinite(probabilities).all(axis=1)).sum())
    if unknown:
        raise LookbookError(
            f"Expected probabilities from {path}. Received: NaN for {unknown} of {len(split)} "
            f"{split.name} pictures; its weights are damaged. {_remedy(path)}"
        )
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _remedy(path: Path) -> str:
    return f"Run `dvc repro {path.stem}`, or `dvc checkout` to bring it back."


def _unfit(path: Path, spec: Spec, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {path} to be a model for {spec.num_classes} classes and pictures of shape "
        f"{spec.image_shape}. Received: {received}. Run `dvc repro {path.stem}`."
    )
