import keras
import numpy as np
import pytest
import tensorflow as tf
from support import settings_of

from lookbook.foundation.errors import LookbookError
from lookbook.networks.architectures import (
    build_ann,
    build_cnn,
    build_feature_extractor,
    build_head,
    grown,
    join,
    seen_size,
    with_features,
    with_mirrored,
    without_mirrored,
)
from lookbook.networks.saving import load_keras, save_keras
from lookbook.splits.spec import Scaling, Spec

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
UNIT = Scaling("unit", [1 / 255] * 3, [0.0] * 3)


def spec(scaling=UNIT, channels=3):
    return Spec(list("abcde"), (16, 16, channels), scaling, False, {}, {})


def cnn(spec, blocks, dense_units, *, kernel_size=3, batch_norm=False, max_map=0, image_size=32):
    settings = settings_of(
        "train_cnn",
        image_size=image_size,
        blocks=blocks,
        kernel_size=kernel_size,
        max_map=max_map,
        batch_norm=batch_norm,
        dense_units=dense_units,
        dropout=0.1,
    )
    return build_cnn(spec, settings)


def ann(spec, **settings):
    return build_ann(spec, settings_of("train_ann", **settings))


@pytest.mark.parametrize(
    "scaling",
    [
        UNIT,
        Scaling("symmetric", [1 / 127.5] * 3, [-1.0] * 3),
        Scaling("standard", [0.01, 0.02, 0.03], [-1.0, -2.0, -3.0]),
        Scaling("none", [1.0] * 3, [0.0] * 3),
    ],
    ids=lambda scaling: scaling.name,
)
@pytest.mark.parametrize("network", ["ann", "cnn"])
def test_scaling_inside_the_model_equals_scaling_outside(scaling, network):
    def build(scaling):
        if network == "ann":
            return ann(spec(scaling), hidden=[8], activation="relu", batch_norm=True, dropout=0.5)
        return cnn(spec(scaling), [[4], [8]], 8, batch_norm=True)

    inside = build(scaling)
    outside = build(Scaling("none", [1.0] * 3, [0.0] * 3))
    outside.set_weights(inside.get_weights())
    np.testing.assert_allclose(
        inside.predict_on_batch(PIXELS),
        outside.predict_on_batch(scaling.apply(PIXELS)),
        rtol=1e-4,
        atol=1e-6,
    )


