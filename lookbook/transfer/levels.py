"""What a base knows of finer parts of a picture, beside its last feature map."""

import keras
from keras import layers

LEVELS = 3  # maps that a base gives


def with_levels(base: keras.Model, side: int) -> keras.Model:
    """Return a base that gives several maps, for a head to use all of them.

    The last map knows best the classes that a base was trained on; those before it are of more use
    for others (Hariharan et al., arXiv 1411.5752).

    Args:
        base: One graph of layers, from raw pixels to a feature map.
        side: Of the pictures, in pixels.

    Returns:
        A base of the same layers, from raw pixels of that side to a list of maps, finest first: the
        last activation at each of the next two resolutions, and what the base itself gives.
    """
    inputs = keras.Input((side, side, base.input_shape[-1]), name="pixels")
    sized = keras.models.clone_model(base, input_tensors=inputs)
    sized.set_weights(base.get_weights())
    last = sized.output
    finer = {
        layer.output.shape[1]: layer.output
        for layer in sized.layers
        if _is_activation(layer) and layer.output.shape[1] > last.shape[1]
    }
    chosen = sorted(finer)[: LEVELS - 1]
    return keras.Model(inputs, [*(finer[size] for size in reversed(chosen)), last], name=base.name)


def _is_activation(layer: layers.Layer) -> bool:
    """Return whether a layer gives feature maps that come from something not linear."""
    activation = getattr(layer, "activation", keras.activations.linear)
    is_own = isinstance(layer, (layers.Activation, layers.ReLU, layers.LeakyReLU))
    return len(layer.output.shape) == 4 and (is_own or activation is not keras.activations.linear)
