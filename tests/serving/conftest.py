"""Servers that listen: in this process with limits of the test's own, or the command."""

import asyncio
import re
import subprocess
import sys
import threading

import pytest
import uvicorn
from asking import Client
from support import ROOT

from lookbook.serving.application import create_app
from lookbook.serving.limits import Limits
from lookbook.serving.running import Server, listening, settings
from lookbook.serving.source import copied


@pytest.fixture
def make_app(export, tmp_path):
    """A function that makes an application; its page has 4 MB; keywords change the model's card."""

    def make(limits, **changes):
        folder = tmp_path / "served"
        folder.mkdir(exist_ok=True)
        page = folder / "page.html"
        page.write_bytes(b"page" * 2**20)
        return create_app(copied(export(**changes), folder), page, limits)

    return make


@pytest.fixture
def application(make_app):
    """An application with the usual limits."""
    return make_app(Limits())


@pytest.fixture
def listen(make_app):
    """A function that starts a server in a thread, with some limits changed."""
    running = []

    def start(**limits):
        limits = Limits(**limits)
        listener = listening("127.0.0.1", 0)
        server = Server(uvicorn.Config(make_app(limits), **settings(limits)))
        thread = threading.Thread(
            target=asyncio.run, args=(server._serve([listener]),), daemon=True
        )
        thread.start()
        running.append((server, thread))
        client = Client(listener.getsockname()[1], server)
        client.ask(b"", path="/health", method="GET")
        return client

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def command(export):
    """A function that starts `lookbook serve` on the light model; returns process and client."""
    processes = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "lookbook", "serve", "--model", str(export()), "--port", "0"]
            + list(words),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        client = Client(int(re.search(r":(\d+);", line)[1]))
        client.ask(b"", path="/ready", method="GET")
        return process, client

    yield start
    for process in processes:
        process.kill()
        process.communicate()
