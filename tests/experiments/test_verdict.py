import numpy as np
import pytest

from lookbook.experiments.verdict import verdict_on


def drawn(accuracies, pictures, seed=0):
    """Which of the pictures candidates of these accuracies have right, each by itself."""
    rng = np.random.default_rng(seed)
    return rng.random((len(accuracies), pictures)) < np.array(accuracies)[:, np.newaxis]


def test_the_best_of_equals_is_expected_to_be_as_good_as_they_are():
    off, above = [], []
    for seed in range(20):
        verdict = verdict_on(drawn([0.8] * 20, 300, seed))
        off.append(verdict.expected.figure - 0.8)
        above.append(verdict.figure - 0.8)
    assert np.mean(above) > 0.035
    assert abs(np.mean(off)) < 0.008


def test_the_interval_holds_what_the_chosen_has_and_the_truly_best_is_near():
    truths = np.linspace(0.7, 0.8, 20)
    held = among = 0
    for seed in range(40):
        verdict = verdict_on(drawn(truths, 400, seed))
        held += verdict.expected.low <= truths[verdict.best] <= verdict.expected.high
        among += len(truths) - 1 in verdict.near
    assert held >= 37
    assert among >= 37


def test_one_that_is_clearly_better_is_said_to_be():
    verdict = verdict_on(drawn([0.6, 0.6, 0.9, 0.6], 500))
    assert verdict.best == 2
    assert verdict.near == [2]
    assert verdict.gain.low > 0.2
    assert verdict.expected.figure == pytest.approx(verdict.figure)


def test_equals_are_within_noise_of_each_other():
    found = [verdict_on(drawn([0.8] * 10, 500, seed)) for seed in range(40)]
    assert sum(len(verdict.near) for verdict in found) >= 360
    assert all(verdict.best in verdict.near for verdict in found)
    # What is told as better than before is, in 39 of 40; what is told as worse may not be.
    assert sum(verdict.gain.low > 0 for verdict in found) <= 1


def test_of_equal_figures_the_first_is_the_best():
    right = np.zeros((3, 90), bool)
    right[0, :30], right[1, 30:60], right[2, 60:] = True, True, True
    assert verdict_on(right).best == 0
    classes = np.repeat([0, 1, 2], 30)
    assert verdict_on(right, classes).best == 0


def test_every_class_counts_alike_where_it_is_to():
    classes = np.repeat([0, 1], [90, 10])
    right = np.stack([classes == 0, classes == 1])
    assert verdict_on(right).best == 0
    verdict = verdict_on(np.stack([classes == 0, (classes == 1) | (np.arange(100) < 9)]), classes)
    assert verdict.best == 1
    assert verdict.figure == pytest.approx((9 / 90 + 1) / 2)


def test_alone_it_is_what_it_is():
    verdict = verdict_on(np.ones((1, 50), bool))
    assert (verdict.best, verdict.figure, verdict.near) == (0, 1.0, [0])
    assert verdict.expected.figure == 1.0
    assert 0.9 < verdict.expected.low < 1
    assert verdict.gain == (0, 0, 0)


def test_a_verdict_is_the_same_each_time():
    right = drawn([0.7, 0.8, 0.8], 200)
    assert verdict_on(right) == verdict_on(right)
