"""A dvc.lock that a kill has cut off, that has a conflict, or is of another commit."""

from pathlib import Path

import pytest
from small_clone import commit, is_up_to_date, write_stages
from support import run

from lookbook.doctor.lock import fault_of

LOCK = Path("dvc.lock")
CUTS = {
    "nothing": lambda text: "",
    "half of a word": lambda text: text[: len(text) // 2],
    "a stage is gone": lambda text: text[: text.index("  train_ann:")],
    "an output is gone": lambda text: text[: text.rindex("    - path: metrics/train_ann.json")],
    "the last line is gone": lambda text: text[: text.rindex("      nfiles")],
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_lock_that_is_cut_off_comes_back(found, cut):
    content = LOCK.read_text()
    LOCK.write_text(CUTS[cut](content))
    assert found() == [("lock", "dvc.lock", False)]
    assert found(repair=True) == [("lock", "dvc.lock", True)]
    assert LOCK.read_text() == content
    assert found() == []


def test_a_lock_that_git_has_not_comes_back_from_the_run_cache(clone, found):
    write_stages("newer")
    run("dvc", "repro", "-q", cwd=clone)
    content = LOCK.read_text()
    LOCK.write_text(content[:-30])
    assert found()[0] == ("lock", "dvc.lock", False)
    assert all(mended for *_, mended in found(repair=True))
    assert LOCK.read_text() != content
    run("dvc", "repro", "-q", cwd=clone)
    assert LOCK.read_text() == content
    assert found() == []


def test_a_lock_that_was_never_committed_is_put_aside(clone, found):
    run("git", "rm", "-q", "--cached", "dvc.lock", cwd=clone)
    run("git", "commit", "-qm", "no lock", cwd=clone)
    content = LOCK.read_text()
    LOCK.write_text(content[:-30])
    assert found(repair=True) == [("lock", "dvc.lock", True)]
    assert not LOCK.exists()
    run("dvc", "repro", "-q", cwd=clone)
    assert LOCK.read_text() == content


def test_a_lock_with_a_conflict(found):
    content = LOCK.read_text()
    line = "    cmd: python -m stages.evaluate\n"
    marks = f"<<<<<<< HEAD\n{line}=======\n{line}>>>>>>> other\n"
    LOCK.write_text(content.replace(line, marks))
    assert "conflict" in fault_of(LOCK.read_bytes())
    assert found() == [("lock", "dvc.lock", False)]
    assert found(repair=True) == [("lock", "dvc.lock", True)]
    assert LOCK.read_text() == content


def test_a_lock_of_another_commit(clone, found):
    content = LOCK.read_text()
    LOCK.write_text(run("git", "show", "HEAD~1:dvc.lock", cwd=clone).stdout)
    assert found() == [("lock-commit", "dvc.lock", False)]
    assert found(repair=True) == [("lock-commit", "dvc.lock", True)]
    assert LOCK.read_text() == content
    assert is_up_to_date()


def test_a_lock_that_fits_the_code_is_no_other_commits(clone, found):
    """The code of an older commit, run again."""
    write_stages("old")
    run("dvc", "repro", "-q", cwd=clone)
    assert LOCK.read_text() == run("git", "show", "HEAD~1:dvc.lock", cwd=clone).stdout
    assert found() == []


def test_a_pipeline_that_was_never_run_or_grew_has_no_finding(clone, found):
    path = Path("dvc.yaml")
    path.write_text(path.read_text() + "  export:\n    cmd: true\n    outs: [models/export]\n")
    assert found() == []
    commit("a stage that was not run yet")
    assert found() == []
    run("git", "rm", "-q", "dvc.lock", cwd=clone)
    run("git", "commit", "-qm", "no lock", cwd=clone)
    assert found() == []