def test_no_hidden_layer_is_softmax_regression():
    model = ann(spec(), hidden=[], activation="relu", batch_norm=True, dropout=0.2)
    assert model.count_params() == 16 * 16 * 3 * 5 + 5
    probabilities = model.predict_on_batch(PIXELS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_parameters_are_those_counted_by_hand():
    small = ann(spec(), hidden=[7, 6], activation="tanh", batch_norm=False, dropout=0.0)
    assert small.count_params() == (768 * 7 + 7) + (7 * 6 + 6) + (6 * 5 + 5)
    network = cnn(spec(), [[4], [8]], 9, kernel_size=5)
    convolutions = (25 * 3 * 4 + 4) + (25 * 4 * 8 + 8)
    assert network.count_params() == convolutions + (4 * 4 * 8 * 9 + 9) + (9 * 5 + 5)
    assert cnn(spec(), [[4]], 0).count_params() == (9 * 3 * 4 + 4) + (8 * 8 * 4 * 5 + 5)
    double = cnn(spec(), [[4, 6]], 0, batch_norm=True)
    convolutions = (9 * 3 * 4 + 4 * 4) + (9 * 4 * 6 + 4 * 6)  # four numbers a channel, no bias
    assert double.count_params() == convolutions + (8 * 8 * 6 * 5 + 5)


def test_larger_pictures_get_blocks_in_front():
    blocks = [[32], [64, 64]]
    assert grown(blocks, 28, 7) == blocks
    assert grown(blocks, 29, 7) == blocks
    assert grown(blocks, 64, 7) == [[8], [16], *blocks]
    assert grown(blocks, 160, 7) == [[8], [8], [16], *blocks]
    assert grown(blocks, 160, 0) == blocks
    large = Spec(["a", "b"], (160, 160, 3), UNIT, False, {}, {})
    network = cnn(large, blocks, 0, max_map=7, image_size=160)
    assert network.get_layer("features").output.shape[1:] == (5, 5, 64)


@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("base_channels", [1, 3])
def test_a_base_takes_grey_and_coloured_pictures(pictures, base_channels):
    from lookbook.transfer.bases import cut_base

    trained = cnn(
        Spec(["a", "b"], (8, 8, base_channels), Scaling("unit", [1 / 255] * base_channels,
             [0.0] * base_channels), False, {}, {}),
        [[4], [6]],
        0,
    )  # fmt: skip
    base = cut_base(trained)
    extractor = build_feature_extractor(spec(channels=pictures), base)
    pixels = PIXELS[..., :pictures]
    features = extractor.predict_on_batch(pixels)
    assert features.shape == (4, 6)
    head = build_head(spec(), 6, mean=features.mean(0), variance=features.var(0), dropout=0.1)
    whole = join(spec(channels=pictures), extractor, head)
    assert not extractor.trainable_weights
    np.testing.assert_allclose(
        whole.predict_on_batch(pixels), head.predict_on_batch(features), atol=1e-5
    )
    if (pictures, base_channels) == (1, 3):
        thrice = np.repeat(pixels, 3, axis=-1)
        maps = base.predict_on_batch(thrice)
        np.testing.assert_allclose(features, maps.mean((1, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variance", [[4, 4, 0, 1e-10], [0, 0, 0, 0]], ids=["some", "all"])
def test_features_that_never_vary_are_not_blown_up(variance):
    head = build_head(spec(), 4, mean=[0] * 4, variance=variance, dropout=0.0)
    standardised = head.layers[1](np.ones((1, 4), np.float32))
    assert np.abs(standardised).max() <= 100


def test_a_base_is_cut_from_a_convolutional_network_only():
    from lookbook.transfer.bases import cut_base

    dense = ann(spec(), hidden=[8], activation="relu", batch_norm=False, dropout=0.0)
    with pytest.raises(LookbookError, match="Expected a model of train_cnn"):
        cut_base(dense)


def test_a_bias_after_pooling_is_the_convolutions_own(tmp_path):
    """The same values as Keras's convolution with bias, relu and pooling, in the usual order."""
    from lookbook.networks.saving import load_keras, save_keras

    ours = cnn(spec(), [[4], [6]], 0)
    rng = np.random.default_rng(0)
    ours.set_weights([rng.normal(size=weight.shape) for weight in ours.get_weights()])
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for channels in (4, 6):
        x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(5, activation="softmax")(keras.layers.Flatten()(x))
    usual = keras.Model(inputs, x)
    usual.set_weights(ours.get_weights())
    expected = usual.predict_on_batch(PIXELS)
    np.testing.assert_allclose(ours.predict_on_batch(PIXELS), expected, rtol=1e-3, atol=1e-5)
    save_keras(ours, tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras", remedy="")
    np.testing.assert_array_equal(loaded.predict_on_batch(PIXELS), ours.predict_on_batch(PIXELS))


@pytest.mark.parametrize("build", ["ann", "cnn"])
def test_large_pictures_are_averaged_down_inside_the_network(build):
    large = Spec(["a", "b"], (160, 160, 3), UNIT, False, {}, {})
    settings = settings_of(f"train_{build}", image_size=48)
    network = (build_ann if build == "ann" else build_cnn)(large, settings)
    assert network.input_shape == (None, 160, 160, 3)
    assert seen_size(network) == 40
    pixels = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3)).astype(np.float32)
    averaged = pixels.reshape(2, 40, 4, 40, 4, 3).mean(axis=(2, 4))
    seen = keras.Model(network.input, network.get_layer("seen").output)
    np.testing.assert_allclose(seen.predict_on_batch(pixels), averaged, atol=1e-3)
    small = build_ann(spec(), settings_of("train_ann", image_size=48))
    assert seen_size(small) == spec().image_shape[0]


def test_pictures_that_pooling_would_use_up_have_a_sentence():
    tiny = Spec(["a", "b"], (12, 12, 3), UNIT, False, {}, {})
    with pytest.raises(LookbookError, match="at least 8 pixels, since .* Received: 6, after"):
        build_cnn(tiny, settings_of("train_cnn", image_size=6))


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu"])
def test_no_gradient_is_a_sum_of_three(batch_norm, activation):
    """TensorFlow adds up three in the order in which they are ready, and two are the same."""
    for model in (
        cnn(spec(), [[4, 4], [8, 8]], 8, batch_norm=batch_norm),
        ann(spec(), hidden=[8, 8], activation=activation, batch_norm=batch_norm, dropout=0.5),
    ):

        @tf.function
        def gradients(x, model=model):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model(x, training=True) ** 3)
            return tape.gradient(loss, model.trainable_variables)

        graph = gradients.get_concrete_function(tf.TensorSpec((None, 16, 16, 3))).graph
        sums = [operation for operation in graph.get_operations() if operation.type == "AddN"]
        assert all(len(operation.inputs) < 3 for operation in sums)


def test_a_mirrored_network_says_the_mean_over_both_images(tmp_path):
    plain = cnn(spec(), [[4], [8]], 8, batch_norm=True)
    both = with_mirrored(plain)
    asked = [plain.predict_on_batch(pixels) for pixels in (PIXELS, PIXELS[:, :, ::-1])]
    said = both.predict_on_batch(PIXELS)
    np.testing.assert_allclose(said, np.mean(asked, axis=0), rtol=1e-5)
    np.testing.assert_allclose(both.predict_on_batch(PIXELS[:, :, ::-1]), said, rtol=1e-5)
    assert both.count_params() == plain.count_params()
    assert without_mirrored(both) is plain
    assert without_mirrored(plain) is plain

    save_keras(both, tmp_path / "both.keras")
    loaded = load_keras(tmp_path / "both.keras", remedy="")
    np.testing.assert_array_equal(loaded.predict_on_batch(PIXELS), said)
    assert without_mirrored(loaded).name == plain.name


def test_the_features_of_a_mirrored_network_are_means_too():
    plain = cnn(spec(), [[4], [8]], 8, batch_norm=True)
    features, said = with_features(with_mirrored(plain)).predict_on_batch(PIXELS)
    alone = with_features(plain)
    both = [alone.predict_on_batch(pixels) for pixels in (PIXELS, PIXELS[:, :, ::-1])]
    expected = [np.mean(views, axis=0) for views in zip(*both, strict=True)]
    np.testing.assert_allclose(features, expected[0], rtol=1e-5)
    np.testing.assert_allclose(said, expected[1], rtol=1e-5)
