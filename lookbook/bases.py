"""Pretrained bases for transfer learning: from raw pixels to feature maps.

A base kept in data/bases is the convolutional part of a network that train_cnn trained, with its
scaling built in and open to pictures of any size. The one that comes with the project is made by

    dvc exp run -S dataset=fashion_mnist train_cnn
    python -m lookbook.bases models/train_cnn.keras data/bases/fashion_mnist_cnn.keras
"""

import logging
import sys
from pathlib import Path

import keras

from lookbook.errors import LookbookError, explains_errors
from lookbook.saving import load_keras, save_keras

BASES = Path("data/bases")

logger = logging.getLogger(__name__)


def load_base(name: str, folder: Path = BASES) -> keras.Model:
    """Return the base of that name, from raw pixels to feature maps.

    Raises:
        LookbookError: If there is none of that name; lists those that there are.
    """
    path = folder / f"{name}.keras"
    if not path.is_file():
        known = ", ".join(sorted(base.stem for base in folder.glob("*.keras"))) or "none"
        raise LookbookError(
            f"Expected train_transfer.base to be one of: {known}. Received: {name!r}. Change it in "
            f"params.yaml, or put {path.name} into {folder}."
        )
    return load_keras(path, remedy=f"Run `git checkout {path}`, or make it again.")


def cut_base(model: keras.Model) -> keras.Model:
    """Return the part of a convolutional network up to its layer `features`, for any image size.

    Raises:
        LookbookError: If the model was not made by train_cnn.
    """
    names = [layer.name for layer in model.layers]
    if "features" not in names:
        raise LookbookError(
            "Expected a model of train_cnn, with a layer named features. Received: the layers "
            f"{', '.join(names)}. Name models/train_cnn.keras."
        )
    channels = model.input_shape[-1]
    x = inputs = keras.Input((None, None, channels), name="pixels")
    for layer in model.layers[1 : names.index("features") + 1]:
        x = layer(x)
    return keras.Model(inputs, x, name="base")


@explains_errors
def main() -> None:
    """Cut the base out of the model file named first, and save it as the file named second."""
    if len(sys.argv) != 3:
        raise LookbookError(
            "Expected two files: python -m lookbook.bases MODEL.keras BASE.keras. Received: "
            f"{len(sys.argv) - 1}."
        )
    source, target = map(Path, sys.argv[1:])
    model = load_keras(source, remedy="Run `dvc repro train_cnn`.")
    save_keras(cut_base(model), target)
    logger.info("%s: %d bytes", target, target.stat().st_size)


if __name__ == "__main__":
    main()
