"""A Hub that fails ends in words that say what to do, and soon."""

import contextlib
import email.utils
import math
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.catalogues.entries import HubFile
from catalog.hub.answers import card_text, facts, found_repositories, tree_files
from catalog.hub.bounds import Bounds
from catalog.hub.errors import HubError
from catalog.hub.hub import Hub
from catalog.hub.records import HubQuery
from catalog.network import Network
from catalog.retries import Patience
from tests.catalog.hub_server import HubFault, HubServer

REPO = "maker/tiny-GGUF"
FILE = HubFile(REPO, "tiny-Q4_0.gguf")
CONTENT = b"GGUF" * 1000
QUICK = Bounds(
    connect_seconds=2,
    read_seconds=1,
    whole_seconds=3,
    patience=Patience(pause_seconds=0.01, longest_asked_seconds=5),
    answer_bytes=1_000_000,
)
UNHURRIED = Bounds(patience=Patience(pause_seconds=0.01))


@pytest.fixture
def server() -> Iterator[HubServer]:
    with HubServer() as server:
        server.add(REPO, {FILE.path: CONTENT}, card="# Tiny")
        yield server


def hub_at(server: HubServer, bounds: Bounds = QUICK) -> Hub:
    return Hub(lambda: Network(hub_endpoint=server.url), bounds=bounds)


FAULTS: list[tuple[HubFault, str, bool]] = [
    ("reset", "broke off", True),
    ("cut", "broke off", True),
    ("stall", "does not answer", True),
    ("mute", "does not answer", True),
    ("drip", "takes too long", True),
    ("endless", "has no end", False),
    ("401", "refuses access", False),
    ("403", "refuses access", False),
    ("404", "does not offer this", False),
    ("429", "asks for a pause", True),
    ("500", "can't answer now", True),
    ("503", "can't answer now", True),
    ("html", "can't be read", False),
    ("not json", "can't be read", False),
    ("deep", "can't be read", False),
    ("redirect loop", "sends in circles", False),
]


@pytest.mark.parametrize(("fault", "words", "may_pass"), FAULTS)
def test_each_fault_of_a_search_is_told_in_words(
    server: HubServer, fault: HubFault, words: str, may_pass: bool
) -> None:
    server.faults, server.always = [fault], True
    with pytest.raises(HubError, match=words) as raised:
        hub_at(server).search(HubQuery())
    assert (raised.value.may_pass, bool(raised.value.fix)) == (may_pass, True)
    server.faults = []
    assert len(hub_at(server, UNHURRIED).search(HubQuery()).found) == 1


def test_a_search_that_answers_something_else_finds_nothing_odd(server: HubServer) -> None:
    server.faults = ["other json"]
    assert hub_at(server).search(HubQuery()).found == ()


@pytest.mark.parametrize("fault", [each for each, *_ in FAULTS if each != "404"])
def test_each_fault_of_a_repository_is_told_in_words(server: HubServer, fault: HubFault) -> None:
    server.faults, server.fault_at, server.always = [fault], "/api/models/maker", True
    with pytest.raises(HubError):
        hub_at(server).repository(REPO)


@pytest.mark.parametrize("fault", [each for each, *_ in FAULTS])
def test_a_card_that_fails_leaves_the_files(server: HubServer, fault: HubFault) -> None:
    server.faults, server.fault_at = [fault], "README.md"
    shown = hub_at(server).repository(REPO)
    assert [each.quant for each in shown.quants] == ["Q4_0"]
    assert "GGUF" not in shown.card


@pytest.mark.parametrize(
    "fault", ["mute", "403", "429", "500", "503", "html", "redirect loop", "reset"]
)
def test_each_fault_of_resolving_is_told_in_words(server: HubServer, fault: HubFault) -> None:
    server.faults, server.always = [fault], True
    if fault == "reset":
        server.faults = ["mute"]
        server.closing.set()  # a server that goes down hangs up
    with pytest.raises(HubError) as raised:
        hub_at(server).resolve(FILE)
    assert raised.value.fix


