"""What is left to gain in dense networks: their training step against its bare arithmetic.

    python -m benchmarks.roofline              with hardware.repeatable everywhere (two minutes)
    python -m benchmarks.roofline --machine    and with machine

A step of a dense network is products of matrices (of each layer one forward, one backward to its
weights, and but for the first one to its inputs), and an update, which reads gradients and reads
and writes weights and averages. It can take no less time than these take alone. They are measured
as chunks of batches, which one call goes through: products with Keras's layers, and with
`lookbook.networks.layers.Dense`, which cuts them; updates by the optimizer's operations. The rest
is normalisation, dropout, loss and figures, and what TensorFlow takes to start operations. An
update as fast as memory allows stands beside its own time: bytes by the rate at which a large
variable is read and written.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.matmul import SIDE, SPEC, noise, seconds
from lookbook.experiments.recipes import load_recipes, merged, plan
from lookbook.foundation.arithmetic import settle
from lookbook.foundation.params import HardwareParams, TrainAnnParams
from lookbook.foundation.schema import read_yaml
from lookbook.networks.architectures import build_ann
from lookbook.networks.layers import Dense
from lookbook.training.devices import prepared
from lookbook.training.fitting import compiled
from lookbook.training.steps import Trainer

ROOT = Path(__file__).parents[1]
BATCHES = 100  # of a chunk
RECIPES = ["mnist_mlp_sgd", "mnist_mlp_rmsprop"]
PASSES = {"sgd": 5, "rmsprop": 7, "adam": 7}  # through as many numbers as there are weights
LARGE = 2**26  # numbers, which no cache holds


def cases() -> dict[str, TrainAnnParams]:
    """Return the settings of the recipes and of the defaults, these also with small batches."""
    defaults, recipes = read_yaml(ROOT / "params.yaml"), load_recipes(ROOT / "recipes.yaml")
    found = {
        name: merged(defaults, plan(name, recipes[name]).params)["train_ann"] for name in RECIPES
    }
    found["defaults"] = defaults["train_ann"]
    found["defaults, batches of 32"] = defaults["train_ann"] | {"batch_size": 32}
    every = {"epochs": 1, "class_weights": "none"}
    return {name: TrainAnnParams(**settings | every) for name, settings in found.items()}


def each_batch(
    pixels: tf.Tensor, size: int, call: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[[], np.ndarray]:
    """Return what calls a function with each batch of a chunk, and adds up the numbers it gives."""

    @tf.function
    def chunk(pixels: tf.Tensor) -> tf.Tensor:
        _, total = tf.while_loop(
            lambda start, _: start < tf.shape(pixels)[0],
            lambda start, total: (start + size, total + call(pixels[start : start + size])),
            [0, 0.0],
        )
        return total

    return lambda: chunk(pixels).numpy()


def products(kind: type[keras.layers.Dense], sizes: list[int]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the products of layers of these sizes, forward and backward."""
    layers = [kind(units, use_bias=False) for units in sizes]
    keras.Sequential([keras.Input(SPEC.image_shape), keras.layers.Flatten(), *layers])
    kernels = [layer.kernel.value for layer in layers]

    def call(batch: tf.Tensor) -> tf.Tensor:
        x = tf.reshape(tf.cast(batch, tf.float32), (-1, layers[0].kernel.shape[0]))
        with tf.GradientTape() as tape:
            for layer in layers:
                x = layer(x)
        return tf.add_n([gradient[0, 0] for gradient in tape.gradient(x, kernels)])

    return call


def updates(trainer: Trainer) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return what takes a step of the optimizer, with gradients that are there already."""
    variables = trainer.trainable_variables
    gradients = [tf.Variable(tf.zeros(variable.shape)) for variable in variables]

    def call(batch: tf.Tensor) -> tf.Tensor:
        read = [gradient.read_value() for gradient in gradients]
        trainer.optimizer.apply_gradients(zip(read, variables, strict=True))
        return tf.cast(batch[0, 0, 0, 0], tf.float32)

    return call


def measure(name: str, settings: TrainAnnParams, memory: float) -> None:
    """Print milliseconds a step.

    Args:
        name: Of the case.
        settings: Of its network and training.
        memory: Bytes a second.
    """
    examples = noise(BATCHES * settings.batch_size)
    pixels, labels = tf.constant(examples.pixels), tf.constant(examples.labels)
    trainer = compiled(build_ann(SPEC, settings), examples, settings)
    step = tf.function(trainer.train_step)
    sizes = [*settings.hidden, SPEC.num_classes]
    parts = {
        "products": products(keras.layers.Dense, sizes),
        "products in parts": products(Dense, sizes),
        "updates": updates(trainer),
    }
    calls = {part: each_batch(pixels, settings.batch_size, call) for part, call in parts.items()}
    calls["step"] = lambda: step((pixels, labels))["loss"].numpy()
    spent = {part: 1000 * seconds(call) / BATCHES for part, call in calls.items()}
    moved = (
        4
        * PASSES[settings.optimizer]
        * sum(math.prod(each.shape) for each in trainer.trainable_variables)
    )
    bare = spent["products in parts"] + spent["updates"]
    told = ", ".join(f"{part} {each:.2f}" for part, each in spent.items())
    print(
        f"{name}: {told} ms ({1000 * moved / memory:.2f} ms of an update by memory); "
        f"{bare / spent['step']:.0%} of a step is products and updates",
        flush=True,
    )


def main() -> None:
    """Measure what the machine can do, then each case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machine", action="store_true", help="hardware.repeatable=machine")
    promise = "machine" if parser.parse_args().machine else "everywhere"
    settle()
    hardware = HardwareParams(repeatable=promise, devices="one", precision="float32")
    with prepared(hardware, 0):
        matrix = tf.random.uniform((SIDE, SIDE))
        square = tf.function(lambda: tf.reduce_sum(matrix @ matrix))
        rate = 2 * SIDE**3 / seconds(lambda: square().numpy())
        large = tf.Variable(tf.zeros(LARGE))
        add = tf.function(lambda: large.assign_add(large)[0])
        memory = 3 * 4 * LARGE / seconds(lambda: add().numpy())
        print(f"{promise}: {rate / 1e9:.0f} GFLOP/s, {memory / 1e9:.0f} GB/s", flush=True)
        for name, settings in cases().items():
            measure(name, settings, memory)


if __name__ == "__main__":
    main()
