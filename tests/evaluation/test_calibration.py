import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from lookbook.evaluation.calibration import (
    BINS,
    calibration_error,
    fit_temperature,
    reliability,
    with_temperature,
)


@pytest.fixture
def unsure():
    """Labels and probabilities of a model that is three times too sure of itself."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 4)) * 1.5
    honest = softmax(logits, axis=1)
    labels = np.array([rng.choice(4, p=row) for row in honest])
    return labels, softmax(3 * logits, axis=1)


def test_the_calibration_error_by_hand():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.88, 0.12], [0.6, 0.4], [0.35, 0.65]])
    # 15 bins: 0.9 and 0.88 share the 14th (both right), 0.6 is in the 9th (wrong), 0.65 in the
    # 10th (right).
    by_hand = (2 * abs(0.89 - 1) + abs(0.6 - 0) + abs(0.65 - 1)) / 4
    assert calibration_error(labels, probabilities) == pytest.approx(by_hand, abs=1e-9)


def test_the_calibration_error_is_that_of_a_plain_loop(unsure):
    labels, probabilities = unsure
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    total = 0.0
    for k in range(BINS):
        inside = (sure > k / BINS) & (sure <= (k + 1) / BINS)
        if inside.any():
            total += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
    assert calibration_error(labels, probabilities) == pytest.approx(total, abs=1e-9)


def test_the_bins_hold_all_pictures(unsure):
    bins = reliability(*unsure)
    assert bins["count"].sum() == 4000
    assert np.isnan(bins["accuracy"][bins["count"] == 0]).all()


def test_the_temperature_has_the_least_log_loss(unsure):
    labels, probabilities = unsure

    def loss(temperature):
        scaled = softmax(np.log(probabilities) / temperature, axis=1)
        return -np.log(scaled[np.arange(len(labels)), labels]).mean()

    found = fit_temperature(labels, probabilities)
    assert found == pytest.approx(3, rel=0.1)
    best = minimize(lambda t: loss(t[0]), [1.0], method="Nelder-Mead").x[0]
    assert found == pytest.approx(best, rel=1e-3)
    scaled = with_temperature(probabilities, found)
    assert calibration_error(labels, scaled) < calibration_error(labels, probabilities) / 3


def test_a_temperature_of_one_changes_nothing_and_none_moves_a_prediction(unsure):
    _, probabilities = unsure
    np.testing.assert_allclose(with_temperature(probabilities, 1.0), probabilities, atol=1e-12)
    for temperature in (0.1, 9.0):
        scaled = with_temperature(probabilities, temperature)
        np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
        np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-12)


def test_probabilities_of_zero_have_a_temperature_too():
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    found = fit_temperature(np.array([0, 0, 1, 1]), probabilities)
    assert np.isfinite(with_temperature(probabilities, found)).all()
