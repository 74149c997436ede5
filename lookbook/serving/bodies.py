"""The pictures of a request: its body, or the files of a form."""

import asyncio
import contextlib
import io
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from lookbook.serving.limits import Limits
from lookbook.serving.refusals import RefusalError, too_busy, too_large, too_slow

MOST_FIELDS = 20  # of a form that are no files, and are passed over


class Picture(NamedTuple):
    """A picture that a client sent.

    Attributes:
        name: Of its file, as a form gives it.
        content: Of its file.
    """

    name: str | None
    content: bytes


@dataclass
class Held:
    """How many bytes of bodies are in memory.

    Attributes:
        most: That may be.
        bytes: That are.
    """

    most: int
    bytes: int = 0

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """Give a request its share, and take it back."""
        share = Share(self)
        try:
            yield share
        finally:
            self.bytes -= share.bytes


@dataclass
class Share:
    """How many of them are of one request."""

    held: Held
    bytes: int = 0

    def take(self, count: int) -> None:
        """Add bytes that have come.

        Raises:
            RefusalError: If that makes too many.
        """
        if self.held.bytes + count > self.held.most:
            raise too_busy("too many bytes of others")
        self.held.bytes += count
        self.bytes += count


class _InMemory(MultiPartParser):
    """Reads forms without files on the disk: bodies are bounded."""

    spool_max_size = 2**63


async def pictures_of(request: Request, limits: Limits, share: Share) -> list[Picture]:
    """Return the pictures of a request.

    What they are is for their content to say: no content type is looked at but that of a form.

    Raises:
        RefusalError: If the body is too large, too slow or no form though it says so.
        ClientDisconnect: If the client goes away.
    """
    if int(request.headers.get("content-length", 0)) > limits.body_bytes:
        raise too_large(limits.body_bytes)
    chunks = _bounded(request, limits, share)
    try:
        async with asyncio.timeout(limits.body_seconds):
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                return await _from_form(request, chunks, limits)
            file = io.BytesIO()
            async for chunk in chunks:
                file.write(chunk)
            return [Picture(None, file.getvalue())]
    except TimeoutError:
        raise too_slow(limits.body_seconds) from None


async def _bounded(request: Request, limits: Limits, share: Share) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes.

    Raises:
        RefusalError: If it is too large, or there is no more memory for it.
    """
    async for chunk in request.stream():
        if share.bytes + len(chunk) > limits.body_bytes:
            raise too_large(limits.body_bytes)
        share.take(len(chunk))
        yield chunk


async def _from_form(
    request: Request, chunks: AsyncGenerator[bytes, None], limits: Limits
) -> list[Picture]:
    parser = _InMemory(request.headers, chunks, max_files=limits.pictures, max_fields=MOST_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _no_form(error.message, limits) from None
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(form.close)
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise _no_form("no file", limits)
        return [Picture(_readable(file.filename), await file.read()) for file in files]


def _readable(name: str | None) -> str | None:
    """Return a name that UTF-8 can say, whatever a form's own charset made of it."""
    return name.encode("utf-8", "replace").decode() if name else None


def _no_form(received: str, limits: Limits) -> RefusalError:
    return RefusalError(
        400,
        "no form",
        f"Expected a form of 1 to {limits.pictures} files. Received: {received.rstrip('.')}. Send "
        "it as `curl -F picture=@photo.jpg` does, or a picture as the whole body.",
    )
