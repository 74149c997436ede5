"""Where a convolutional model looked: HiResCAM (Draelos and Carin, arXiv 2011.08891).

For a network that averages its feature maps, as transfer models do, that is Grad-CAM (Selvaraju et
al., arXiv 1610.02391), summed over its maps. Grad-CAM itself averages gradients, and so forgets
where they were, which networks that flatten their maps make use of.
"""

import contextlib
from collections.abc import Callable, Iterator

import cv2
import keras
import numpy as np
import tensorflow as tf


def focus(network: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Return how much each part of a picture speaks for the class that the network says.

    Args:
        network: A chain of layers, some of them perhaps chains of their own, from pictures through
            feature maps to probabilities.
        pixels: uint8 of shape (n, height, width, channels).

    Returns:
        float32 of shape (n, height, width), each from 0 to 1, all 0 where nothing speaks for it.
    """
    to_maps, from_maps = split_at_maps(network)
    maps = tf.nest.flatten(to_maps(tf.cast(pixels, tf.float32)))
    with giving_logits(network), tf.GradientTape() as tape:
        tape.watch(maps)
        logits = from_maps(maps)
        said = tf.one_hot(tf.argmax(logits, axis=1), logits.shape[1])
        spoken = tf.reduce_sum(logits * said, axis=1) - tf.reduce_mean(logits, axis=1)
    gradients = tape.gradient(spoken, maps)
    height, width = pixels.shape[1:3]
    large = np.zeros(pixels.shape[:3], np.float32)
    for one, gradient in zip(maps, gradients, strict=True):
        places = tf.reduce_sum(gradient * one, axis=-1).numpy()
        share = places.shape[1] * places.shape[2] / (height * width)  # a pixel's of its place
        for picture, heat in zip(large, places, strict=True):
            picture += share * cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    large = np.maximum(large, 0)
    highest = large.max(axis=(1, 2), keepdims=True)
    return np.divide(large, highest, out=np.zeros_like(large), where=highest > 0)


@contextlib.contextmanager
def giving_logits(network: keras.Model) -> Iterator[None]:
    """Take the softmax off a network's end: no gradient goes through a probability of 1."""
    last = network.layers[-1]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    softmax, last.activation = last.activation, keras.activations.linear
    try:
        yield
    finally:
        last.activation = softmax


def split_at_maps(network: keras.Model) -> tuple[Callable, Callable]:
    """Return a network's part up to its last feature maps, and the part from them on.

    The maps, a list of them, end at the layers that take (n, height, width, channels) and give
    (n, values). If that is a network itself, as the base and its pooling in a transfer model, they
    end inside.
    """
    layers = network.layers
    places = [
        place
        for place, layer in enumerate(layers)
        if (_rank(layer.input), _rank(layer.output)) == (4, 2)
    ]
    end, rest = layers[places[0]], layers[places[-1] + 1 :]
    if not isinstance(end, keras.Model):
        maps = [layers[place].input for place in places]
        return keras.Model(network.input, maps), keras.Model(maps, network.output)
    to_maps, inside = split_at_maps(end)

    def from_maps(maps: list[tf.Tensor]) -> tf.Tensor:
        x = inside(maps)
        for layer in rest:
            x = layer(x)
        return x

    return to_maps, from_maps


def _rank(tensor: keras.KerasTensor | list) -> int:
    return 0 if isinstance(tensor, list) else len(tensor.shape)


def with_heat(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return the pictures in colour with their heat over them.

    Args:
        pixels: uint8 of shape (n, height, width, channels).
        heat: float32 of shape (n, height, width), from 0 to 1.

    Returns:
        uint8 of shape (n, height, width, 3).
    """
    painted = []
    for picture, warmth in zip(pixels, heat, strict=True):
        colours = cv2.applyColorMap((warmth * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
        grey = picture if picture.shape[-1] == 1 else picture.mean(axis=-1, keepdims=True)
        painted.append(0.5 * grey + 0.5 * colours[..., ::-1])
    return np.stack(painted).round().astype(np.uint8)
