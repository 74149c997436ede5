"""A remote that lacks what the lock names."""

from pathlib import Path

import pytest
from small_clone import MODEL, cached
from support import run


@pytest.fixture
def remote(clone, tmp_path):
    """The folder of a remote that has everything."""
    run("dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store"), cwd=clone)
    run("dvc", "push", "-q", cwd=clone)
    return tmp_path / "store"


def test_a_remote_that_has_everything(remote, clone, found, tmp_path, monkeypatch):
    assert found() == []
    run("git", "commit", "-qam", "remote", cwd=clone)
    run("git", "clone", "-q", str(clone), str(tmp_path / "fresh"), cwd=tmp_path)
    monkeypatch.chdir(tmp_path / "fresh")
    assert found() == []


def test_a_remote_that_lacks_files_of_the_lock(remote, found):
    (remote / cached(MODEL).relative_to(".dvc/cache")).unlink()
    assert found() == [("remote", MODEL, False)]


def test_a_set_that_was_never_pushed(remote, found):
    kept = Path("data/own/pets.dvc").read_text()
    name = kept[kept.index("md5: ") + 5 :].split()[0]
    (remote / "files/md5" / name[:2] / name[2:]).unlink()
    assert found() == [("unpushed", "data/own/pets", False)]
    run("dvc", "push", "-q", cwd=Path())
    assert found() == []


def test_a_remote_that_cannot_be_asked(clone, found):
    run("dvc", "remote", "add", "-q", "-d", "s", "ssh://nobody@localhost/x", cwd=clone)
    assert found() == [("remote", "the remote", False)]
