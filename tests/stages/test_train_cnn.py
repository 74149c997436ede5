import json
from pathlib import Path

import numpy as np
import pytest
from support import TINY

from lookbook.networks.architectures import without_mirrored
from lookbook.networks.saving import load_keras
from lookbook.splits.split import Split
from stages import train_cnn


def test_the_convolutional_network_learns_digits(processed, set_params, run_main):
    set_params(
        **{
            "train_cnn.blocks": [[8], [16]],
            "train_cnn.epochs": 6,
            "train_cnn.dense_units": 32,
            "train_cnn.batch_norm": False,
            "train_cnn.batch_size": 32,
        }
    )
    code, err = run_main(train_cnn.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/train_cnn.json").read_text())
    assert metrics["validation_accuracy_before"] < 0.3
    assert metrics["validation_accuracy"] > 0.75
    convolutions = (9 * 8 + 8) + (9 * 8 * 16 + 16)
    assert metrics["parameters"] == convolutions + (7 * 7 * 16 * 32 + 32) + (32 * 10 + 10)
    assert len(Path("metrics/curves/train_cnn.csv").read_text().splitlines()) == 7
    assert "conv2d" in train_cnn.OUTPUTS.summary.read_text()
    first = train_cnn.OUTPUTS.model.read_bytes()
    assert run_main(train_cnn.main)[0] == 0
    assert train_cnn.OUTPUTS.model.read_bytes() == first


@pytest.mark.parametrize(("asked", "mirrored"), [(True, True), ("auto", False)])
def test_its_figures_are_those_of_the_model_that_answers(
    processed, set_params, run_main, asked, mirrored
):
    """Digits may not be mirrored, so that `auto` leaves it."""
    set_params(**TINY | {"train_cnn.test_time_flip": asked})
    assert run_main(train_cnn.main)[0] == 0
    metrics = json.loads(Path("metrics/train_cnn.json").read_text())
    model = load_keras(train_cnn.OUTPUTS.model, remedy="")
    assert (without_mirrored(model) is not model) == mirrored
    validation = Split("validation")
    said = model.predict_on_batch(validation.images(np.arange(len(validation))))
    right = said.argmax(axis=1) == validation.labels
    assert metrics["validation_accuracy"] == pytest.approx(right.mean(), abs=1e-6)