def test_a_pause_that_is_asked_for_is_told(server: HubServer) -> None:
    server.faults, server.retry_after = ["429"], "55"
    with pytest.raises(HubError, match="Try again in 55 seconds") as raised:
        hub_at(server).search(HubQuery())
    assert raised.value.pause_seconds == 55


CALLS: dict[str, Callable[[Hub], object]] = {
    "search": lambda hub: hub.search(HubQuery()).found[0],
    "repository": lambda hub: hub.repository(REPO).quants[0],
    "resolve": lambda hub: hub.resolve(FILE).size,
    "check_token": lambda hub: hub.check_token("hf_right"),
}


@pytest.mark.parametrize("fault", ["429", "503"])
@pytest.mark.parametrize("call", CALLS)
def test_a_short_pause_that_is_asked_for_is_waited_for(
    server: HubServer, call: str, fault: HubFault
) -> None:
    server.tokens = {"hf_right": "maker"}
    server.faults, server.retry_after = [fault, fault], "1"
    started = time.monotonic()
    assert CALLS[call](hub_at(server, UNHURRIED))
    assert time.monotonic() - started >= 2
    assert server.faults == []


def test_a_pause_until_a_date_is_waited_for(server: HubServer) -> None:
    until = math.ceil(time.time()) + 1
    server.faults, server.retry_after = ["503"], email.utils.formatdate(until, usegmt=True)
    assert hub_at(server, UNHURRIED).search(HubQuery()).found
    assert time.time() >= until


def test_the_time_for_an_answer_begins_anew_after_a_pause(server: HubServer) -> None:
    server.faults, server.retry_after = ["429"], "6"
    bounds = msgspec.structs.replace(UNHURRIED, whole_seconds=5)
    assert hub_at(server, bounds).search(HubQuery()).found


@pytest.mark.parametrize("fault", ["429", "503"])
def test_a_server_that_asks_for_ever_is_left_in_the_end(server: HubServer, fault: HubFault) -> None:
    server.faults, server.always = [fault], True
    with pytest.raises(HubError):
        hub_at(server).search(HubQuery())
    assert len(server.requests) == QUICK.patience.attempts


def test_a_download_waits_by_itself(server: HubServer) -> None:
    server.faults, server.retry_after = ["429"], "1"
    with pytest.raises(HubError, match=r"Try again in 1 second\.") as raised:
        hub_at(server).resolve(FILE, patient=False)
    assert raised.value.pause_seconds == 1


def test_closing_ends_a_pause(server: HubServer) -> None:
    server.faults, server.retry_after = ["429"], "50"
    hub = hub_at(server, UNHURRIED)
    errors: list[HubError] = []

    def ask() -> None:
        try:
            hub.search(HubQuery())
        except HubError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not server.requests:
        asking.join(0.01)
    hub.close()
    asking.join(45)
    assert len(errors) == 1


def test_a_server_that_never_ends_its_pages_is_left(server: HubServer) -> None:
    server.page_size = 1
    for number in range(30):
        server.add(f"maker/model-{number}-GGUF", {})
    server.links = "http://127.0.0.1/api/models?cursor=1#"
    page = hub_at(server).search(HubQuery())
    assert page.more
    assert hub_at(server).search(HubQuery(), page.more).more == ""


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    closed = Hub(lambda: Network(hub_endpoint=f"http://127.0.0.1:{port}"), bounds=QUICK)
    with pytest.raises(HubError, match="can't be reached"):
        closed.search(HubQuery())
    unknown = Hub(lambda: Network(hub_endpoint="https://hub.invalid"), bounds=QUICK)
    with pytest.raises(HubError, match=r"no connection to hub\.invalid"):
        unknown.search(HubQuery())


