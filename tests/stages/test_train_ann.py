import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import change_spec

from lookbook.ladder.models import load_model
from lookbook.splits.split import Split
from stages import train_ann

PLAIN = {
    "train_ann.hidden": [64],
    "train_ann.batch_norm": False,
    "train_ann.batch_size": 32,
    "train_ann.warmup": 0.0,
}


@pytest.mark.parametrize("one_hot", [False, True])
def test_the_dense_network_learns_digits(processed, set_params, run_main, one_hot):
    change_spec(processed, one_hot=one_hot)
    set_params(**{**PLAIN, "train_ann.epochs": 6})
    code, err = run_main(train_ann.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/train_ann.json").read_text())
    assert metrics["validation_accuracy_before"] < 0.3
    assert metrics["validation_accuracy"] > 0.88
    assert metrics["parameters"] == 784 * 64 + 64 + 64 * 10 + 10
    assert metrics["epochs"] == 6
    assert len(Path("metrics/curves/train_ann.csv").read_text().splitlines()) == 7
    assert "dense" in Path("models/train_ann.txt").read_text()
    validation = Split("validation")
    everything = validation.images(np.arange(len(validation)))
    predicted = load_model(train_ann.OUTPUTS.model).look(everything)[1].argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=1e-6)


def test_missing_splits_have_a_sentence(project, run_main):
    code, err = run_main(train_ann.main)
    assert code == 2
    assert "Expected the description of the splits in data/processed/spec.json" in err


@pytest.mark.parametrize("stage", ["train_ann", "train_cnn", "train_transfer"])
def test_a_training_starts_without_what_keras_only_would_like_to_have(stage):
    code = (
        f"import sys, stages.{stage}\n"
        "print({'matplotlib', 'scipy', 'sklearn'} & set(sys.modules))\n"
        "import matplotlib.pyplot, sklearn.decomposition  # they are there for others"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
