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
import re
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import TrainTransferParams
from lookbook.foundation.schema import Auto, Count, Section, read_yaml, validated
from lookbook.networks.architectures import SEEN, flat_layers, without_mirrored
from lookbook.networks.layers import with_fixed_averages
from lookbook.networks.saving import load_keras
from lookbook.splits.spec import Spec
from lookbook.transfer.levels import with_levels
from lookbook.transfer.weights import load_weights, published_weights, weights_file

BASES = Path("data/bases")
PARAMETER = "train_transfer.base"
LEAST_SIZE = 96  # pixels: bases of `keras.applications` were trained on 224 and more


class BaseCard(Section):
    """What is known of a file of data/bases: `<base>.yaml` beside it.

    Attributes:
        title: What it is.
        licence: Of its weights.
        trained_on: The data sets of data/cards that its weights have seen.
        least_size: Smaller pictures are enlarged to this many pixels.
    """

    title: str
    licence: str
    trained_on: list[str]
    least_size: Count


def load_base(
    name: str,
    *,
    weights: str,
    width: float | Auto,
    image_size: int,
    least_size: int | None = None,
    folder: Path = BASES,
) -> keras.Model:
    """Return the base of that name, from raw pixels to feature maps.

    Args:
        name: A file of data/bases without its suffix, or a network of `keras.applications`.
        weights: Of such a network: `imagenet` (the published ones), `none` (untrained), or a file
            that is looked for as it is named, then in the folder `weights` of the mirror. `auto` is
            imagenet; a file of data/bases takes nothing else.
        width: Share of its channels, where the network is published in several widths (`alpha`).
            `auto` is 1; a file of data/bases takes nothing else.
        image_size: Side of the pictures, in pixels. The base enlarges smaller ones than it likes.
        least_size: Which are smaller, in pixels; None: as the base's card says.
        folder: Where the files are.

    Raises:
        LookbookError: If there is no such base (those that there are are listed), if the weights
            cannot be had or belong to another base, or if the pictures are too small for it.
    """
    path = folder / f"{name}.keras"
    if path.is_file():
        _check_unasked(path, weights=weights, width=width)
        model = load_keras(path, remedy=f"Run `git checkout {path}`, or make it again.")
        return _prepared(model, image_size, least_size or base_card(name, folder).least_size)
    if name not in applications():
        known = [*sorted(base.stem for base in folder.glob("*.keras")), *applications()]
        raise LookbookError(
            f"Expected {PARAMETER} to be one of: {', '.join(known)}. Received: {name!r}. Change it "
            f"in params.yaml, or put {path.name} into {folder}."
        )
    least = least_size or LEAST_SIZE
    model = published(name, weights=weights, width=width, side=max(image_size, least))
    return _prepared(model, image_size, least)


def published(
    name: str, *, weights: str, width: float | Auto, side: int | None = None
) -> keras.Model:
    """Return a network of `keras.applications` without its top, from raw pixels to feature maps.

    Args:
        name: Of the network.
        weights: As for `load_base`.
        width: As for `load_base`.
        side: Of the pictures, in pixels; None for any, where the network takes any.

    Raises:
        LookbookError: As for `load_base`.
    """
    share = 1.0 if width == "auto" else width
    shape = {"input_shape": (side, side, 3)}
    if weights in ("auto", "imagenet"):
        with published_weights():
            application = _build(name, share, shape, weights="imagenet")
    else:
        application = _build(name, share, shape)
        if weights != "none":
            load_weights(application, weights_file(weights), name)
    # The network's own scaling, as its authors wrote it; Keras finds it by the module's name.
    module = getattr(keras.applications, _constructor(name).__module__.rpartition(".")[2])
    inputs = keras.Input((side, side, 3), name="pixels")
    # Built again behind the scaling, as one graph, since weights are published without it.
    whole = _build(name, share, {"input_tensor": module.preprocess_input(inputs)})
    whole.set_weights(application.get_weights())
    return keras.Model(inputs, whole.output, name="base")


