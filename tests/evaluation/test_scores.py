import numpy as np
import pytest
from sklearn import metrics

from lookbook.drawing.tables import as_markdown
from lookbook.evaluation.calibration import calibration_error, fit_temperature, with_temperature
from lookbook.evaluation.predictions import Predictions
from lookbook.evaluation.scores import (
    absent,
    compare_neighbours,
    cross_validations,
    ladder_table,
    majority,
    score,
    selection,
    verdicts,
)
from lookbook.foundation.intervals import mean_share
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

LABELS = np.array([0, 0, 0, 1, 1, 2])
# Eighths, which float32 holds exactly.
PROBABILITIES = np.array([[6, 1, 1], [4, 3, 1], [2, 5, 1], [1, 6, 1], [2, 5, 1], [4, 3, 1]]) / 8


def said(labels, probabilities, names=("a", "b", "c")):
    ids = np.array([str(number) for number in range(len(labels))])
    return Predictions(
        ids, np.array(labels), np.float32(probabilities), list(names), np.zeros(len(ids))
    )


@pytest.fixture
def figures():
    return score(said(LABELS, PROBABILITIES), said(LABELS, PROBABILITIES))


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
    figures = figures | {"image_size": 28, "parameters": 7850, "operations": 15680, "file_bytes": 9}
    lines = as_markdown(ladder_table({"baseline": figures, "train_cnn": figures})).splitlines()
    assert len(lines) == 4
    assert lines[2].split("|")[1].strip() == "baseline"
    assert "0.6667" in lines[3]
    assert "7,850" in lines[3]


UNEQUAL = Headline("balanced_accuracy", "The classes are unequal.")
COST = {"image_size": 28, "parameters": 7850, "operations": 15680, "file_bytes": 9}
# Of 80 and 20 pictures: the first model has 79 and 8 right, the second 70 and 18.
MANY = np.repeat([0, 1], [80, 20])


def right_on(first, second):
    predicted = np.concatenate([np.arange(80) >= first, np.arange(20) < second]).astype(int)
    return said(MANY, np.eye(2)[predicted], "ab")


@pytest.fixture
def unequal():
    test = {"baseline": right_on(79, 8), "train_ann": right_on(70, 18)}
    return test, {name: COST | score(entry, entry, UNEQUAL) for name, entry in test.items()}


def test_balanced_accuracy_has_its_interval_where_it_is_the_headline(unequal, figures):
    figures_of = unequal[1]["train_ann"]
    expected = mean_share(right_on(70, 18).right, MANY)
    assert figures_of["balanced_accuracy"] == pytest.approx((70 / 80 + 18 / 20) / 2)
    shown = [figures_of[f"balanced_accuracy{end}"] for end in ("", "_low", "_high")]
    assert shown == pytest.approx(expected)
    assert figures_of["validation_balanced_accuracy"] == pytest.approx(expected.figure)
    assert set(figures_of) - set(figures) - set(COST) == {
        "balanced_accuracy_low", "balanced_accuracy_high", "validation_balanced_accuracy",
    }  # fmt: skip


def test_verdict_and_pick_are_about_the_headline(unequal):
    test, figures = unequal
    lines = verdicts(test, figures, UNEQUAL)
    assert lines[0] == "The classes are unequal."
    assert lines[1].startswith("train_ann against baseline: better: +0.1938 (")
    assert lines[2].startswith(
        "Validation data pick train_ann, whose balanced accuracy is 0.8875 on them, and 0.8875 (0."
    )
    plain = verdicts(test, figures, Headline())
    assert len(plain) == 2
    assert plain[0].startswith("train_ann against baseline: within noise: +0.0100 (")


def test_the_headline_comes_first_in_the_table(unequal):
    rows = ladder_table(unequal[1], UNEQUAL)
    assert list(rows)[:4] == ["model", "test balanced accuracy", "95 % interval", "test accuracy"]
    assert rows["test balanced accuracy"].tolist() == ["0.6938", "0.8875"]
    assert rows["test accuracy"].tolist() == ["0.8700", "0.8800"]
    assert list(ladder_table(unequal[1]))[:3] == ["model", "test accuracy", "95 % interval"]


@pytest.mark.parametrize("headline", [Headline(), UNEQUAL])
def test_a_cross_validated_figure_stands_beside_that_of_the_test(unequal, headline):
    figures = unequal[1]
    entry = {headline.name: 0.91, "low": 0.86, "high": 0.94, "pictures": 160}
    crossed = {"baseline": entry}
    (line,) = cross_validations(crossed, figures, headline, 100)
    figure = f"{figures['baseline'][headline.name]:.4f}"
    assert line.startswith(f"The test split has only 100 pictures: baseline {figure} (0.")
    assert line.endswith(
        "; cross-validation of the classifier over the other 160: 0.9100 (0.8600 to 0.9400)."
    )
    rows = ladder_table(figures, headline, crossed)
    assert list(rows)[3:5] == ["cross-validated", "its 95 % interval"]
    assert rows["cross-validated"].tolist() == ["0.9100", "-"]
    assert rows["its 95 % interval"].tolist() == ["0.8600-0.9400", "-"]
