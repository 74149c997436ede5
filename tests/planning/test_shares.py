import numpy as np
import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.planning.shares import Share, Subset, drawn, shares_of
from lookbook.splits.split import Split

LABELS = np.repeat([0, 1, 2], [160, 80, 16])
NAMES = ["cat", "dog", "owl"]


def test_smaller_shares_are_drawn_more_often_so_that_each_takes_as_long():
    shares = shares_of(np.repeat([0, 1], 200), NAMES[:2], effort=4.0)
    assert [share.size for share in shares][::2] == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]
    assert shares[-1] == Share(1.0, 1)
    for share in shares[:-1]:
        assert share.draws * share.size == pytest.approx(4, rel=0.07)


def test_a_share_has_two_pictures_of_the_smallest_class():
    assert shares_of(LABELS, NAMES, effort=1.0)[0].size == 1 / 8
    smallest = next(drawn(LABELS, Share(1 / 8, 1), seed=0))
    assert np.bincount(LABELS[smallest]).tolist() == [20, 10, 2]


@pytest.mark.parametrize(("count", "received"), [(7, "7 of owl"), (0, "0 of owl")])
def test_too_few_pictures_of_a_class_are_refused(count, received):
    labels = np.repeat([0, 1, 2], [160, 80, count])
    with pytest.raises(LookbookError, match=f"at least 8 training pictures.*{received}"):
        shares_of(labels, NAMES, effort=1.0)
    assert len(shares_of(np.repeat([0, 1, 2], 8), NAMES, effort=1.0)) == 5


def test_every_class_keeps_its_part_and_draws_differ():
    draws = list(drawn(LABELS, Share(0.25, 5), seed=1))
    assert len({rows.tobytes() for rows in draws}) == 5
    for rows in draws:
        assert np.bincount(LABELS[rows]).tolist() == [40, 20, 4]
        assert len(np.unique(rows)) == len(rows)
    again = list(drawn(LABELS, Share(0.25, 5), seed=1))
    other = list(drawn(LABELS, Share(0.25, 5), seed=2))
    np.testing.assert_array_equal(draws, again)
    assert not np.array_equal(draws, other)


def test_all_pictures_are_drawn_once():
    (rows,) = drawn(LABELS, Share(1.0, 1), seed=0)
    np.testing.assert_array_equal(rows, np.arange(len(LABELS)))


def test_a_subset_has_the_pictures_of_its_rows(processed):
    split, rows = Split("train"), np.array([7, 3, 400])
    subset = Subset(split, rows)
    assert len(subset) == 3
    np.testing.assert_array_equal(subset.images(np.array([2, 0])), split.images(rows[[2, 0]]))
    np.testing.assert_array_equal(subset.targets(np.array([1])), split.targets(rows[[1]]))
    assert subset.fingerprint() == Subset(Split("train"), rows).fingerprint()
    assert subset.fingerprint() != Subset(split, rows + 1).fingerprint()
