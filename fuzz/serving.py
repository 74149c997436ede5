"""The server's requests: heads, bodies and forms, as they come over a connection."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from uvicorn.server import ServerState

from fuzz._cards import picture
from lookbook.serving.bodies import Held, pictures_of
from lookbook.serving.limits import Limits
from lookbook.serving.protocol import BoundedProtocol
from lookbook.serving.refusals import RefusalError
from lookbook.serving.running import settings

LIMITS = Limits(body_bytes=2**14, held_bytes=2**15, pictures=3)
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + picture() + b"\r\n--x--\r\n"
)
HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\n"
MULTIPART = HEAD + b"Content-Type: multipart/form-data; boundary=x\r\n"
SEEDS = [
    HEAD + b"Content-Length: 3\r\n\r\nabc",
    MULTIPART + b"Content-Length: %d\r\n\r\n" % len(FORM) + FORM,
    MULTIPART + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(FORM) + FORM + b"\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.0\r\n\r\n",
    HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0",
    HEAD + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
]


class _Transport(asyncio.Transport):
    """A connection whose other end reads everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("sockname", "peername") else default

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing more comes."""

    resume_reading = pause_reading


async def _application(scope: dict, receive: Any, send: Any) -> None:
    request = Request(scope, receive)
    try:
        with Held(LIMITS.held_bytes).share() as share:
            pictures = await pictures_of(request, LIMITS, share)
        response = JSONResponse([(one.name, len(one.content)) for one in pictures])
    except RefusalError as refusal:
        response = JSONResponse(refusal.sentence, refusal.status)
    except ClientDisconnect:
        return
    await response(scope, receive, send)


CONFIG = uvicorn.Config(_application, **settings(LIMITS))
CONFIG.load()


async def _ask(content: bytes) -> bytes:
    faults: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    state, transport = ServerState(), _Transport()
    protocol = CONFIG.http_protocol_class(config=CONFIG, server_state=state, app_state={})
    assert isinstance(protocol, BoundedProtocol)
    protocol.connection_made(transport)
    for start in range(0, len(content), 2**12):
        if not transport.closed:
            protocol.data_received(content[start : start + 2**12])
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    while state.tasks:
        await asyncio.sleep(0)
    assert not faults, faults
    return transport.sent


def read(content: bytes, folder: Path) -> None:
    """Send bytes to the server, and go."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        sent = loop.run_until_complete(_ask(content))
    assert not sent or sent.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 500" not in sent, sent
