"""Processes that are told to end, or whose parent is gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType

STAGE = "DVC_STAGE"  # that DVC sets for what it runs
SECONDS = 0.5  # between two looks
GRACE = 10  # seconds for a process that is told to end


def say_interrupts_in_a_line() -> None:
    """Let Ctrl-C end the process with one line, while its modules are imported too."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print("interrupted; nothing half-written was kept", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = hook


def end_with_parent() -> None:
    """End this process soon after the DVC that has started it, if one has.

    DVC hands no SIGTERM on, and nobody can hand on a SIGKILL.
    """
    if STAGE not in os.environ:
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def end(process: subprocess.Popen) -> None:
    """End a process, which has a session of its own, and those that it has started, if it runs."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, kind)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
