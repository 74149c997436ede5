"""The Keras architectures. Every model takes raw pixels and scales them itself."""

from collections.abc import Sequence

import keras
from keras import layers

from lookbook.splits import Spec


def build_ann(spec: Spec, *, hidden: Sequence[int], activation: str, dropout: float) -> keras.Model:
    """Build a dense network; without hidden layers it is softmax regression.

    Args:
        spec: Gives the picture's shape, the scaling and the number of classes.
        hidden: Units of each hidden layer.
        activation: Keras's name of the hidden layers' activation.
        dropout: Share of each hidden layer's outputs that training leaves out.

    Returns:
        A model from pixels (n, height, width, channels) to probabilities (n, classes).
    """
    inputs, x = _scaled_input(spec)
    x = layers.Flatten()(x)
    for units in hidden:
        x = layers.Dense(units, activation=activation)(x)
        if dropout:
            x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, _output(x, spec), name="ann")


def build_cnn(
    spec: Spec, *, filters: Sequence[int], kernel_size: int, dense_units: int, dropout: float
) -> keras.Model:
    """Build a convolutional network: convolution, relu and 2x2 pooling for each entry of filters.

    Args:
        spec: Gives the picture's shape, the scaling and the number of classes.
        filters: Channels of each convolution.
        kernel_size: Side of each convolution's window, in pixels.
        dense_units: Units of the layer before the output; 0 leaves it out.
        dropout: Share of that layer's inputs and outputs that training leaves out.

    Returns:
        A model from pixels (n, height, width, channels) to probabilities (n, classes). The layer
        named `features` ends its convolutional part.
    """
    inputs, x = _scaled_input(spec)
    for number, channels in enumerate(filters):
        # Pooling before relu gives the same values as after it, on a quarter of the numbers.
        x = layers.Conv2D(channels, kernel_size, padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
        name = "features" if number == len(filters) - 1 else None
        x = layers.ReLU(name=name)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(dropout)(x)
    if dense_units:
        x = layers.Dense(dense_units, activation="relu")(x)
        x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, _output(x, spec), name="cnn")


def build_feature_extractor(spec: Spec, base: keras.Model) -> keras.Model:
    """Build the frozen part of a transfer model: a base and global average pooling.

    Args:
        spec: Gives the picture's shape. Its scaling is not used: a base brings its own.
        base: From raw pixels of 1 or 3 channels to feature maps.

    Returns:
        A model from pixels (n, height, width, channels) to features (n, base's channels).
    """
    base.trainable = False
    inputs = keras.Input(spec.image_shape, name="pixels")
    x = _with_channels(inputs, base.input_shape[-1])
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    return keras.Model(inputs, x, name="feature_extractor")


def build_head(
    spec: Spec, features: int, *, mean: Sequence[float], variance: Sequence[float], dropout: float
) -> keras.Model:
    """Build the trained part of a transfer model: standardised features and an output layer.

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
    x = layers.Normalization(mean=mean, variance=variance)(inputs)
    if dropout:
        x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, _output(x, spec), name="head")


def join(spec: Spec, extractor: keras.Model, head: keras.Model) -> keras.Model:
    """Return one model of both parts, from raw pixels to probabilities."""
    inputs = keras.Input(spec.image_shape, name="pixels")
    return keras.Model(inputs, head(extractor(inputs)), name="transfer")


def _scaled_input(spec: Spec) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    inputs = keras.Input(spec.image_shape, name="pixels")
    scale, offset = spec.scaling.scale, spec.scaling.offset
    return inputs, layers.Rescaling(scale=scale, offset=offset, name="scaling")(inputs)


def _output(x: keras.KerasTensor, spec: Spec) -> keras.KerasTensor:
    return layers.Dense(spec.num_classes, activation="softmax", name="probabilities")(x)


def _with_channels(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    if x.shape[-1] == channels:
        return x
    if channels == 1:
        return keras.ops.image.rgb_to_grayscale(x)
    return layers.Concatenate()([x] * channels)
