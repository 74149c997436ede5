"""What dvc.lock says of files."""

from pathlib import Path

import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import md5_of
from lookbook.foundation.lock_file import LOCK, check_locked
from lookbook.foundation.processes import STAGE

MODEL = Path("models/train_ann.keras")


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    """A file that dvc.lock names, read by a stage."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STAGE, "evaluate")
    MODEL.parent.mkdir()
    MODEL.write_bytes(b"weights")
    out = f"{{path: {MODEL}, hash: md5, md5: {md5_of(MODEL)}, size: 7}}"
    LOCK.write_text(f"schema: '2.0'\nstages:\n  train_ann:\n    cmd: x\n    outs: [{out}]\n")
    return MODEL


def test_another_file_than_the_lock_names_is_refused(model):
    check_locked(model)
    model.write_bytes(b"weighty")
    with pytest.raises(LookbookError, match=r"the file that dvc.lock names.*doctor --repair"):
        check_locked(model)


def test_outside_of_dvc_a_model_may_be_tried_out(model, monkeypatch):
    model.write_bytes(b"weighty")
    monkeypatch.delenv(STAGE)
    check_locked(model)


def test_half_a_lock_has_a_sentence(model):
    LOCK.write_text(LOCK.read_text()[:-20])
    with pytest.raises(LookbookError, match="Expected a whole dvc.lock"):
        check_locked(model)