def base_for(
    settings: TrainTransferParams, spec: Spec, *, least_size: int | None = None
) -> keras.Model:
    """Return the base that the parameters name, or the data where they leave it to them."""
    return load_base(
        spec.chosen("base", settings.base),
        weights=settings.weights,
        width=settings.width,
        image_size=spec.image_shape[0],
        least_size=least_size,
    )


def base_card(name: str, folder: Path = BASES) -> BaseCard:
    """Read the card of a file of data/bases.

    Raises:
        LookbookError: If it is missing or not complete.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        raise LookbookError(
            f"Expected {path}, which says what the base was trained on. Received: no such file. "
            f"Write its {', '.join(BaseCard.model_fields)}."
        )
    return validated(BaseCard, read_yaml(path), path=path)


def trained_on(name: str, folder: Path = BASES) -> list[str]:
    """Return the data sets that a base was trained on; none for those of `keras.applications`.

    Raises:
        LookbookError: If it is a file without a card, or with a wrong one.
    """
    is_file = (folder / f"{name}.keras").is_file()
    return base_card(name, folder).trained_on if is_file else []


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
    """Make the last blocks of a frozen base trainable.

    The scales and offsets of batch normalisation are trained too. Its averages, learnt from
    millions of pictures, would be spoilt by a few thousand others; they stay (see
    `FixedNormalization`). A block is the layers whose names begin alike, up to and with a number,
    as in `block5_conv3`, `block_16_expand`, `conv5_block3_2_conv` or `conv_dw_13`.

    Args:
        base: As `load_base` gives it.
        count: How many blocks.

    Returns:
        The names of the blocks, first to last.

    Raises:
        LookbookError: If the base has fewer.
    """
    found = blocks_of(base)
    if count > len(found):
        raise LookbookError(
            f"Expected train_transfer.fine_tune.blocks to be at most {len(found)}, as many as the "
            f"base has. Received: {count}. Lower it."
        )
    base.trainable = True
    for layer in flat_layers(base):
        layer.trainable = False
    chosen = list(found)[len(found) - count :]
    for layer in (layer for block in chosen for layer in found[block]):
        layer.trainable = True
    return chosen


def blocks_of(base: keras.Model) -> dict[str, list[keras.layers.Layer]]:
    """Return the layers with weights of each block, in the network's order.

    A normalisation belongs to the block before it, whatever its name.
    """
    found: dict[str, list[keras.layers.Layer]] = {}
    name = ""
    for layer in (layer for layer in flat_layers(base) if layer.weights):
        if not (name and isinstance(layer, keras.layers.BatchNormalization)):
            name = block_of(layer.name)
        found.setdefault(name, []).append(layer)
    return found


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
    model = without_mirrored(model)
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


def _check_unasked(path: Path, **asked: str | float) -> None:
    for name, value in asked.items():
        if value != "auto":
            raise LookbookError(
                f"Expected train_transfer.{name} to be auto: the base {path} brings its own. "
                f"Received: {value!r}. Set it to auto, or choose a network of keras.applications."
            )


def _prepared(base: keras.Model, image_size: int, least: int) -> keras.Model:
    """Return a base as a head needs it, which enlarges pictures of fewer than `least` pixels."""
    base = with_levels(with_fixed_averages(base), max(image_size, least))
    if image_size >= least:
        return base
    inputs = keras.Input((image_size, image_size, base.input_shape[-1]), name="pixels")
    x = keras.layers.Resizing(least, least, name=SEEN)(inputs)
    return keras.Model(inputs, base(x), name="enlarging_base")


def _constructor(name: str) -> Callable[..., keras.Model]:
    return getattr(keras.applications, name)


def _build(name: str, width: float, inputs: dict, weights: str | None = None) -> keras.Model:
    constructor = _constructor(name)
    options = {} if width == 1 else {"alpha": width}
    if options and "alpha" not in inspect.signature(constructor).parameters:
        raise LookbookError(
            f"Expected train_transfer.width to be 1: {name} is published in one width. Received: "
            f"{width}. Set it to 1."
        )
    try:
        return constructor(include_top=False, weights=weights, **inputs, **options)
    except ValueError as error:
        raise LookbookError(
            f"Expected settings that {name} can be built with. Received: {_first_line(error)} "
            f"(width {width}). Change {PARAMETER} or its settings."
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
