import dataclasses

import numpy as np
import pytest

from lookbook.splits.headline import Headline
from lookbook.splits.split import Split


def of(processed, *, train, validation):
    """Return the headline of a data set with so many pictures of the first classes."""
    splits = []
    for name, counts in (("train", train), ("validation", validation)):
        split = Split(name)
        split.spec = dataclasses.replace(split.spec, class_names=["cats", "dogs", "ants"])
        split.labels = np.repeat(np.arange(3), counts)
        splits.append(split)
    return Headline.of(*splits)


@pytest.mark.parametrize("validation", [[0, 0, 0], [2, 0, 1]])
def test_below_three_times_as_many_it_is_the_accuracy(processed, validation):
    headline = of(processed, train=[29, 20, 10], validation=validation)
    assert headline == Headline()
    assert (headline.name, headline.reason) == ("accuracy", "")
    assert headline.strata(np.array([0, 1])) is None


def test_from_three_times_as_many_every_class_counts_alike(processed):
    headline = of(processed, train=[15, 10, 7], validation=[15, 10, 3])
    assert headline.is_balanced
    assert headline.words == "balanced accuracy"
    assert headline.reason == (
        "The classes are unequal: 30 training and validation pictures of cats, 10 of ants. The "
        "headline figure is therefore balanced accuracy, in which every class counts alike; "
        "verdicts are about it."
    )
    labels = np.array([0, 1])
    assert headline.strata(labels) is labels


def test_the_test_split_has_no_part_in_it(processed):
    before = Headline.of(Split("train"), Split("validation"))
    for path in (processed / "test").iterdir():
        path.unlink()
    assert Headline.of(Split("train"), Split("validation")) == before == Headline()
