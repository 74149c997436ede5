"""What is done on a worker: its tasks, and the process that computes them."""

import asyncio
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lookbook.cluster import child
from lookbook.cluster.conditions import Conditions, refusal
from lookbook.cluster.connecting import ADDRESS
from lookbook.foundation.arithmetic import OF_GPUS, OF_NUMPY, OF_TENSORFLOW, WITH_ONEDNN
from lookbook.foundation.errors import LookbookError

if TYPE_CHECKING:
    from distributed import Worker

TRIES = 2  # to compute something; the system may have ended a process that took too much memory
ARITHMETIC = OF_NUMPY | OF_TENSORFLOW | WITH_ONEDNN
START = "from lookbook.cluster.child import main; main()"

Environment = dict[str, str | None]
Answer = tuple[Any, Exception | None]  # Dask would raise the latter as it can, which is another one


class Assignment(NamedTuple):
    """What a worker needs to compute as the machine that asks does.

    Attributes:
        key: Tells it from others.
        load: From a file to the function that is applied to items; as pickle names it, since this
            process need not import it.
        name: Of the file.
        content: Of the file.
        conditions: See `lookbook.cluster.elsewhere.Elsewhere`; as pickle names it.
        expected: What they are on the machine that asks.
        environment: How its libraries compute, see `environment`.
    """

    key: str
    load: bytes
    name: str
    content: bytes
    conditions: bytes
    expected: Conditions
    environment: Environment


def environment() -> Environment:
    """Return the variables of this process that say how libraries compute; None: it has none."""
    return {name: os.environ.get(name) for name in ARITHMETIC}


def variables(environment: Environment) -> dict[str, str]:
    """Return all variables of a process here that computes as another machine does.

    The cluster's address is not among them: what it computes is computed in it.
    """
    others = {*ARITHMETIC, ADDRESS}
    kept = {name: value for name, value in os.environ.items() if name not in others}
    settled = {name: value for name, value in environment.items() if value is not None}
    return {OF_GPUS: "true"} | kept | settled


class Computing:
    """A process that computes, in the arithmetic that it is given."""

    def __init__(self, environment: Environment):
        """Start it."""
        self.environment = environment
        self.holds = ""  # the key of what it has loaded
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno())],
                cwd=Path(__file__).parents[2],  # the same code as here
                env=variables(environment),
                pass_fds=[theirs.fileno()],
                stdout=sys.__stderr__,
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def call(self, function: Callable, *arguments: Any) -> Any:
        """Return what a function says there.

        Raises:
            EOFError, ConnectionError: If the process is gone.
            FailedError: If the function raised an error.
        """
        self._connection.send((function, arguments))
        answer, error = self._connection.recv()
        if error:
            raise FailedError(error)
        return answer

    def end(self) -> int:
        """End it, if it still runs and waits, and return its exit code."""
        self._connection.close()
        return self._process.wait()


class FailedError(Exception):
    """Holds what a function raised in the process that computes."""


_lock = threading.Lock()
_computing: Computing | None = None


async def conditions_of(
    function: bytes, environment: Environment, dask_worker: "Worker"
) -> tuple[str, Answer]:
    """Return what this worker is called, and what its results depend on.

    Args:
        function: See `lookbook.cluster.elsewhere.Elsewhere.conditions`; as pickle names it.
        environment: In which it is called.
        dask_worker: This worker, as Dask gives it.
    """
    name = name_of(dask_worker)
    answer = partial(ask, name, environment, lambda process: process.call(child.called, function))
    return name, await asyncio.to_thread(answer)


def compute(assignment: Assignment, item: Any) -> Answer:
    """Return what an assignment's function says of an item, or the error that it raises.

    The error is a LookbookError if this worker's results could have other bytes, if it lacks space,
    or if the process that computes them ends again and again.
    """
    from distributed import get_worker

    name = name_of(get_worker())

    def answer(process: Computing) -> Any:
        if process.holds != assignment.key:
            check(name, process, assignment.conditions, assignment.expected)
            process.call(child.load, assignment.load, assignment.name, assignment.content)
            process.holds = assignment.key
        return process.call(child.apply, item)

    return ask(name, assignment.environment, answer)


def check(name: str, process: Computing, conditions: bytes, expected: Conditions) -> None:
    """Check that a process of this worker computes the same bytes as the machine that asks.

    Raises:
        FailedError: With a LookbookError, if it could compute others.
    """
    if refused := refusal({name: process.call(child.called, conditions)}, expected):
        raise FailedError(refused)


def name_of(worker: "Worker") -> str:
    """Return what a worker is called in sentences."""
    return f"{worker.address} on {socket.gethostname()}"


def ask(name: str, environment: Environment, question: Callable[[Computing], Any]) -> Answer:
    """Return what the process that computes answers; it is started if there is none."""
    global _computing
    code = 0
    with _lock:
        for _ in range(TRIES):
            if _computing and not (_computing.is_alive and _computing.environment == environment):
                _computing.end()
                _computing = None
            _computing = _computing or Computing(environment)
            try:
                return question(_computing), None
            except (EOFError, ConnectionError):
                code = _computing.end()
            except FailedError as failed:
                error = failed.args[0]
                return None, no_space(name, error) if isinstance(error, OSError) else error
    return None, LookbookError(
        f"Expected the worker {name} to compute a batch. Received: its process ended with exit "
        f"code {code}, {TRIES} times. Look at the worker's log, or give it more memory."
    )


def no_space(name: str, reason: object) -> LookbookError:
    """Return the error of a worker that cannot write files, for a reason."""
    return LookbookError(
        f"Expected space for files on the worker {name}. Received: {reason}. Free disk space "
        "there, or set TMPDIR to a folder that has some."
    )
