import keras
import numpy as np
import pytest
import tensorflow as tf
from support import settings_of

from lookbook.evaluation.focus import focus, split_at_maps, with_heat
from lookbook.networks.architectures import build_cnn, build_feature_extractor, build_head, join
from lookbook.splits.spec import Scaling, Spec

UNIT = Scaling("unit", [1 / 255], [0.0])


def spec(channels=1):
    return Spec(["a", "b"], (16, 16, channels), UNIT, False, {}, {})


def cnn(**changes):
    settings = {"kernel_size": 3, "max_map": 0, "batch_norm": True, "dense_units": 8}
    settings |= {"dropout": 0.1, "blocks": [[4], [4, 8]]} | changes
    return build_cnn(spec(), settings_of("train_cnn", **settings))


def transfer(base_channels=3):
    pixels = keras.Input((16, 16, base_channels))
    x = keras.layers.Conv2D(4, 3, padding="same")(pixels)
    base = keras.Model(pixels, keras.layers.Conv2D(6, 3, strides=2)(keras.layers.ReLU()(x)))
    extractor = build_feature_extractor(spec(), base)
    head = build_head(spec(), 6, mean=[0] * 6, variance=[1] * 6, dropout=0.2)
    weights = head.get_weights()  # which are zero before a training
    kernel = np.random.default_rng(0).normal(size=weights[-2].shape)
    head.set_weights([*weights[:-2], kernel, weights[-1]])
    return join(spec(), extractor, head)


@pytest.fixture
def pixels():
    keras.utils.set_random_seed(0)
    return np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)


@pytest.mark.parametrize(
    ("network", "side"),
    [(cnn, 4), (lambda: cnn(batch_norm=False), 4), (transfer, 7), (lambda: transfer(1), 7)],
)
def test_both_parts_together_are_the_network(network, side, pixels):
    network = network()
    to_maps, from_maps = split_at_maps(network)
    maps = tf.nest.flatten(to_maps(pixels.astype(np.float32)))
    assert maps[-1].shape[1:3] == (side, side)
    expected = network.predict_on_batch(pixels)
    np.testing.assert_allclose(from_maps(maps), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("network", [cnn, transfer])
def test_a_focus_is_from_0_to_1_for_each_pixel(network, pixels):
    found = focus(network(), pixels)
    assert found.shape == (3, 16, 16)
    assert found.min() >= 0
    assert set(found.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}


def test_the_focus_is_on_what_speaks_for_the_answer():
    """A network that says `b` because of bright pixels looks at the bright corner."""
    inputs = keras.Input((16, 16, 1))
    maps = keras.layers.AveragePooling2D(4)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(maps)
    outputs = keras.layers.Dense(2, activation="softmax")(x)
    network = keras.Model(inputs, outputs)
    network.layers[-1].set_weights([np.float32([[-1, 1]]), np.zeros(2, np.float32)])
    picture = np.zeros((1, 16, 16, 1), np.uint8)
    picture[0, :4, 12:] = 255
    heat = focus(network, picture)[0]
    assert heat[1, 14] > 0.9
    assert heat[8:, :8].max() < 0.1


def test_the_focus_is_on_the_place_that_counts_where_maps_are_flattened():
    """A network that says `b` because one corner is bright does not look at the others."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(inputs))
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    kernel = np.zeros((16, 2), np.float32)
    kernel[3] = -1, 1  # the fourth of 4x4 places: top right
    network.layers[-1].set_weights([kernel, np.zeros(2, np.float32)])
    heat = focus(network, np.full((1, 16, 16, 1), 255, np.uint8))[0]
    assert heat[1, 14] > 0.9
    assert max(heat[8:].max(), heat[:, :8].max()) < 0.01


@pytest.mark.parametrize("build", [cnn, transfer])
def test_a_network_that_is_surer_looks_at_the_same_place(build, pixels):
    network = build()
    unsure = focus(network, pixels)
    assert unsure.max() == 1.0
    last = network.layers[-1]
    output = last.layers[-1] if isinstance(last, keras.Model) else last
    kernel, bias = output.get_weights()
    output.set_weights([kernel * 1e5, bias])
    said = network.predict_on_batch(pixels)
    assert set(said.ravel().tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(focus(network, pixels), unsure, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(network.predict_on_batch(pixels), said)  # left as it was


@pytest.mark.parametrize("channels", [1, 3])
def test_heat_is_painted_over_the_picture(channels):
    pictures = np.full((1, 4, 4, channels), 200, np.uint8)
    heat = np.zeros((1, 4, 4), np.float32)
    heat[0, 0, 0] = 1
    painted = with_heat(pictures, heat)
    assert painted.shape == (1, 4, 4, 3)
    assert painted[0, 0, 0].tolist() == [226, 216, 118]  # viridis: yellow, 253 231 37
    assert painted[0, 3, 3].tolist() == [134, 100, 142]  # and purple, 68 1 84
