import numpy as np
import pytest
from made_up import said, write_splits

from lookbook.evaluation.significance import compare
from lookbook.reporting.album import Album
from lookbook.reporting.comparing import PICTURES, pairs
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split


def test_each_pair_has_a_corrected_verdict_and_what_only_one_has_right(tmp_path):
    write_splits(tmp_path, "abc", counts=(1, 1, 60))
    test = Split("test", tmp_path)
    models = {
        "bad": said(test, 0.6, 0),
        "good": said(test, 0.02, 1),
        "as_good": said(test, 0.03, 2),
    }
    found = pairs(models, Headline(), test, Album())
    assert [(pair.first, pair.second) for pair in found] == [
        ("good", "bad"), ("as_good", "bad"), ("as_good", "good"),
    ]  # fmt: skip
    assert [pair.comparison.verdict for pair in found] == ["better", "better", "within noise"]
    for pair in found:
        for side, other in zip(pair.sides, (pair.second, pair.first), strict=True):
            alone = models[side.model].right & ~models[other].right
            assert side.count == alone.sum()
            assert len(side.pictures) == min(PICTURES, side.count)
    shown = found[0].sides[0].pictures[0]
    rows = np.flatnonzero(models["good"].right & ~models["bad"].right)
    surest = rows[models["bad"].probabilities[rows].max(axis=1).argmax()]
    assert shown.title == f"picture {test.ids[surest]}"
    alone = compare(models["bad"].right, models["good"].right)
    assert found[0].comparison.p_value == pytest.approx(3 * alone.p_value)  # the smallest of three
