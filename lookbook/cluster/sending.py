"""Items to the workers of a Dask cluster, and the results back, in order."""

import contextlib
import hashlib
import pickle
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, Future, KilledWorker

from lookbook.cluster.conditions import CODE, Conditions, refusal
from lookbook.cluster.connecting import (
    WORKERS_SECONDS,
    no_workers,
    scheduler_address,
    worker_count,
)
from lookbook.cluster.elsewhere import Elsewhere
from lookbook.cluster.worker import Assignment, compute, conditions_of, environment
from lookbook.foundation.errors import LookbookError

AHEAD = 3  # items a worker that are drawn before a result is waited for
LOOKING_SECONDS = 2  # between two looks at whether there are workers left


def on_workers(client: Client, items: Iterable[Any], elsewhere: Elsewhere) -> Iterator[Any]:
    """Yield the results for the items; see `lookbook.cluster.mapping.mapped`."""
    expected = elsewhere.conditions()
    with _reaching():
        _check(client, elsewhere, expected)
        # A task and not scattered: what is lost with a worker is then made again.
        given = client.submit(_itself, _assignment(elsewhere, expected), pure=False)
    waiting: deque[Future] = deque()
    for item in items:
        with _reaching():
            waiting.append(client.submit(compute, given, item, pure=False))
            most = AHEAD * worker_count(client)
        while len(waiting) > most:
            yield _result(client, waiting.popleft())
    while waiting:
        yield _result(client, waiting.popleft())


def _check(client: Client, elsewhere: Elsewhere, expected: Conditions) -> None:
    """Raise a LookbookError that names the workers whose results could have other bytes."""
    function = pickle.dumps(elsewhere.conditions)
    answers = client.run(conditions_of, function, environment(), on_error="return")
    found: dict[str, Conditions] = {}
    for address, answer in answers.items():
        if isinstance(answer, OSError):  # it is lost; its successor is asked with its first task
            continue
        if isinstance(answer, Exception):  # what is called there could not be imported
            found[address] = {CODE: f"missing ({answer})"}
        else:
            name, (conditions, error) = answer
            if isinstance(error, ImportError):
                conditions = {CODE: f"missing ({error})"}
            elif error:
                raise error
            found[name] = conditions
    if refused := refusal(found, expected):
        raise refused


def _assignment(elsewhere: Elsewhere, expected: Conditions) -> Assignment:
    load, content, how = pickle.dumps(elsewhere.load), elsewhere.content(), environment()
    key = hashlib.sha256(content + repr((load, elsewhere.name, how, expected)).encode()).hexdigest()
    conditions = pickle.dumps(elsewhere.conditions)
    return Assignment(key, load, elsewhere.name, content, conditions, expected, how)


def _itself(assignment: Assignment) -> Assignment:
    return assignment


def _result(client: Client, future: Future) -> Any:
    """Wait for a result as long as there are workers.

    Raises:
        LookbookError: If there are none for a while, or the scheduler is lost, or several workers
            in turn are lost with the item.
        Exception: What the function raised.
    """
    last_seen = time.monotonic()
    while True:
        with _reaching():
            with contextlib.suppress(TimeoutError):
                answer, error = future.result(timeout=LOOKING_SECONDS)
                break
            if worker_count(client):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > WORKERS_SECONDS:
                raise no_workers(WORKERS_SECONDS)
    if error:
        raise error
    return answer


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
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
