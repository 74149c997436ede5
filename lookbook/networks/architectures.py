"""The Keras architectures. Every model takes raw pixels and scales them itself."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import TrainAnnParams, TrainCnnParams
from lookbook.networks.layers import BatchNormalization, Bias, Dense
from lookbook.splits.spec import Spec

SEEN = "seen"  # the layer that gives pictures the size that the rest of a network sees
LEAST_SPREAD = 0.01  # of a feature, as a share of the median one's
OUTPUT = "probabilities"  # the layer that ends a network
MEAN = "mean_over_mirrored"  # the layer that ends a network which asks about mirror images too
MOMENTUM = 0.9  # of batch normalisation's averages; Keras's 0.99 lags behind in short trainings


def build_ann(spec: Spec, settings: TrainAnnParams) -> keras.Model:
    """Build a dense network; without hidden layers it is softmax regression.

    Args:
        spec: Gives the picture's shape, the scaling and the number of classes.
        settings: `image_size` (larger pictures are averaged down to at most this), `hidden`,
            `activation`, `batch_norm` (of each hidden layer) and `dropout` (the share of its
            outputs that training leaves out) count here.

    Returns:
        A model from pixels (n, height, width, channels) to probabilities (n, classes).
    """
    inputs, x = _scaled_input(spec, settings.image_size)
    x = layers.Flatten()(x)
    for units in settings.hidden:
        x = Dense(units, use_bias=not settings.batch_norm)(x)
        x = _activated(x, settings.batch_norm, settings.activation)
        x = _dropout(x, settings.dropout)
    return keras.Model(inputs, _output(x, spec), name="ann")


def build_cnn(spec: Spec, settings: TrainCnnParams) -> keras.Model:
    """Build a convolutional network of blocks that each end with 2x2 pooling.

    Args:
        spec: Gives the picture's shape, the scaling and the number of classes.
        settings: `image_size` (larger pictures are averaged down to at most this), `blocks`,
            `max_map` (see `grown`), `kernel_size`, `batch_norm` (of each convolution and the dense
            layer), `dense_units` and `dropout` (before and after that layer) count here.

    Returns:
        A model from pixels (n, height, width, channels) to probabilities (n, classes). The layer
        named `features` ends its convolutional part.
    """
    inputs, x = _scaled_input(spec, settings.image_size)
    side, smallest = x.shape[1], 2 ** len(settings.blocks)
    if side < smallest:
        raise LookbookError(
            f"Expected pictures of at least {smallest} pixels, since each entry of "
            f"train_cnn.blocks halves them. Received: {side}, after train_cnn.image_size. Raise "
            "preprocess.image_size or train_cnn.image_size, or take blocks away."
        )
    blocks = grown(settings.blocks, side, settings.max_map)
    for number, block in enumerate(blocks):
        for place, channels in enumerate(block):
            last = place == len(block) - 1
            x = layers.Conv2D(channels, settings.kernel_size, padding="same", use_bias=False)(x)
            if last:
                # Pooling before bias and relu gives the same values as after them, on a quarter of
                # the numbers; before the normalisation it spares three quarters of that too.
                x = layers.MaxPooling2D(2)(x)
            if not settings.batch_norm:
                x = Bias()(x)
            name = "features" if last and number == len(blocks) - 1 else None
            x = _activated(x, settings.batch_norm, "relu", name)
    x = layers.Flatten()(x)
    x = _dropout(x, settings.dropout)
    if settings.dense_units:
        x = Dense(settings.dense_units, use_bias=not settings.batch_norm)(x)
        x = _activated(x, settings.batch_norm, "relu")
        x = _dropout(x, settings.dropout)
    return keras.Model(inputs, _output(x, spec), name="cnn")


def grown(blocks: Sequence[Sequence[int]], side: int, max_map: int) -> list[list[int]]:
    """Return the blocks with as many in front as larger pictures need.

    Each block halves the side. While the last map would be larger than `max_map` pixels, a block of
    one convolution is put in front, with half the channels of the first (at least 8): cheap where
    the maps are large.

    Args:
        blocks: Channels of each convolution, block by block.
        side: Of the picture, in pixels.
        max_map: Largest side of the last map; 0 adds no block.
    """
    result = [list(block) for block in blocks]
    while max_map and side >> len(result) > max_map:
        result.insert(0, [max(8, result[0][0] // 2)])
    return result


def build_feature_extractor(spec: Spec, base: keras.Model) -> keras.Model:
    """Build the first part of a transfer model: a base and global average pooling.

    Args:
        spec: Gives the picture's shape. Its scaling is not used: a base brings its own.
        base: From raw pixels of 1 or 3 channels to feature maps, a list of them if it gives
            several.

    Returns:
        A model from pixels (n, height, width, channels) to features (n, channels of all maps). The
        base in it is frozen.
    """
    base.trainable = False
    inputs = keras.Input(spec.image_shape, name="pixels")
    maps = base(_with_channels(inputs, base.input_shape[-1]), training=False)
    pooled = [layers.GlobalAveragePooling2D()(one) for one in _listed(maps)]
    x = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    return keras.Model(inputs, x, name="feature_extractor")


def build_head(
    spec: Spec, features: int, *, mean: ArrayLike, variance: ArrayLike, dropout: float
) -> keras.Model:
    """Build the second part of a transfer model: standardised features and an output layer.

    A feature that training pictures hardly excite is not made as large as the others: it would be
    rounding for the most part, and the first picture that does excite it would be all about it.

    Args:
        spec: Gives the number of classes.
        features: How many features a picture has.
        mean: Of each feature over the training pictures.
        variance: Likewise.
        dropout: Share of the features that training leaves out.

    Returns:
        A model from features (n, features) to probabilities (n, classes).
    """
    inputs = keras.Input((features,), name="features")
    spread = np.sqrt(np.asarray(variance, np.float32))
    usual = np.median(spread[spread > 0]) if spread.any() else np.float32(1)
    least = np.maximum(spread, LEAST_SPREAD * usual)
    x = layers.Normalization(mean=mean, variance=least**2)(inputs)
    x = _dropout(x, dropout)
    # From zeros: what random weights would say stays in a training that ends early, as this one
    # does, and magnifies how rounding differs between programs.
    return keras.Model(inputs, _output(x, spec, start="zeros"), name="head")


def join(spec: Spec, extractor: keras.Model, head: keras.Model) -> keras.Model:
    """Return one model of both parts, from raw pixels to probabilities."""
    inputs = keras.Input(spec.image_shape, name="pixels")
    return keras.Model(inputs, head(extractor(inputs)), name="transfer")


def with_mirrored(network: keras.Model) -> keras.Model:
    """Return a network that says the mean of what it says of a picture and of its mirror image.

    Test-time augmentation, by the one change that loses nothing of a picture. It costs twice.
    """
    inputs = keras.Input(network.input_shape[1:], name="pixels")
    views = [network(inputs), network(_mirrored(inputs))]
    return keras.Model(inputs, layers.Average(name=MEAN, dtype="float32")(views), name=network.name)


def without_mirrored(network: keras.Model) -> keras.Model:
    """Return the network inside one from `with_mirrored`; any other as it is."""
    is_mean = network.layers[-1].name == MEAN
    return next(x for x in network.layers if isinstance(x, keras.Model)) if is_mean else network


def with_features(network: keras.Model) -> keras.Model:
    """Return a network that also tells what it makes of a picture before it decides.

    Features are what tells a picture of another kind. They are taken where most of them are left:
    the averages of a network's last feature maps, or its first hidden layer where it has no maps.

    Args:
        network: As one of the functions here built it.

    Returns:
        A model from pixels to features (n, values) and probabilities (n, classes).
    """
    inside = without_mirrored(network)
    if inside is not network:
        looking = with_features(inside)
        inputs = keras.Input(network.input_shape[1:], name="pixels")
        views = zip(looking(inputs), looking(_mirrored(inputs)), strict=True)
        means = [layers.Average()(list(both)) for both in views]
        return keras.Model(inputs, means, name=network.name)
    last = network.layers[-1]
    if isinstance(last, keras.Model):  # a head, after a base and its pooling
        inputs = keras.Input(network.input_shape[1:], name="pixels")
        features = network.layers[-2](inputs)
        return keras.Model(inputs, [features, last(features)], name=network.name)
    named = {layer.name: layer for layer in network.layers}
    if "features" in named:
        features = layers.GlobalAveragePooling2D()(named["features"].output)
    else:
        vectors = [layer.output for layer in network.layers if len(layer.output.shape) == 2]
        hidden = [
            layer.output
            for layer in network.layers
            if isinstance(layer, layers.Activation) and len(layer.output.shape) == 2
        ]
        features = (hidden or vectors)[0]
    return keras.Model(network.input, [features, network.output], name=network.name)


def seen_size(model: keras.Model) -> int:
    """Return the side in pixels of what a network makes of pictures before anything else."""
    sides = [layer.output.shape[1] for layer in flat_layers(model) if layer.name == SEEN]
    return sides[0] if sides else model.input_shape[1]


def flat_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return all layers of a model and of the models in it, in order."""
    nested = (
        flat_layers(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers
    )
    return [layer for layers in nested for layer in layers]


def _scaled_input(spec: Spec, largest: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return raw pixels, and what the network makes of them first.

    Pictures of more than `largest` pixels a side are averaged over squares, as for the baseline.
    """
    x = inputs = keras.Input(spec.image_shape, name="pixels")
    shrink = spec.shrinking(largest)
    if shrink > 1:
        x = layers.AveragePooling2D(shrink, name=SEEN)(x)
    scale, offset = spec.scaling.scale, spec.scaling.offset
    return inputs, layers.Rescaling(scale=scale, offset=offset, name="scaling")(x)


def _activated(
    x: keras.KerasTensor, batch_norm: bool, activation: str, name: str | None = None
) -> keras.KerasTensor:
    if batch_norm:
        x = BatchNormalization(momentum=MOMENTUM)(x)
    return layers.Activation(activation, name=name)(x)


def _dropout(x: keras.KerasTensor, share: float) -> keras.KerasTensor:
    return layers.Dropout(share)(x) if share else x


def _output(
    x: keras.KerasTensor, spec: Spec, *, start: str = "glorot_uniform"
) -> keras.KerasTensor:
    # float32 whatever the precision of the rest: float16 cannot hold small probabilities.
    dense = Dense(
        spec.num_classes,
        activation="softmax",
        kernel_initializer=start,
        name=OUTPUT,
        dtype="float32",
    )
    return dense(x)


def _mirrored(pixels: keras.KerasTensor) -> keras.KerasTensor:
    return keras.ops.flip(pixels, axis=2)


def _listed(maps: keras.KerasTensor | list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    return maps if isinstance(maps, list) else [maps]


def _with_channels(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    if x.shape[-1] == channels:
        return x
    if channels == 1:
        return keras.ops.image.rgb_to_grayscale(x)
    return layers.Concatenate()([x] * channels)
