"""Networks as LiteRT files (`.tflite`), which phones, browsers and small computers run."""

import logging
import tempfile
from pathlib import Path

import keras
import tensorflow as tf


def converted(network: keras.Model, *, half: bool = False) -> bytes:
    """Return a network as a LiteRT file for any number of pictures, the same bytes every time.

    Args:
        network: From raw uint8 pixels to a dictionary of outputs.
        half: Whether weights are kept as float16. It still computes in float32.
    """
    pixels = tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="pixels")
    options = {}
    if half:
        supported = tf.lite.TargetSpec(supported_types=[tf.float16])
        options = {"optimizations": [tf.lite.Optimize.DEFAULT], "target_spec": supported}
    tf.get_logger().setLevel(logging.WARNING)  # it tells of files that nobody will see
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        network.export(path, format="litert", input_signature=[pixels], verbose=False, **options)
        return path.read_bytes()
