"""Each newcomer's split: shares of each class, groups together, bridges to training."""

import numpy as np
import pandas as pd
import pytest

from lookbook.own.sharing import share_out
from lookbook.splits.spec import SPLITS, TEST, TRAIN, VALIDATION


def rows(classes, *, first=0, groups=None, splits=None, rng=None):
    """A table of photos of these classes, with ids of their own."""
    if rng is None:
        ids = [f"{first + i:016x}" for i in range(len(classes))]
    else:
        ids = [f"{i:016x}" for i in rng.integers(0, 2**63, len(classes))]
    return pd.DataFrame(
        {
            "id": ids,
            "name": [f"{photo}.jpg" for photo in ids],
            "class": list(classes),
            "group": groups if groups is not None else "",
            "split": splits if splits is not None else "",
        }
    )


def share(old, new, components=None, sizes=(0.2, 0.2)):
    if components is None:
        components = np.arange(len(old) + len(new))
    return share_out(old, new, np.asarray(components), validation_size=sizes[0], test_size=sizes[1])


NOBODY = rows([]).iloc[:0]


def counts(classes, splits):
    """Photos of each class in each split: (classes, splits)."""
    names, labels = np.unique(list(classes), return_inverse=True)
    table = np.zeros((len(names), len(SPLITS)), int)
    np.add.at(table, (labels, splits), 1)
    return table


@pytest.mark.parametrize(("kinds", "each"), [(2, 3), (5, 10), (20, 30)])
def test_every_split_has_its_share_of_every_class(kinds, each):
    classes = np.repeat([f"class {i}" for i in range(kinds)], each)
    for draw in range(100):
        new = rows(classes, rng=np.random.default_rng(draw))
        received = counts(classes, share(NOBODY, new).splits)
        assert received.min() >= 1
        wanted = np.array([0.6, 0.2, 0.2]) * each
        assert np.abs(received - wanted).max() <= 1


@pytest.mark.parametrize("sizes", [(0.01, 0.01), (0.45, 0.45), (0.0, 0.2), (0.1, 0.3)])
def test_other_sizes_are_kept_too(sizes):
    classes = np.repeat(["cat", "dog", "owl"], [3, 10, 31])
    for draw in range(20):
        new = rows(classes, rng=np.random.default_rng(draw))
        received = counts(classes, share(NOBODY, new, sizes=sizes).splits)
        wanted = np.outer([3, 10, 31], [1 - sum(sizes), *sizes])
        # A split that would have none of a class gets one, at the cost of the others.
        slack = 1 + np.maximum(0, 1 - wanted).sum(axis=1, keepdims=True) * (wanted >= 1)
        assert (np.abs(received - wanted) <= slack).all()
        assert (received[:, np.array([1 - sum(sizes), *sizes]) > 0] >= 1).all()
        assert (received[:, VALIDATION] == 0).all() == (sizes[0] == 0)


def test_which_photo_goes_where_depends_on_its_content_alone():
    classes = np.repeat(["cat", "dog"], 20)
    new = rows(classes, rng=np.random.default_rng(1))
    first = dict(zip(new["id"], share(NOBODY, new).splits, strict=True))
    new["name"] = [f"another-{i}" for i in range(40)]
    again = share(NOBODY, new)
    assert dict(zip(new["id"], again.splits, strict=True)) == first
    other = rows(classes, rng=np.random.default_rng(2))
    assert list(share(NOBODY, other).splits) != list(first.values())


def test_newcomers_fill_up_what_is_lacking():
    old = rows(["cat"] * 8, splits=["train"] * 8)
    new = rows(["cat"] * 2, first=100)
    assert sorted(share(old, new).splits) == [VALIDATION, TEST]
    old = rows(["cat"] * 8, splits=["train"] * 2 + ["test"] * 3 + ["validation"] * 3)
    new = rows(["cat"] * 4, first=100)
    assert share(old, new).splits.tolist() == [TRAIN] * 4


def test_a_set_that_grows_in_small_steps_keeps_its_shares():
    rng = np.random.default_rng(3)
    old = rows(["cat"] * 10 + ["dog"] * 10, rng=rng)
    old["split"] = [SPLITS[i] for i in share(NOBODY, old).splits]
    for _ in range(30):
        new = rows(rng.choice(["cat", "dog"], 2), rng=rng)
        new["split"] = [SPLITS[i] for i in share(old, new).splits]
        old = pd.concat([old, new], ignore_index=True)
    received = counts(old["class"], [SPLITS.index(split) for split in old["split"]])
    wanted = received.sum(axis=1, keepdims=True) * np.array([0.6, 0.2, 0.2])
    assert np.abs(received - wanted).max() <= 1


def test_a_group_goes_to_one_split():
    components = np.repeat(np.arange(20), 5)
    new = rows(["cat"] * 50 + ["dog"] * 50)
    splits = share(NOBODY, new, components).splits.reshape(20, 5)
    assert (splits == splits[:, :1]).all()
    received = counts(["cat"] * 10 + ["dog"] * 10, splits[:, 0])
    assert received.tolist() == [[6, 2, 2], [6, 2, 2]]


def test_a_newcomer_follows_its_group():
    old = rows(["cat"] * 3, splits=["train", "validation", "test"])
    new = rows(["cat", "cat", "cat", "dog"], first=10)
    shared = share(old, new, [0, 1, 2, 2, 1, 0, 2])
    assert shared.splits.tolist() == [TEST, VALIDATION, TRAIN, TEST]
    assert shared.bridges.tolist() == []


def test_a_bridge_goes_to_training_with_all_that_comes_with_it():
    old = rows(["cat"] * 3, splits=["train", "validation", "test"])
    new = rows(["cat", "dog", "cat"], first=10)
    shared = share(old, new, [0, 1, 1, 5, 1, 1])
    assert shared.splits[1:].tolist() == [TRAIN, TRAIN]
    assert shared.bridges.tolist() == [1, 2]


def test_a_group_larger_than_its_share_is_named():
    new = rows(["cat"] * 10, groups=["holiday"] * 9 + [""])
    shared = share(NOBODY, new, [0] * 9 + [9])
    assert shared.large == {"holiday": 9}
    assert len(set(shared.splits[:9])) == 1
    single = share(NOBODY, rows(["cat"] * 10))
    assert single.large == {}


def test_published_splits_stay_and_are_not_filled_up():
    published = ["train"] * 10 + ["validation"] * 3 + ["test"] * 7
    shared = share(NOBODY, rows(["cat"] * 20, splits=published))
    assert [SPLITS[split] for split in shared.splits] == published


def test_what_nobody_published_is_shared_out():
    published = ["train"] * 20 + ["test"] * 5
    shared = share(NOBODY, rows(["cat"] * 25, splits=published))
    assert (shared.splits[20:] == TEST).all()
    received = counts(["cat"] * 20, shared.splits[:20])[0]
    assert received[TEST] == 0
    assert received[VALIDATION] in (4, 5)  # a fifth of what is shared out, or of all
