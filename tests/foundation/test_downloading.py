"""Servers that send too little, too much or for ever."""

import time

import pytest
import requests
from support import send

from lookbook.foundation import downloading
from lookbook.foundation.downloading import GivenUpError, download


def drip(handler, pause=0.02):
    """Send a byte now and then, without an end."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        try:
            handler.wfile.write(b"x")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(pause)


def flood(handler):
    """Send without an end."""
    drip_of = b"x" * 65536
    handler.send_response(200)
    handler.end_headers()
    while True:
        try:
            handler.wfile.write(drip_of)
        except OSError:
            return


@pytest.fixture
def target(tmp_path):
    return tmp_path / "file"


def test_a_file_comes_as_it_is(serve, target):
    content = bytes(range(256)) * 1000
    base, _ = serve(lambda handler: send(handler, content))
    download(f"{base}/x", target)
    assert target.read_bytes() == content


def test_a_server_that_hardly_sends_is_given_up(serve, target, monkeypatch):
    monkeypatch.setattr(downloading, "WINDOW", 0.3)
    base, _ = serve(drip)
    with pytest.raises(GivenUpError, match="under 1,024 bytes a second"):
        download(f"{base}/x", target)


def test_a_server_that_never_ends_is_given_up(serve, target, monkeypatch):
    base, _ = serve(flood)
    with pytest.raises(GivenUpError, match=r"bytes and more, over 1,000,000"):
        download(f"{base}/x", target, most_bytes=10**6)
    assert target.stat().st_size < 2 * 10**6
    monkeypatch.setattr(downloading, "MOST_SECONDS", 0.2)
    with pytest.raises(GivenUpError, match="no end after"):
        download(f"{base}/x", target)


def test_a_file_that_announces_too_much_is_not_begun(serve, target):
    base, _ = serve(lambda handler: send(handler, b"x", promised=10**6))
    with pytest.raises(GivenUpError, match="1,000,000 bytes and more, over 1,000"):
        download(f"{base}/x", target, most_bytes=1000)
    assert not target.exists()


def test_a_file_that_breaks_off_is_an_error(serve, target):
    base, _ = serve(lambda handler: send(handler, b"x" * 99, promised=100))
    with pytest.raises(requests.ConnectionError):
        download(f"{base}/x", target)


def test_an_error_of_the_server_is_an_error(serve, target):
    base, _ = serve(lambda handler: send(handler, b"", status=404))
    with pytest.raises(requests.HTTPError):
        download(f"{base}/x", target)
