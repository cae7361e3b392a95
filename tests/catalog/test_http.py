"""The client of everything that is fetched: careful with names, redirects and endless answers."""

import email.utils
import threading
import time
from collections.abc import Iterator

import pytest

from catalog.errors import DownloadError
from catalog.http import HttpClient, Offline, Refused, bounded_body
from catalog.network import Network
from catalog.retries import Interrupted, Patience, Retries, asked_pause, pause_text
from tests.catalog.file_server import FileServer

HASTY = Patience(connect_seconds=2, read_seconds=0.5, pause_seconds=0.01)
TOKEN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(threading.Event(), HASTY) as client:
        yield client


def test_the_authorization_goes_along_within_an_origin_only(client: HttpClient) -> None:
    with FileServer({"a": b"there"}) as other, FileServer({"b": b"here"}) as server:
        server.redirects = {"/within": server.address("b"), "/beyond": other.address("a")}
        with client.get(server.address("within"), TOKEN) as answer:
            assert bounded_body(answer, 100) == b"here"
        with client.get(server.address("beyond"), TOKEN) as answer:
            assert bounded_body(answer, 100) == b"there"
        assert [each.headers.get("Authorization") for each in server.requests] == [
            "Bearer s3cret"
        ] * 3
        assert "Authorization" not in other.requests[0].headers


def test_it_does_not_come_back_with_a_redirect_that_returns(client: HttpClient) -> None:
    with FileServer({}) as other, FileServer({"b": b"here"}) as server:
        server.redirects = {"/out": other.address("back")}
        other.redirects = {"/back": server.address("b")}
        with client.get(server.address("out"), TOKEN):
            pass
        assert "Authorization" not in server.requests[-1].headers


def test_name_and_password_of_an_address_go_to_its_origin_only(client: HttpClient) -> None:
    with FileServer({"a": b"there"}) as other, FileServer({}) as server:
        server.redirects = {"/beyond": other.address("a")}
        with client.get(server.address("beyond").replace("://", "://anna:x@"), {}):
            pass
        assert server.requests[0].headers["Authorization"].startswith("Basic ")
        assert "Authorization" not in other.requests[0].headers


def test_a_host_that_no_name_server_would_take_is_said_in_words(client: HttpClient) -> None:
    odd = f"http://{'a' * 300}.example/x"
    with FileServer({}) as server:
        server.redirects = {"/a": odd.replace("http:", "https:")}
        for url in (odd, server.address("a")):
            with pytest.raises(DownloadError, match="is not valid"), client.get(url, {}):
                pass


def test_redirects_in_circles_end(client: HttpClient) -> None:
    with FileServer({}) as server:
        server.redirects = {"/a": "/b", "/b": "/a"}
        with pytest.raises(DownloadError, match="in circles"), client.get(server.address("a"), {}):
            pass
        assert len(server.requests) <= 10


def test_a_redirect_to_no_web_address_is_refused(client: HttpClient) -> None:
    with FileServer({}) as server:
        server.redirects = {"/a": "file:///etc/passwd"}
        with (
            pytest.raises(DownloadError, match="no address of the web"),
            client.get(server.address("a"), {}),
        ):
            pass


def test_a_head_brings_the_headers(client: HttpClient) -> None:
    with FileServer({"a": b"12345"}) as server:
        assert client.head(server.address("a"), {}).headers["Content-Length"] == "5"


def test_an_answer_without_end_is_bounded(client: HttpClient) -> None:
    with (
        FileServer({"a": b""}, faults=["endless"]) as server,
        pytest.raises(DownloadError, match="has no end"),
        client.get(server.address("a"), {}) as answer,
    ):
        bounded_body(answer, 1_000_000)


def test_refusals_can_be_told_from_other_failures(client: HttpClient) -> None:
    with (
        FileServer({"a": b""}, faults=["401"]) as server,
        pytest.raises(Refused) as caught,
        client.get(server.address("a"), {}),
    ):
        pass
    assert caught.value.status == 401


def test_offline_is_said_before_anything_is_sent() -> None:
    with (
        FileServer({"a": b""}) as server,
        HttpClient(threading.Event(), HASTY, Network(offline=True)) as client,
        pytest.raises(Offline),
        client.get(server.address("a"), {}),
    ):
        pass
    assert server.requests == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "9" * 400}, 1e9),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
    ],
)
def test_what_a_server_asks_to_wait_is_read(headers: dict[str, str], seconds: float) -> None:
    assert asked_pause(headers) == seconds


def test_a_date_to_wait_for_is_read() -> None:
    date = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 90 < asked_pause({"Retry-After": date}) <= 101


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (1, "1 second"),
        (2, "2 seconds"),
        (119, "119 seconds"),
        (150, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
    ],
)
def test_a_pause_is_told_in_words(seconds: float, words: str) -> None:
    assert pause_text(seconds) == words


def test_tries_end_sooner_where_nothing_ever_came() -> None:
    patience = Patience(attempts=2, attempts_under_way=4, pause_seconds=0)
    for came, tries in ((False, 2), (True, 4)):
        retries = Retries(threading.Event(), patience)
        if came:
            retries.reset()
        for _ in range(tries - 1):
            retries.wait_after(Interrupted("It broke off."), "Try again.")
        with pytest.raises(DownloadError, match="It broke off"):
            retries.wait_after(Interrupted("It broke off."), "Try again.")
