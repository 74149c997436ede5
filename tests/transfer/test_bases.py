import re
from pathlib import Path

import keras
import numpy as np
import pytest
from support import ROOT

from lookbook.foundation.errors import LookbookError
from lookbook.networks.architectures import seen_size
from lookbook.networks.saving import load_keras, save_keras
from lookbook.transfer.bases import (
    LEAST_SIZE,
    applications,
    base_card,
    block_of,
    load_base,
    published,
    trained_on,
    unfreeze,
    weights_hash,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.float32)


def untrained(name, **changes):
    return load_base(name, **{"weights": "none", "width": "auto", "image_size": 96} | changes)


@pytest.mark.parametrize(
    "name",
    ["VGG16", "MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetV2B0", "ResNet50"],
)
def test_a_base_brings_its_own_scaling_and_keeps_it_in_its_file(name, tmp_path):
    keras.utils.set_random_seed(0)
    base = published(name, weights="none", width="auto", side=96)
    application = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    application.set_weights(base.get_weights())
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


def test_a_base_gives_what_it_knows_of_finer_parts_too():
    keras.utils.set_random_seed(0)
    whole = published("MobileNet", weights="none", width=0.25, side=96)
    base = load_base("MobileNet", weights="none", width=0.25, image_size=96)
    base.set_weights(whole.get_weights())
    maps = base.predict_on_batch(PIXELS)
    assert [one.shape[1:] for one in maps] == [(12, 12, 64), (6, 6, 128), (3, 3, 256)]
    for name, received in zip(("conv_pw_5_relu", "conv_pw_11_relu"), maps[:-1], strict=True):
        expected = keras.Model(whole.input, whole.get_layer(name).output)
        np.testing.assert_allclose(received, expected.predict_on_batch(PIXELS), atol=1e-5)
    np.testing.assert_allclose(maps[-1], whole.predict_on_batch(PIXELS), atol=1e-5)


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


def test_the_last_blocks_are_unfrozen_with_their_normalisations():
    base = untrained("MobileNet", width=0.25)
    base.trainable = False
    assert unfreeze(base, 2) == ["conv_12", "conv_13"]
    names = {weight.path.split("/")[-2].removesuffix("_bn") for weight in base.trainable_weights}
    assert names == {"conv_dw_12", "conv_pw_12", "conv_dw_13", "conv_pw_13"}
    assert len(unfreeze(base, 14)) == 14
    assert [w for w in base.trainable_weights if "gamma" in w.path]
    assert not [w for w in base.trainable_weights if "moving" in w.path]


def test_the_averages_of_normalisations_stay_in_training():
    base = untrained("MobileNet", width=0.25)
    unfreeze(base, 14)
    averages = [w for w in base.non_trainable_weights if "moving" in w.path]
    before = [weight.numpy() for weight in averages]
    assert before
    outer = keras.Model(inputs := keras.Input((96, 96, 3)), base(inputs))
    np.testing.assert_allclose(
        outer(PIXELS, training=True)[-1], outer(PIXELS, training=False)[-1], rtol=1e-4, atol=1e-5
    )
    for now, then in zip(averages, before, strict=True):
        np.testing.assert_array_equal(now.numpy(), then)
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
        (
            {"name": "vgg61"},
            "to be one of: fashion_mnist_cnn, photos, ConvNeXtBase, .*Received: 'vgg61'",
        ),
        ({"name": "fashion_mnist_cnn"}, "weights to be auto: the base .* Received: 'none'"),
        ({"name": "photos", "weights": "auto", "width": 0.5}, "width to be auto.* Received: 0.5"),
        ({"width": 0.5}, "width to be 1: VGG16 is published in one width. Received: 0.5"),
        (
            {"weights": "none.h5"},
            "auto, imagenet, none or a file. Received: 'none.h5', which is not at",
        ),
    ],
)
def test_each_mistake_has_a_sentence(project, changes, sentence):
    with pytest.raises(LookbookError, match=sentence):
        untrained(**{"name": "VGG16"} | changes)


@pytest.mark.parametrize("fault", ["other width", "damaged", "no weights at all"])
def test_wrong_weights_have_a_sentence(tmp_path, fault):
    path = tmp_path / "base.weights.h5"
    keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(96, 96, 3), alpha=0.25
    ).save_weights(path)
    if fault == "damaged":
        path.write_bytes(path.read_bytes()[:2000])
    elif fault == "no weights at all":
        path.write_text("label,pixel1\n")
    with pytest.raises(LookbookError, match=f"Expected {path} to hold the weights of MobileNet"):
        untrained("MobileNet", weights=str(path), width=0.5)


def no_network(monkeypatch):
    def offline(fname, origin, **_options):
        raise Exception(f"URL fetch failure on {origin}: None -- Name or service not known")

    monkeypatch.setattr("lookbook.transfer.weights._download", offline)


