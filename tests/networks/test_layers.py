import keras
import numpy as np
import tensorflow as tf

from lookbook.networks.layers import BatchNormalization, with_fixed_averages

X = np.random.default_rng(0).normal(3, 2, (64, 5, 5, 7)).astype("float32")


def test_batch_normalisation_is_kerass_but_for_the_estimated_root():
    kinds = (BatchNormalization, keras.layers.BatchNormalization)
    ours, kerass = (kind(momentum=0.9) for kind in kinds)
    for training in (True, True, False):
        said = ours(X, training=training), kerass(X, training=training)
        np.testing.assert_allclose(*said, atol=2e-6)
    for one, other in zip(ours.weights, kerass.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_its_gradient_is_kerass():
    found = []
    for layer in (BatchNormalization(), keras.layers.BatchNormalization()):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(X, training=True) ** 3)
        found.append([g.numpy() for g in tape.gradient(loss, layer.trainable_variables)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_no_processor_estimates_a_root():
    inputs = keras.Input(X.shape[1:])
    layer = keras.layers.BatchNormalization()
    base = keras.Model(inputs, layer(keras.layers.Conv2D(7, 1)(inputs)))
    base.trainable = False
    for model in (with_fixed_averages(base), keras.Sequential([BatchNormalization()])):
        call = tf.function(lambda x, model=model: model(x, training=True))
        graph = call.get_concrete_function(tf.TensorSpec(X.shape)).graph
        kinds = {operation.type for operation in graph.get_operations()}
        assert "DivNoNan" in kinds
        assert not kinds & {"Rsqrt", "Reciprocal"}
