import functools
from pathlib import Path

import keras
import numpy as np
import pytest
from support import ROOT

from lookbook.foundation.errors import LookbookError
from lookbook.networks.saving import load_keras, save_keras
from lookbook.transfer.bases import (
    applications,
    block_of,
    load_base,
    trained_on,
    unfreeze,
    weights_hash,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3)).astype(np.float32)


def untrained(name, **changes):
    return load_base(name, **{"weights": "none", "width": 1.0, "image_size": 48} | changes)


@pytest.mark.parametrize(
    "name",
    ["VGG16", "MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetV2B0", "ResNet50"],
)
def test_a_base_brings_its_own_scaling_and_keeps_it_in_its_file(name, tmp_path):
    keras.utils.set_random_seed(0)
    base = untrained(name)
    application = base.layers[-1]
    module = getattr(keras.applications, {
        "VGG16": "vgg16", "MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2",
        "MobileNetV3Small": "mobilenet_v3", "EfficientNetV2B0": "efficientnet_v2",
        "ResNet50": "resnet",
    }[name])  # fmt: skip
    expected = application.predict_on_batch(module.preprocess_input(PIXELS.copy()))
    received = base.predict_on_batch(PIXELS)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(received) > 0
    save_keras(base, tmp_path / "base.keras")
    loaded = load_keras(tmp_path / "base.keras", remedy="")
    np.testing.assert_array_equal(loaded.predict_on_batch(PIXELS), received)


def test_every_application_of_keras_is_known():
    assert {"VGG16", "ResNet50", "Xception", "ConvNeXtTiny"} <= set(applications())


@pytest.mark.parametrize(
    ("layer", "block"),
    [
        ("block5_conv3", "block5"),
        ("block_16_expand", "block_16"),
        ("Conv_1", "Conv_1"),
        ("conv_dw_13", "conv_13"),
        ("conv_pw_13", "conv_13"),
        ("conv5_block3_2_conv", "conv5_block3"),
        ("expanded_conv_10_squeeze_excite_conv", "expanded_conv_10"),
        ("block6h_se_reduce", "block6h"),
        ("top_conv", "top_conv"),
        ("convnext_tiny_stage_3_block_2_depthwise_conv", "convnext_tiny_stage_3_block_2"),
        ("conv2d", "conv2d"),
        ("conv2d_93", "conv2d_93"),
    ],
)
def test_a_layers_name_tells_its_block(layer, block):
    assert block_of(layer) == block


def test_the_last_blocks_are_unfrozen_without_batch_normalisation():
    base = untrained("MobileNet", width=0.25)
    base.trainable = False
    assert unfreeze(base, 2) == ["conv_12", "conv_13"]
    names = {weight.path.split("/")[-2] for weight in base.trainable_weights}
    assert names == {"conv_dw_12", "conv_pw_12", "conv_dw_13", "conv_pw_13"}
    assert len(unfreeze(base, 14)) == 14
    assert not [w for w in base.trainable_weights if "gamma" in w.path or "beta" in w.path]
    with pytest.raises(LookbookError, match="fine_tune.blocks to be at most 14.* Received: 15"):
        unfreeze(base, 15)


def test_the_hash_follows_the_weights():
    base = untrained("MobileNet", width=0.25)
    before = weights_hash(base)
    assert before == weights_hash(base)
    weights = base.get_weights()
    base.set_weights([weights[0] + 1, *weights[1:]])
    assert weights_hash(base) != before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "vgg61"}, "to be one of: fashion_mnist_cnn, ConvNeXtBase, .*Received: 'vgg61'"),
        ({"image_size": 28}, "image_size to be at least 32, the smallest input of VGG16. Rec.* 28"),
        ({"width": 0.5}, "width to be 1: VGG16 is published in one width. Received: 0.5"),
        ({"weights": "none.h5"}, "imagenet, none or a file. Received: 'none.h5', which is not at"),
    ],
)
def test_each_mistake_has_a_sentence(project, changes, sentence):
    with pytest.raises(LookbookError, match=sentence):
        untrained(**{"name": "VGG16"} | changes)


@pytest.mark.parametrize("fault", ["other width", "damaged", "no weights at all"])
def test_wrong_weights_have_a_sentence(tmp_path, fault):
    path = tmp_path / "base.weights.h5"
    untrained("MobileNet", width=0.25).layers[-1].save_weights(path)
    if fault == "damaged":
        path.write_bytes(path.read_bytes()[:2000])
    elif fault == "no weights at all":
        path.write_text("label,pixel1\n")
    with pytest.raises(LookbookError, match=f"Expected {path} to hold the weights of MobileNet"):
        untrained("MobileNet", weights=str(path), width=0.5)


def fail_to_download(monkeypatch):
    constructor = keras.applications.MobileNet

    @functools.wraps(constructor)
    def offline(*args, weights, **options):
        if weights == "imagenet":
            raise Exception(
                "URL fetch failure on https://example.org/keras-applications/mobilenet/"
                "mobilenet_2_5_224_tf_no_top.h5: None -- [Errno -2] Name or service not known"
            )
        return constructor(*args, weights=weights, **options)

    monkeypatch.setattr(keras.applications, "MobileNet", offline)


def test_without_a_network_the_file_and_its_places_are_named(monkeypatch):
    fail_to_download(monkeypatch)
    with pytest.raises(LookbookError) as told:
        untrained("MobileNet", weights="imagenet", width=0.25)
    for part in ("mobilenet_2_5_224_tf_no_top.h5", "models", "LOOKBOOK_MIRROR", "to none"):
        assert part in str(told.value)


def test_without_a_network_the_mirror_serves(mirror, monkeypatch):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    fail_to_download(monkeypatch)
    served = untrained("MobileNet", weights="imagenet", width=0.25)
    named = untrained("MobileNet", weights="mobilenet_2_5_224_tf_no_top.h5", width=0.25)
    assert weights_hash(served) == weights_hash(named)
    assert weights_hash(served) != weights_hash(untrained("MobileNet", width=0.25))


def test_a_base_is_cut_by_its_command(lookbook):
    code, _, err = lookbook("cut_base")
    assert code == 2
    assert "the following arguments are required: model, base" in err
    base = Path("data/bases/fashion_mnist_cnn.keras")
    assert lookbook("cut_base", base, "x.keras")[0] == 0  # what was cut is cut again
    assert Path("x.keras").stat().st_size > 10**5


def test_every_base_of_the_project_says_what_it_was_trained_on(tmp_path):
    bases = ROOT / "data/bases"
    for path in bases.glob("*.keras"):
        assert trained_on(path.stem, bases)
    assert trained_on("fashion_mnist_cnn", bases) == ["fashion_mnist"]
    assert trained_on("MobileNet", bases) == []
    (tmp_path / "mine.keras").touch()
    with pytest.raises(LookbookError, match="mine.yaml.* Received: no such file"):
        trained_on("mine", tmp_path)
    (tmp_path / "mine.yaml").write_text("title: a\nlicence: b\n")
    with pytest.raises(LookbookError, match="a value for trained_on. Received: nothing"):
        trained_on("mine", tmp_path)
