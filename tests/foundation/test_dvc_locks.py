"""DVC's record of running commands, after a kill."""

import pytest
from dvc.lock import make_lock
from support import run

from lookbook.foundation.dvc_locks import GUARD, RECORD, mend_record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The temporary folder of a DVC without Git, which is the place that we are in."""
    monkeypatch.chdir(tmp_path)
    run("dvc", "init", "-q", "--no-scm", cwd=tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(exist_ok=True)
    return tmp_path / ".dvc/tmp"


@pytest.mark.parametrize("half", [b"", b'{"write": {"a', b"\xff\x00"])
def test_half_a_record_is_removed_and_dvc_goes_on(folder, half):
    (folder / RECORD).write_bytes(half)
    (folder.parent.parent / "a").write_text("content")
    assert run("dvc", "add", "a", cwd=folder, check=False).returncode
    assert mend_record()
    run("dvc", "add", "../../a", cwd=folder)
    assert not mend_record()


def test_a_whole_record_stays(folder):
    (folder / RECORD).write_bytes(b'{"write": {}, "read": {}}')
    assert not mend_record()
    assert (folder / RECORD).is_file()


def test_what_a_living_dvc_writes_stays(folder):
    (folder / RECORD).write_bytes(b"")
    with make_lock(str(folder / GUARD)):
        assert not mend_record()
    assert (folder / RECORD).is_file()
