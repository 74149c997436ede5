"""A client that talks to a server in bytes, as slowly or as wrongly as a test wants."""

import json
import socket


class Client:
    """What talks to a server in bytes.

    Attributes:
        port: Where it listens.
        server: It, if it runs in this process.
    """

    def __init__(self, port, server=None):
        self.port, self.server = port, server

    def open(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, content, *, path="/predict", method="POST"):
        with self.open() as connection:
            connection.sendall(request(content, path=path, method=method, close=True))
            return response(connection)


def request(content=b"", *, path="/predict", method="POST", close=False):
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(content)}\r\n"
    return (head + "Connection: close\r\n" * close).encode() + b"\r\n" + content


def response(connection):
    """Return status, headers in lower case, and content; None if there is no response."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = connection.recv(1)  # and nothing of the next response
        if not part:
            return None
        head += part
    first, *lines = head.decode().lower().splitlines()
    headers = dict(line.split(": ", 1) for line in lines if line)
    content, missing = b"", int(headers["content-length"])
    while missing and (part := connection.recv(missing)):
        content, missing = content + part, missing - len(part)
    is_json = headers["content-type"] == "application/json"
    return int(first.split()[1]), headers, json.loads(content) if is_json else content
