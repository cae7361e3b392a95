"""All parts together, with a real engine behind them."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.errors import StorageError
from app.paths import Paths
from app.services import Services, open_services
from app.turns import Turn, TurnEnded
from backends.protocol import TextDelta
from tests.gguf_files import write_model


@pytest.fixture
def services(paths: Paths) -> Iterator[Services]:
    with open_services(paths) as services:
        yield services


@pytest.fixture(scope="module")
def slow_model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slow")
    return write_model(folder / "slow.gguf", n_embd=256, n_layers=8, context_length=8192)


def finish(turn: Turn) -> TurnEnded:
    *_, ended = turn.events()
    assert isinstance(ended, TurnEnded)
    return ended


def test_two_answers_share_what_was_evaluated(services: Services, model_file: Path) -> None:
    model = services.library.add_file(model_file)
    chat = services.store.create(model_id=model.id)
    first = finish(services.chats.send(chat.id, "Hello")).message
    second = finish(services.chats.send(chat.id, "Hello again")).message
    assert [first.text, second.text] == ["Good morning.", "Good morning."]
    assert first.origin is not None
    assert second.origin is not None
    assert second.origin.usage.cached_tokens >= first.origin.usage.prompt_tokens
    assert services.engines.state.phase == "ready"


def test_a_killed_worker_costs_one_answer_and_no_more(
    services: Services, slow_model_file: Path
) -> None:
    model = services.library.add_file(slow_model_file)
    chat = services.store.create(model_id=model.id, options={"temperature": 0.0})
    turn = services.chats.send(chat.id, "Go on")
    events = turn.events()
    assert any(isinstance(event, TextDelta) for event in events)
    for worker in psutil.Process().children(recursive=True):
        worker.kill()
    *_, ended = events
    assert isinstance(ended, TurnEnded)
    assert ended.problem is not None
    assert ended.message.status == "interrupted"
    assert ended.message.text
    assert services.engines.state.phase == "crashed"
    services.store.set_options(chat.id, {"temperature": 0.0, "max_tokens": 3})
    retried = finish(services.chats.regenerate(ended.message.id))
    assert retried.problem is None
    assert retried.message.status == "length"


def test_closing_in_the_midst_of_an_answer_saves_it(paths: Paths, slow_model_file: Path) -> None:
    services = open_services(paths)
    model = services.library.add_file(slow_model_file)
    chat = services.store.create(model_id=model.id, options={"temperature": 0.0})
    turn = services.chats.send(chat.id, "Go on")
    events = turn.events()
    assert any(isinstance(event, TextDelta) for event in events)
    services.close()
    assert isinstance(list(events)[-1], TurnEnded)
    with open_services(paths) as reopened:
        answer = reopened.store.message(turn.answer.id)
    assert answer.status == "stopped"
    assert answer.text


def test_a_damaged_database_is_refused_with_a_way_out(paths: Paths) -> None:
    paths.home.mkdir()
    paths.database_file.write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError) as caught:
        open_services(paths)
    assert str(paths.database_file) in caught.value.what
    assert caught.value.fix
