"""The server's processes: one, or several workers and one that looks after them."""

import asyncio
import contextlib
import ctypes
import functools
import logging
import multiprocessing
import os
import re
import resource
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from lookbook.browser.page import page_of
from lookbook.foundation.errors import LookbookError
from lookbook.inference import Classifier
from lookbook.inference.card import Card
from lookbook.serving.application import create_app
from lookbook.serving.limits import Limits
from lookbook.serving.metrics import FOLDER
from lookbook.serving.protocol import BoundedProtocol
from lookbook.serving.source import Source, copied

BACKLOG = 512  # connections that wait to be accepted
STOP_SECONDS = 30  # for requests that are here when the server ends
MMAP_THRESHOLD = -3  # of glibc's malloc.h: from where on blocks are the system's own
LARGE_BLOCK = 2**20  # bytes
STATUS = Path("/proc/self/status")  # of this process, on Linux

logger = logging.getLogger(__name__)


def serve(
    model: Path, *, host: str, port: int, workers: int, listens: Callable[[str, Card], None]
) -> None:
    """Serve a model until SIGTERM or SIGINT; requests that are here then are answered.

    Args:
        model: An exported one.
        host: The address to listen at, or a name for it.
        port: The port; 0 for any that is free.
        workers: How many processes answer.
        listens: Called with the server's address and the model's card before the first request.

    Raises:
        LookbookError: If the model cannot be loaded or the address cannot be had.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    card = Classifier(model).card  # what is wrong with it is said before a worker starts
    with (
        tempfile.TemporaryDirectory(prefix="lookbook-serve-") as name,
        listening(host, port) as listener,
    ):
        folder, page = Path(name), Path(name, "page.html")
        page.write_text(page_of(model), encoding="utf-8")
        config = uvicorn.Config(
            functools.partial(worker, copied(model, folder), page, Limits()),
            factory=True,
            workers=workers,
            **settings(Limits()),
        )
        listens(address_of(listener), card)
        if workers == 1:
            Server(config).run([listener])
            return
        counts = folder / "metrics"
        counts.mkdir()
        os.environ[FOLDER] = str(counts)
        Supervisor(config, [listener]).run()


def settings(limits: Limits) -> dict:
    """Return what uvicorn is told besides the application."""
    return {
        "http": functools.partial(BoundedProtocol, limits=limits),
        "ws": "none",
        "lifespan": "off",
        "backlog": BACKLOG,
        "timeout_keep_alive": limits.idle_seconds,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_level": "error",  # clients' faults are counted, see metrics
        "loop": "asyncio",
        "h11_max_incomplete_event_size": limits.head_bytes,
    }


def worker(source: Source, page: Path, limits: Limits) -> FastAPI:
    """Return the application, in the process that serves it."""
    _give_memory_back()
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    app = create_app(source, page, limits)
    _bound_memory(limits.worker_bytes)
    return app


def _bound_memory(more: int) -> None:
    """Let this process take so many more bytes than it has taken by now, and none beyond."""
    taken = sys.platform == "linux" and re.search(r"VmData:\s+(\d+) kB", STATUS.read_text())
    if taken:
        bound, (_, hard) = 1024 * int(taken[1]) + more, resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or bound < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))


def _give_memory_back() -> None:
    """Let what a large picture took go back to the system when it is freed.

    The C library would keep over 100 MB of it for the next one.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):  # not musl
        library.mallopt(MMAP_THRESHOLD, LARGE_BLOCK)


def _end_after(sentinel: int) -> None:
    """End this worker when the process that looks after it is gone, however it went."""
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


class Server(uvicorn.Server):
    """A worker's server: who has connected when it ends is answered, too."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; closing a listener would reset the connections that it has not accepted yet."""
        loop, waiting = asyncio.get_running_loop(), []
        for listener in sockets or []:
            loop.remove_reader(listener)
            with contextlib.suppress(BlockingIOError):
                while True:
                    waiting.append(listener.accept()[0])
        for server in self.servers:
            server.close()
        for connection in waiting:
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._connection, connection)
        await super().shutdown()

    def _connection(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )


class Worker(Process):
    """A process that serves."""

    @functools.cached_property
    def server(self) -> Server:
        return Server(self.config)


class Supervisor(Multiprocess):
    """Keeps workers running, and replaces those that die."""

    def init_processes(self) -> None:
        self.processes = [self._started() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.is_alive():
                continue
            process.kill()  # one that hangs
            process.join()
            self.processes[place] = self._started()
            logger.warning("a worker ended with code %s; another replaces it", process.exitcode)

    def terminate_all(self) -> None:
        # A client that comes from here on should hear at once that nobody listens.
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def _started(self) -> Process:
        process = Worker(self.config, self.sockets)
        process.start()
        return process


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        LookbookError: If the address is taken, forbidden, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        number = error.errno or 0  # below 0: a name that nobody knows
        reason = (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
        raise LookbookError(
            f"Expected to listen at {host}, port {port}. Received: {reason}. Choose another with "
            "--host and --port, or stop what listens there."
        ) from None
    # Or a response's second packet waits 40 ms for the client to confirm the first: asyncio sees to
    # it only for sockets that it makes itself. Connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address that a browser on this machine may be given."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
