import keras
import numpy as np
import pytest

from lookbook.networks import products
from lookbook.networks.architectures import OUTPUT
from lookbook.training.optimizers import Muon


def moved(shape, *, name="kernel", seed=0):
    """Return how far two steps of Muon move a variable, and its two gradients."""
    rng = np.random.default_rng(seed)
    variable = keras.Variable(np.zeros(shape), dtype="float32", name=name)
    gradients = rng.normal(size=(2, *shape)).astype(np.float32)
    optimizer = Muon(learning_rate=1.0, momentum=0.9, weight_decay=None)
    for gradient in gradients:
        optimizer.apply([keras.ops.array(gradient)], [variable])
    return variable.numpy(), gradients


def by_keras(gradients):
    """Return what Keras's Muon makes of two gradients of a matrix."""
    variable = keras.Variable(np.zeros(gradients[0].shape), dtype="float32", name="kernel")
    keras_own = {"weight_decay": None, "adam_weight_decay": None, "momentum": 0.9}
    optimizer = keras.optimizers.Muon(learning_rate=1.0, **keras_own)
    for gradient in gradients:
        optimizer.apply([keras.ops.array(gradient)], [variable])
    return variable.numpy()


@pytest.mark.parametrize("arithmetic", ["everywhere", "here"])
@pytest.mark.parametrize("shape", [(40, 24), (24, 40), (7, 3)])
def test_a_matrix_moves_as_keras_would_move_it(monkeypatch, shape, arithmetic):
    monkeypatch.setattr(products, "of_networks", lambda: arithmetic)
    received, gradients = moved(shape)
    np.testing.assert_allclose(received, by_keras(gradients), atol=2e-3 * np.abs(received).max())


def test_a_convolution_moves_as_a_matrix_from_places_to_channels():
    received, gradients = moved((3, 3, 4, 8))
    expected = by_keras(gradients.reshape(2, 36, 8))
    np.testing.assert_allclose(received.reshape(36, 8), expected, atol=2e-3)


def test_what_it_moves_along_is_nearly_orthogonal():
    spectrum = np.linalg.svd(moved((64, 16))[0] / (0.2 * 64**0.5), compute_uv=False)
    assert (spectrum > 0.5).all(), "two steps, of 0.7 to 1.2 each, in directions near each other"
    assert (spectrum < 2.4).all()


@pytest.mark.parametrize(
    ("shape", "name"), [((6,), "bias"), ((3, 3, 5, 1), "kernel"), ((6, 4), OUTPUT)]
)
def test_the_rest_moves_as_by_adam(shape, name):
    received, gradients = moved(shape, name=name)
    variable = keras.Variable(np.zeros(shape), dtype="float32")
    adam = keras.optimizers.Adam(learning_rate=1.0)
    for gradient in gradients:
        adam.apply([keras.ops.array(gradient)], [variable])
    np.testing.assert_allclose(received, variable.numpy(), rtol=1e-4)


def test_a_matrix_without_a_gradient_stays():
    optimizer = Muon(learning_rate=1.0, momentum=0.9, weight_decay=None)
    variable = keras.Variable(np.ones((4, 3)), dtype="float32", name="kernel")
    optimizer.apply([keras.ops.zeros((4, 3))], [variable])
    np.testing.assert_array_equal(variable.numpy(), 1)
