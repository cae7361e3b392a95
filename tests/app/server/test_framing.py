"""Requests whose end could be doubted, and the rarer forms of HTTP/1.1, by hand over a socket."""

import socket
import time

import msgspec
import pytest

from tests.app.server.conftest import MakeServer, Served
from tests.app.server.raw import connected, exchange, read_all, status
from tests.app.server.silence import falls_silent
from tests.scripted_backend import Script, ScriptedBackend

BODY = msgspec.json.encode({"model": "polite", "messages": [{"role": "user", "content": "Hi"}]})
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CODED = b"Transfer-Encoding: chunked\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"
HIDDEN = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        POST + LENGTH + CODED + b"\r\n" + CHUNKED,
        POST + b"Content-Length: 4\r\n" + CODED + b"\r\n" + CHUNKED + HIDDEN,
        POST.replace(b"1.1", b"1.0") + CODED + b"\r\n" + CHUNKED,
        POST + CODED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKED,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED,
        POST + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
        POST + b"Content-Length: +%d\r\n\r\n%s" % (len(BODY), BODY),
        POST + b"Content-Length: %s\r\n\r\n" % (b"9" * 5_000),
        POST + CODED + b"\r\n" + CHUNKED.replace(b"\r\n", b"\n", 1),
        POST + CODED + b"\r\n0x" + CHUNKED,
        POST + CODED + b"\r\n%s\r\n" % (b"F" * 40),
        GET + b"Host: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        GET.replace(b"1.1", b"2.0") + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n",
        GET + b"X: a\rb\r\n\r\n",
        GET + b"X: a\0b\r\n\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_read(
    server: Served, request_: bytes
):
    """`exchange` ends with the connection: it must be closed."""
    answer = exchange(server.url, request_)
    assert status(answer) == 400
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not server.backend.sessions


@pytest.mark.parametrize(
    "request_",
    [
        POST + LENGTH + LENGTH + CLOSE + BODY,
        POST + CODED + CLOSE + CHUNKED.replace(b"\r\n", b";%s\r\n" % (b"x" * 60_000), 1),
        POST + CODED + CLOSE + CHUNKED[:-2] + b"Host: elsewhere\r\n\r\n",
        GET + b"X: a\r\n b\r\n" + CLOSE,
        GET.replace(b"\r\n", b"\n") + CLOSE.replace(b"\r\n", b"\n"),
        GET.replace(b"1.1", b"1.0") + b"\r\n",
        GET.replace(b"/health", b"http://localhost/health?x=1") + CLOSE,
        GET.replace(b"/health", b"http://localhost/health").replace(b"Host: l", b"Host: x") + CLOSE,
    ],
)
def test_what_is_odd_and_clear_is_answered(server: Served, request_: bytes):
    assert status(exchange(server.url, request_)) == 200


def test_a_client_that_waits_for_leave_to_send_is_given_it(server: Served):
    with connected(server.url) as connection:
        connection.sendall(POST + LENGTH + b"Expect: 100-continue\r\n" + CLOSE)
        assert status(connection.recv(65536)) == 100
        connection.sendall(BODY)
        assert status(read_all(connection)) == 200


@pytest.mark.parametrize("target", [b"http://elsewhere.example/health", b"http://x@localhost/"])
def test_the_name_in_a_whole_address_counts(server: Served, target: bytes):
    assert status(exchange(server.url, GET.replace(b"/health", target) + CLOSE)) == 403


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/api/chat", b"/v1/messages", b"/"])
def test_a_method_that_is_not_taken_is_told_which_are(server: Served, path: bytes):
    with_path = GET.replace(b"/health", path) + CLOSE
    answer = exchange(server.url, with_path.replace(b"GET", b"TRACE"))
    assert status(answer) == 405
    (allowed,) = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"allow: ")]
    assert allowed in (b"allow: post", b"allow: get, head", b"allow: head, get")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("streams", [False, True])
def test_a_client_that_ends_its_side_still_has_its_answer(
    server: Served, scripted: ScriptedBackend, version: bytes, streams: bool
):
    scripted.script = Script(tokens=("word ",) * 20, delay=0.02)
    body = BODY[:-1] + (b',"stream":true}' if streams else b"}")
    head = POST.replace(b"1.1", version) + b"Content-Length: %d\r\n\r\n" % len(body)
    with connected(server.url) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
    last = answer[answer.rindex(b"HTTP/1.1 ") :]
    assert status(last) == 200
    assert last.count(b"word ") == 20
    assert (b"100 Continue" in answer) <= (version == b"1.1")


@pytest.mark.parametrize("streams", [False, True])
def test_a_client_that_is_gone_has_none(
    make_server: MakeServer, scripted: ScriptedBackend, model, streams: bool
):
    """It ends both sides, which looks the same at first."""
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.01)
    server = make_server(scripted)
    body = BODY[:-1] + (b',"stream":true}' if streams else b"}")
    with connected(server.url) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        while not scripted.requests:
            time.sleep(0.01)
    assert falls_silent(server.server.journal)
