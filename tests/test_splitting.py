import hashlib

import numpy as np
import pytest

from lookbook.errors import LookbookError
from lookbook.splitting import SPLITS, TEST, TRAIN, VALIDATION, draw_splits

CLASSES = ["cats", "dogs", "birds"]


def ids_of(count):
    return [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(count)]


def draw(labels, **changes):
    settings = {
        "labels": np.asarray(labels),
        "ids": ids_of(len(labels)),
        "published": [""] * len(labels),
        "class_names": CLASSES,
        "method": "stratified",
        "validation_size": 0.1,
        "test_size": 0.2,
        "seed": 42,
    }
    return draw_splits(**settings | changes)


LABELS = np.repeat([0, 1, 2], [500, 300, 200])


def test_stratified_keeps_the_shares_of_the_classes():
    splits = draw(LABELS)
    assert np.bincount(LABELS[splits == TEST]).tolist() == [100, 60, 40]
    assert np.bincount(LABELS[splits == VALIDATION]).tolist() == [50, 30, 20]
    assert np.bincount(LABELS[splits == TRAIN]).tolist() == [350, 210, 140]


def test_stratified_follows_its_seed():
    np.testing.assert_array_equal(draw(LABELS), draw(LABELS))
    assert (draw(LABELS) != draw(LABELS, seed=43)).any()


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


def test_pictures_with_and_without_a_published_split_mix():
    published = ["test", "train", "", ""] * 250
    splits = draw(LABELS, published=published)
    published = np.array(published)
    assert (splits[published == "test"] == TEST).all()
    assert set(splits[published == "train"]) == {TRAIN, VALIDATION}
    assert (splits[published == ""] == TEST).sum() == 100


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
