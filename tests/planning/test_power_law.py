import numpy as np
import pytest

from lookbook.planning.power_law import fit_power_law
from lookbook.planning.shares import drawn, shares_of

PHOTOS = np.array([100, 200, 400, 800, 1600])


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.9])
def test_a_law_without_noise_is_found(exponent):
    def accuracy(photos):
        return 1 - 0.05 - 0.2 * (photos / 100) ** -exponent

    found = [np.full(8, accuracy(photos)) for photos in PHOTOS]
    law = fit_power_law(PHOTOS, [*found[:-1], found[-1][:1]], 1_000_000)
    for photos in (100, 1600, 3200, 6400):
        assert law.expected(photos) == pytest.approx(accuracy(photos), abs=2e-3)
    low, high = law.interval(3200)
    assert low < accuracy(3200) < high < low + 0.02


def test_a_flat_curve_stays_flat_and_no_interval_leaves_0_to_1():
    perfect = fit_power_law(PHOTOS, [np.ones(4)] * 4 + [np.ones(1)], 50)
    assert perfect.expected(3200) == 1
    assert perfect.interval(3200)[1] == 1
    low, high = perfect.interval(3200)
    assert 0 < high - low < 0.1


def test_accuracies_that_fall_promise_no_fall():
    """More pictures are never worse by a law whose b is not negative."""
    law = fit_power_law(PHOTOS, [np.array([a, a + 0.02]) for a in (0.9, 0.88, 0.86, 0.84)]
                        + [np.array([0.82])], 1000)  # fmt: skip
    assert law.expected(3200) == pytest.approx(law.expected(1600))


def test_more_noise_and_fewer_draws_make_wider_intervals():
    def width(deviation, pairs):
        """Of a law with `pairs` of draws above and below it, of this standard deviation."""
        apart = deviation * np.sqrt((2 * pairs - 1) / (2 * pairs))
        found = [1 - 2 * n**-0.5 + apart * np.tile([-1, 1], pairs) for n in PHOTOS]
        law = fit_power_law(PHOTOS, [*found[:-1], found[-1][:2].mean(keepdims=True)], 1000)
        low, high = law.interval(3200)
        return high - low

    assert width(0.005, 15) < width(0.02, 15) < width(0.02, 1)


def means_of(pictures, labels):
    return pictures[labels == 1].mean(axis=0), pictures[labels == 0].mean(axis=0)


def right(pictures, labels, means):
    one, other = means
    said = pictures @ (one - other) > (one + other) @ (one - other) / 2
    return float((said == labels).mean())


def held(seed):
    """Learn the means of two classes: is the accuracy with all pictures in that of half's?"""
    rng = np.random.default_rng(seed)

    def some(count):
        labels = np.arange(count) % 2
        return rng.standard_normal((count, 40)) + labels[:, None] * 0.3, labels

    (pictures, labels), validation = some(1000), some(800)
    half = labels[:500]
    photos, accuracies = [], []
    for share in shares_of(half, ["a", "b"], effort=2.0):
        draws = list(drawn(half, share, seed))
        photos.append(len(draws[0]))
        found = [right(*validation, means_of(pictures[rows], labels[rows])) for rows in draws]
        accuracies.append(np.array(found))
    low, high = fit_power_law(np.array(photos), accuracies, 800).interval(1000)
    return low <= right(*validation, means_of(pictures, labels)) <= high, high - low


def test_the_interval_holds_what_the_other_half_brings():
    inside, widths = zip(*(held(seed) for seed in range(40)), strict=True)
    assert sum(inside) >= 36
    assert np.mean(widths) < 0.06
