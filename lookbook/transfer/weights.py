"""Files of weights for `keras.applications`: the mirror's first, compared with pinned hashes."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import keras
from keras.src.utils import file_utils  # where the networks of keras.applications look it up

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import sha256_of
from lookbook.foundation.places import mirror
from lookbook.foundation.schema import read_yaml

PINS = Path("data/bases/weights.yaml")

logger = logging.getLogger(__name__)
_download = file_utils.get_file


@contextlib.contextmanager
def published_weights() -> Iterator[None]:
    """Let networks that are built inside the block with `weights="imagenet"` find their files.

    Raises:
        LookbookError: If a file cannot be had, or is not the one that was pinned.
    """
    with mock.patch.object(file_utils, "get_file", _brought):
        yield


def weights_file(name: str) -> Path:
    """Return a file of weights as it is named, or in the folder `weights` of the mirror.

    Raises:
        LookbookError: If it is in neither place.
    """
    places = [Path(name).expanduser(), *(folder / name for folder in _mirror_folders())]
    for path in places:
        if path.is_file():
            return path
    raise LookbookError(
        "Expected train_transfer.weights to be auto, imagenet, none or a file. Received: "
        f"{name!r}, which is not at {' or '.join(map(str, places))}. Mend the path."
    )


def load_weights(network: keras.Model, path: Path, name: str) -> None:
    """Load a file of weights into a network of that name.

    Raises:
        LookbookError: If it is damaged, or of another network.
    """
    try:
        network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LookbookError(
            f"Expected {path} to hold the weights of {name} without its top. Received: {reason} "
            "Name a whole file of that base, and its train_transfer.width."
        ) from None


def _brought(fname: str, origin: str, **options: Any) -> str:
    path = next((p for folder in _mirror_folders() if (p := folder / fname).is_file()), None)
    if path is None:
        try:
            path = Path(_download(fname, origin, **options))
        except Exception:  # Keras raises a bare Exception when a download fails
            home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "models")
            raise LookbookError(
                f"Expected ImageNet weights, the file {fname}, from {origin}. Received: no such "
                f"download. Connect to the network, put the file into {home} or into the folder "
                "`weights` of LOOKBOOK_MIRROR, or set train_transfer.weights to a file or to none."
            ) from None
    found, pinned = sha256_of(path), _pins().get(fname)
    if pinned is None:
        logger.warning("%s is not pinned; to pin it, add to %s: `%s: %s`", path, PINS, fname, found)
    elif found != pinned:
        raise LookbookError(
            f"Expected {path} to have the SHA-256 {pinned} of {PINS}. Received: {found}. Remove "
            "the file, so that it is fetched again, or mend the pin."
        )
    return str(path)


def _pins() -> dict[str, str]:
    return read_yaml(PINS) if PINS.is_file() else {}


def _mirror_folders() -> list[Path]:
    return [Path(place) for place in mirror("weights") if "://" not in place]
