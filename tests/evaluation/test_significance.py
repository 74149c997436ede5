import numpy as np
import pytest
from scipy.stats import binom, bootstrap, chi2

from lookbook.evaluation.significance import EXACT_UP_TO, SEED, compare, mcnemar


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
