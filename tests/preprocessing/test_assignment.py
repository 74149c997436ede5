import hashlib

import numpy as np
import pandas as pd
import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.preprocessing.assignment import Assignment, check_every_class
from lookbook.splits.spec import SPLITS, TEST, TRAIN, VALIDATION

CLASSES = ["cats", "dogs", "birds"]


def ids_of(count):
    return [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(count)]


def draw(labels, *, ids=None, published=None, **changes):
    labels = np.asarray(labels)
    index = pd.DataFrame({"label": labels, "published": published or [""] * len(labels)})
    settings = {"method": "stratified", "validation_size": 0.1, "test_size": 0.2, "seed": 42}
    settings |= changes
    drawn = Assignment(index, CLASSES, **settings)
    halves = np.array_split(np.arange(len(labels)), 2)  # as pictures arrive, not all at once
    ids = ids or ids_of(len(labels))
    splits = [drawn.splits_of(rows, [ids[row] for row in rows]) for rows in halves]
    splits = np.concatenate(splits)
    check_every_class(
        index.assign(split=splits), CLASSES, validation_size=settings["validation_size"]
    )
    return splits


LABELS = np.repeat([0, 1, 2], [500, 300, 200])


def test_stratified_keeps_the_shares_of_the_classes():
    splits = draw(LABELS)
    assert np.bincount(LABELS[splits == TEST]).tolist() == [100, 60, 40]
    assert np.bincount(LABELS[splits == VALIDATION]).tolist() == [50, 30, 20]
    assert np.bincount(LABELS[splits == TRAIN]).tolist() == [350, 210, 140]


def test_stratified_follows_its_seed():
    np.testing.assert_array_equal(draw(LABELS), draw(LABELS))
    assert (draw(LABELS) != draw(LABELS, seed=43)).any()


@pytest.mark.parametrize("method", ["stratified", "hash"])
def test_there_may_be_no_validation_split(method):
    splits = draw(LABELS, method=method, validation_size=0.0)
    assert set(splits) == {TRAIN, TEST}


def test_hash_has_about_the_asked_sizes_and_no_seed():
    splits = draw(LABELS, method="hash")
    shares = np.bincount(splits) / len(splits)
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.04)
    np.testing.assert_array_equal(splits, draw(LABELS, method="hash", seed=43))


def test_hash_never_moves_a_picture_when_others_come():
    before = draw(LABELS, method="hash")
    labels = np.concatenate([LABELS, [0] * 100])
    order = np.random.default_rng(0).permutation(len(labels))
    ids = np.array(ids_of(len(labels)))[order].tolist()
    after = np.empty(len(labels), int)
    after[order] = draw(labels[order], ids=ids, method="hash")
    np.testing.assert_array_equal(before, after[: len(before)])


@pytest.mark.parametrize("method", ["stratified", "hash"])
def test_a_published_test_split_is_kept(method):
    published = ["test" if i % 4 == 0 else "train" for i in range(1000)]
    splits = draw(LABELS, published=published, method=method)
    np.testing.assert_array_equal(splits == TEST, np.array(published) == "test")
    validation = (splits == VALIDATION).sum()
    assert validation == 75 if method == "stratified" else 45 < validation < 105


def test_published_test_and_validation_splits_leave_nothing_to_draw():
    published = ["test", "validation", "train", "train"] * 250
    splits = draw(LABELS, published=published)
    assert [SPLITS[split] for split in splits] == published


def test_what_nobody_published_is_shared_with_the_missing_splits():
    published = ["validation", "train", "train", "train"] * 250
    splits = draw(LABELS, published=published)
    assert (splits == VALIDATION).sum() == 250
    assert (splits == TEST).sum() == 150
    published = ["test", "train", "", ""] * 250
    splits = draw(LABELS, published=published)
    assert (splits == TEST).sum() == 250
    assert (splits == VALIDATION).sum() == 75


def test_a_small_share_still_holds_every_class():
    splits = draw(np.repeat([0, 1, 2], 5), validation_size=0.01, test_size=0.01)
    for split in range(len(SPLITS)):
        assert len(np.unique(np.repeat([0, 1, 2], 5)[splits == split])) == 3


@pytest.mark.parametrize("sizes", [[5, 2, 5], [5, 5, 1], [5, 5]])
def test_too_few_pictures_of_a_class_are_named(sizes):
    with pytest.raises(LookbookError, match="at least 3 pictures of every class") as error:
        draw(np.repeat(np.arange(len(sizes)), sizes))
    rarest = CLASSES[int(np.argmin([*sizes, 0][:3]))]
    assert f"of {rarest!r}" in str(error.value)


def test_a_split_that_hash_leaves_without_a_class_is_named():
    with pytest.raises(LookbookError, match="every class in the (test|validation|train) split"):
        draw(np.repeat([0, 1, 2], [500, 300, 1]), method="hash")
