"""DVC is told of a set, also while another DVC still holds its folder."""

import subprocess
from pathlib import Path

import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.own import keeping

BUSY = "ERROR: '/project/data/own/pets' is busy, it is being blocked by:\n  (PID 7): dvc add"


@pytest.fixture
def answers(monkeypatch):
    """What `dvc add` answers, one after the other: return code and stderr; time does not pass."""
    left = []

    def run(command, **_):
        code, stderr = left.pop(0)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(keeping.subprocess, "run", run)
    monkeypatch.setattr(keeping.time, "sleep", lambda seconds: None)
    return left


def test_a_busy_folder_is_waited_for(answers):
    answers += [(1, BUSY), (1, BUSY), (0, "")]
    keeping._tell_dvc(Path("data/own/pets"))
    assert not answers


def test_waiting_ends(answers, monkeypatch):
    answers += [(1, BUSY)]
    monkeypatch.setattr(keeping, "_PATIENCE", -1.0)
    with pytest.raises(LookbookError, match=r"dvc add data/own/pets.*is being blocked by"):
        keeping._tell_dvc(Path("data/own/pets"))


def test_another_fault_is_said_at_once(answers):
    answers += [(1, "ERROR: No space left on device")]
    with pytest.raises(LookbookError, match="Received: ERROR: No space left on device"):
        keeping._tell_dvc(Path("data/own/pets"))
