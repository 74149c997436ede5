"""What a review decided, through the stage; splits stay as they were."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import read_card, write_card, write_idx

from lookbook.datasets.labels import COLUMNS, labels_path, write_labels
from lookbook.preprocessing.relabelling import DROPPED
from lookbook.splits.spec import SPLITS, read_spec
from lookbook.splits.split import Split
from stages import preprocess

LABELS = np.arange(40) % 2


def publish(labels=LABELS):
    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    write_idx(Path("data/raw/train-images-idx3-ubyte.gz"), pictures)
    write_idx(Path("data/raw/train-labels-idx1-ubyte.gz"), labels)
    write_idx(Path("data/raw/t10k-images-idx3-ubyte.gz"), pictures[:10, ::-1])
    write_idx(Path("data/raw/t10k-labels-idx1-ubyte.gz"), labels[:10])


@pytest.fixture
def made(project, set_params, run_main):
    """A function that runs the stage; returns its stderr. It has run once."""
    Path("data/raw").mkdir()
    write_card("small", read_card("mnist") | {"classes": ["a", "b"]})
    set_params(dataset="small", **{"preprocess.image_size": 8})
    publish()

    def run(expected=0):
        code, err = run_main(preprocess.main)
        assert code == expected, err
        return err

    run()
    return run


def indices():
    return {name: Split(name).index() for name in SPLITS}


def decide(*rows):
    write_labels("small", pd.DataFrame(rows, columns=COLUMNS, dtype=str))


def test_a_changed_and_a_dropped_label_leave_all_else_where_it_is(made, caplog):
    caplog.set_level("INFO")
    before = indices()
    changed, dropped, kept = before["train"].iloc[[3, 5, 7]].itertuples()
    tested = before["test"].iloc[2]
    names = np.array(["a", "b"])
    decide(
        (changed.id, names[changed.label], "change", names[1 - changed.label]),
        (dropped.id, names[dropped.label], "drop", ""),
        (kept.id, names[kept.label], "keep", ""),
        (tested["id"], names[tested["label"]], "change", names[1 - tested["label"]]),
    )
    made()
    expected = before["train"].copy()
    expected.loc[3, "label"] = 1 - changed.label
    expected = expected.drop(index=5).reset_index(drop=True)
    after = indices()
    pd.testing.assert_frame_equal(after["train"], expected)
    pd.testing.assert_frame_equal(after["validation"], before["validation"])
    assert Split("train").labels.tolist() == expected["label"].tolist()
    assert after["test"]["label"].tolist()[2] == 1 - tested["label"]
    assert read_spec().relabelled == {"train": 2, "validation": 0, "test": 1}
    assert read_spec().counts["train"] == len(expected)
    assert read_spec().dropped == {DROPPED: 1}
    assert json.loads(Path("metrics/preprocess.json").read_text())["dropped"] == {DROPPED: 1}
    reasons = pd.read_csv("data/processed/dropped.csv")
    assert reasons.to_numpy().tolist() == [[dropped.source, DROPPED]]
    listed = pd.read_csv("data/processed/relabelled.csv", keep_default_na=False, dtype=str)
    assert sorted(listed["id"]) == sorted([changed.id, dropped.id, tested["id"]])
    assert "changed or dropped in review: 2 train, 0 validation, 1 test" in caplog.text
    labels_path("small").unlink()
    made()
    for name, index in indices().items():
        pd.testing.assert_frame_equal(index, before[name])
    assert read_spec().relabelled == {"train": 0, "validation": 0, "test": 0}


def test_rows_of_pictures_that_are_gone_are_passed_over(made, caplog):
    caplog.set_level("INFO")
    before = indices()
    decide(("0" * 16, "a", "change", "b"), ("1" * 16, "a", "drop", ""))
    made()
    assert "2 rows of data/labels/small.csv are about pictures that are gone" in caplog.text
    pd.testing.assert_frame_equal(indices()["train"], before["train"])


def test_a_label_that_was_given_anew_stops_the_stage(made):
    picture = Split("train").index().iloc[0]
    given = "ab"[picture["label"]]
    decide((picture["id"], given, "keep", ""))
    number = int(picture["source"].split(":")[1])
    labels = LABELS.copy()
    labels[[number, number ^ 1]] = labels[[number ^ 1, number]]
    publish(labels)
    err = made(expected=2)
    assert "Expected the given labels that data/labels/small.csv was made on. Received: " in err
    assert f"1 of its rows; the first are {picture['id']} ({given})." in err


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("1" * 16, "a", "forget", ""), "an action out of change, drop, keep"),
        (("1" * 16, "c", "drop", ""), "a given label out of a, b"),
        (("1" * 16, "a", "change", "c"), "a label out of a, b where it changes"),
        (("1" * 16, "a", "drop", "b"), "no label where it is not changed"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(made, row, expected):
    decide(row)
    err = made(expected=2)
    assert f"error: Expected {expected} in data/labels/small.csv. Received: 1 other row" in err
