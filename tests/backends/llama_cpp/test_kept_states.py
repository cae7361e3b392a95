"""Conversations that go on in another process, where the last one left off."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.errors import EngineCrashed
from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import LoadOptions, Message, StateKeeping
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import (
    adapters,
    assistant,
    evaluated,
    from_scratch,
    in_context,
    request,
    user,
)
from tests.gguf_files import write_adapter, write_model, write_recurrent_model

FEW = 8
QUESTION = user("Tell me of the ello thing, " * 5)


@pytest.fixture(params=[write_model, write_recurrent_model], ids=["attention", "recurrent"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write: Callable[..., Path] = request.param
    return write(tmp_path / "model.gguf", context_length=4096)


def keeping(folder: Path, limit_bytes: int = 10**9) -> StateKeeping:
    return StateKeeping(folder=str(folder), limit_bytes=limit_bytes)


def opened(model: Path, folder: Path, **options: object) -> LlamaCppSession:
    load = LoadOptions(n_threads=1, keep=keeping(folder), **options)  # type: ignore[arg-type]
    return LlamaCppBackend().open(str(model), load, lambda _: True)


def history(session: LlamaCppSession, *messages: Message) -> tuple[list[Message], int]:
    """The conversation with its answer, and the tokens that it has."""
    events = list(session.chat(request(*messages)))
    return [*messages, assistant(text_of(events))], in_context(events)


def test_a_conversation_goes_on_after_a_restart(
    open_session: OpenSession, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "states"
    session = opened(model, folder)
    messages, known = history(session, QUESTION)
    session.close()
    assert not session.alive

    session = opened(model, folder)
    going_on = request(*messages, user("And then?"))
    events = list(session.chat(going_on))
    session.close()
    assert last(events).usage.cached_tokens >= known - FEW
    assert text_of(events) == text_of(
        from_scratch(open_session(model, memory_for_states=1), *going_on.messages)
    )


def test_what_leaves_memory_is_found_on_the_disk(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    session = opened(tiny_model, tmp_path / "states", memory_for_states=1)
    messages, known = history(session, user("the ello thing " * 100))
    history(session, user("something else " * 100))
    going_on = request(*messages, user("And then?"))
    events = list(session.chat(going_on))
    session.close()
    assert last(events).usage.cached_tokens >= known - FEW
    assert text_of(events) == text_of(
        from_scratch(open_session(tiny_model, memory_for_states=1), *going_on.messages)
    )


def test_states_of_other_adapters_or_models_are_not_used(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "states"
    adapter = write_adapter(tmp_path / "adapter.gguf")
    session = opened(tiny_model, folder)
    adapted = request(QUESTION, adapters=adapters((adapter, 1.0)))
    expected = text_of(list(session.chat(adapted)))
    session.close()

    session = opened(tiny_model, folder)
    weaker = request(QUESTION, adapters=adapters((adapter, 0.5)))
    assert last(list(session.chat(weaker))).usage.cached_tokens == 0
    assert last(list(session.chat(request(QUESTION)))).usage.cached_tokens == 0
    again = list(session.chat(adapted))
    assert evaluated(again) <= FEW
    assert text_of(again) == expected
    session.close()

    other = write_model(tmp_path / "other.gguf", context_length=4096, seed=9)
    session = opened(other, folder)
    assert last(list(session.chat(request(QUESTION)))).usage.cached_tokens == 0
    session.close()


def test_a_model_swapped_under_the_same_name_does_not_get_the_states(tmp_path: Path) -> None:
    path, folder = tmp_path / "model.gguf", tmp_path / "states"
    for seed in (0, 1):
        session = opened(write_model(path, context_length=4096, seed=seed), folder)
        assert last(list(session.chat(request(QUESTION)))).usage.cached_tokens == 0
        session.close()


@pytest.mark.parametrize("change", ["cache_type", "chat_template"])
def test_states_of_another_cache_or_template_are_not_used(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "states"
    path = write_model(tmp_path / "wide.gguf", n_embd=128, context_length=4096)
    session = opened(path, folder)
    history(session, QUESTION)
    session.close()
    options = (
        {"cache_type": "q8_0"}
        if change == "cache_type"
        else {"chat_template": "{% for m in messages %}<|im_start|>{{ m['content'] }}{% endfor %}"}
    )
    session = opened(path, folder, **options)
    assert last(list(session.chat(request(QUESTION)))).usage.cached_tokens == 0
    session.close()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied"])
def test_a_damaged_state_is_read_again_from_its_text(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "states"
    session = opened(tiny_model, folder)
    history(session, QUESTION)
    session.close()
    (file,) = folder.glob("*.state")
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 4
    del data[{"truncated": len(data) // 2, "flipped": len(data), "emptied": 0}[damage] :]
    file.write_bytes(data)

    session = opened(tiny_model, folder)
    events = list(session.chat(request(QUESTION)))
    assert last(events).usage.cached_tokens == 0
    assert text_of(events) == text_of(list(open_session(tiny_model).chat(request(QUESTION))))
    assert not file.exists() or file.read_bytes() != data
    session.close()


def test_nothing_goes_to_the_disk_unless_it_may(tiny_model: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    session = LlamaCppBackend().open(str(tiny_model), LoadOptions(n_threads=1), lambda _: True)
    history(session, QUESTION)
    session.close()
    assert set(tmp_path.rglob("*")) == before


def test_closing_in_the_middle_of_an_answer_keeps_what_was_read(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "states"
    session = opened(tiny_model, folder, n_ctx=8192)
    stream = session.chat(request(QUESTION, max_tokens=-1))
    events = [next(stream) for _ in range(20)]
    session.close()
    events.extend(stream)
    assert last(events).reason == "cancelled"
    session = opened(tiny_model, folder, n_ctx=8192)
    assert evaluated(list(session.chat(request(QUESTION)))) <= FEW
    session.close()


@pytest.mark.skipif(os.name != "posix", reason="uses signals")
def test_a_worker_that_hangs_is_ended_without_saving(tiny_model: Path, tmp_path: Path) -> None:
    session = opened(tiny_model, tmp_path / "states")
    history(session, QUESTION)
    os.kill(session.pid, signal.SIGSTOP)
    session.close()
    assert not session.alive


@pytest.mark.skipif(os.name != "posix", reason="uses signals")
def test_a_worker_killed_while_it_saves_leaves_nothing_that_is_wrong(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "states"
    expected = text_of(list(open_session(tiny_model).chat(request(QUESTION))))
    for patience in range(4):
        session = opened(tiny_model, folder, memory_for_states=1)
        for number in range(patience + 1):  # each makes the one before it leave for the disk
            list(session.chat(request(user(f"{number} of the ello thing " * 60))))
        events = list(session.chat(request(QUESTION)))
        os.kill(session.pid, signal.SIGKILL)
        with pytest.raises(EngineCrashed):
            list(session.chat(request(QUESTION)))
        session.close()
        assert text_of(events) == expected
    session = opened(tiny_model, folder)
    assert text_of(list(session.chat(request(QUESTION)))) == expected
    session.close()
