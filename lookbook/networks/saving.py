"""Keras models as files: the same bytes for the same weights, loaded without running code."""

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

import lookbook.networks.layers  # noqa: F401  (models may hold them)
from lookbook.foundation.damage import DAMAGED_ARRAYS
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing, write_text

WEIGHTS = "model.weights.h5"  # Keras's name of it in a `.keras` file
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold


def save_keras(model: keras.Model, path: Path, *, half: bool = False) -> None:
    """Save a model without its optimizer, as the same bytes for the same weights.

    Keras writes the date, the time of day and memory addresses into a `.keras` file; the times are
    left out, and the addresses, which only say what is shared, become numbers in order.

    Args:
        model: With one input and one output.
        path: The `.keras` file to create or replace.
        half: Whether weights are kept as float16, which halves the file; what is loaded is float32.
    """
    bare = keras.Model(model.input, model.output, name=model.name)
    with replacing(path) as partial, tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, path.name)
        bare.save(raw)
        with zipfile.ZipFile(raw) as old, zipfile.ZipFile(partial, "w") as new:
            contents = {name: old.read(name) for name in sorted(old.namelist())}
            config = _number_shared_objects(json.loads(contents["config.json"]), {})
            # The weights are float32 whatever precision they were trained in.
            text = re.sub('"mixed_b?float16"', '"float32"', json.dumps(config))
            contents["config.json"] = text.encode()
            if half:
                contents[WEIGHTS] = _halved(contents[WEIGHTS])
            contents["metadata.json"] = json.dumps({"keras_version": keras.__version__}).encode()
            for name, content in contents.items():
                new.writestr(zipfile.ZipInfo(name, ZIP_TIME), content)


def save_summary(model: keras.Model, path: Path) -> None:
    """Write Keras's summary of a model, nested ones included, as text."""
    lines: list[str] = []
    model.summary(print_fn=lines.append, expand_nested=True, line_length=100)
    write_text(path, "\n".join(lines) + "\n")


def _halved(weights: bytes) -> bytes:
    """Return Keras's file of weights with every float32 array as float16."""
    halved = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(halved, "w") as new:

        def copy(name: str, entry: h5py.Group | h5py.Dataset) -> None:
            if isinstance(entry, h5py.Dataset):
                kind = np.float16 if entry.dtype == np.float32 else entry.dtype
                kept = new.create_dataset(name, data=entry[()].astype(kind))
            else:
                kept = new.require_group(name)
            kept.attrs.update(entry.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)
    return halved.getvalue()


def _number_shared_objects(config: object, numbers: dict[int, int]) -> object:
    if isinstance(config, list):
        return [_number_shared_objects(entry, numbers) for entry in config]
    if not isinstance(config, dict):
        return config
    return {
        key: numbers.setdefault(entry, len(numbers) + 1)
        if key == "shared_object_id"
        else _number_shared_objects(entry, numbers)
        for key, entry in config.items()
    }


def load_keras(path: Path, *, remedy: str) -> keras.Model:
    """Load a `.keras` file that this pipeline wrote, in safe mode.

    Args:
        path: The file.
        remedy: What the user should do if it cannot be loaded.

    Raises:
        LookbookError: If it is missing, damaged, or not a model that safe mode allows.
    """
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except DAMAGED_ARRAYS as error:
        raise unreadable(path, error, remedy) from None


def unreadable(path: Path, error: Exception, remedy: str) -> LookbookError:
    """Return the error for a model file that is missing or damaged."""
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return LookbookError(f"Expected a whole model file at {path}. Received: {reason}. {remedy}")
