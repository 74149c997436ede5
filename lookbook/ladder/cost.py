"""What a model costs for each picture, counted rather than timed."""

import keras
import tensorflow as tf
from tensorflow.python.profiler import model_analyzer, option_builder
from tensorflow.python.util import deprecation


def operations(network: keras.Model) -> int:
    """Return how many floating-point operations a network takes for a picture.

    As TensorFlow's profiler counts them; a multiplication and an addition are two.
    """
    pixels = tf.TensorSpec([1, *network.input_shape[1:]], tf.float32)
    call = tf.function(lambda images: network(images, training=False))
    options = option_builder.ProfileOptionBuilder(
        option_builder.ProfileOptionBuilder.float_operation()
    )
    graph = call.get_concrete_function(pixels).graph
    with deprecation.silence():
        found = model_analyzer.profile(graph, options=options.with_empty_output().build())
    return found.total_float_ops