@pytest.mark.parametrize(
    "address", ["ftp://hub.example", "hub.example", "http://hub.example", "https://", "http://[x"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(HubError, match="https://"):
        Hub(lambda: Network(hub_endpoint=address)).search(HubQuery())


def test_a_host_that_no_name_server_would_take_is_said_in_words() -> None:
    with pytest.raises(HubError, match="Check the Hub address"):
        Hub(lambda: Network(hub_endpoint=f"https://{'a' * 300}.example")).search(HubQuery())


def test_a_proxy_that_can_not_be_used_is_told() -> None:
    hub = Hub(lambda: Network(proxy="gopher://proxy.example"))
    with pytest.raises(HubError, match="proxy"):
        hub.search(HubQuery())


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_a_strangers_certificate_is_not_trusted(tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    files = ["-keyout", str(certificate), "-out", str(tmp_path / "public.pem")]
    subprocess.run(["openssl", *command.split(), *files], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "public.pem").read_text())
    with (
        HubServer(certificate=certificate) as server,
        pytest.raises(HubError, match="can't be trusted"),
    ):
        hub_at(server).search(HubQuery())


def test_closing_ends_what_waits_for_a_silent_server(server: HubServer) -> None:
    server.faults, server.always = ["mute"], True
    hub = Hub(lambda: Network(hub_endpoint=server.url))
    errors: list[HubError] = []

    def ask() -> None:
        try:
            hub.search(HubQuery())
        except HubError as error:
            errors.append(error)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    while len(server.requests) < 3:
        asking[0].join(0.01)
    hub.close()
    for thread in asking:
        thread.join(60)
    assert len(errors) == 3
    with pytest.raises(HubError, match="closing"):
        hub.search(HubQuery())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "sha", "siblings", "rfilename", "path", "type", "size", "lfs", "oid", "sha256",
                 "tags", "gguf", "total", "cardData", "license", "license_name", "license_link",
                 "base_model", "lastModified", "gated", "downloads", "context_length"]
            ),
            inner | st.sampled_from(["a/b", "x.gguf", "../x.gguf", "2025-01-01T00:00:00Z", "other"]),
            max_size=8,
        )
    ),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
@settings(max_examples=300)
def test_no_answer_is_too_odd_to_read(answer: Any) -> None:
    for found in found_repositories(answer) or ():
        assert found.repo.count("/") == 1
    said = facts(answer, REPO, "main")
    for file in (*tree_files(answer, REPO, "main"), *((said and said.files) or ())):
        assert ".." not in file.source.path.split("/")
        assert file.size_bytes is None or file.size_bytes > 0


@given(st.binary(max_size=300))
def test_any_bytes_make_a_card(data: bytes) -> None:
    card = card_text(b"---\nlicense: mit\n---\n" + data)
    assert "license: mit" not in card or b"license: mit" in data
    with contextlib.suppress(UnicodeEncodeError):
        card.encode()


QUESTIONS = {
    "search": lambda hub, cancelled: hub.search(HubQuery(), cancelled=cancelled),
    "repository": lambda hub, cancelled: hub.repository(REPO, cancelled=cancelled),
    "resolve": lambda hub, cancelled: hub.resolve(FILE, cancelled=cancelled),
    "check_token": lambda hub, cancelled: hub.check_token("hf_x", cancelled=cancelled),
}


@pytest.mark.parametrize("fault", ["mute", "stall", "drip"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_is_cancelled_ends_though_the_server_hangs(
    server: HubServer, question: str, fault: HubFault
) -> None:
    server.faults, server.always = [fault], True
    patient = Bounds(read_seconds=120, whole_seconds=120)
    hub = Hub(lambda: Network(hub_endpoint=server.url), bounds=patient)
    cancelled, ended = threading.Event(), threading.Event()

    def ask() -> None:
        with contextlib.suppress(HubError):
            QUESTIONS[question](hub, cancelled)
        ended.set()

    asking = threading.Thread(target=ask)
    asking.start()
    while not server.requests:
        assert asking.is_alive()
        asking.join(0.01)
    cancelled.set()
    assert ended.wait(60)
    asking.join()
    hub.close()
