"""Patches: kept, refused, taken back."""

from pathlib import Path

import pandas as pd
import pytest
from support import run

from lookbook.datasets.labels import COLUMNS, labels_path
from lookbook.review.given import fingerprint, given_labels
from lookbook.splits.spec import read_spec
from lookbook.splits.split import Split
from stages import preprocess

KEPT = labels_path("digits")


@pytest.fixture
def patch(processed):
    """A function that writes a patch for three pictures, changed as its arguments say."""

    def write(*, rows=slice(0, 3), name="patch.csv", edit=lambda table: table, **columns):
        index = Split("train").index().iloc[rows]
        labels = index["label"].to_numpy()
        table = pd.DataFrame(
            {
                "set": "digits",
                "data": fingerprint(given_labels(read_spec())),
                "id": index["id"],
                "given": [str(label) for label in labels],
                "action": ["change", "drop", "keep"][: len(index)],
                "label": [str((labels[0] + 1) % 10), "", ""][: len(index)],
            }
        )
        edit(table.assign(**columns)).to_csv(name, index=False)
        return name

    return write


def kept():
    return pd.read_csv(KEPT, dtype=str, keep_default_na=False)


def test_a_patch_becomes_a_sorted_table_that_git_knows(patch, lookbook, project):
    run("git", "init", "-q", cwd=project)
    code, out, err = lookbook("relabel", patch())
    assert code == 0, err
    assert "change: 1, drop: 1, keep: 1" in out
    assert "staged in Git: data/labels/digits.csv; now run `dvc repro` and commit" in out
    assert list(kept().columns) == COLUMNS
    assert kept()["id"].is_monotonic_increasing
    staged = run("git", "diff", "--cached", "--name-only", cwd=project).stdout
    assert staged.split() == [KEPT.as_posix()]
    assert lookbook("relabel", patch(rows=slice(3, 5)))[0] == 0
    assert len(kept()) == 5


def test_twice_is_refused_and_more_of_the_same_page_is_not(patch, lookbook):
    assert lookbook("relabel", patch(rows=slice(0, 2)))[0] == 0
    before = KEPT.read_bytes()
    code, _, err = lookbook("relabel", patch(rows=slice(0, 2)))
    assert code == 2
    assert "Expected decisions that are not applied yet." in err
    assert KEPT.read_bytes() == before
    assert "keep: 1" in lookbook("relabel", patch())[1]  # two rows are there, one is new
    code, _, err = lookbook("relabel", patch(edit=lambda t: t.assign(action="drop", label="")))
    assert code == 2
    assert "with another one for 2; the first is" in err
    assert "lookbook relabel --take-back PATCH" in err


def test_after_a_run_the_same_page_still_fits(patch, lookbook, run_main):
    version = fingerprint(given_labels(read_spec()))
    assert lookbook("relabel", patch())[0] == 0
    assert run_main(preprocess.main)[0] == 0
    assert read_spec().relabelled["train"] == 2
    assert fingerprint(given_labels(read_spec())) == version
    assert lookbook("relabel", patch(rows=slice(10, 12)))[0] == 0
    assert lookbook("relabel", "--take-back")[0] == 0
    assert run_main(preprocess.main)[0] == 0
    assert read_spec().relabelled == {"train": 0, "validation": 0, "test": 0}


def test_a_patch_can_be_taken_back_alone_or_with_all(patch, lookbook):
    first, second = patch(), patch(rows=slice(5, 7), name="second.csv")
    for name in (first, second):
        assert lookbook("relabel", name)[0] == 0
    code, out, _ = lookbook("relabel", "--take-back", first)
    assert (code, "taken back: 3 decisions on digits" in out) == (0, True)
    assert sorted(kept()["id"]) == sorted(pd.read_csv(second, dtype=str)["id"])
    code, _, err = lookbook("relabel", "--take-back", first)
    assert code == 2
    assert "Expected a patch that was applied." in err
    assert lookbook("relabel", "--take-back")[1].startswith("taken back: 2 decisions")
    assert not KEPT.exists()
    assert lookbook("relabel", "--take-back")[0] == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"set": "pets"}, "a patch for digits, the set of params.yaml. Received: patch.csv, for"),
        ({"data": "0123456789ab"}, "Received: patch.csv, for 0123456789ab: pictures came, went"),
        ({"id": ["0" * 16, "1" * 16, "2" * 16]}, "rows 3 have an id that is not here and 0"),
        ({"given": "x"}, "a given label out of 0, 1,"),
        ({"label": ["wolf", "", ""]}, "a label out of 0, 1,"),
        ({"action": "burn"}, "an action out of change, drop, keep"),
        ({"id": "0" * 16, "given": "1"}, "each picture once"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_with_a_sentence(patch, lookbook, change, expected):
    code, _, err = lookbook("relabel", patch(**change))
    assert code == 2
    assert err.startswith("error: Expected ")
    assert expected in err
    assert not KEPT.exists()


def test_another_given_label_is_of_another_version(patch, lookbook):
    def other(table):
        return table.assign(given=[str((int(name) + 3) % 10) for name in table["given"]])

    code, _, err = lookbook("relabel", patch(edit=other))
    assert code == 2
    assert "0 have an id that is not here and 3 another given label; the first is" in err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "Expected the columns set, data, id, given, action, label in bad.csv"),
        (b"\xff\xfe\x00", "Expected the columns set"),
        (b"id,label\n1,2\n", "Received: the columns id, label."),
        (b"set,data,id,given,action,label\n", "Expected decisions in bad.csv. Received: none."),
        (b"set,data,id,given,action,label\n1,2\n", "Expected a patch for digits"),
    ],
)
def test_a_file_that_is_no_patch_is_refused(processed, lookbook, content, expected):
    Path("bad.csv").write_bytes(content)
    code, _, err = lookbook("relabel", "bad.csv")
    assert code == 2
    assert expected in err


def test_a_missing_patch_and_none_are_told(processed, lookbook):
    assert "Received: none.csv, and no such file." in lookbook("relabel", "none.csv")[2]
    assert "Expected the patch that the page of `lookbook review` saved." in lookbook("relabel")[2]
