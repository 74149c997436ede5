"""A connection: uvicorn's, with an end to waiting for the client, and a farewell."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from lookbook.serving.limits import Limits

# A request with both is read by the second, but a proxy may have read it by the first: what follows
# could be another client's (RFC 9112, 6.3).
LENGTHS = {b"content-length", b"transfer-encoding"}


class BoundedProtocol(H11Protocol):
    """A connection that a client cannot hold for as long as it likes.

    Uvicorn waits for ever for the first byte, for the end of a request's head, for the rest of a
    body that was refused, and for a client that does not read. Here each has an end.
    """

    def __init__(self, *arguments: Any, limits: Limits, **more: Any):
        super().__init__(*arguments, **more)
        self.limits = limits
        self._is_ending = False
        self._deadline: asyncio.TimerHandle | None = None
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.max_size = self.limits.read_bytes  # type: ignore[attr-defined]  # asyncio's own
        self._wait_for_head()
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:  # a head is whole
            self._wait(self.limits.request_seconds)
            if self._is_ending or {name for name, _ in self.headers} >= LENGTHS:
                self._take_last()

    def on_response_complete(self) -> None:
        self._wait_for_head()
        super().on_response_complete()

    def shutdown(self) -> None:
        """End, as the server does; a request that is on its way, or here, is answered first."""
        self._is_ending = True
        if self.is_idle:
            self.loop.call_later(self.limits.farewell_seconds, self._end)
        else:
            self._take_last()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "Expected an HTTP request. Received: something else. See /docs.")

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _take_last(self) -> None:
        """Close the connection when the request that is here is answered."""
        self.cycle.keep_alive = False
        if not self.cycle.response_started:
            self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]

    def _end(self) -> None:
        if self.is_idle and not self.transport.is_closing():
            super().shutdown()

    def _wait_for_head(self) -> None:
        self.idle_since = self.loop.time()
        self._wait(self.limits.head_seconds)

    def _wait(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        has_begun = bool(self.conn.trailing_data[0])
        if self.conn.our_state is h11.IDLE and has_begun and not self.transport.is_closing():
            seconds = f"{self.limits.head_seconds:g} seconds"
            expected = f"Expected a request's head within {seconds}."
            self._refuse(408, f"{expected} Received: a part of it. Send it again.")
        else:
            self.transport.abort()  # what it has not read by now is lost

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest; this one if all are busy."""
        ours = (one for one in self.connections if isinstance(one, BoundedProtocol))
        oldest = min((one for one in ours if one.is_idle), key=lambda one: one.idle_since)
        oldest.transport.abort()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer in place of the application, unless it has begun to, and close."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        content = json.dumps({"error": sentence}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            CLOSE_HEADER,
        ]
        is_head = self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD"
        response = h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status])
        self.transport.write(self.conn.send(response) or b"")
        if not is_head:  # to which h11 would let no content pass
            self.transport.write(content)
        self.transport.close()
