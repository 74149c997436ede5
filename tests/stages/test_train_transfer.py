import json
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from support import ROOT, change_spec, run

from lookbook.foundation.arithmetic import instructions
from lookbook.foundation.params import load_params
from lookbook.foundation.places import cache_folder
from lookbook.ladder.models import load_model
from lookbook.networks.saving import load_keras
from lookbook.splits.split import Split, training_splits
from lookbook.training.devices import BFLOAT16
from lookbook.transfer.bases import load_base
from lookbook.transfer.probe import frozen, repeatedly_validated
from stages import train_transfer
from stages.train_transfer import OUTPUTS


def test_the_committed_base_serves_digits(processed, run_main):
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/train_transfer.json").read_text())
    assert metrics["validation_accuracy"] > 0.93
    assert metrics["trained_parameters"] == 224 * 10 + 10
    assert metrics["parameters"] > 90_000
    validation = Split("validation")
    everything = validation.images(np.arange(len(validation)))
    predicted = load_model(OUTPUTS.model).look(everything)[1].argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=0.003)


@pytest.mark.skipif(not BFLOAT16 & instructions(), reason="the processor has no bfloat16")
def test_bfloat16_is_as_accurate_and_leaves_a_model_in_float32(project, processed, set_params):
    set_params(**{"hardware.precision": "bfloat16", "hardware.repeatable": "machine"})
    run(sys.executable, "-m", "stages.train_transfer", cwd=project)  # it says how TF computes
    metrics = json.loads(Path("metrics/train_transfer.json").read_text())
    assert metrics["validation_accuracy"] > 0.93
    assert metrics["repeatable"] == "machine"
    loaded = load_keras(OUTPUTS.model, remedy="")
    layers = loaded._flatten_layers(include_self=False)  # of nested models, too
    assert {layer.compute_dtype for layer in layers} == {"float32"}


def test_a_changed_head_finds_the_features(processed, set_params, run_main, caplog):
    caplog.set_level("INFO")

    def kept_features():
        caplog.clear()
        assert run_main(train_transfer.main)[0] == 0
        return caplog.text.count("kept from an earlier run")

    set_params(**{"train_transfer.epochs": 3})
    assert kept_features() == 0
    first = OUTPUTS.model.read_bytes()
    set_params(**{"train_transfer.dropout": 0.5})
    assert kept_features() == 2
    other = OUTPUTS.model.read_bytes()
    shutil.rmtree(cache_folder("features"))
    assert kept_features() == 0
    assert OUTPUTS.model.read_bytes() == other != first


def test_fine_tuning_is_a_second_step(processed, set_params, run_main, caplog):
    caplog.set_level("INFO")
    set_params(
        **{
            "train_transfer.epochs": 8,
            "train_transfer.fine_tune.blocks": 2,
            "train_transfer.fine_tune.epochs": 3,
            "train_transfer.fine_tune.learning_rate": 1e-3,
        }
    )
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    assert "fine-tuning conv2d_1, conv2d_2" in caplog.text
    metrics = json.loads(OUTPUTS.metrics.read_text())
    assert metrics["frozen"]["validation_accuracy"] > 0.85
    assert metrics["validation_loss"] < metrics["frozen"]["validation_loss"]
    assert metrics["validation_accuracy_before"] == pytest.approx(
        metrics["frozen"]["validation_accuracy"], abs=0.003
    )
    convolutions = (9 * 32 * 64 + 64) + (9 * 64 * 128 + 128)
    assert metrics["trained_parameters"] == convolutions + 224 * 10 + 10
    curves = pd.read_csv(OUTPUTS.curves)
    assert curves["epoch"].tolist() == list(range(1, 12))
    first = load_base("fashion_mnist_cnn", weights="auto", width="auto", image_size=28)
    tuned = keras.models.load_model(OUTPUTS.model, compile=False)
    base = next(x for x in tuned.get_layer("feature_extractor").layers if x.name == "base")
    same = [
        np.array_equal(*pair) for pair in zip(base.get_weights(), first.get_weights(), strict=True)
    ]
    assert same == [True, True, False, False, False, False]


def test_a_small_test_split_has_a_cross_validated_figure_of_the_frozen_base(
    processed, set_params, run_main
):
    counts = json.loads((processed / "spec.json").read_text())["counts"]
    change_spec(processed, counts=counts | {"test": 100})
    shutil.rmtree(processed / "test")
    settings = {"epochs": 1, "fine_tune.blocks": 1, "fine_tune.epochs": 1}
    set_params(**{f"train_transfer.{name}": value for name, value in settings.items()})
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    metrics = json.loads(OUTPUTS.metrics.read_text())
    found = metrics["repeated_cv"]
    assert found["pictures"] == len(Split("train")) + len(Split("validation"))
    assert 0.93 < found["low"] < found["accuracy"] < found["high"]
    extractor = frozen(load_params().train_transfer, Split("train").spec)
    again = repeatedly_validated(extractor, *training_splits(), seed=42)
    assert found == pytest.approx(again, abs=1e-6)  # of the base as it was before the second step


def test_a_base_of_keras_takes_grey_pictures(processed, set_params, run_main):
    for split in ("train", "validation"):
        images = np.load(processed / split / "images-00000.npy")
        np.save(
            processed / split / "images-00000.npy",
            np.pad(images, [(0, 0)] + 2 * [(2, 2)] + [(0, 0)]),
        )
    change_spec(processed, image_shape=[32, 32, 1])
    settings = {"base": "MobileNet", "width": 0.25, "weights": "none", "epochs": 2}
    settings["fine_tune.blocks"] = 0
    set_params(**{f"train_transfer.{name}": value for name, value in settings.items()})
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    metrics = json.loads(OUTPUTS.metrics.read_text())
    assert metrics["trained_parameters"] == 448 * 10 + 10
    assert len(metrics["base_weights_sha256"]) == 64


def test_an_unknown_base_lists_those_there_are(processed, set_params, run_main):
    set_params(**{"train_transfer.base": "vgg61"})
    code, err = run_main(train_transfer.main)
    assert code == 2
    assert "to be one of: fashion_mnist_cnn, photos, ConvNeXtBase" in err
    assert "Received: 'vgg61'." in err


def test_a_damaged_base_says_how_to_get_it_back(processed, run_main):
    base = Path("data/bases/fashion_mnist_cnn.keras")
    base.write_bytes(base.read_bytes()[:1000])
    code, err = run_main(train_transfer.main)
    assert code == 2
    assert f"a whole model file at {base}" in err
    assert f"git checkout {base}" in err


def test_the_committed_base_is_small():
    bases = list((ROOT / "data/bases").iterdir())
    assert sum(path.stat().st_size for path in bases) < 2_500_000


def test_a_base_that_learns_nothing_better_stays_as_it_was(processed, set_params, run_main, caplog):
    caplog.set_level("INFO")
    set_params(
        **{
            "train_transfer.epochs": 8,
            "train_transfer.fine_tune.blocks": 2,
            "train_transfer.fine_tune.epochs": 1,
            "train_transfer.fine_tune.learning_rate": 1.0,
        }
    )
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    assert "keeping the frozen base" in caplog.text
    metrics = json.loads(OUTPUTS.metrics.read_text())
    assert metrics["tuned_blocks"] == 0
    assert metrics["trained_parameters"] == 224 * 10 + 10
    assert metrics["fine_tuned"]["validation_accuracy"] <= metrics["validation_accuracy"]
    validation = Split("validation")
    everything = validation.images(np.arange(len(validation)))
    predicted = load_model(OUTPUTS.model).look(everything)[1].argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=0.003)