def test_without_a_network_the_file_and_its_places_are_named(project, monkeypatch):
    no_network(monkeypatch)
    with pytest.raises(LookbookError) as told:
        untrained("MobileNet", weights="auto", width=0.25)
    for part in ("mobilenet_2_5_224_tf_no_top.h5", "models", "LOOKBOOK_MIRROR", "to none"):
        assert part in str(told.value)


def test_without_a_network_the_mirror_serves(project, mirror, monkeypatch, caplog):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    no_network(monkeypatch)
    served = untrained("MobileNet", weights="imagenet", width=0.25)
    line = re.search(r"add to data/bases/weights.yaml: `(mobilenet_2_5_\S+: \w{64})`", caplog.text)
    assert line
    pins = Path("data/bases/weights.yaml")
    pins.write_text(f"{line[1]}\n")
    caplog.clear()
    untrained("MobileNet", weights="imagenet", width=0.25)
    assert "pinned" not in caplog.text
    pins.write_text(f"{line[1][:-1]}{'1' if line[1][-1] == '0' else '0'}\n")
    with pytest.raises(LookbookError, match="to have the SHA-256 .* of data/bases/weights.yaml"):
        untrained("MobileNet", weights="imagenet", width=0.25)
    named = untrained("MobileNet", weights="mobilenet_2_5_224_tf_no_top.h5", width=0.25)
    assert weights_hash(served) == weights_hash(named)
    assert weights_hash(served) != weights_hash(untrained("MobileNet", width=0.25))


def test_a_base_is_cut_by_its_command(lookbook):
    code, _, err = lookbook("cut_base")
    assert code == 2
    assert "the following arguments are required: --trained-on" in err
    base = Path("data/bases/fashion_mnist_cnn.keras")
    mine = Path("data/bases/mine.keras")
    assert lookbook("cut_base", base, mine, "--trained-on", "pets")[0] == 0  # what was cut is cut
    assert mine.stat().st_size > 10**5
    card = base_card("mine")
    assert card.trained_on == ["pets"]
    assert card.least_size == 1
    assert load_base("mine", weights="auto", width="auto", image_size=28).input_shape[-1] == 1


def test_a_published_network_becomes_a_base_of_half_the_size(lookbook):
    options = ("--trained-on", "imagenet", "--weights", "none", "--width", "0.25")
    for name, more in {"whole": (), "half": ("--half",)}.items():
        path = f"data/bases/{name}.keras"
        assert lookbook("cut_base", "MobileNet", path, *options, *more)[0] == 0
    whole, half = (Path(f"data/bases/{name}.keras").stat().st_size for name in ("whole", "half"))
    assert half < 0.7 * whole
    base = load_base("half", weights="auto", width="auto", image_size=128)
    assert {weight.dtype for weight in base.weights} == {"float32"}
    assert base.predict_on_batch(np.zeros((1, 128, 128, 3)))[-1].shape == (1, 4, 4, 256)


def test_half_the_size_is_the_same_numbers_rounded(tmp_path):
    base = untrained("MobileNet", width=0.25)
    save_keras(base, tmp_path / "half.keras", half=True)
    save_keras(base, tmp_path / "again.keras", half=True)
    loaded = load_keras(tmp_path / "half.keras", remedy="")
    for kept, before in zip(loaded.get_weights(), base.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, before.astype(np.float16))
    assert (tmp_path / "half.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()


def test_small_pictures_are_enlarged_for_bases_of_photos():
    base = load_base("MobileNet", weights="none", width=0.25, image_size=28)
    assert base.input_shape == (None, 28, 28, 3)
    assert base.output_shape[-1] == (None, 3, 3, 256)  # of 96 pixels, which it halves five times
    assert seen_size(base) == LEAST_SIZE == 96
    assert seen_size(load_base("MobileNet", weights="none", width=0.25, image_size=96)) == 96
    small = load_base("MobileNet", weights="none", width=0.25, image_size=28, least_size=64)
    assert seen_size(small) == 64


@pytest.mark.parametrize("size", [28, 192])
def test_the_base_of_photos_serves_any_size(size):
    path = ROOT / "data/bases/photos.keras"
    assert path.stat().st_size < 2_000_000
    base = load_base("photos", weights="auto", width="auto", image_size=size, folder=path.parent)
    maps = base.predict_on_batch(np.zeros((1, size, size, 3)))[-1]
    assert maps.shape[1:3] == (max(size, 160) // 32,) * 2


def test_every_base_of_the_project_says_what_it_was_trained_on(tmp_path):
    bases = ROOT / "data/bases"
    for path in bases.glob("*.keras"):
        assert trained_on(path.stem, bases)
    assert trained_on("fashion_mnist_cnn", bases) == ["fashion_mnist"]
    assert trained_on("MobileNet", bases) == []
    (tmp_path / "mine.keras").touch()
    with pytest.raises(LookbookError, match="mine.yaml.* Received: no such file"):
        trained_on("mine", tmp_path)
    (tmp_path / "mine.yaml").write_text("title: a\nlicence: b\nleast_size: 1\n")
    with pytest.raises(LookbookError, match="a value for trained_on. Received: nothing"):
        trained_on("mine", tmp_path)
