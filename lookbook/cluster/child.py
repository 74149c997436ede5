"""A process of a worker's own, in which functions are made from files and called.

A worker has loaded NumPy before it knows in which arithmetic the results are wanted. This process
begins in the right one, whoever started the worker.
"""

import contextlib
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

IDLE_SECONDS = 60  # after which the process ends: whoever wanted it is gone

_loaded: Callable[[Any], Any]
_folder: tempfile.TemporaryDirectory  # with the file that it is of, as long as it is kept


def called(function: bytes, *arguments: Any) -> Any:
    """Return what a function says, which pickle names."""
    return pickle.loads(function)(*arguments)


def load(function: bytes, name: str, content: bytes) -> None:
    """Keep what a function makes of a file.

    Args:
        function: From the file's path to what is kept; as pickle names it.
        name: Of the file, whose suffix may count.
        content: Of the file.
    """
    global _loaded, _folder
    folder = tempfile.TemporaryDirectory(prefix="lookbook-")
    path = Path(folder.name, name)
    path.write_bytes(content)
    _loaded = pickle.loads(function)(path)
    _folder = folder


def apply(item: Any) -> Any:
    """Return what the function that is kept says of an item."""
    return _loaded(item)


def main() -> None:
    """Call functions as the worker asks, until it asks no more or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, with which it ends
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError), Connection(int(sys.argv[1])) as worker:
        while worker.poll(IDLE_SECONDS):
            function, arguments = worker.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = function(*arguments), None
            except Exception as error:
                answer = None, _sendable(error)
            worker.send(answer)


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
