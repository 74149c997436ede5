"""Layers that Keras lacks. Whoever loads a model needs this module; `saving` imports it."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from lookbook.foundation.arithmetic import EVERYWHERE, of_networks
from lookbook.networks.products import product


@keras.saving.register_keras_serializable("lookbook")
class Bias(keras.layers.Layer):
    """Adds a trained number to each channel: the bias of a convolution, as a layer of its own.

    The largest of four numbers that all have the same bias is the same before and after adding it.
    Added after 2x2 pooling it costs a quarter, and lets TensorFlow pool what the convolution left
    as it is: a training step of three small convolutions takes a third less time on CPUs.
    """

    def build(self, input_shape: tuple) -> None:
        """Create the numbers, one a channel."""
        self.bias = self.add_weight(name="bias", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return float of the shape of the inputs."""
        return tf.nn.bias_add(inputs, tf.cast(self.bias, inputs.dtype))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the inputs."""
        return input_shape


@keras.saving.register_keras_serializable("lookbook")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's, of the last axis, the same to the bit on every processor where that is promised.

    Keras divides by a root with an instruction that estimates, in each maker's own way. Written as
    one over a root, TensorFlow puts that instruction in its place; not as a division that may be by
    zero. Where a machine only has to agree with itself, TensorFlow's one operation for all of it
    trains, which goes through the maps a third as often. Masks are for sequences, and not read.
    """

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return float of the shape of the inputs."""
        channels = inputs.shape[-1]
        gamma = tf.cast(self.gamma, tf.float32) if self.scale else tf.ones(channels)
        beta = tf.cast(self.beta, tf.float32) if self.center else tf.zeros(channels)
        if training and self.trainable:
            normalized = _normalized if of_networks() == EVERYWHERE else _normalized_at_once
            outputs, mean, variance = normalized(inputs, gamma, beta, self.epsilon)
            for average, of_batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                average.assign(average * self.momentum + of_batch * (1 - self.momentum))
        else:
            factor = _reciprocal_root(self.moving_variance + self.epsilon) * gamma
            outputs = tf.cast(inputs, tf.float32) * factor + (beta - self.moving_mean * factor)
        return tf.cast(outputs, self.compute_dtype)


def _normalized(
    inputs: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return inputs normalised by the averages of the batch, and these: mean and variance."""
    return _normalized_by_parts(tf.cast(inputs, tf.float32), gamma, beta, tf.constant(epsilon))


@tf.custom_gradient
def _normalized_by_parts(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor, tf.Tensor], Callable]:
    """Do so with a gradient that is written down.

    TensorFlow's own adds up three parts of it, in the order in which they are finished: not the
    same in two runs.
    """
    axes = list(range(x.shape.rank - 1))
    mean = tf.reduce_mean(x, axes)
    away = x - mean
    variance = tf.reduce_mean(away * away, axes)
    root = _reciprocal_root(variance + epsilon)

    def gradient(of_outputs: tf.Tensor, *_: tf.Tensor) -> tuple:
        count = tf.cast(tf.size(x) / tf.size(mean), tf.float32)
        of_beta = tf.reduce_sum(of_outputs, axes)
        of_gamma = tf.reduce_sum(of_outputs * away, axes) * root
        shared = of_outputs - of_beta / count - away * (root * of_gamma / count)
        return shared * (gamma * root), of_gamma, of_beta, None

    return (away * (root * gamma) + beta, mean, variance), gradient


def _normalized_at_once(
    inputs: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Do the same in one operation, in the precision of the inputs but for the averages."""
    channels = inputs.shape[-1]
    maps = inputs if inputs.shape.rank == 4 else tf.reshape(inputs, (-1, 1, 1, channels))
    none_yet = tf.zeros(0)
    outputs, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
        x=maps, scale=gamma, offset=beta, mean=none_yet, variance=none_yet, epsilon=epsilon
    )
    count = tf.cast(tf.size(inputs) / channels, tf.float32)
    variance = unbiased * tf.maximum(count - 1, 1) / count
    return tf.reshape(outputs, tf.shape(inputs)), mean, variance


def _reciprocal_root(x: tf.Tensor) -> tf.Tensor:
    """Return 1 / sqrt(x), not estimated as `tf.math.rsqrt` and `1 / tf.sqrt(x)` are."""
    return tf.math.divide_no_nan(1.0, tf.sqrt(x))


@keras.saving.register_keras_serializable("lookbook")
class Dense(keras.layers.Dense):
    """Keras's, of vectors, the same to the bit on every processor where that is promised."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Return float (n, units) for inputs of shape (n, values)."""
        outputs = product(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.cast(self.bias, outputs.dtype))
        return self.activation(outputs)


@keras.saving.register_keras_serializable("lookbook")
class FixedNormalization(BatchNormalization):
    """Batch normalisation whose averages stay as they are, in training too.

    Keras runs an ordinary one as in training wherever the whole network is trained, whatever the
    call of a part said: a small batch's own averages then take the place of those that were learnt
    from millions of pictures. Scale and offset can be trained.
    """

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return float of the shape of the inputs."""
        return super().call(inputs, training=False, mask=mask)


def with_fixed_averages(model: keras.Model) -> keras.Model:
    """Return a copy of a model, and of the models in it, whose normalisations are fixed.

    It computes in the precision that Keras is set to, whatever it was saved in.
    """
    precision = keras.config.dtype_policy().name
    return _with(model, {keras.layers.BatchNormalization: FixedNormalization}, dtype=precision)


class Standardisation(keras.layers.Normalization):
    """Keras's, as a product with reciprocals that are the same on every processor.

    Where a network is converted, TensorFlow makes a product of the division, and the reciprocals
    are estimated in each maker's own way.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return float of the shape of the inputs."""
        spread = np.sqrt(np.asarray(self.input_variance, np.float32))
        return (inputs - self.mean) * (1 / np.maximum(spread, np.float32(keras.config.epsilon())))


def for_export(model: keras.Model) -> keras.Model:
    """Return a copy of a model, and of the models in it, to be converted.

    Its dense layers are Keras's, which other programs know, and its constants are the same on every
    processor.
    """
    kinds = {Dense: keras.layers.Dense, keras.layers.Normalization: Standardisation}
    return _with(model, kinds)


def _with(
    model: keras.Model, kinds: dict[type, type[keras.layers.Layer]], **settings: str
) -> keras.Model:
    """Return a copy whose layers of some kinds, and of what derives from them, are of others.

    Args:
        model: Copied with its weights.
        kinds: From the old kind to the new.
        settings: What all layers that have such a setting get.
    """

    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = next((kinds[old] for old in kinds if isinstance(layer, old)), type(layer))
        config = layer.get_config()
        return kind.from_config(config | {k: v for k, v in settings.items() if k in config})

    copy = keras.models.clone_model(model, clone_function=copied, recursive=True)
    copy.set_weights(model.get_weights())
    return copy
