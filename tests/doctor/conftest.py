"""The small clone, made once."""

import shutil
from pathlib import Path

import pytest
from small_clone import make

from lookbook.doctor.examining import examine


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """Where the first test that wants the clone leaves a copy for the others."""
    return tmp_path_factory.mktemp("made") / "clone"


@pytest.fixture
def clone(tmp_path, monkeypatch, made) -> Path:
    """The clone, with two commits and all that they leave; it is made the current folder."""
    folder = tmp_path / "clone"
    if not made.exists():
        made.mkdir()
        monkeypatch.chdir(made)
        make(made)
    shutil.copytree(made, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def found(clone):
    """A function that returns kind and place of what the doctor finds, and whether it is mended."""

    def look(*, repair: bool = False) -> list[tuple[str, str, bool]]:
        return [(one.kind, one.where, mended) for one, mended in examine(repair=repair)]

    return look
