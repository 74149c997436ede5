"""Pretrained bases for transfer learning: from raw pixels to feature maps.

A base is a network of `keras.applications` without its top, called by Keras's name, or a file of
data/bases: the convolutional part of a network that train_cnn trained. Either has its own scaling
built in. The file that comes with the project is made by

    dvc exp run -S dataset=fashion_mnist train_cnn
    lookbook cut_base models/train_cnn.keras data/bases/fashion_mnist_cnn.keras

and has a card beside it, data/bases/fashion_mnist_cnn.yaml, which says what it was trained on.
"""

import hashlib
import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import mirror
from lookbook.foundation.schema import Section, read_yaml, validated
from lookbook.networks.saving import load_keras

BASES = Path("data/bases")
PARAMETER = "train_transfer.base"


def load_base(
    name: str, *, weights: str, width: float, image_size: int, folder: Path = BASES
) -> keras.Model:
    """Return the base of that name, from raw pixels to feature maps.

    Args:
        name: A file of data/bases without its suffix, or a network of `keras.applications`.
        weights: Of such a network: `imagenet` (Keras's download), `none` (untrained), or a file
            that is looked for as it is named, then in the folder `weights` of the mirror.
        width: Share of its channels, where the network is published in several widths (`alpha`).
        image_size: Side of the pictures, in pixels.
        folder: Where the files are.

    Raises:
        LookbookError: If there is no such base (those that there are are listed), if the weights
            cannot be had or belong to another base, or if the pictures are too small for it.
    """
    path = folder / f"{name}.keras"
    if path.is_file():
        return load_keras(path, remedy=f"Run `git checkout {path}`, or make it again.")
    if name not in applications():
        known = [*sorted(base.stem for base in folder.glob("*.keras")), *applications()]
        raise LookbookError(
            f"Expected {PARAMETER} to be one of: {', '.join(known)}. Received: {name!r}. Change it "
            f"in params.yaml, or put {path.name} into {folder}."
        )
    application = _build(name, width, image_size)
    if weights == "imagenet":
        application = _with_imagenet(name, width, image_size)
    elif weights != "none":
        _load(application, _weights_file(weights), name)
    # The network's own scaling, as its authors wrote it; Keras finds it by the module's name.
    module = getattr(keras.applications, _constructor(name).__module__.rpartition(".")[2])
    inputs = keras.Input((image_size, image_size, 3), name="pixels")
    return keras.Model(inputs, application(module.preprocess_input(inputs)), name="base")


class BaseCard(Section):
    """What is known of a file of data/bases.

    Attributes:
        title: What it is.
        licence: Of its weights.
        trained_on: The data sets whose pictures it has seen, by the names of their cards.
    """

    title: str
    licence: str
    trained_on: list[str]


def trained_on(name: str, folder: Path = BASES) -> list[str]:
    """Return the data sets that a base was trained on; none for those of `keras.applications`.

    Raises:
        LookbookError: If it is a file without a card, or with a wrong one.
    """
    path = folder / f"{name}.yaml"
    if not path.with_suffix(".keras").is_file():
        return []
    if not path.is_file():
        raise LookbookError(
            f"Expected {path}, which says what the base was trained on. Received: no such file. "
            f"Write its {', '.join(BaseCard.model_fields)}, the last a list of data sets."
        )
    return validated(BaseCard, read_yaml(path), path=path).trained_on


def applications() -> list[str]:
    """Return the names of the networks of `keras.applications`."""
    return [
        name
        for name, entry in sorted(vars(keras.applications).items())
        if inspect.isfunction(entry) and name[0].isupper()
    ]


