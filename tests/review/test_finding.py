import numpy as np
import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.review.finding import VOTERS, neighbours, odd, probabilities, suspects

CENTRES = np.random.default_rng(1).normal(size=(3, 16)) * 3


def judged(features, labels):
    rows, distances = neighbours(features, len(labels))
    return probabilities(features, labels, 3, rows=rows, distances=distances, seed=0)


@pytest.fixture
def drawn():
    """Features of three well-separated classes, their labels, and those with 6 flipped."""
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    features = (CENTRES[labels] + rng.normal(size=(150, 16))).astype(np.float32)
    wrong = labels.copy()
    wrong[:6] = (wrong[:6] + 1) % 3
    return features, labels, wrong


def test_flipped_labels_come_first(drawn):
    features, labels, wrong = drawn
    said = judged(features, wrong)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-6)
    found = suspects(wrong, said)
    assert set(found[:6].tolist()) == set(range(6))
    assert (said.argmax(axis=1)[:6] == labels[:6]).all()
    assert (said.argmax(axis=1)[found] != wrong[found]).all()
    clean = suspects(labels, judged(features, labels))
    assert not set(clean.tolist()) & set(range(6))


def test_test_pictures_are_judged_by_all_others(drawn):
    features, labels, _ = drawn
    said = judged(features, labels[:120])
    assert said.shape == (150, 3)
    assert (said[120:].argmax(axis=1) == labels[120:]).all()
    alone = judged(features[:120], labels[:120])
    np.testing.assert_allclose(said[:120], alone, atol=1e-5)


def test_too_few_pictures_are_told(drawn):
    features, labels, _ = drawn
    rows = np.flatnonzero((labels != 2) | (np.arange(150) < 12))
    with pytest.raises(LookbookError, match="at least 5 .* of every class.* Received: 4"):
        judged(features[rows], labels[rows])


def test_neighbours_are_the_nearest_and_never_the_picture_itself(drawn):
    features, labels, _ = drawn
    features[10:50] = features[10]  # more copies than neighbours
    rows, distances = neighbours(features, 150)
    assert rows.shape == distances.shape == (150, VOTERS)
    assert not (rows == np.arange(150)[:, None]).any()
    assert set(rows[10].tolist()) <= set(range(11, 50))
    assert distances[10].max() == pytest.approx(0, abs=1e-3)
    assert (np.diff(distances, axis=1) >= 0).all()
    assert (neighbours(features, 100)[0] < 100).all()


def test_the_odd_one_is_like_no_other(drawn):
    features = drawn[0]
    features[77] = 9 * np.linalg.svd(CENTRES)[2][-1]  # across all that the classes differ in
    assert odd(neighbours(features, 150)[1])[0] == 77
    assert len(odd(neighbours(features, 150)[1])) == 2  # 1 % of 150, rounded up
