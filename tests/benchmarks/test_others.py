"""The programs of the comparison train the network that train_cnn trains, in the same way."""

import json
import sys

import numpy as np
import pytest
from support import ROOT

from lookbook.foundation.params import load_params
from lookbook.networks.architectures import build_cnn
from lookbook.splits.spec import Scaling, Spec
from lookbook.training.fitting import build_optimizer, epochs_of

SETTINGS = load_params(ROOT / "params.yaml").train_cnn.model_copy(update={"optimizer": "adam"})
SHAPE, CLASSES, EPOCHS, STEPS = (28, 28, 1), 10, 3, 4


@pytest.fixture
def task(tmp_path, monkeypatch):
    """What a program gets: its command line, in a folder with splits."""
    rng = np.random.default_rng(0)
    count = STEPS * SETTINGS.batch_size
    for split in ("train", "validation"):
        folder = tmp_path / "data/processed" / split
        folder.mkdir(parents=True)
        np.save(folder / "images-00000.npy", rng.integers(0, 256, (count, *SHAPE), np.uint8))
        np.save(folder / "labels-00000.npy", np.arange(count, dtype=np.int32) % CLASSES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "benchmarks/others")
    numbers = [f"--epochs={EPOCHS}", f"--steps={STEPS}", "--seed=0"]
    settings = f"--settings={json.dumps(SETTINGS.model_dump())}"
    monkeypatch.setattr(sys, "argv", ["program", settings, *numbers])
    from rounds import Task

    return Task()


def test_the_learning_rate_is_that_of_every_step(task):
    settings = SETTINGS.model_copy(update={"epochs": EPOCHS})
    steps = epochs_of(settings, STEPS * settings.batch_size) * STEPS
    schedule = build_optimizer(settings, steps=steps)._learning_rate
    expected = [float(schedule(step)) for step in range(steps)]
    assert [task.rate(step) for step in range(steps)] == pytest.approx(expected, abs=1e-8)
    assert max(expected) == pytest.approx(settings.learning_rate, rel=0.1)


def test_keras_fit_has_the_network_of_train_cnn(task):
    from keras_fit import network

    scaling = Scaling("unit", [1 / 255], [0.0])
    ours = build_cnn(
        Spec([str(n) for n in range(CLASSES)], SHAPE, scaling, False, {}, {}), SETTINGS
    )
    theirs = network(task)
    theirs.set_weights(ours.get_weights())
    pixels = task.x_train[:4]
    assert np.allclose(theirs.predict_on_batch(pixels), ours.predict_on_batch(pixels), atol=1e-6)


def test_keras_fit_takes_every_step_and_answers(task):
    from keras_fit import Fit

    task.settings.blocks = [[4]]
    fit = Fit(task)
    assert fit.train() > 0
    assert int(fit.model.optimizer.iterations) == STEPS
    assert 0 <= fit.accuracy() <= 1
