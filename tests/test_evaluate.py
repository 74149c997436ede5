import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookbook.networks import build_ann
from lookbook.saving import save_keras
from lookbook.splits import Scaling, Spec, Split
from stages import baseline, evaluate


def softmax_regression(spec):
    return build_ann(spec, hidden=[], activation="relu", batch_norm=False, dropout=0.0)


@pytest.fixture
def trained(processed, run_main, monkeypatch):
    """A project copy whose ladder has the linear model and an untrained dense one."""
    assert run_main(baseline.main)[0] == 0
    model = build_ann(
        Split("train").spec, hidden=[], activation="relu", batch_norm=False, dropout=0.0
    )
    save_keras(model, Path("models/train_ann.keras"))
    few = {name: evaluate.MODELS[name] for name in ("baseline", "train_ann")}
    monkeypatch.setattr(evaluate, "MODELS", few)


def test_every_model_gets_the_same_figures(trained, run_main, capsys):
    evaluate.main()
    printed = capsys.readouterr().out
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    assert list(metrics) == ["baseline", "train_ann", "majority_class"]
    assert metrics["baseline"].keys() == metrics["train_ann"].keys()
    assert metrics["majority_class"].keys() == metrics["baseline"].keys()
    assert metrics["baseline"]["accuracy"] > 0.9
    assert metrics["train_ann"]["accuracy"] < 0.4
    assert 0.09 < metrics["majority_class"]["accuracy"] < 0.11
    assert metrics["baseline"]["file_bytes"] == Path("models/baseline.npz").stat().st_size
    assert metrics["baseline"]["parameters"] == metrics["train_ann"]["parameters"] == 7850
    table = Path("metrics/ladder.md").read_text()
    assert table.strip() in printed
    rows = [line.split("|")[1].strip() for line in table.splitlines()]
    assert rows[2:] == ["baseline", "train_ann", "majority_class"]

    confusion = pd.read_csv("metrics/confusion/baseline.csv", dtype=str)
    assert list(confusion.columns) == ["actual", "predicted"]
    right = (confusion["actual"] == confusion["predicted"]).mean()
    assert right == pytest.approx(metrics["baseline"]["accuracy"], abs=1e-6)
    recall = confusion[confusion["actual"] == "3"]["predicted"].eq("3").mean()
    assert recall == pytest.approx(metrics["baseline"]["classes"]["3"]["recall"], abs=1e-6)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-50])


def other_shape(path):
    spec = Spec(list("0123456789"), (8, 8, 1), Scaling("none", [1.0], [0.0]), False, {}, {})
    save_keras(softmax_regression(spec), path)


def other_classes(path):
    spec = Spec(["a", "b"], (28, 28, 1), Scaling("none", [1.0], [0.0]), False, {}, {})
    save_keras(softmax_regression(spec), path)


def linear_of_other_shape(path):
    with np.load(path, allow_pickle=False) as arrays:
        content = dict(arrays)
    np.savez(path, **content | {"coef": content["coef"][:, :64]})


@pytest.mark.parametrize(
    ("name", "fault", "sentence"),
    [
        ("baseline.npz", lambda path: path.unlink(), "a whole model file at models/baseline.npz"),
        ("baseline.npz", truncate, "a whole model file at models/baseline.npz"),
        ("baseline.npz", lambda path: path.write_bytes(b""), "a whole model file at models/base"),
        ("baseline.npz", linear_of_other_shape, "a model for 10 classes and pictures of shape"),
        ("train_ann.keras", lambda path: path.unlink(), "a whole model file at models/train_ann"),
        ("train_ann.keras", truncate, "a whole model file at models/train_ann"),
        (
            "train_ann.keras",
            other_shape,
            "a model for 10 classes and pictures of shape (28, 28, 1)",
        ),
        ("train_ann.keras", other_classes, "Received: a model of 2 classes"),
    ],
)
def test_each_fault_of_a_model_has_a_sentence(trained, run_main, name, fault, sentence):
    fault(Path("models", name))
    code, err = run_main(evaluate.main)
    assert code == 1
    assert sentence in err
    assert f"dvc repro {Path(name).stem}" in err
    assert not Path("metrics/evaluate.json").exists()
    assert not Path("metrics/ladder.md").exists()


def test_a_model_that_brings_code_is_refused(trained, run_main):
    import keras

    inputs = keras.Input((28, 28, 1))
    x = keras.layers.Lambda(lambda pixels: pixels * 2)(inputs)
    outputs = keras.layers.Dense(10)(keras.layers.Flatten()(x))
    keras.Model(inputs, outputs).save("models/train_ann.keras")
    code, err = run_main(evaluate.main)
    assert code == 1
    assert "Expected a whole model file at models/train_ann.keras" in err


def test_only_evaluate_opens_the_test_split(project):
    for script in Path("stages").glob("*.py"):
        opens = 'Split("test")' in script.read_text()
        assert opens == (script.stem == "evaluate"), script
