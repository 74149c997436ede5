"""Processes that are told to end, and orphans."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support import ROOT

from lookbook.foundation.processes import STAGE


def test_ctrl_c_while_modules_are_imported_is_a_line(tmp_path):
    (tmp_path / "slow_module.py").write_text(
        "print('here', flush=True)\nimport time\ntime.sleep(60)"
    )
    code = "import stages, slow_module"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"here\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said == b"interrupted; nothing half-written was kept\n"
    assert process.returncode in (-signal.SIGINT, 130)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_stage_ends_with_the_dvc_that_started_it(how):
    stage = "import os, time, stages; print(os.getpid(), flush=True); time.sleep(60)"
    parent = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {stage!r}])"
    )  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), STAGE: "train_ann"}
    process = subprocess.Popen(
        [sys.executable, "-c", parent], env=environment, stdout=subprocess.PIPE
    )
    orphan = int(process.stdout.readline())
    process.send_signal(how)
    process.wait()
    end = time.monotonic() + 30
    while is_running(orphan):
        assert time.monotonic() < end, "the stage lives on"
        time.sleep(0.1)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_dvc_has_not_started_has_no_parent_to_watch():
    code = "import stages, threading; print(threading.active_count())"
    environment = {name: value for name, value in os.environ.items() if name != STAGE}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert done.stdout == b"1\n"
