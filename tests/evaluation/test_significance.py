import numpy as np
import pytest
from scipy.stats import binom, bootstrap, chi2

from lookbook.evaluation.significance import (
    EXACT_UP_TO,
    SEED,
    compare,
    holm,
    mcnemar,
    permutation_test,
)


def outcomes(first_only, second_only, both, neither):
    """Whether each model has each picture right, for so many pictures of each kind."""
    kinds = [(True, False)] * first_only + [(False, True)] * second_only
    kinds += [(True, True)] * both + [(False, False)] * neither
    return np.array(kinds).T


@pytest.mark.parametrize("pair", [(0, 0), (1, 0), (3, 9), (9, 3), (20, 20), (400, 600)])
def test_mcnemar_is_the_exact_binomial_test_of_the_disagreements(pair):
    smaller, total = min(pair), sum(pair)
    by_hand = min(1.0, 2 * binom.cdf(smaller, total, 0.5))
    assert mcnemar(*pair) == pytest.approx(by_hand, abs=1e-9)


def test_mcnemar_by_hand():
    # 1 and 5 of 6: 2 * (1 + 6) / 64
    assert mcnemar(1, 5) == pytest.approx(14 / 64, abs=1e-12)


@pytest.mark.parametrize("pair", [(501, 500), (400, 700), (7000, 6500)])
def test_many_disagreements_go_by_chi_squared_with_continuity_correction(pair):
    assert sum(pair) > EXACT_UP_TO
    statistic = (abs(pair[0] - pair[1]) - 1) ** 2 / sum(pair)
    assert mcnemar(*pair) == pytest.approx(chi2.sf(statistic, 1), abs=1e-9)
    exact = min(1.0, 2 * binom.cdf(min(pair), sum(pair), 0.5))
    assert mcnemar(*pair) == pytest.approx(exact, abs=0.01)


def test_a_comparison_counts_what_each_has_right():
    found = compare(*outcomes(3, 12, 80, 5))
    assert (found.first_only, found.second_only) == (3, 12)
    assert found.difference == pytest.approx(0.09)
    assert found.p_value == pytest.approx(2 * binom.cdf(3, 15, 0.5), abs=1e-9)
    assert found.verdict == "better"
    assert compare(*outcomes(12, 3, 80, 5)).verdict == "worse"
    assert compare(*outcomes(8, 10, 80, 2)).verdict == "within noise"
    assert compare(*outcomes(0, 0, 80, 20)).verdict == "within noise"


def test_the_interval_is_that_of_scipys_paired_bootstrap():
    first, second = outcomes(30, 55, 800, 115)
    found = compare(first, second)
    theirs = bootstrap(
        (second.astype(int) - first.astype(int),),
        np.mean,
        method="percentile",
        n_resamples=10_000,
        batch=500,
        rng=7,
    ).confidence_interval
    # Both are simulations: 10,000 draws know a quantile to about a fortieth of the deviation.
    deviation = np.std(second.astype(int) - first.astype(int)) / np.sqrt(len(first))
    assert found.low == pytest.approx(theirs.low, abs=0.1 * deviation)
    assert found.high == pytest.approx(theirs.high, abs=0.1 * deviation)


def test_the_interval_is_that_of_resamples_drawn_one_by_one_from_the_same_seed():
    found = compare(*outcomes(4, 6, 35, 5))
    rng = np.random.default_rng(SEED)
    differences = []
    for _ in range(10_000):
        lost, won, _ = rng.multinomial(50, [4 / 50, 6 / 50, 40 / 50])
        differences.append((won - lost) / 50)
    assert found.low == pytest.approx(np.quantile(differences, 0.025), abs=1e-9)
    assert found.high == pytest.approx(np.quantile(differences, 0.975), abs=1e-9)


def test_equal_models_are_called_different_in_at_most_one_of_twenty_cases():
    rng = np.random.default_rng(1)
    called = [
        compare(rng.random(400) < 0.9, rng.random(400) < 0.9).verdict != "within noise"
        for _ in range(500)
    ]
    assert 0.005 < np.mean(called) < 0.06


def test_a_comparison_is_one_line():
    assert str(compare(*outcomes(0, 10, 90, 0))) == (
        "better: +0.1000 (+0.0500 to +0.1600), p = 0.002; 10 pictures put right, 0 put wrong"
    )


def test_every_class_counts_alike_where_it_is_asked_for():
    classes = np.repeat([0, 1], [90, 10])
    first, second = np.full(100, True), np.full(100, True)
    first[-8:] = False  # 8 of the 10
    second[:15] = False  # 15 of the 90
    assert compare(first, second).difference == pytest.approx(-0.07)
    found = compare(first, second, classes)
    assert found.difference == pytest.approx((8 / 10 - 15 / 90) / 2)
    assert (found.first_only, found.second_only) == (15, 8)
    assert found.verdict == "better"
    assert found.low < found.difference < found.high
    assert compare(second, first, classes).verdict == "worse"


def test_a_classs_share_of_resamples_is_its_own():
    classes = np.repeat([0, 1], [90, 10])
    first = np.full(100, False)
    found = compare(first, classes == 1, classes)  # no resample lacks the ten, or has more
    assert found.difference == found.low == found.high == 0.5


def test_of_one_class_the_comparison_is_the_plain_one_but_for_the_simulated_p_value():
    pair = outcomes(6, 14, 70, 10)
    plain, of_class = compare(*pair), compare(*pair, np.full(100, 4))
    assert (of_class.low, of_class.high) == (plain.low, plain.high)
    assert of_class.p_value == pytest.approx(plain.p_value, abs=0.02)


@pytest.mark.parametrize("pair", [(0, 0), (3, 9), (9, 3), (20, 20), (40, 60)])
def test_the_permutation_test_of_one_class_is_mcnemars(pair):
    found = permutation_test(*(np.array([count]) for count in (*pair, 200)))
    assert found == pytest.approx(mcnemar(*pair), abs=0.02)


def test_the_permutation_test_by_hand():
    # Deals of 1 of 10 and 2 of 100: only the observed one and its mirror image are as large.
    found = permutation_test(np.array([0, 0]), np.array([1, 2]), np.array([10, 100]))
    assert found == pytest.approx(2 / 8, abs=0.02)


def test_equal_models_of_unequal_classes_are_called_different_in_at_most_one_of_twenty_cases():
    rng = np.random.default_rng(1)
    classes = np.repeat([0, 1], [300, 40])
    called = [
        compare(rng.random(340) < 0.85, rng.random(340) < 0.85, classes).verdict != "within noise"
        for _ in range(300)
    ]
    assert 0.005 < np.mean(called) < 0.07


def test_holm_by_hand():
    # Smallest first: 4 x 0.01, 3 x 0.02, then never less than the one before.
    assert holm([0.02, 0.01, 0.03, 0.9]) == pytest.approx([0.06, 0.04, 0.06, 0.9])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
