import keras
import numpy as np
import pytest
import tensorflow as tf

from lookbook.networks import layers, products
from lookbook.networks.layers import (
    BatchNormalization,
    Dense,
    Standardisation,
    for_export,
    with_fixed_averages,
)

X = np.random.default_rng(0).normal(3, 2, (64, 5, 5, 7)).astype("float32")


@pytest.fixture(params=["everywhere", "here"])
def arithmetic(request, monkeypatch):
    for module in (layers, products):
        monkeypatch.setattr(module, "of_networks", lambda: request.param)


@pytest.mark.parametrize("x", [X, X[:, 0, 0]], ids=["maps", "vectors"])
def test_batch_normalisation_is_kerass_but_for_the_estimated_root(arithmetic, x):
    kinds = (BatchNormalization, keras.layers.BatchNormalization)
    ours, kerass = (kind(momentum=0.9) for kind in kinds)
    for training in (True, True, False):
        said = ours(x, training=training), kerass(x, training=training)
        np.testing.assert_allclose(*said, atol=5e-6)
    for one, other in zip(ours.weights, kerass.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_its_gradient_is_kerass(arithmetic):
    found = []
    for layer in (BatchNormalization(), keras.layers.BatchNormalization()):
        with tf.GradientTape() as tape:
            inputs = tf.constant(X)
            tape.watch(inputs)
            loss = tf.reduce_mean(layer(inputs, training=True) ** 3)
        parts = [inputs, *layer.trainable_variables]
        found.append([g.numpy() for g in tape.gradient(loss, parts)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=5e-6)


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


def test_no_gradient_of_it_is_a_sum_of_three(arithmetic):
    """TensorFlow adds up three in the order in which they are ready, and two are the same."""
    model = keras.Sequential(
        [keras.layers.Conv2D(7, 1), BatchNormalization(), BatchNormalization()]
    )
    model.build((None, *X.shape[1:]))

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True) ** 3)
        return tape.gradient(loss, model.trainable_variables)

    graph = gradients.get_concrete_function(tf.TensorSpec(X.shape)).graph
    sums = [operation for operation in graph.get_operations() if operation.type == "AddN"]
    assert all(len(operation.inputs) < 3 for operation in sums)


@pytest.mark.parametrize(("values", "units"), [(3, 2), (8, 5), (784, 10)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_dense_layer_is_kerass(arithmetic, values, units, use_bias):
    x = np.random.default_rng(1).normal(size=(6, values)).astype("float32")
    found = []
    ours = Dense(units, use_bias=use_bias, activation="softmax")
    ours.build((None, values))
    kerass = keras.layers.Dense(units, use_bias=use_bias, activation="softmax")
    kerass.build((None, values))
    kerass.set_weights(ours.get_weights())
    for layer in (ours, kerass):
        with tf.GradientTape() as tape:
            inputs = tf.constant(x)
            tape.watch(inputs)
            outputs = layer(inputs)
            loss = tf.reduce_mean(outputs**3)
        parts = [inputs, *layer.trainable_variables]
        found.append([outputs.numpy(), *(g.numpy() for g in tape.gradient(loss, parts))])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_what_is_exported_has_kerass_and_divides_nothing():
    rng = np.random.default_rng(1)
    scale = keras.layers.Normalization(mean=rng.normal(size=9), variance=rng.random(9) + 0.1)
    inner = keras.Sequential([keras.Input((9,)), scale, Dense(4)])
    model = keras.Sequential([keras.Input((9,)), inner])
    copy = for_export(model)
    (inner,) = copy.layers
    assert [type(layer) for layer in inner.layers] == [Standardisation, keras.layers.Dense]
    x = rng.normal(size=(6, 9)).astype("float32")
    np.testing.assert_allclose(copy(x), model(x), atol=2e-6)
    graph = tf.function(copy).get_concrete_function(tf.TensorSpec((None, 9))).graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert "Mul" in kinds and not kinds & {"RealDiv", "Sqrt", "Rsqrt", "Reciprocal"}
