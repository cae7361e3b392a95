"""A model that lies on another machine, which is a second process here."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.errors import EngineCrashed, ModelLoadError
from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.devices import Device
from backends.llama_cpp.offload import ALL_LAYERS, Needs, fitting, layers_that_fit
from backends.protocol import LoadOptions
from backends.testing import text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import request, user

SERVER = Path(__file__).with_name("rpc_server.py")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port, process)
            yield f"127.0.0.1:{port}", process
        finally:
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server ended")


def test_a_model_on_another_machine_answers_as_here(
    open_session: OpenSession, tiny_model: Path, server: tuple[str, object]
) -> None:
    here = text_of(list(open_session(tiny_model).chat(request(user("Hello")))))
    session = open_session(tiny_model, rpc_servers=(server[0],), flash_attention="off")
    assert session.info.device == "CPU and 1 other machine"
    assert text_of(list(session.chat(request(user("Hello"))))) == here


def test_a_machine_that_goes_away_is_named_as_the_reason(
    open_session: OpenSession,
    tiny_model: Path,
    server: tuple[str, subprocess.Popen[bytes]],
) -> None:
    session = open_session(tiny_model, n_ctx=8192, rpc_servers=(server[0],))
    stream = session.chat(request(user("Talk"), max_tokens=-1))
    next(stream)
    server[1].kill()
    with pytest.raises(EngineCrashed) as error:
        list(stream)
    assert "Another machine" in error.value.why


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-name.invalid", "ä" * 70])
def test_a_server_that_is_not_there_is_named(tiny_model: Path, host: str) -> None:
    address = f"{host}:{free_port()}"
    with pytest.raises(ModelLoadError, match=f"{address}” does not answer"):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(rpc_servers=(address,)), lambda _: True)


@pytest.mark.parametrize(
    "address", ["", "no colon", "127.0.0.1:", ":1:2:3", "a:b", "127.0.0.1:65536", "127.0.0.1:١"]
)
def test_what_is_no_address_is_refused_in_words(tiny_model: Path, address: str) -> None:
    with pytest.raises(ModelLoadError, match="is no address"):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(rpc_servers=(address,)), lambda _: True)


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9])
def test_what_says_nothing_or_something_else_is_told_to_be_no_server(
    tiny_model: Path, says: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.llama_cpp.backend._CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            for _ in ("is it there?", "hold a part"):
                connection, _ = listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    connection.sendall(says)
                    while connection.recv(4096):
                        pass

        thread = threading.Thread(target=answer)
        thread.start()
        options = LoadOptions(rpc_servers=(address,))
        with pytest.raises(ModelLoadError, match=f"{address}” can't hold") as error:
            LlamaCppBackend().open(str(tiny_model), options, lambda _: True)
        assert "no RPC server" in error.value.why
        thread.join()


def test_a_machine_that_is_named_twice_is_used_once(
    open_session: OpenSession, tiny_model: Path, server: tuple[str, object]
) -> None:
    session = open_session(tiny_model, rpc_servers=(server[0], server[0]))
    assert session.info.device == "CPU and 1 other machine"
    assert text_of(list(session.chat(request(user("Hello")))))


def test_layers_go_where_there_is_room_for_them() -> None:
    needs = Needs(n_layers=10, weights=1100, cache=100, scratch=50)
    assert fitting(needs, room=1250) == ALL_LAYERS
    assert fitting(needs, room=1249) == 10
    assert fitting(needs, room=50 + 5 * 110) == 5
    assert fitting(needs, room=99) == 0
    assert fitting(needs, room=9) == 0


def card(free: int, *, is_shared: bool = False, is_remote: bool = False) -> Device:
    return Device(
        handle=0,
        name="card",
        description="",
        free=free,
        total=free,
        is_graphics=True,
        is_shared=is_shared,
        is_remote=is_remote,
    )


def test_a_model_and_its_context_are_measured_before_they_are_divided(tiny_model: Path) -> None:
    short, long = LoadOptions(n_ctx=512), LoadOptions(n_ctx=32_768)
    room = 4_000_000  # weights of 0.4 MB, 256 bytes of cache for a token
    assert layers_that_fit(tiny_model, short, [card(room)]) == ALL_LAYERS
    assert layers_that_fit(tiny_model, long, [card(room)]) == 0
    assert layers_that_fit(tiny_model, long, [card(2 * room)]) == 1
    assert layers_that_fit(tiny_model, long, [card(room), card(room, is_remote=True)]) == 1
    assert layers_that_fit(tiny_model, long, [card(room), card(room, is_shared=True)]) == 0
    assert layers_that_fit(tiny_model, long, [card(3 * room, is_shared=True)]) == ALL_LAYERS


def test_devices_that_do_not_tell_their_memory_are_trusted(tiny_model: Path) -> None:
    assert layers_that_fit(tiny_model, LoadOptions(), []) == ALL_LAYERS
    assert layers_that_fit(tiny_model, LoadOptions(), [card(0)]) == ALL_LAYERS
