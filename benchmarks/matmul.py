"""How much of the machine's matmul rate training the default train_cnn uses, and what XLA does.

The floating-point operations are those of the layers with weights: two for each multiplication with
its addition, three times for training (forward, and backward to inputs and to weights). Measured
with pictures of 28x28 and 24 classes, as the hand signs have, without augmentation.

    python -m benchmarks.matmul
"""

import math
import statistics
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.pictures import Pictures
from lookbook.foundation.params import load_params
from lookbook.networks.architectures import build_cnn
from lookbook.splits.spec import Scaling, Spec
from lookbook.training.fitting import compiled

ROUNDS = 5
SIDE = 4096
BATCHES = 32
UNIT = Scaling("unit", [1 / 255], [0.0])
SPEC = Spec([str(label) for label in range(24)], (28, 28, 1), UNIT, False, {}, {})


def noise(count: int) -> Pictures:
    """Return random pictures with random classes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, *SPEC.image_shape), np.uint8)
    return Pictures(pixels, rng.integers(0, SPEC.num_classes, count, np.int32))


def flops(model: keras.Model) -> int:
    """Return the floating-point operations of one picture on its way forward."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            total += 2 * layer.kernel.shape.num_elements() * math.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * layer.kernel.shape.num_elements()
    return total


def seconds(call, *arguments) -> float:
    """Return the median seconds of a call, after one to warm up."""
    call(*arguments)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call(*arguments)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measure the matmul, then a chunk of training steps without and with XLA."""
    matrix = tf.random.uniform((SIDE, SIDE))
    square = tf.function(lambda: tf.reduce_sum(matrix @ matrix))
    rate = 2 * SIDE**3 / seconds(lambda: square().numpy())
    print(f"matmul of {SIDE}x{SIDE}: {rate / 1e9:.0f} GFLOP/s")
    settings = load_params(Path(__file__).parents[1] / "params.yaml").train_cnn
    batch = settings.batch_size
    examples = noise(BATCHES * batch)
    model = build_cnn(SPEC, settings)
    trainer = compiled(model, examples, settings, in_chunks=True)
    chunk = tf.constant(examples.pixels), tf.constant(examples.labels)
    step = tf.function(trainer.train_step)
    spent = seconds(lambda: step(chunk)["loss"].numpy()) / BATCHES
    share = 3 * flops(model) * batch / spent / rate
    print(f"train_cnn: {1000 * spent:.1f} ms a step of {batch}, {share:.0%} of the matmul rate")
    trainer = compiled(model, examples, settings, in_chunks=False)
    first = chunk[0][:batch], chunk[1][:batch]
    for xla in (False, True):
        step = tf.function(trainer.train_step, jit_compile=xla)
        spent = seconds(lambda step=step: step(first)["loss"].numpy())
        print(f"one step by itself, {'with' if xla else 'without'} XLA: {1000 * spent:.1f} ms")


if __name__ == "__main__":
    main()
