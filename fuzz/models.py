"""Models of other people: the first byte says whether `.npz`, what they doubt, or `.keras`."""

import io
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np

from lookbook.evaluation import doubt
from lookbook.ladder.models import load_model
from lookbook.networks.saving import save_keras

ARRAYS = {
    "loss": np.array("log_loss"),
    "classes": np.arange(2),
    "coef": np.ones((1, 4)),
    "intercept": np.zeros(1),
    "scale": np.ones(1, np.float32),
    "offset": np.zeros(1, np.float32),
    "shrink": np.array(1),
}


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _doubt() -> bytes:
    of_features = doubt.Strangeness(
        mean=np.zeros(3, np.float32),
        axes=np.eye(3, 2, dtype=np.float32),
        centres=np.zeros((2, 2), np.float32),
        precisions=np.ones(2, np.float32),
        rest=1.0,
    )
    known = doubt.Doubt(
        temperature=1.0,
        coverage=0.95,
        least_probability=0.3,
        kept=0.99,
        most_strangeness=9.0,
        strangeness=of_features,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train_cnn.npz")
        known.save(path)
        return path.read_bytes()


def _keras() -> bytes:
    inputs = keras.Input((2, 2, 1))
    outputs = keras.layers.Dense(2)(keras.layers.Flatten()(inputs))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train_cnn.keras")
        save_keras(keras.Model(inputs, outputs), path)
        return path.read_bytes()


def _deflated(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


KERAS = _keras()
SEEDS = [b"\0" + _npz(ARRAYS), b"\1" + _doubt(), b"\2" + KERAS, b"\2" + _deflated(KERAS)]


def read(content: bytes, folder: Path) -> None:
    """Load the model, or what one doubts."""
    number = (content or b"\0")[0] % 3
    if number == 1:
        doubt.DOUBT = folder
    path = folder / ("baseline.npz", "train_cnn.npz", "train_cnn.keras")[number]
    path.write_bytes(content[1:])
    doubt.load_doubt("train_cnn") if number == 1 else load_model(path)
