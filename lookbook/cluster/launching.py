"""Programs for the workers of a Dask cluster, watched from here."""

import contextlib
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from distributed import Client

from lookbook.cluster.program import Ended, Missing, Program, keep, run
from lookbook.cluster.sending import LOOKING_SECONDS, Presence, reaching, result, submitted


def launched(
    client: Client,
    worker: str,
    program: Program,
    files: Mapping[str, Path],
    watch: Callable[[bytes], bool],
    ended: threading.Event,
) -> Ended | None:
    """Run a program on a worker; if that one is lost, on another, from the beginning.

    Args:
        client: Of the cluster.
        worker: The address of the one that is to run it.
        program: What to run.
        files: Where the program's files are, by their SHA-256. A worker gets those that it lacks.
        watch: Called with what the watched file holds each time that it changes, until it returns
            False, which ends the program.
        ended: Set when the program is to end.

    Returns:
        None if it was ended.

    Raises:
        LookbookError: If workers could make other bytes, lack space, or are lost; or if the
            scheduler is.
    """
    while True:
        answer = _tried(client, worker, program, watch, ended)
        if not isinstance(answer, Missing):
            return answer
        worker = answer.worker
        for file in answer.files:
            _send(client, worker, files[file])


def _tried(
    client: Client,
    worker: str,
    program: Program,
    watch: Callable[[bytes], bool],
    ended: threading.Event,
) -> Ended | Missing | None:
    topic = f"lookbook-{uuid.uuid4()}"
    news: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    with reaching():
        client.subscribe_topic(topic, lambda event: news.put(event[1]))
        future = submitted(client, worker, run, program, topic)
    future.add_done_callback(lambda _: news.put(b""))
    presence = Presence(client)
    try:
        while not future.done():
            with contextlib.suppress(queue.Empty):
                content = news.get(timeout=LOOKING_SECONDS)
                if content and not watch(content):
                    return None
            if ended.is_set():
                return None
            presence.check()
        return result(client, future)
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be lost
            future.cancel()
            client.unsubscribe_topic(topic)


def _send(client: Client, worker: str, path: Path) -> None:
    """Let a worker keep a file, unless it is lost: then another one has the program next."""
    content = path.read_bytes()
    with reaching():
        answer = client.run(keep, content, workers=[worker], on_error="return")[worker]
    if not isinstance(answer, OSError):
        _, error = answer
        if error:
            raise error
