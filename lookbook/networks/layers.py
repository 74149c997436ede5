"""Layers that Keras lacks. Whoever loads a model needs this module; `saving` imports it."""

import keras
import tensorflow as tf


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
