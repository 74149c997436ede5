"""What the workers of a test's cluster do, imported there by name."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from lookbook.cluster.conditions import software
from lookbook.cluster.elsewhere import Elsewhere
from lookbook.foundation.errors import LookbookError


def conditions():
    return software("keras")


def times(factor, item):
    time.sleep(0.05)
    if item == "odd":
        raise ValueError("an odd item")
    if item == "wrong":
        raise LookbookError("Expected an item. Received: a wrong one. Mend it.")
    return factor * item, os.getpid()


def end_at(mark, item):
    """Kill this process, once where the mark is a file, and always where it is none."""
    path = Path(mark)
    if not mark or not path.exists():
        if mark:
            path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def load_times(path):
    return partial(times, int(path.read_text().strip()))


def load_end(path):
    return partial(end_at, path.read_text())


def environment(name):
    return os.environ.get(name)


def load_environment(path):
    return environment


MULTIPLYING = Elsewhere(load_times, "factor.txt", lambda: b"3", conditions)
LARGE = Elsewhere(load_times, "factor.txt", lambda: b"3" + b" " * 2**21, conditions)
READING = Elsewhere(load_environment, "none", lambda: b"", conditions)


def ending(mark):
    """Return what kills the process that computes; see `end_at`."""
    return Elsewhere(load_end, "mark", lambda: str(mark).encode(), conditions)


def listed(folder):
    """Return what lies in a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
