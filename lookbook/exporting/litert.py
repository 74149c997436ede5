"""Networks as LiteRT files (`.tflite`), which phones, browsers and small computers run."""

import logging
import tempfile
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

ANY = -1  # a size that is open, in a shape's signature


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


def with_batch_of_one(model: bytes) -> bytes:
    """Return a LiteRT file for one picture at a time, which is what browsers' runtime takes.

    Each open size becomes 1, in place; nothing else changes.
    """
    content = bytearray(model)
    for graph in _graphs(schema.Model.GetRootAs(content, 0)):
        for place in range(graph.TensorsLength()):
            tensor = graph.Tensors(place)
            if tensor.ShapeSignatureLength():
                sizes = tensor.ShapeSignatureAsNumpy()  # a view of the file's bytes
                sizes[sizes == ANY] = 1
    return bytes(content)


def _graphs(model: schema.Model) -> list[schema.SubGraph]:
    return [model.Subgraphs(place) for place in range(model.SubgraphsLength())]
