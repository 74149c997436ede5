import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from lookbook.foundation.files import (
    ABANDONED,
    replacing,
    sealing,
    sha256_of,
    unsealing,
    write_metrics,
)


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


def test_a_sealed_file_is_read_as_it_was_written_or_not_at_all(tmp_path):
    path = tmp_path / "state"
    with sealing(path) as file:
        file.write(b"abc")
    with unsealing(path) as file:
        assert file.read() == b"abc"
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="something else than was written"), unsealing(path):
            pass


def test_every_flipped_bit_of_a_sealed_file_is_noticed(tmp_path):
    path = tmp_path / "train_ann.state"  # as a checkpoint is
    with sealing(path) as file:
        np.savez(file, allow_pickle=False, variable_0=np.arange(900.0), state='{"epoch": 3}')
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="something else than was written"), unsealing(path):
            pass


def test_two_processes_may_replace_a_file_of_a_shared_cache(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from lookbook.foundation.files import replacing\n"
        "for _ in range(300):\n"
        "    with replacing(Path(sys.argv[1]), shared=True) as partial:\n"
        "        partial.write_text('whole')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "hashes.csv")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate()[1] for process in running] == [b"", b""]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("hashes.csv", "whole")
    ]


def test_what_a_kill_has_left_in_a_shared_cache_goes_after_a_day(tmp_path):
    for name, age in (("old", 2 * ABANDONED), ("new", 0)):
        (tmp_path / f".partial-{name}").touch()
        os.utime(tmp_path / f".partial-{name}", (time.time() - age,) * 2)
    with replacing(tmp_path / "hashes.csv", shared=True) as partial:
        partial.touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-new", "hashes.csv"]
