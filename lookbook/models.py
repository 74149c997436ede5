"""Load any trained model of the ladder and ask it for probabilities."""

import zipfile
from pathlib import Path
from typing import Protocol

import keras
import numpy as np

from lookbook.errors import LookbookError
from lookbook.linear import LinearModel
from lookbook.splits import Spec, Split


class Model(Protocol):
    """What every model of the ladder can do."""

    num_parameters: int

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float (n, classes) for raw uint8 pixels (n, height, width, channels)."""


class KerasModel:
    """A network saved by `lookbook.training.save_model`."""

    def __init__(self, path: Path):
        """Load it without running any code that the file might bring (Keras's safe mode)."""
        self.network = load_keras(path)
        self.num_parameters = self.network.count_params()

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 (n, classes) for raw pixels."""
        return self.network.predict_on_batch(pixels)


def load_keras(path: Path) -> keras.Model:
    """Load a `.keras` file that this pipeline wrote, in safe mode.

    Raises:
        LookbookError: If it is missing, damaged, or not a model that safe mode allows.
    """
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from None


def load_model(path: Path) -> Model:
    """Load a model by its file's suffix: `.npz` (linear) or `.keras`.

    Raises:
        LookbookError: If the file is missing or damaged.
    """
    if path.suffix == ".keras":
        return KerasModel(path)
    try:
        return LinearModel(path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from None


def predict(model: Model, split: Split, path: Path) -> np.ndarray:
    """Return float64 probabilities of shape (len(split), classes), rows adding up to 1.

    Args:
        model: As `load_model` gives it.
        split: The pictures.
        path: The model's file, for the message.

    Raises:
        LookbookError: If the model was made for other classes or another image shape.
    """
    try:
        parts = [model.probabilities(split.images(block)) for block in split.blocks()]
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1]
        raise _unfit(path, split.spec, reason) from None
    probabilities = np.concatenate(parts).astype(np.float64)
    if probabilities.shape[1] != split.spec.num_classes:
        raise _unfit(path, split.spec, f"a model of {probabilities.shape[1]} classes")
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _unreadable(path: Path, error: Exception) -> LookbookError:
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return LookbookError(
        f"Expected a whole model file at {path}. Received: {reason}. Run `dvc repro {path.stem}`, "
        "or `dvc checkout` to bring it back."
    )


def _unfit(path: Path, spec: Spec, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {path} to be a model for {spec.num_classes} classes and pictures of shape "
        f"{spec.image_shape}. Received: {received}. Run `dvc repro {path.stem}`."
    )
