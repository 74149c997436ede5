import dataclasses

import numpy as np
from made_up import said, write_splits

from lookbook.reporting.album import Album
from lookbook.reporting.findings import FEW_SAMPLES, SAMPLES, class_rows, doubtful, findings
from lookbook.splits.spec import SPLITS
from lookbook.splits.split import Split


def test_what_was_found_is_told_with_pictures(tmp_path):
    audited = write_splits(tmp_path, "ab", counts=(4, 2, 2))
    splits = tuple(Split(name, tmp_path) for name in SPLITS)
    found = {finding.figure: finding for finding in findings(audited, splits, Album())}
    assert found["dropped"].sentence == "2 pictures left out: 2 (unreadable)."
    leak = found["duplicates"]
    assert leak.sentence == "Leaks: 1 test picture with one in the training data."
    assert [shown.words for shown in leak.pictures] == [["test", "b"], ["training", "a"]]
    assert leak.pictures[0].cell == leak.pictures[1].cell  # the same pixels
    assert found["relabelled"].sentence.startswith("2 pictures with the same pixels and different")
    assert found["near_blank"].sentence == "No picture is blank."
    assert found["sizes"].sentence.startswith("All pictures are 8\N{NO-BREAK SPACE}×")


def test_classes_have_counts_and_samples(tmp_path):
    names = [f"class {n}" for n in range(30)]
    for count, wanted in ((30, FEW_SAMPLES), (2, SAMPLES)):
        folder = tmp_path / str(count)
        audited = write_splits(folder, names[:count], counts=(8, 1, 2))
        rows = class_rows(audited, Split("train", folder), Album())
        assert [row.name for row in rows] == names[:count]
        assert {tuple(row.counts) for row in rows} == {(8, 1, 2)}
        assert {len(row.samples) for row in rows} == {wanted}


def test_labels_that_every_model_doubts_are_to_be_checked(tmp_path):
    write_splits(tmp_path, "abc", counts=(1, 1, 20))
    test = Split("test", tmp_path)
    one = said(test, 0.0, 0)
    chances = np.tile([[0.05, 0.05, 0.9]], (len(test), 1)).astype(np.float32)
    chances[:-1] = one.probabilities[:-1]
    chances[0] = [0.1, 0.8, 0.1]  # the first is an a
    both = {"one": dataclasses.replace(one, probabilities=chances)}
    both["two"] = dataclasses.replace(both["one"])
    count, shown = doubtful(both, test, Album())
    assert count == 1 + int((one.predicted != test.labels)[1:-1].sum())
    assert ["labelled a", "all say b"] in [picture.words for picture in shown]
