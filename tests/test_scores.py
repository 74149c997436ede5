import numpy as np
import pytest
from sklearn import metrics

from lookbook.scores import ladder, majority_probabilities, score, wilson_interval

LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.8, 0.1],
        [0.3, 0.6, 0.1],
        [0.5, 0.3, 0.2],
    ]
)


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (4, 6), (352, 359), (10, 10)])
def test_wilson_interval_is_its_formula(correct, count):
    z = 1.959963984540054
    share = correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / 2 / count) ** 2)
    expected = (centre - half, centre + half)
    np.testing.assert_allclose(wilson_interval(correct, count), expected, rtol=0, atol=1e-9)


def test_figures_are_those_computed_by_hand():
    figures = score(LABELS, PROBABILITIES, ["a", "b", "c"])
    assert figures["accuracy"] == pytest.approx(4 / 6, abs=1e-12)
    assert figures["classes"]["a"] == {"precision": 2 / 3, "recall": 2 / 3, "support": 3}
    assert figures["classes"]["b"] == {"precision": 2 / 3, "recall": 1.0, "support": 2}
    assert figures["classes"]["c"] == {"precision": 0.0, "recall": 0.0, "support": 1}
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3, abs=1e-12)
    chosen = PROBABILITIES[np.arange(6), LABELS]
    assert figures["log_loss"] == pytest.approx(-np.log(chosen).mean(), abs=1e-12)
    predicted = PROBABILITIES.argmax(axis=1)
    f1 = metrics.f1_score(LABELS, predicted, average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(f1, abs=1e-12)


def test_the_majority_row_knows_the_class_shares_only():
    probabilities = majority_probabilities(np.array([0, 1, 1, 2]), 6, 3)
    assert probabilities.shape == (6, 3)
    assert probabilities[0].tolist() == [0.25, 0.5, 0.25]
    figures = score(LABELS, probabilities, ["a", "b", "c"])
    assert figures["accuracy"] == pytest.approx(2 / 6)


def test_the_table_has_a_row_a_model_in_order():
    figures = score(LABELS, PROBABILITIES, ["a", "b", "c"]) | {"parameters": 7850, "file_bytes": 9}
    lines = ladder({"baseline": figures, "train_cnn": figures}).splitlines()
    assert len(lines) == 4
    assert lines[2].split("|")[1].strip() == "baseline"
    assert "0.6667" in lines[3]
    assert "7,850" in lines[3]
