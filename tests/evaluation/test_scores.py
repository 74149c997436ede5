import numpy as np
import pytest
from sklearn import metrics

from lookbook.drawing.tables import as_markdown
from lookbook.evaluation.calibration import calibration_error, fit_temperature, with_temperature
from lookbook.evaluation.predictions import Predictions
from lookbook.evaluation.scores import (
    absent,
    compare_neighbours,
    ladder_table,
    majority,
    score,
    selection,
    wilson_interval,
)
from lookbook.splits.split import Split

LABELS = np.array([0, 0, 0, 1, 1, 2])
# Eighths, which float32 holds exactly.
PROBABILITIES = np.array([[6, 1, 1], [4, 3, 1], [2, 5, 1], [1, 6, 1], [2, 5, 1], [4, 3, 1]]) / 8


def said(labels, probabilities, names=("a", "b", "c")):
    ids = np.array([str(number) for number in range(len(labels))])
    return Predictions(ids, np.array(labels), np.float32(probabilities), list(names))


@pytest.fixture
def figures():
    return score(said(LABELS, PROBABILITIES), said(LABELS, PROBABILITIES))


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (4, 6), (352, 359), (10, 10)])
def test_wilson_interval_is_its_formula(correct, count):
    z = 1.959963984540054
    share = correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / 2 / count) ** 2)
    expected = (centre - half, centre + half)
    np.testing.assert_allclose(wilson_interval(correct, count), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("count", [359, 2000])
def test_the_interval_holds_the_accuracy_of_1000_simulated_classifiers_as_often_as_it_says(count):
    rng = np.random.default_rng(0)
    held = 0
    for accuracy in rng.uniform(0.7, 0.99, 1000):
        low, high = wilson_interval(int(rng.binomial(count, accuracy)), count)
        held += low <= accuracy <= high
    assert 930 <= held <= 970


def test_figures_are_those_computed_by_hand(figures):
    assert figures["accuracy"] == pytest.approx(4 / 6, abs=1e-12)
    assert figures["classes"]["a"] == {"precision": 2 / 3, "recall": 2 / 3, "support": 3}
    assert figures["classes"]["b"] == {"precision": 2 / 3, "recall": 1.0, "support": 2}
    assert figures["classes"]["c"] == {"precision": 0.0, "recall": 0.0, "support": 1}
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3, abs=1e-12)
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3, abs=1e-12)
    assert figures["top2_accuracy"] == pytest.approx(5 / 6, abs=1e-12)
    chosen = PROBABILITIES[np.arange(6), LABELS]
    assert figures["log_loss"] == pytest.approx(-np.log(chosen).mean(), abs=1e-12)


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 400)
    probabilities = rng.dirichlet(np.ones(5), 400).astype(np.float32)
    figures = score(said(labels, probabilities, "abcde"), said(labels, probabilities, "abcde"))
    predicted = probabilities.argmax(axis=1)
    exact = probabilities / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "log_loss": metrics.log_loss(labels, exact),
        "top2_accuracy": metrics.top_k_accuracy_score(labels, exact, k=2),
    }
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, abs=1e-9), name


def test_the_temperature_comes_from_validation_data_alone():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    test = said(labels, rng.dirichlet(np.ones(3), 300))
    validation = said(labels, rng.dirichlet(np.ones(3), 300))
    figures = score(test, validation)
    temperature = fit_temperature(validation.labels, validation.probabilities)
    assert figures["temperature"] == pytest.approx(temperature, abs=1e-12)
    scaled = with_temperature(test.probabilities, temperature)
    assert figures["calibration_error_scaled"] == pytest.approx(
        calibration_error(labels, scaled), abs=1e-6
    )
    assert figures["validation_accuracy"] == validation.right.mean()


def test_a_class_without_test_pictures_has_no_figures_and_no_part_in_means():
    labels = [0, 0, 1, 1]
    probabilities = [[0.9, 0.1, 0], [0.2, 0, 0.8], [0.1, 0.9, 0], [0, 1, 0]]
    figures = score(said(labels, probabilities), said(LABELS, PROBABILITIES))
    assert list(figures["classes"]) == ["a", "b"]
    assert figures["balanced_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert absent(said(labels, probabilities))[0].startswith("No test pictures of c: there are no")
    assert absent(said(LABELS, PROBABILITIES)) == []


def test_a_test_split_of_a_single_class_has_figures():
    figures = score(
        said([1, 1], [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]), said(LABELS, PROBABILITIES)
    )
    assert figures["accuracy"] == figures["balanced_accuracy"] == 0.5
    assert list(figures["classes"]) == ["b"]
    assert figures["log_loss"] == pytest.approx(-np.log([0.25, 0.5]).mean(), abs=1e-9)


def test_two_classes_have_no_top_two():
    two = said([0, 1], [[0.9, 0.1], [0.4, 0.6]], "ab")
    assert "top2_accuracy" not in score(two, two)


def test_the_majority_row_knows_the_class_shares_only(processed):
    train, test = Split("train"), Split("test")
    guess = majority(train, test)
    shares = np.bincount(train.labels) / len(train)
    np.testing.assert_allclose(guess.probabilities, np.tile(shares, (len(test), 1)), atol=1e-7)
    assert guess.right.mean() == pytest.approx((test.labels == shares.argmax()).mean())


def test_each_model_is_compared_with_the_one_before_it():
    wrong = PROBABILITIES[:, [1, 2, 0]]
    pairs = compare_neighbours(
        {"baseline": said(LABELS, wrong), "train_ann": said(LABELS, PROBABILITIES)}
    )
    assert list(pairs) == ["train_ann against baseline"]
    assert pairs["train_ann against baseline"].second_only == 4


def test_validation_data_choose_the_model_not_test_data(figures):
    better_on_test = figures | {"validation_accuracy": 0.5, "accuracy": 0.99}
    text = selection({"baseline": figures, "train_ann": better_on_test, "train_cnn": figures})
    assert text.startswith("Validation data pick baseline, which is right on 0.6667 of them")
    assert "0.6667 (0.3000 to 0.9032) of the test data" in text


def test_the_table_has_a_row_a_model_in_order(figures):
    figures = figures | {"parameters": 7850, "operations": 15680, "file_bytes": 9}
    lines = as_markdown(ladder_table({"baseline": figures, "train_cnn": figures})).splitlines()
    assert len(lines) == 4
    assert lines[2].split("|")[1].strip() == "baseline"
    assert "0.6667" in lines[3]
    assert "7,850" in lines[3]
