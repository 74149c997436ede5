import json
import subprocess
import sys

import pytest

from lookbook.foundation.files import replacing, sha256_of, write_metrics


def test_an_error_leaves_the_target_as_it_was(tmp_path):
    target = tmp_path / "model"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "splits"
    target.mkdir()
    (target / "old").touch()
    with replacing(target) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert [path.name for path in target.iterdir()] == ["new"]


def test_what_a_kill_leaves_behind_is_removed_by_the_next_run(tmp_path):
    target = tmp_path / "splits"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from lookbook.foundation.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as partial:\n"
        "    partial.mkdir(); (partial / 'half').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, target]).returncode == -9
    assert not target.exists()
    with replacing(target) as partial:
        assert not partial.exists()
        partial.mkdir()
    assert list(tmp_path.iterdir()) == [target]


def test_metrics_are_rounded_and_stable(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics(path, {"a": {"b": 1 / 3}, "n": 2})
    assert json.loads(path.read_text()) == {"a": {"b": 0.333333}, "n": 2}


def test_sha256(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of(path) == empty
