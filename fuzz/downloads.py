"""Answers of servers: a download within bounds, whatever comes. No network is needed."""

import hashlib
import socket
from pathlib import Path
from unittest.mock import patch

import urllib3.util.connection

from lookbook.datasets.cards import PublishedFile
from lookbook.sources import http

CONTENT = b"0123456789"
FILE = PublishedFile(
    name="pets.zip", bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
)
HEAD = b"HTTP/1.1 200 OK\r\n"
MOST_BYTES = 2**16  # which a socket takes at once
SEEDS = [
    HEAD + b"Content-Length: 10\r\n\r\n" + CONTENT,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\na\r\n" + CONTENT + b"\r\n0\r\n\r\n",
    HEAD + b"Content-Length: 99\r\nContent-Encoding: gzip\r\n\r\n" + CONTENT,
    HEAD + b"Set-Cookie: a=b; Domain=.x\r\nContent-Type: text/html; charset=x\r\n\r\n<html>",
    b"HTTP/1.1 302 Found\r\nLocation: http://example.org/[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 404 None\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\n",
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",
]


def read(content: bytes, folder: Path) -> None:
    """Fetch a file from a server that answers so, whatever it is asked."""

    def connect(*_arguments: object, **_options: object) -> socket.socket:
        """Return a connection to a server that has said its answer and gone."""
        ours, theirs = socket.socketpair()
        theirs.sendall(content[:MOST_BYTES])
        theirs.close()
        return ours

    connecting = patch.object(urllib3.util.connection, "create_connection", connect)
    with connecting, patch.object(http, "PAUSE", 0):
        path = http.fetch_file(FILE, ["http://example.org/pets"], folder)
    assert path.read_bytes() == CONTENT
