"""Dask clusters for tests: a scheduler and workers, each a process of its own, and what they do."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from support import ROOT

SECONDS = 300  # in which a process says what it is waited for, on a busy machine


class Cluster:
    """A scheduler and workers on this machine, plain ones as anybody starts them."""

    def __init__(self, folder: Path, **settings):
        """Start the scheduler; `folder` gets the logs."""
        self.folder, self.processes = folder, []
        options = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0"]
        self.scheduler = self._start("scheduler", *options, **settings)
        self.address = self.told(self.scheduler, r"Scheduler at: +(tcp://\S+)")

    def worker(self, *options, before=(), joins=True, **settings):
        """Start a worker, and return its process once it has joined.

        Args:
            options: Of `dask worker`.
            before: A program that starts it.
            joins: Whether it is waited for.
            settings: `cwd`, and variables of its environment.
        """
        options = ["--nthreads", "1", "--dashboard-address", ":0", *options]
        process = self._start("worker", self.address, *options, before=before, **settings)
        if joins:
            self.told(process, r"Registered to: +(tcp://\S+)")
            process.address = self.told(process, r"Start worker at: +(tcp://\S+)")
        return process

    def told(self, process, pattern):
        """Return what a process says of itself, as soon as it does."""
        end = time.monotonic() + SECONDS
        while not (found := re.search(pattern, process.log.read_text())):
            assert process.poll() is None and time.monotonic() < end, process.log.read_text()
            time.sleep(0.05)
        return found[1]

    def kill(self, process):
        """End a process and its children as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        """End all that runs."""
        for process in self.processes:
            self.kill(process)

    def _start(self, kind, *options, before=(), cwd=ROOT, **environment):
        log = self.folder / f"{len(self.processes)}.log"
        paths = {"PYTHONPATH": str(ROOT / "tests")}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
                stdout=file,
                stderr=file,
                cwd=cwd,
                env=os.environ | {"DASK_SCHEDULER_ADDRESS": ""} | paths | environment,
                start_new_session=True,
            )
        process.log = log
        self.processes.append(process)
        return process
