import numpy as np
import pytest

from lookbook.evaluation.mistakes import (
    confused_pairs,
    confusion_shares,
    looked_at,
    tiles,
    worst_mistakes,
)
from lookbook.evaluation.predictions import Predictions, predictions_for
from lookbook.splits.split import Split

LABELS = [0, 0, 1, 1, 2, 2, 2]
SAID = [0, 1, 0, 0, 2, 1, 2]
SURE = [0.9, 0.6, 0.5, 0.8, 0.7, 0.9, 0.4]


@pytest.fixture
def predictions():
    probabilities = np.zeros((7, 4), np.float32)
    for row, (said, sure) in enumerate(zip(SAID, SURE, strict=True)):
        probabilities[row] = (1 - sure) / 3
        probabilities[row, said] = sure
    ids = np.array([str(row) for row in range(7)])
    return Predictions(ids, np.array(LABELS), probabilities, list("abcd"), np.zeros(len(ids)))


def test_the_worst_mistake_gave_the_truth_the_least(predictions):
    assert worst_mistakes(predictions).tolist() == [5, 3, 1, 2]


def test_pairs_of_classes_count_both_ways(predictions):
    first, second = confused_pairs(predictions)
    assert (first.first, first.second) == (0, 1)
    assert (first.first_as_second, first.second_as_first) == (1, 2)
    assert first.rows.tolist() == [3, 1, 2]
    assert (second.first, second.second) == (1, 2)
    assert (second.first_as_second, second.second_as_first) == (0, 1)


def test_shares_of_a_class_add_up_to_one_or_are_absent(predictions):
    shares = confusion_shares(predictions)
    np.testing.assert_allclose(shares[0], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(shares[:3].sum(axis=1), 1)
    assert np.isnan(shares[3]).all()


def test_mistakes_and_right_answers_are_looked_at(predictions):
    assert looked_at(predictions).tolist() == [5, 3, 1, 2, 0, 4]


def test_a_model_without_mistakes_has_none(predictions):
    right = Predictions(
        predictions.ids,
        predictions.predicted,
        predictions.probabilities,
        list("abcd"),
        predictions.strangeness,
    )
    assert worst_mistakes(right).tolist() == []
    assert confused_pairs(right) == []


def test_tiles_say_what_was_said_and_what_is_true(processed):
    test = Split("test")
    probabilities = np.full((len(test), 10), 0.02)
    probabilities[:, 3] = 0.82
    predictions = predictions_for(test, probabilities)
    wrong = int(np.flatnonzero(test.labels == 7)[0])
    right = int(np.flatnonzero(test.labels == 3)[0])
    shown = tiles(predictions, test, np.array([wrong, right]))
    assert shown[0].words == ["said 3 82%", "is 7 2%"]
    assert shown[1].words == ["said 3 82%"]
    assert shown[0].title == f"picture {predictions.ids[wrong]}"
    np.testing.assert_array_equal(shown[0].pixels, test.images(np.array([wrong]))[0])
