import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import ROOT, change_spec

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params
from lookbook.ladder.models import load_model, predict
from lookbook.shallow.descent import Streamed
from lookbook.shallow.held import Held
from lookbook.shallow.inputs import shallow_inputs, split_inputs
from lookbook.shallow.linear import LinearModel, save_linear
from lookbook.splits.headline import Headline
from lookbook.splits.spec import Scaling, Spec
from lookbook.splits.split import Split
from stages import baseline, download, preprocess, train_ann, train_cnn, train_transfer

METRICS = ["image_size", "cv_accuracy_mean", "cv_accuracy_std"]
METRICS += ["train_accuracy", "validation_accuracy"]


def test_the_baseline_learns_digits(processed, run_main):
    code, err = run_main(baseline.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/baseline.json").read_text())
    assert list(metrics) == METRICS
    assert metrics["cv_accuracy_mean"] > 0.88
    assert 0 < metrics["cv_accuracy_std"] < 0.1
    assert metrics["validation_accuracy"] > 0.93
    assert metrics["train_accuracy"] > metrics["validation_accuracy"] - 0.02
    validation = Split("validation")
    probabilities = predict(load_model(baseline.MODEL), validation, baseline.MODEL)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=1e-6)
    first = baseline.MODEL.read_bytes()
    assert run_main(baseline.main)[0] == 0
    assert baseline.MODEL.read_bytes() == first


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_saved_classifier_says_the_same(processed, tmp_path, loss, penalty, classes):
    train = Split("train")
    few = train.labels < classes
    settings = load_params().baseline.model_copy(update={"loss": loss, "penalty": penalty})
    x = split_inputs([train], 1)[few]
    classifier = baseline.build_classifier(settings).fit(x, train.labels[few])
    path = tmp_path / "linear.npz"
    save_linear(path, classifier, train.spec.scaling, 1)
    model = LinearModel(path)
    pixels = train.images(np.flatnonzero(few))
    expected = classifier.predict_proba(x)
    np.testing.assert_allclose(model.look(pixels)[1], expected, rtol=0, atol=1e-12)
    assert expected.shape[1] == classes
    assert model.num_parameters == (785 if classes == 2 else 785 * 3)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_without_validation_pictures_there_is_still_a_baseline(project, set_params, run_main):
    set_params(**{"preprocess.validation_size": 0})
    for stage in (download, preprocess, baseline):
        code, err = run_main(stage.main)
        assert code == 0, err
    spec = json.loads(Path("data/processed/spec.json").read_text())
    assert spec["counts"]["validation"] == 0
    metrics = json.loads(Path("metrics/baseline.json").read_text())
    assert metrics["cv_accuracy_mean"] > 0.88
    assert "validation_accuracy" not in metrics
    for stage in (train_ann, train_cnn, train_transfer):
        code, err = run_main(stage.main)
        assert code == 2
        assert "Expected validation pictures" in err
        assert "Set preprocess.validation_size above 0." in err


def set_test_pictures(processed, count):
    """Make spec.json say that there are so many; the stages that train open no test split."""
    counts = json.loads((processed / "spec.json").read_text())["counts"]
    change_spec(processed, counts=counts | {"test": count})


def test_a_small_test_split_has_a_cross_validated_figure_beside_it(processed, set_params, run_main):
    set_params(**{"baseline.max_iter": 3, "baseline.image_size": 14})
    set_test_pictures(processed, 299)
    shutil.rmtree(processed / "test")
    code, err = run_main(baseline.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/baseline.json").read_text())
    found = metrics["repeated_cv"]
    assert list(found) == ["accuracy", "low", "high", "folds", "repeats", "pictures"]
    assert 0.85 < found["low"] < found["accuracy"] < found["high"] < 0.97
    assert found["high"] - found["low"] == pytest.approx(0.027, abs=0.005)  # of 1,438
    assert (found["folds"], found["repeats"]) == (5, 5)
    assert found["pictures"] == len(Split("train")) + len(Split("validation"))


def test_of_unequal_classes_the_cross_validated_figure_is_balanced(project):
    x = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    labels = np.repeat([0, 1], [70, 10])
    x[labels == 1] += 9
    settings = load_params().baseline
    headline = Headline("balanced_accuracy", "unequal")
    found = baseline.repeatedly_validated(Held(x, labels), headline, settings, None)
    assert found["balanced_accuracy"] > 0.95
    assert found["low"] < 0.9  # ten pictures of a class say little


def test_more_folds_than_pictures_of_a_class_are_refused():
    with pytest.raises(LookbookError, match="at most 2 folds.* Received: baseline.folds=5"):
        baseline.drawn_folds(np.array([0, 0, 0, 0, 1, 1]), 5)


def test_large_pictures_are_averaged_down():
    scaling = Scaling("none", [1.0], [0.0])
    specs = [
        Spec(["a", "b"], (side, side, 1), scaling, False, {}, {}) for side in (28, 64, 65, 160)
    ]
    assert [spec.shrinking(64) for spec in specs] == [1, 1, 2, 3]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 7, 7, 3), dtype=np.uint8)
    rows = shallow_inputs(pixels, Scaling("none", [1.0] * 3, [0.0] * 3), 3)
    assert rows.shape == (2, 2 * 2 * 3)
    expected = pixels[1, 3:6, 0:3].mean(axis=(0, 1))
    np.testing.assert_allclose(rows[1].reshape(2, 2, 3)[1, 0], expected, rtol=1e-6)


def test_a_model_of_large_pictures_takes_raw_pixels(processed, set_params, run_main):
    set_params(**{"baseline.image_size": 14})
    code, err = run_main(baseline.main)
    assert code == 0, err
    model = load_model(baseline.MODEL)
    assert model.num_parameters == (14 * 14 + 1) * 10
    validation = Split("validation")
    probabilities = predict(model, validation, baseline.MODEL)
    assert (probabilities.argmax(axis=1) == validation.labels).mean() > 0.9


def test_more_values_than_memory_should_hold_go_through_in_batches(
    processed, run_main, monkeypatch, caplog
):
    caplog.set_level(logging.INFO)
    set_test_pictures(processed, 299)
    monkeypatch.setattr(baseline, "MOST_HELD", 1079 * 28 * 28 - 1)
    code, err = run_main(baseline.main)
    assert code == 0, err
    assert "845,936 values: by minibatches" in caplog.text
    metrics = json.loads(Path("metrics/baseline.json").read_text())
    assert list(metrics) == [*METRICS, "repeated_cv"]
    committed = json.loads((ROOT / "metrics/baseline.json").read_text())  # of the other way
    for name in ("cv_accuracy_mean", "validation_accuracy"):
        assert metrics[name] == pytest.approx(committed[name], abs=0.02)
    crossed = metrics["repeated_cv"]["accuracy"]
    assert crossed == pytest.approx(metrics["validation_accuracy"], abs=0.02)
    validation = Split("validation")
    probabilities = predict(load_model(baseline.MODEL), validation, baseline.MODEL)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=1e-6)


def test_as_many_values_as_memory_should_hold_are_held(processed, monkeypatch):
    train, validation = Split("train"), Split("validation")
    monkeypatch.setattr(baseline, "MOST_HELD", len(train) * 14 * 14)
    assert isinstance(baseline.opened(train, validation, 2), Held)
    assert isinstance(baseline.opened(train, validation, 1), Streamed)
