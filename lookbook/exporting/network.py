"""A model of the ladder as a Keras network with all that an answer takes."""

import keras
import numpy as np
from keras import layers, ops

from lookbook.evaluation.calibration import SMALLEST
from lookbook.evaluation.doubt import Doubt, Strangeness
from lookbook.ladder.models import Model
from lookbook.networks.architectures import with_features
from lookbook.networks.layers import for_export
from lookbook.shallow.linear import LinearModel

OUTPUTS = ("probabilities", "calibrated", "strangeness")


def answering_network(
    name: str, model: Model, doubt: Doubt, image_shape: tuple[int, int, int]
) -> keras.Model:
    """Return a network from raw uint8 pixels to the outputs `OUTPUTS`, a dictionary of them.

    Args:
        name: Of the network.
        model: As `lookbook.ladder.models.load_model` gives it.
        doubt: What evaluate found out about it.
        image_shape: (height, width, channels).
    """
    keras.utils.clear_session(free_memory=False)  # its names of layers count from 1 again
    inputs = keras.Input(image_shape, dtype="uint8", name="pixels")
    if isinstance(model, LinearModel):
        looking = _linear(model, image_shape)
    else:
        looking = with_features(for_export(model.network))
    features, probabilities = looking(ops.cast(inputs, "float32"))
    logits = ops.log(ops.maximum(probabilities, float(SMALLEST)))
    outputs = {
        "probabilities": probabilities,
        "calibrated": ops.softmax(logits / doubt.temperature),
        "strangeness": _strange(features, doubt.strangeness),
    }
    return keras.Model(inputs, outputs, name=name)


def _strange(features: keras.KerasTensor, fitted: Strangeness) -> keras.KerasTensor:
    """Return what `Strangeness.of` does."""
    away = features - fitted.mean
    seen = ops.matmul(away, fitted.axes)
    apart = ops.square(ops.expand_dims(seen, 1) - fitted.centres) * fitted.precisions
    others = ops.sum(ops.square(away - ops.matmul(seen, fitted.axes.T)), axis=1)
    return ops.min(ops.sum(apart, axis=2), axis=1) + fitted.rest * others


def _linear(model: LinearModel, image_shape: tuple[int, int, int]) -> keras.Model:
    """Return the linear classifier as a network to its inputs and its probabilities.

    As scikit-learn's `SGDClassifier.predict_proba` computes them, one class against the rest.
    """
    classifier = model.classifier
    inputs = x = keras.Input(image_shape)
    if model.shrink > 1:
        x = layers.AveragePooling2D(model.shrink)(x)
    x = x * np.asarray(model.scaling.scale, np.float32)
    x = layers.Flatten()(x + np.asarray(model.scaling.offset, np.float32))
    weights = [classifier.coef_.T.astype(np.float32), classifier.intercept_.astype(np.float32)]
    dense = layers.Dense(len(weights[1]))
    scores = dense(x)
    dense.set_weights(weights)
    if classifier.loss == "log_loss" and scores.shape[1] > 1:
        # The shares of sigmoids; in float32 all of them may be 0, but not their logarithms.
        return keras.Model(inputs, [x, ops.softmax(ops.log_sigmoid(scores))])
    if classifier.loss == "log_loss":
        shares = ops.sigmoid(scores)
    else:  # modified_huber
        shares = (ops.clip(scores, -1.0, 1.0) + 1) / 2
    if shares.shape[1] == 1:
        return keras.Model(inputs, [x, ops.concatenate([1 - shares, shares], axis=1)])
    total = ops.sum(shares, axis=1, keepdims=True)
    none = ops.equal(total, 0.0)
    probabilities = ops.where(none, 1 / shares.shape[1], shares / ops.where(none, 1.0, total))
    return keras.Model(inputs, [x, probabilities])
