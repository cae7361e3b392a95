"""The person at this computer does not wait for programs: a real server, a real worker, eight clients."""

import threading
import time
from pathlib import Path

import pytest

from app.conversations.store import ConversationStore
from app.turns import TurnEnded
from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import InstalledModel, Library
from tests.app.server.conftest import MakeServer, Served
from tests.gguf_files import write_model

CLIENTS = 8
LONG = 2_000


@pytest.fixture
def endless(library: Library, tmp_path: Path) -> InstalledModel:
    """It knows no end, and takes its time."""
    path = write_model(
        tmp_path / "endless.gguf", n_embd=256, n_layers=8, context_length=32_768, seed=5
    )
    return library.add_file(path)


def ask(server: Served, model: InstalledModel, number: int, leaving: threading.Event) -> None:
    body = {
        "model": model.id,
        "stream": True,
        "max_tokens": LONG,
        "temperature": 0,
        "messages": [{"role": "user", "content": f"{number}: go on"}],
    }
    with (
        server.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as said,
    ):
        for _ in said.iter_lines():
            if leaving.is_set():
                return


def writing(server: Served) -> int:
    return sum(row.phase == "answering" for row in server.server.journal.rows())


def test_the_window_s_chats_are_answered_while_eight_clients_write(
    make_server: MakeServer, endless: InstalledModel, store: ConversationStore
) -> None:
    server = make_server(LlamaCppBackend())
    leaving = threading.Event()
    clients = [
        threading.Thread(target=ask, args=(server, endless, number, leaving))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    deadline = time.monotonic() + 60
    while writing(server) < CLIENTS - 1:  # one slot is the person's
        assert time.monotonic() < deadline
        time.sleep(0.02)

    options = {"temperature": 0.0, "max_tokens": 20}
    chats = [store.create(model_id=endless.id, options=options) for _ in range(2)]
    turns = [server.chats.send(chat.id, "And me?") for chat in chats]
    for turn in turns:
        *_, ended = turn.events()
        assert isinstance(ended, TurnEnded)
        assert ended.message.status == "length"
    rows = server.server.journal.rows()
    assert len(rows) == CLIENTS
    assert all(row.runs for row in rows)
    leaving.set()
    for client in clients:
        client.join()
