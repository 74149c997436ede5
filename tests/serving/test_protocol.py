"""Clients that are slow, silent, endless or many."""

import asyncio
import contextlib
import logging
import time

import pytest
import uvicorn
from asking import Client, request, response
from support import flat

from lookbook.serving.limits import Limits
from lookbook.serving.running import Server, listening, settings


@pytest.fixture
def logged():
    """What is logged of a server in this process; uvicorn's loggers hand nothing on."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield records
    for logger in loggers:
        logger.removeHandler(handler)


def is_closed(connection):
    with contextlib.suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def test_a_head_that_takes_too_long_is_refused(listen):
    client = listen(head_seconds=0.2)
    with client.open() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a")
        status, headers, content = response(connection)
        assert (status, headers["connection"]) == (408, "close")
        assert content == {
            "error": "Expected a request's head within 0.2 seconds. Received: a part of it. Send "
            "it again."
        }
        assert is_closed(connection)


def test_bytes_of_a_head_that_trickle_in_do_not_prolong_it(listen):
    client = listen(head_seconds=0.3)
    with client.open() as connection, contextlib.suppress(OSError):
        start = time.monotonic()
        for byte in b"POST /predict HTTP/1.1\r\nHost: " + b"a" * 200:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
            if time.monotonic() - start > 3:
                break
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("before", [b"", request(path="/health", method="GET")])
def test_a_connection_without_a_request_is_closed(listen, before):
    client = listen(head_seconds=0.2, idle_seconds=0.2)
    with client.open() as connection:
        connection.sendall(before)
        if before:
            assert response(connection)[0] == 200
        assert is_closed(connection)


def test_a_body_that_takes_too_long_is_refused_and_no_longer_waited_for(listen):
    client = listen(head_seconds=0.3, body_seconds=0.2)
    with client.open() as connection:
        connection.sendall(request(bytes(100))[:-1])
        status, _, content = response(connection)
        assert status == 408
        assert content["error"].startswith("Expected the whole body within 0.2 seconds.")
        assert is_closed(connection)


def test_an_endless_body_is_refused_and_others_are_answered(listen):
    client = listen(head_seconds=0.5, body_bytes=10_000)
    with client.open() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                connection.sendall(b"1000\r\n" + bytes(0x1000) + b"\r\n")
                assert client.ask(flat(0))[0] == 200
            pytest.fail("the server takes all that comes")


def test_a_body_that_is_announced_as_too_large_need_not_be_sent(listen):
    client = listen(body_bytes=1000)
    with client.open() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert response(connection)[0] == 413


def test_a_client_that_does_not_read_is_given_up(listen):
    client = listen(request_seconds=0.5)
    with client.open() as connection:
        connection.sendall(request(path="/", method="GET"))
        time.sleep(1)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(2**20):
                received += len(part)
    assert 0 < received < 4 * 2**20
    assert len(client.ask(b"", path="/", method="GET")[2]) == 4 * 2**20


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\0\0\r\n\r\n", b"GET\r\n\r\n", b"a" * 70_000])
def test_what_is_no_http_is_told_in_json(listen, garbage):
    with listen().open() as connection:
        connection.sendall(garbage)
        status, headers, content = response(connection)
        assert (status, headers["connection"]) == (400, "close")
        assert content["error"].startswith("Expected an HTTP request. Received: ")
        assert is_closed(connection)


def test_one_more_than_the_most_connections_closes_the_one_that_was_idle_for_longest(listen):
    client = listen(connections=3, idle_seconds=100, head_seconds=100)
    with contextlib.ExitStack() as stack:
        first, second, third = (stack.enter_context(client.open()) for _ in range(3))
        for connection in (second, third, first):
            connection.sendall(request(flat(0)))
            assert response(connection)[0] == 200
        assert client.ask(flat(0))[0] == 200
        assert is_closed(second)
        for connection in (third, first):
            connection.sendall(request(flat(0)))
            assert response(connection)[0] == 200


def test_where_all_connections_are_busy_one_more_is_closed(listen):
    client = listen(connections=2)
    with contextlib.ExitStack() as stack:
        busy = [stack.enter_context(client.open()) for _ in range(2)]
        for connection in busy:
            connection.sendall(request(flat(0))[:-1])
        time.sleep(0.2)
        with pytest.raises((ConnectionError, TypeError)):
            client.ask(flat(0))[0]
        for connection in busy:
            connection.sendall(request(flat(0))[-1:])
            assert response(connection)[0] == 200


def test_requests_that_come_before_the_answers_are_answered_in_order(listen):
    with listen().open() as connection:
        connection.sendall(request(flat(0)) + request(flat(255)) + request(b"text"))
        said = [response(connection) for _ in range(3)]
    assert [status for status, _, _ in said] == [200, 200, 415]
    assert [content["pictures"][0].get("answer") for _, _, content in said] == [
        "dark",
        "bright",
        None,
    ]


def test_a_request_of_two_lengths_is_the_last_of_its_connection(listen):
    with listen().open() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + request(flat(0))
        )
        status, headers, _ = response(connection)
        assert (status, headers["connection"]) == (422, "close")
        assert is_closed(connection)


def test_a_body_that_is_no_http_is_told_and_nothing_is_logged(listen, logged):
    client = listen(body_bytes=10)
    start = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with client.open() as connection:
        connection.sendall(start)
        time.sleep(0.1)
        connection.sendall(b"no number\r\n")
        assert response(connection)[0] == 400
        assert is_closed(connection)
    with client.open() as connection:  # and after the answer
        connection.sendall(start + b"b\r\n" + bytes(11) + b"\r\n")
        assert response(connection)[0] == 413
        connection.sendall(b"no number\r\n")
        assert is_closed(connection)
    assert client.ask(b"", path="/health", method="GET")[0] == 200
    assert logged == []


def test_a_head_has_a_most_of_bytes(listen):
    head = b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1000
    for most, status in ((900, 400), (2000, 200)):
        with listen(head_bytes=most).open() as connection:
            connection.sendall(head)
            time.sleep(0.1)
            connection.sendall(b"\r\n\r\n")
            assert response(connection)[0] == status


def test_nothing_is_upgraded_and_nothing_is_logged_of_it(listen, logged):
    with listen().open() as connection:
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert response(connection)[0] == 200
    assert logged == []


def test_no_connection_has_more_than_its_turn(listen):
    client = listen(read_bytes=100)
    with client.open() as connection:
        connection.sendall(request(flat(0)))
        assert response(connection)[0] == 200
        [served] = client.server.server_state.connections
        assert served.transport.max_size == 100


def test_a_client_that_goes_away_is_counted(listen):
    client = listen()
    with client.open() as connection:
        connection.sendall(request(flat(0))[:-1])
        time.sleep(0.1)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        text = client.ask(b"", path="/metrics", method="GET")[2].decode()
        if 'route="/predict",status="499"} 1.0' in text:
            return
    pytest.fail(text)


def test_the_end_answers_who_is_here_and_who_is_on_the_way(listen):
    client = listen(farewell_seconds=0.5)
    with client.open() as half, client.open() as silent, client.open() as kept:
        half.sendall(request(flat(0))[:-1])
        kept.sendall(request(flat(0)))
        assert response(kept)[1].get("connection") is None
        time.sleep(0.1)
        client.server.should_exit = True
        time.sleep(0.3)  # it looks ten times a second
        with pytest.raises(ConnectionRefusedError):
            client.open()
        half.sendall(request(flat(0))[-1:])
        kept.sendall(request(flat(255)))
        for connection, answer in ((half, "dark"), (kept, "bright")):
            status, headers, content = response(connection)
            assert (status, headers["connection"]) == (200, "close")
            assert content["pictures"][0]["answer"] == answer
            assert is_closed(connection)
        assert is_closed(silent)


def test_a_connection_that_waits_to_be_accepted_at_the_end_is_answered(application):
    async def end_with_one():
        listener = listening("127.0.0.1", 0)
        config = uvicorn.Config(application, **settings(Limits()))
        config.load()
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        with Client(listener.getsockname()[1]).open() as connection:
            connection.sendall(request(flat(0)))  # nobody has had the time to see it
            await server.shutdown([listener])
            return response(connection)

    status, headers, content = asyncio.run(end_with_one())
    assert (status, headers["connection"]) == (200, "close")
    assert content["pictures"][0]["answer"] == "dark"


def test_what_follows_a_head_and_is_no_http_gets_no_content(listen, logged):
    client = listen()
    with client.open() as connection:
        connection.sendall(  # in one piece: a head that comes alone is answered with 405 at once
            b"HEAD /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n"
        )
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(999):
                received += part
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.endswith(b"\r\n\r\n")
    assert logged == []
