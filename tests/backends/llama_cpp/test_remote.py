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
from backends.llama_cpp.offload import ALL_LAYERS, fitting
from backends.protocol import LoadOptions
from tests.backends.conftest import OpenSession
from tests.backends.contract import text_of
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
    deadline = time.monotonic() + 20
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


def test_a_server_that_is_not_there_is_named(tiny_model: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ModelLoadError, match=address):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(rpc_servers=(address,)), lambda _: True)


@pytest.mark.parametrize("address", ["", "no colon", "127.0.0.1:", "127.0.0.1:0", ":1:2:3", "a:b"])
def test_what_is_no_address_is_refused_in_words(tiny_model: Path, address: str) -> None:
    with pytest.raises(ModelLoadError, match="does not answer"):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(rpc_servers=(address,)), lambda _: True)


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9])
def test_a_server_that_says_nothing_or_something_else_is_given_up(
    tiny_model: Path, says: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.llama_cpp.backend._CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                connection.sendall(says)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        options = LoadOptions(rpc_servers=(address,))
        with pytest.raises(ModelLoadError, match=address):
            LlamaCppBackend().open(str(tiny_model), options, lambda _: True)
        thread.join()


def test_layers_go_where_there_is_room_for_them() -> None:
    assert fitting(n_bytes=1100, n_layers=10, room=1100) == 10
    assert fitting(n_bytes=1100, n_layers=10, room=550) == 5
    assert fitting(n_bytes=1100, n_layers=10, room=99) == 0
    assert ALL_LAYERS < 0
