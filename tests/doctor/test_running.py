"""What killed commands leave, and what still runs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support import run

from lookbook.doctor.examining import examine
from lookbook.foundation.dvc_locks import FOLDER, RECORD
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder

DEAD = 2**22 + 1  # more than Linux numbers processes up to
SLEEP = "import time\nprint('here', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def start(clone):
    """A function that starts a Python module of the clone, and ends it after the test."""
    started = []

    def begin(module: str, **environment: str) -> subprocess.Popen:
        path = Path(module.replace(".", "/")).with_suffix(".py")
        path.write_text(SLEEP)
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            env=os.environ | {"PYTHONPATH": str(clone)} | environment,
            stdout=subprocess.PIPE,
        )
        process.stdout.readline()
        started.append((process, path))
        return process

    yield begin
    for process, path in started:
        process.kill()
        process.wait()
        path.unlink()


def test_a_stage_without_its_dvc_is_ended(found, start):
    process = start("stages.lasting", DVC_STAGE="lasting")
    where = f"process {process.pid}"
    assert found() == [("orphan", where, False)]
    assert found(repair=True) == [("orphan", where, True)]
    assert not psutil.pid_exists(process.pid)
    assert found() == []


def test_a_stage_that_somebody_runs_by_hand_is_left_alone(found, start):
    start("stages.lasting")
    assert found(repair=True) == []


def test_while_a_dvc_runs_nothing_is_looked_at(clone, start):
    Path(".dvcignore").read_text()
    process = start("dvc")
    with pytest.raises(LookbookError, match=f"no DVC runs in this clone.*process {process.pid}"):
        list(examine(repair=True))


@pytest.mark.parametrize(
    "record",
    ["", '{"write": {', json.dumps({"write": {"/x": {"pid": DEAD, "cmd": "dvc repro"}}})],
)
def test_left_over_records_of_dvc(clone, found, record):
    (FOLDER / RECORD).write_text(record)
    assert found() == [("dvc-lock", ".dvc/tmp/rwlock", False)]
    assert found(repair=True) == [("dvc-lock", ".dvc/tmp/rwlock", True)]
    assert found() == []
    run("dvc", "status", "-q", cwd=clone)


def test_a_record_of_another_process_with_the_number_of_a_killed_one(found):
    entry = {"pid": psutil.Process().pid, "cmd": "dvc repro"}
    (FOLDER / RECORD).write_text(json.dumps({"read": {"/x": [entry]}, "write": {}}))
    assert found() == [("dvc-lock", ".dvc/tmp/rwlock", False)]


def test_partial_files_in_the_tree_and_the_caches(found):
    ours = cache_folder("features") / ".partial-x"
    dvcs = Path(".dvc/cache/files/md5/.abcdefghijklmnopqrstuv.tmp")
    tree = Path("models/.partial-train_ann.keras")
    for path in (ours, dvcs, tree):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    expected = sorted([str(path) for path in (ours, dvcs, tree)])
    seen = found()
    assert {kind for kind, *_ in seen} == {"partial"}
    assert sorted(where for _, where, _ in seen) == expected
    assert all(mended for *_, mended in found(repair=True))
    assert not any(path.exists() for path in (ours, dvcs, tree))
    assert found() == []


def test_what_another_clone_may_be_writing_stays_for_a_day(found, start):
    path = cache_folder("features") / ".partial-x"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    start("stages.lasting")  # which writes into the same cache
    assert found() == []
    os.utime(path, (time.time() - 2e5,) * 2)
    assert found() == [("partial", str(path), False)]
