"""What is too much, too slow, or broken."""

import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import httpx2
import msgspec
import pytest

from tests.app.server.conftest import MakeServer, Served
from tests.app.server.raw import connected, exchange, read_all, status
from tests.scripted_backend import Script, ScriptedBackend

ASK = {"model": "polite", "messages": [{"role": "user", "content": "Hi"}]}
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def strict(make_server: MakeServer, scripted: ScriptedBackend, model) -> Served:
    return make_server(
        scripted,
        most_body_bytes=100_000,
        head_seconds=0.3,
        body_stall_seconds=0.3,
        most_connections=8,
        most_at_once=2,
        most_waiting=3,
    )


class TestBodies:
    def test_a_large_one_is_refused_by_its_announced_length(self, strict: Served):
        answer = exchange(strict.url, HEAD, b"Content-Length: 100001\r\nConnection: close\r\n\r\n")
        assert status(answer) == 413

    @pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat", "/v1/messages"])
    def test_a_client_that_sends_it_all_reads_why_it_was_refused(self, strict: Served, path):
        with strict.client() as client:
            answer = client.post(path, content=b"x" * 1_000_000)
        assert answer.status_code == 413
        assert "larger than" in answer.text

    def test_one_without_a_length_is_refused_as_soon_as_it_is_too_large(self, strict: Served):
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        with connected(strict.url) as connection:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(11):
                connection.sendall(chunk)
            assert status(connection.recv(65536)) == 413

    def test_one_that_never_ends_is_not_read_for_ever(self, strict: Served):
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        with connected(strict.url) as connection:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            assert _is_cut_off(connection, chunk)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'"text"',
            b"\xff\xfe",
            b"[" * 50_000,
            b'{"a":' * 10_000,
            b'{"model": "polite", "messages": ' + b"[" * 10_000,
            b'{"messages": [{"role": "user", "content": 5}]}',
            b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
            b'{"messages": [{"role": "user", "content": "x"}], "temperature": 1e999}',
        ],
    )
    def test_what_is_no_request_is_refused(self, strict: Served, body):
        with strict.client() as client:
            for path in (
                "/v1/chat/completions",
                "/v1/responses",
                "/v1/completions",
                "/v1/embeddings",
            ):
                answer = client.post(path, content=body)
                assert answer.status_code == 400, (path, answer.text)
                assert answer.json()["error"]["type"] == "invalid_request_error"

    def test_a_packed_one_is_refused(self, strict: Served):
        with strict.client() as client:
            answer = client.post(
                "/v1/chat/completions", content=b"\x1f\x8b", headers={"content-encoding": "gzip"}
            )
        assert answer.status_code == 400


class TestSlowClients:
    def test_a_head_that_comes_drop_by_drop_is_cut_off(self, strict: Served):
        with connected(strict.url) as connection:
            connection.sendall(HEAD)
            assert _is_cut_off(connection, b"X")

    def test_so_is_one_after_a_whole_request(self, strict: Served):
        with connected(strict.url) as connection:
            connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert status(connection.recv(65536)) == 200
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
            assert read_all(connection) == b""

    def test_a_connection_that_says_nothing_is_closed(self, strict: Served):
        with connected(strict.url) as connection:
            assert read_all(connection) == b""

    def test_a_body_that_stalls_is_refused(self, strict: Served):
        answer = exchange(strict.url, HEAD, b"Content-Length: 100\r\nConnection: close\r\n\r\n{")
        assert status(answer) == 400
        assert b"too slowly" in answer

    def test_they_keep_nobody_else_out(self, strict: Served):
        slow = [connected(strict.url) for _ in range(7)]
        try:
            for connection in slow:
                connection.sendall(b"GET /hea")
            with strict.client() as client:
                assert client.get("/health").status_code == 200
        finally:
            for connection in slow:
                connection.close()

    def test_a_head_without_end_is_refused(self, strict: Served):
        answer = exchange(strict.url, HEAD, b"X: " + b"x" * 200_000)
        assert status(answer) in (0, 400)