def weights_hash(model: keras.Model) -> str:
    """Return the SHA-256 of a model's weights, one after the other, as 64 hex digits."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).data)
    return digest.hexdigest()


def unfreeze(base: keras.Model, count: int) -> list[str]:
    """Make the last blocks of a frozen base trainable, batch normalisation excepted.

    The averages of batch normalisation, learnt from millions of pictures, would be spoilt by a few
    thousand others. A block is the layers whose names begin alike, up to and with a number, as in
    `block5_conv3`, `block_16_expand`, `conv5_block3_2_conv` or `conv_dw_13`.

    Args:
        base: As `load_base` gives it.
        count: How many blocks.

    Returns:
        The names of the blocks, first to last.

    Raises:
        LookbookError: If the base has fewer.
    """
    # Block: its layers, in the order of the network.
    found: dict[str, list[keras.layers.Layer]] = {}
    for layer in _layers(base):
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization):
            found.setdefault(block_of(layer.name), []).append(layer)
    if count > len(found):
        raise LookbookError(
            f"Expected train_transfer.fine_tune.blocks to be at most {len(found)}, as many as the "
            f"base has. Received: {count}. Lower it."
        )
    base.trainable = True
    for layer in _layers(base):
        layer.trainable = False
    chosen = list(found)[len(found) - count :]
    for layer in (layer for block in chosen for layer in found[block]):
        layer.trainable = True
    return chosen


def block_of(layer: str) -> str:
    """Return the block that a layer's name tells."""
    name = re.sub(r"_(dw|pw)_", "_", layer)  # MobileNet's blocks are a pair of convolutions
    named = r"conv\d+_block\d+|.*?stage_\d+_block_\d+|\D*\d+[a-z]?(?![^_])"
    match = re.match(rf"conv2d(?:_\d+)?$|{named}|.*", name)
    assert match  # `.*` matches any name
    return match[0]


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


def _constructor(name: str) -> Callable[..., keras.Model]:
    return getattr(keras.applications, name)


def _build(name: str, width: float, image_size: int, weights: str | None = None) -> keras.Model:
    constructor = _constructor(name)
    options = {} if width == 1 else {"alpha": width}
    if options and "alpha" not in inspect.signature(constructor).parameters:
        raise LookbookError(
            f"Expected train_transfer.width to be 1: {name} is published in one width. Received: "
            f"{width}. Set it to 1."
        )
    shape = (image_size, image_size, 3)
    try:
        return constructor(include_top=False, weights=weights, input_shape=shape, **options)
    except ValueError as error:
        smallest = re.search(r"at least (\d+)x", str(error))
        if smallest:
            raise LookbookError(
                f"Expected preprocess.image_size to be at least {smallest[1]}, the smallest input "
                f"of {name}. Received: {image_size}. Raise it, or choose another {PARAMETER}."
            ) from None
        raise LookbookError(
            f"Expected settings that {name} can be built with. Received: {_first_line(error)} "
            f"(width {width}, image_size {image_size}). Change {PARAMETER} or its settings."
        ) from None


def _with_imagenet(name: str, width: float, image_size: int) -> keras.Model:
    """Return the network with the weights that Keras downloads, or the mirror's."""
    try:
        return _build(name, width, image_size, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        address = re.search(r"https?://\S+/([^/\s]+?\.h5)", str(error))
        if isinstance(error, LookbookError) or not address:
            raise
    file = address[1]
    application = _build(name, width, image_size)
    for folder in _mirror_folders():
        if (folder / file).is_file():
            _load(application, folder / file, name)
            return application
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "models")
    raise LookbookError(
        f"Expected the ImageNet weights of {name}, the file {file}, from Keras's address. Received:"
        f" no such download. Connect to the network, put the file into {home} or into the folder "
        "`weights` of LOOKBOOK_MIRROR, or set train_transfer.weights to a file or to none."
    )


def _weights_file(weights: str) -> Path:
    places = [Path(weights).expanduser(), *(folder / weights for folder in _mirror_folders())]
    for path in places:
        if path.is_file():
            return path
    raise LookbookError(
        "Expected train_transfer.weights to be imagenet, none or a file. Received: "
        f"{weights!r}, which is not at {' or '.join(map(str, places))}. Mend the path."
    )


def _mirror_folders() -> list[Path]:
    return [Path(place) for place in mirror("weights") if "://" not in place]


def _load(application: keras.Model, path: Path, name: str) -> None:
    try:
        application.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise LookbookError(
            f"Expected {path} to hold the weights of {name} without its top. Received: "
            f"{_first_line(error)} Name a whole file of that base, and its train_transfer.width."
        ) from None


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return all layers of a model and of the models in it, in order."""
    nested = (
        _layers(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers
    )
    return [layer for layers in nested for layer in layers]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
