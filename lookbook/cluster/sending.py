"""Items to the workers of a Dask cluster, and the results back, in order."""

import contextlib
import hashlib
import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, Future, KilledWorker

from lookbook.cluster.conditions import CODE, Conditions, refusal
from lookbook.cluster.connecting import (
    WORKERS_SECONDS,
    no_workers,
    scheduler_address,
    workers,
)
from lookbook.cluster.elsewhere import Elsewhere
from lookbook.cluster.worker import Assignment, compute, conditions_of, environment
from lookbook.foundation.errors import LookbookError

AHEAD = 3  # items a worker that are drawn before a result is waited for
LOOKING_SECONDS = 2  # between two looks at whether there are workers left


def on_workers(client: Client, items: Iterable[Any], elsewhere: Elsewhere) -> Iterator[Any]:
    """Yield the results for the items; see `lookbook.cluster.mapping.mapped`."""
    expected = elsewhere.conditions()
    check(client, elsewhere.conditions, expected)
    with reaching():
        # A task and not scattered: what is lost with a worker is then made again.
        given = client.submit(_itself, _assignment(elsewhere, expected), pure=False)
    waiting: deque[tuple[str, Future]] = deque()  # with the worker that each is for
    for item in items:
        with reaching():
            there = workers(client) or [""]
            busy = Counter(worker for worker, _ in waiting)
            least = min(there, key=lambda worker: busy[worker])
            waiting.append((least, submitted(client, least, compute, given, item)))
        while len(waiting) > AHEAD * len(there):
            yield result(client, waiting.popleft()[1])
    while waiting:
        yield result(client, waiting.popleft()[1])


def submitted(client: Client, worker: str, function: Callable, *arguments: Any) -> Future:
    """Submit a task for a worker; if that one is lost, it goes to another.

    Left to Dask, a worker would get as many as it has threads before others get any.
    """
    return client.submit(
        function, *arguments, pure=False, workers=[worker], allow_other_workers=True
    )


def check(client: Client, conditions: Callable[[], Conditions], expected: Conditions) -> None:
    """Check that the workers compute the same bytes as this machine.

    Args:
        client: Of the cluster.
        conditions: See `lookbook.cluster.elsewhere.Elsewhere`.
        expected: What they are here.

    Raises:
        LookbookError: If some could compute others; it names them. Or if the scheduler is lost.
    """
    with reaching():
        answers = client.run(
            conditions_of, pickle.dumps(conditions), environment(), on_error="return"
        )
    found: dict[str, Conditions] = {}
    for address, answer in answers.items():
        if isinstance(answer, OSError):  # it is lost; its successor is asked with its first task
            continue
        if isinstance(answer, Exception):  # what is called there could not be imported
            found[address] = {CODE: f"missing ({answer})"}
        else:
            name, (said, error) = answer
            if isinstance(error, ImportError):
                said = {CODE: f"missing ({error})"}
            elif error:
                raise error
            found[name] = said
    if refused := refusal(found, expected):
        raise refused


def _assignment(elsewhere: Elsewhere, expected: Conditions) -> Assignment:
    load, content, how = pickle.dumps(elsewhere.load), elsewhere.content(), environment()
    key = hashlib.sha256(content + repr((load, elsewhere.name, how, expected)).encode()).hexdigest()
    conditions = pickle.dumps(elsewhere.conditions)
    return Assignment(key, load, elsewhere.name, content, conditions, expected, how)


def _itself(assignment: Assignment) -> Assignment:
    return assignment


class Presence:
    """Whether there are workers to wait for."""

    def __init__(self, client: Client):
        """Begin with those that there are."""
        self._client, self._last_seen = client, time.monotonic()

    def check(self) -> None:
        """Raise a LookbookError if there were none for a while, or the scheduler is lost."""
        with reaching():
            if workers(self._client):
                self._last_seen = time.monotonic()
            elif time.monotonic() - self._last_seen > WORKERS_SECONDS:
                raise no_workers(WORKERS_SECONDS)


def result(client: Client, future: Future) -> Any:
    """Wait for a result as long as there are workers.

    Raises:
        LookbookError: If there are none for a while, or the scheduler is lost, or several workers
            in turn are lost with the item.
        Exception: What the function raised.
    """
    presence = Presence(client)
    while True:
        with reaching(), contextlib.suppress(TimeoutError):
            answer, error = future.result(timeout=LOOKING_SECONDS)
            break
        presence.check()
    if error:
        raise error
    return answer


@contextlib.contextmanager
def reaching() -> Iterator[None]:
    """Raise a LookbookError if the scheduler is lost inside the block, or workers in turn are."""
    try:
        yield
    except (OSError, CancelledError):
        raise LookbookError(
            f"Expected the Dask scheduler at {scheduler_address()} until the end. Received: "
            "it was lost. Start it and run the command again; nothing half-written was kept."
        ) from None
    except KilledWorker as error:
        raise LookbookError(
            "Expected the workers of the Dask cluster to live. Received: several were lost in "
            f"turn, the last one at {error.last_worker.address}. Look at its log, or give workers "
            "more memory."
        ) from None