class TestCrowds:
    def test_two_hundred_at_once_are_all_answered_or_told_to_wait(
        self, make_server: MakeServer, scripted: ScriptedBackend, model
    ):
        server = make_server(scripted, most_at_once=16, most_waiting=64)
        scripted.script = Script(tokens=("word ",) * 5, delay=0.01)
        together = threading.Barrier(200)

        def ask(number: int) -> tuple[int, str]:
            with server.client() as client:
                together.wait()
                answer = client.post("/v1/chat/completions", json=ASK)
            if answer.status_code == 200:
                return 200, answer.json()["choices"][0]["message"]["content"]
            return answer.status_code, answer.headers["retry-after"]

        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, range(200)))
        kinds = {status for status, _ in answers}
        assert kinds <= {200, 429}
        assert sum(status == 200 for status, _ in answers) >= 16
        assert {text for status, text in answers if status == 200} == {"word " * 5}

    def test_beyond_the_queue_a_client_is_told_how_long_to_wait(
        self, strict: Served, scripted: ScriptedBackend
    ):
        scripted.script = Script(tokens=("word ",) * 1000, delay=0.01)
        leave = threading.Event()

        def hold() -> None:
            with (
                strict.client() as client,
                client.stream(
                    "POST", "/v1/chat/completions", json={**ASK, "stream": True}
                ) as answer,
            ):
                for _ in answer.iter_raw():
                    if leave.is_set():
                        return

        holders = [threading.Thread(target=hold) for _ in range(5)]
        for holder in holders:
            holder.start()
        with strict.client() as client:
            deadline = time.monotonic() + 60
            while _metric(client, "causeway_requests_waiting") < 3:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            answers = [
                client.post(path, json={**ASK, "max_tokens": 5})
                for path in ("/v1/chat/completions", "/v1/messages", "/api/chat")
            ]
        leave.set()
        for holder in holders:
            holder.join()
        assert [answer.status_code for answer in answers] == [429] * 3
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)

    def test_connections_beyond_the_limit_are_not_taken(self, strict: Served):
        open_ones = [connected(strict.url) for _ in range(8)]
        try:
            time.sleep(0.1)
            with connected(strict.url) as one_more:
                assert read_all(one_more) == b""
        finally:
            for connection in open_ones:
                connection.close()

    def test_a_client_that_hangs_up_in_the_queue_leaves_no_hole(
        self, strict: Served, scripted: ScriptedBackend
    ):
        scripted.script = Script(tokens=("word ",) * 300, delay=0.01)
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda _: _ask_and_leave(strict), range(5)))
        scripted.script = Script()
        with strict.client() as client:
            _wait_for(client, "causeway_requests_waiting", 0)
            _wait_for(client, "causeway_requests_in_work", 0)
            for _ in range(4):
                assert client.post("/v1/chat/completions", json=ASK).status_code == 200

    def test_a_client_that_wants_several_answers_and_hangs_up_leaves_none_behind(
        self, strict: Served, scripted: ScriptedBackend
    ):
        """Two of its answers have begun then, and two wait for a place."""
        scripted.script = Script(tokens=("word ",) * 10_000, delay=0.01)
        with connected(strict.url) as connection, strict.client() as client:
            body = msgspec.json.encode({**ASK, "n": 4})
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            _wait_for(client, "causeway_requests_waiting", 2)
        with strict.client() as client:
            _wait_for(client, "causeway_requests_waiting", 0)
            _wait_for(client, "causeway_requests_in_work", 0)

    def test_bodies_that_are_still_being_sent_count(
        self, make_server: MakeServer, scripted: ScriptedBackend, model
    ):
        server = make_server(scripted, most_body_bytes=100_000, most_held_bytes=250_000)
        chunk = b"15f90\r\n" + b" " * 90_000 + b"\r\n"
        senders = [connected(server.url) for _ in range(3)]
        try:
            for sender in senders:
                sender.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
                time.sleep(0.1)
            assert status(senders[-1].recv(65536)) == 429
        finally:
            for sender in senders:
                sender.close()
        with server.client() as client:
            assert client.post("/v1/chat/completions", json=ASK).status_code == 200

    def test_a_body_waits_until_there_is_room_for_it(
        self, make_server: MakeServer, scripted: ScriptedBackend, model
    ):
        server = make_server(scripted, most_body_bytes=100_000, most_held_bytes=150_000)
        body = msgspec.json.encode(ASK).ljust(90_000)
        head = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        with connected(server.url) as first, connected(server.url) as second:
            first.sendall(head)
            with server.client() as client:
                _wait_for(client, "causeway_connections", 3)
            second.sendall(head + body)
            first.sendall(body)
            assert status(read_all(first)) == 200
            assert status(read_all(second)) == 200

    @pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat"])
    def test_its_bytes_are_let_go_once_they_are_understood(
        self, make_server: MakeServer, scripted: ScriptedBackend, model, path
    ):
        """An answer may take minutes, and another copy of what was asked is of no use to it."""
        server = make_server(scripted)
        scripted.script = Script(tokens=("word ",) * 10_000, delay=0.01)
        body = msgspec.json.encode({**ASK, "max_tokens": 9_000, "stream": True})
        body = body.replace(b"Hi", b"x" * 8_000_000)
        tracemalloc.start()
        try:
            with (
                server.client() as client,
                client.stream("POST", path, content=body) as answer,
            ):
                next(answer.iter_raw())
                held = tracemalloc.take_snapshot().filter_traces(
                    [tracemalloc.Filter(True, f"*{module}.py") for module in ("arrivals", "bodies")]
                )
        finally:
            tracemalloc.stop()
        # The text of the message is one copy, made in `bodies`.
        assert sum(trace.size for trace in held.traces) < 12_000_000

    @pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat"])
    def test_very_many_messages_hold_nobody_up(
        self, make_server: MakeServer, scripted: ScriptedBackend, model, path
    ):
        """They are joined at one go: one by one, these would take minutes."""
        server = make_server(scripted)
        said = {"role": "user", "content": "word " * 300}
        with server.client() as client:
            body = {**ASK, "max_tokens": 5, "messages": [said] * 20_000}
            assert client.post(path, json=body).status_code == 200


def test_requests_one_behind_the_other_are_answered_in_turn(strict: Served):
    one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert exchange(strict.url, one * 5 + last).count(b"HTTP/1.1 200") == 6


def _is_cut_off(connection: socket.socket, piece: bytes) -> bool:
    """Whether the server ends it, though the client goes on and on."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection.sendall(piece)
        except OSError:
            return True
        time.sleep(0.02)
    return False


def _ask_and_leave(server: Served) -> None:
    with server.client() as client:
        client.timeout = 0.3
        with pytest.raises(httpx2.TimeoutException):
            client.post("/v1/chat/completions", json=ASK)


def _metric(client: httpx2.Client, name: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return 0.0


def _wait_for(client: httpx2.Client, name: str, value: float) -> None:
    deadline = time.monotonic() + 60
    while _metric(client, name) != value:
        assert time.monotonic() < deadline
        time.sleep(0.02)
