from collections import Counter

import numpy as np
import pytest

from lookbook.foundation.intervals import mean_share, wilson_interval
from lookbook.splits.folds import (
    FOLDS,
    GROUPS,
    REPEATS,
    groups_of,
    has_small_test,
    repeated_cross_validation,
)
from lookbook.splits.headline import Headline
from lookbook.splits.spec import Scaling, Spec
from lookbook.splits.split import Split
from lookbook.splits.sums import write_sums

LABELS = np.repeat([0, 1], [30, 20])
ACCURACY = Headline()
BALANCED = Headline("balanced_accuracy", "unequal")


def validated(answers, labels=LABELS, headline=ACCURACY, seed=0, groups=None):
    """`answers` is called for each model, with the rows to fit to and those to ask about."""

    def of_all(inside):
        said = np.full(inside.shape, -1)
        for model, column in enumerate(inside.T):
            outside = np.flatnonzero(~column)
            said[outside, model] = answers(np.flatnonzero(column), outside)
        return said

    return repeated_cross_validation(of_all, labels, headline, seed=seed, groups=groups)


@pytest.mark.parametrize(("count", "small"), [(0, False), (1, True), (299, True), (300, False)])
def test_a_test_split_below_300_pictures_is_small(count, small):
    spec = Spec(["a", "b"], (2, 2, 1), Scaling("none", [1.0], [0.0]), False, {"test": count}, {})
    assert has_small_test(spec) == small


def test_each_picture_is_asked_about_once_a_repetition_by_a_model_that_has_not_seen_it():
    asked, draws = Counter(), []

    def answers(inside, outside):
        assert sorted([*inside, *outside]) == list(range(50))
        assert np.bincount(LABELS[outside]).tolist() == [6, 4]
        asked.update(outside.tolist())
        draws.append(frozenset(outside.tolist()))
        return LABELS[outside]

    found = validated(answers)
    assert set(asked.values()) == {REPEATS}
    assert len(set(draws)) == len(draws) == FOLDS * REPEATS  # each repetition draws its own
    low = wilson_interval(50, 50)[0]
    assert found == {
        "accuracy": 1.0, "low": low, "high": 1.0, "folds": 5, "repeats": 5, "pictures": 50,
    }  # fmt: skip


def test_the_figure_is_the_share_right_of_all_pictures():
    wrong = np.arange(0, 50, 7)  # 8 of them
    found = validated(lambda inside, outside: np.where(np.isin(outside, wrong), 9, LABELS[outside]))
    assert found["accuracy"] == pytest.approx(42 / 50)
    assert (found["low"], found["high"]) == pytest.approx(wilson_interval(42, 50))


def test_repetitions_do_not_narrow_the_interval(monkeypatch):
    def answers(inside, outside):
        return (np.sin(outside) > 0.5).astype(int)

    often = validated(answers)
    monkeypatch.setattr("lookbook.splits.folds.REPEATS", 1)
    once = validated(answers)
    assert {**often, "repeats": 1} == pytest.approx(once)


def test_of_unequal_classes_it_is_the_balanced_accuracy():
    def all_of_the_first(inside, outside):
        return np.zeros(len(outside), int)

    found = validated(all_of_the_first, headline=BALANCED)
    assert "accuracy" not in found
    expected = mean_share(LABELS == 0, LABELS)
    shown = (found["balanced_accuracy"], found["low"], found["high"])
    assert shown == pytest.approx(expected)
    assert expected.figure == 0.5


def test_a_class_of_three_makes_three_folds():
    labels = np.repeat([0, 1], [30, 3])

    def answers(inside, outside):
        assert np.bincount(labels[outside])[1] == 1
        return labels[outside]

    assert validated(answers, labels)["folds"] == 3


def test_the_draw_follows_its_seed():
    def draw(seed):
        asked = []
        validated(lambda _, outside: asked.append(outside.tolist()) or LABELS[outside], seed=seed)
        return sorted(asked)

    assert draw(1) == draw(1) != draw(2)


def test_a_group_is_never_parted():
    groups = np.arange(50) // 3  # the eleventh has pictures of both classes

    def answers(inside, outside):
        assert not set(groups[inside]) & set(groups[outside])
        assert set(LABELS[inside]) == set(LABELS[outside]) == {0, 1}
        return LABELS[outside]

    found = validated(answers, groups=groups)
    assert (found["folds"], found["pictures"]) == (5, 50)


def test_a_class_of_one_group_is_asked_about_by_models_that_have_not_seen_it():
    groups = np.where(LABELS == 1, 99, np.arange(50))

    def answers(inside, outside):
        assert set(LABELS[inside]) == {0, 1}
        return LABELS[outside]

    found = validated(answers, groups=groups)
    assert found["folds"] == 2
    assert found["accuracy"] == pytest.approx(30 / 50)


def test_groups_are_found_by_the_pictures_ids(processed):
    train, validation = Split("train"), Split("validation")
    assert groups_of(train, validation) is None
    pair = [train.ids[3], validation.ids[5]]
    (processed / GROUPS).write_text(f"group,id\n0,{pair[0]}\n0,{pair[1]}\n")
    write_sums(processed)
    groups = groups_of(train, validation)
    assert len(groups) == len(train) + len(validation) == len(np.unique(groups)) + 1
    assert groups[3] == groups[len(train) + 5] == 0
