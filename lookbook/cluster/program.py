"""A program on a worker: it runs in a folder of files of its own, and is watched.

Files are sent to a worker once, and kept by their hash in Dask's folder for it, which Dask removes
when the worker ends.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lookbook.cluster import child
from lookbook.cluster.conditions import Conditions
from lookbook.cluster.worker import (
    Answer,
    Computing,
    Environment,
    ask,
    check,
    name_of,
    no_space,
    variables,
)
from lookbook.foundation.files import replacing
from lookbook.foundation.processes import STAGE, end

if TYPE_CHECKING:
    from dask.typing import Key
    from distributed import Worker

LOOK = 0.2  # seconds between two looks at what is watched

_keeping = threading.Lock()


class Program(NamedTuple):
    """What a worker runs.

    Attributes:
        words: For Python, which is started in the folder.
        files: The SHA-256 of each file that lies there, by its path.
        contents: Of further files, by their paths.
        watched: The path of a file that the program replaces, and whose content is told each time.
        results: The paths of files that come back, those that there are.
        conclude: What is called with the folder at the end, if the program succeeds; as pickle
            names it.
        conditions: See `lookbook.cluster.elsewhere.Elsewhere`; as pickle names it.
        expected: What they are on the machine that asks.
        environment: See `lookbook.cluster.worker.environment`.
    """

    words: tuple[str, ...]
    files: dict[str, str]
    contents: dict[str, bytes]
    watched: str
    results: tuple[str, ...]
    conclude: bytes
    conditions: bytes
    expected: Conditions
    environment: Environment


class Ended(NamedTuple):
    """What came of a program.

    Attributes:
        code: Its exit code.
        said: What it printed.
        files: Its results by their paths, if it succeeded.
        conclusion: What was said of the folder, if it succeeded.
    """

    code: int
    said: str
    files: dict[str, bytes]
    conclusion: Any


class Missing(NamedTuple):
    """Says that a worker lacks files.

    Attributes:
        worker: Its address.
        files: Their SHA-256.
    """

    worker: str
    files: set[str]


async def keep(content: bytes, dask_worker: "Worker") -> Answer:
    """Keep a file on this worker.

    Args:
        content: Of the file.
        dask_worker: This worker, as Dask gives it.
    """
    name = hashlib.sha256(content).hexdigest()

    def write() -> None:
        with _keeping, replacing(_kept(dask_worker) / name) as partial:
            partial.write_bytes(content)

    try:
        return await asyncio.to_thread(write), None
    except OSError as error:
        return None, no_space(name_of(dask_worker), error)


def run(program: Program, topic: str) -> Answer:
    """Run a program on this worker, as long as its result is wanted.

    Args:
        program: The program.
        topic: Of Dask's events, under which the content of what is watched is told.

    Returns:
        `Ended`, or `Missing`; None if nobody wants it any more. And the error that there was: a
        LookbookError if this worker's results could have other bytes, or if it lacks space.
    """
    from distributed import get_worker

    worker = get_worker()
    name, kept = name_of(worker), _kept(worker)
    missing = {file for file in program.files.values() if not (kept / file).is_file()}
    if missing:
        return Missing(worker.address, missing), None

    def same_bytes(process: Computing) -> None:
        check(name, process, program.conditions, program.expected)

    _, refused = ask(name, program.environment, same_bytes)
    if refused:
        return None, refused
    try:
        # A process that was ended may leave one that still writes.
        with tempfile.TemporaryDirectory(dir=kept.parent, ignore_cleanup_errors=True) as folder:
            _lay_out(program, kept, Path(folder))
            ended = _watched(program, topic, worker, Path(folder))
            return _concluded(program, name, ended, Path(folder)) if ended else (None, None)
    except OSError as error:
        return None, no_space(name, error)


def _kept(worker: "Worker") -> Path:
    return Path(worker.local_directory, "lookbook")


def _lay_out(program: Program, kept: Path, folder: Path) -> None:
    for path, file in program.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(kept / file)
    for path, content in program.contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _watched(program: Program, topic: str, worker: "Worker", folder: Path) -> Ended | None:
    """Run a program, and tell what is watched; end it and return None if it is not wanted."""
    task, told = worker.get_current_task(), b""
    with tempfile.TemporaryFile(dir=folder) as said:
        process = subprocess.Popen(
            [sys.executable, *program.words],
            cwd=folder,
            env=variables(program.environment) | {STAGE: "a worker"},  # with which it ends
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(LOOK)
                if not _is_wanted(task, worker):
                    return None
                with contextlib.suppress(FileNotFoundError):
                    content = (folder / program.watched).read_bytes()
                    if content != told:
                        worker.log_event(topic, content)
                        told = content
        finally:
            end(process)
        said.seek(0)
        text = said.read().decode(errors="replace")
        return Ended(process.returncode, text, {}, None)


def _is_wanted(task: "Key", worker: "Worker") -> bool:
    """Return whether a client waits for a task that runs; whoever is gone waits no more."""
    from distributed.worker import WORKER_ANY_RUNNING

    state = worker.state.tasks.get(task)
    return worker.status in WORKER_ANY_RUNNING and state is not None and state.state == "executing"


def _concluded(program: Program, name: str, ended: Ended, folder: Path) -> Answer:
    if ended.code:
        full = os.strerror(errno.ENOSPC)
        return (None, no_space(name, full)) if full in ended.said else (ended, None)

    def conclude(process: Computing) -> Any:
        return process.call(child.called, program.conclude, folder)

    conclusion, error = ask(name, program.environment, conclude)
    results = {path: folder / path for path in program.results}
    files = {path: file.read_bytes() for path, file in results.items() if file.is_file()}
    return ended._replace(files=files, conclusion=conclusion), error
