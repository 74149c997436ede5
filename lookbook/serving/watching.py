"""What happens to every request: it is timed and counted, and its response gets its headers."""

import time
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookbook.serving.metrics import Metrics

GONE = 499  # the client went away before it was answered, as nginx counts it
OTHER = "other"  # the route of paths that are none, of which there are any number
POLICY = "Content-Security-Policy"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    POLICY: "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Watch:
    """Passes requests on.

    Attributes:
        app: To what.
        metrics: Where they are counted.
        policies: Paths of pages, and what each may load.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, policies: Mapping[str, str]):
        self.app, self.metrics, self.policies = app, metrics, policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, start = GONE, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given.setdefault(name, value)
                if scope["path"] in self.policies:
                    given[POLICY] = self.policies[scope["path"]]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            status = 500
            raise
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            self.metrics.requests.labels(route, status).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - start)
