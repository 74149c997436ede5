import keras
import pytest

from lookbook.ladder.cost import operations


@pytest.mark.parametrize(("units", "filters"), [(7, 4), (9, 8)])
def test_products_and_sums_are_counted(units, filters):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(inputs)
    x = keras.layers.Flatten()(x)
    outputs = keras.layers.Dense(units, use_bias=False)(x)
    expected = 2 * (16 * 16 * filters * 3 * 3 * 3 + 16 * 16 * filters * units)
    assert operations(keras.Model(inputs, outputs)) == expected


def test_a_network_inside_a_network_is_counted_too():
    inputs = keras.Input((8,))
    inner = keras.Model(inputs, keras.layers.Dense(5, use_bias=False)(inputs))
    outer = keras.Input((8,))
    network = keras.Model(outer, keras.layers.Dense(2, use_bias=False)(inner(outer)))
    assert operations(network) == 2 * (8 * 5 + 5 * 2)
