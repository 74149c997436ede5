import numpy as np
import pytest
from scipy.stats import binomtest

from lookbook.foundation.intervals import mean_share, wilson_interval


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (4, 6), (352, 359), (10, 10)])
def test_wilson_interval_is_its_formula(correct, count):
    z = 1.959963984540054
    share = correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / 2 / count) ** 2)
    expected = (centre - half, centre + half)
    np.testing.assert_allclose(wilson_interval(correct, count), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (4, 6), (352, 359), (10, 10)])
def test_wilson_interval_is_scipys_to_the_last_digit(correct, count):
    theirs = binomtest(correct, count).proportion_ci(method="wilson")
    assert wilson_interval(correct, count) == (theirs.low, theirs.high)


def test_successes_need_not_be_whole():
    low, high = zip(*(wilson_interval(correct, 40) for correct in (36, 36.4, 37)), strict=True)
    assert low[0] < low[1] < low[2]
    assert high[0] < high[1] < high[2]


@pytest.mark.parametrize("count", [359, 2000])
def test_the_interval_holds_the_accuracy_of_1000_simulated_classifiers_as_often_as_it_says(count):
    rng = np.random.default_rng(0)
    held = 0
    for accuracy in rng.uniform(0.7, 0.99, 1000):
        low, high = wilson_interval(int(rng.binomial(count, accuracy)), count)
        held += low <= accuracy <= high
    assert 930 <= held <= 970


def test_the_mean_of_one_class_has_wilsons_interval():
    right = np.arange(40) < 37
    low, high = wilson_interval(37, 40)
    for classes in (None, np.full(40, 3)):
        assert mean_share(right, classes) == pytest.approx((37 / 40, low, high), abs=1e-12)


def test_the_mean_of_two_classes_by_hand():
    right = np.array([True] * 90 + [False] * 10 + [True] * 10 + [False] * 10)
    classes = np.repeat([0, 5], [100, 20])
    (a, b), (c, d) = wilson_interval(90, 100), wilson_interval(10, 20)
    found = mean_share(right, classes)
    assert found.figure == pytest.approx(0.7)
    assert found.low == pytest.approx(0.7 - np.sqrt((0.9 - a) ** 2 + (0.5 - c) ** 2) / 2)
    assert found.high == pytest.approx(0.7 + np.sqrt((b - 0.9) ** 2 + (d - 0.5) ** 2) / 2)


def test_it_does_not_shrink_to_a_point_where_all_are_right():
    found = mean_share(np.full(30, True), np.repeat([0, 1], [20, 10]))
    assert found.figure == found.high == 1.0
    assert 0.8 < found.low < 0.9


@pytest.mark.parametrize("recalls", [(0.95, 0.7), (0.99, 0.99), (0.6, 0.9)])
def test_the_interval_of_the_mean_holds_it_as_often_as_it_says(recalls):
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1], [150, 30])
    held = 0
    for _ in range(1000):
        found = mean_share(rng.random(180) < np.array(recalls)[classes], classes)
        held += found.low <= np.mean(recalls) <= found.high
    assert 925 <= held <= 985
