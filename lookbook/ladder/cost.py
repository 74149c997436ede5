"""What a model costs for each picture, counted rather than timed."""

import logging

import keras
import tensorflow as tf


def operations(network: keras.Model) -> int:
    """Return how many floating-point operations a network takes for a picture.

    As TensorFlow's profiler counts them; a multiplication and an addition are two.
    """
    pixels = tf.TensorSpec([1, *network.input_shape[1:]], tf.float32)
    call = tf.function(lambda images: network(images, training=False))
    graph = call.get_concrete_function(pixels).graph
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # the profiler calls functions that it has itself deprecated
    try:
        found = profiler.profile(graph, options=options.with_empty_output().build())
    finally:
        logger.setLevel(level)
    return found.total_float_ops
