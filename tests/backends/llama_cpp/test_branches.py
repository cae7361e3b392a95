"""Going back, aside and on: only what differs is evaluated, and the answers stay the same."""

from pathlib import Path

import pytest

from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import Event, Message
from backends.testing import text_of
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
from tests.gguf_files import write_adapter, write_recurrent_model

SYSTEM = Message(role="system", content="Say the thing that is to be said. " * 8)
FEW = 8


class Chat:
    """A conversation that grows by questions."""

    def __init__(self, session: LlamaCppSession, *messages: Message) -> None:
        self._session = session
        self.messages = list(messages)
        self.events: list[Event] = []

    def ask(self, text: str) -> int:
        """Tokens evaluated beyond those that are new to the conversation."""
        before = in_context(self.events) if self.events else 0
        self.messages.append(user(text))
        self.events = list(self._session.chat(request(*self.messages)))
        self.messages.append(assistant(text_of(self.events)))
        usage = self.events[-1].usage  # type: ignore[union-attr]
        return evaluated(self.events) - (usage.prompt_tokens - before)

    def again(self) -> list[Event]:
        """Ask the last question again."""
        return list(self._session.chat(request(*self.messages[:-1])))

    def expected(self, fresh: LlamaCppSession) -> str:
        return text_of(from_scratch(fresh, *self.messages[:-1]))


def test_switching_between_four_conversations_evaluates_only_what_is_new(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session, fresh = open_session(tiny_model), open_session(tiny_model, memory_for_states=1)
    chats = [Chat(session, SYSTEM) for _ in range(4)]
    for number, chat in enumerate(chats):
        chat.ask(f"{number} " + "the ello thing " * 40 * number)
    for turn in range(3):
        for chat in chats:
            assert chat.ask(f"And {turn}?") <= FEW
    for chat in chats:
        assert text_of(chat.events) == chat.expected(fresh)


def test_two_conversations_share_their_system_prompt(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    Chat(session, SYSTEM).ask("What is this?")
    system = session.count_tokens([SYSTEM])
    other = Chat(session, SYSTEM)
    other.ask("And what is that?")
    assert evaluated(other.events) < system / 2


def test_an_answer_is_given_again_without_reading_its_prompt(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    chat = Chat(session, SYSTEM)
    chat.ask("One")
    chat.ask("Two")
    again = chat.again()
    assert evaluated(again) <= FEW
    assert text_of(again) == text_of(chat.events)
    assert chat.ask("Three") <= FEW, "the first answer was forgotten for the second"


def test_editing_the_last_question_evaluates_the_question_only(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session, fresh = open_session(tiny_model), open_session(tiny_model, memory_for_states=1)
    chat = Chat(session, SYSTEM)
    chat.ask("One")
    kept = in_context(chat.events)
    chat.ask("Two")
    edited = request(*chat.messages[:-2], user("Not two"))
    events = list(session.chat(edited))
    assert evaluated(events) <= in_context(events) - 30 - kept + FEW
    assert text_of(events) == text_of(from_scratch(fresh, *edited.messages))


def test_what_has_no_room_in_memory_is_read_again_and_gives_the_same(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session, fresh = (
        open_session(tiny_model, memory_for_states=1),
        open_session(tiny_model, memory_for_states=1),
    )
    one, other = Chat(session), Chat(session)
    one.ask("the ello thing " * 100)
    other.ask("and something else " * 100)
    assert one.ask("Again") > 100
    assert text_of(one.events) == one.expected(fresh)


def test_states_in_memory_stay_within_their_bound(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, memory_for_states=600_000)
    chats = [Chat(session) for _ in range(5)]
    for number, chat in enumerate(chats):
        chat.ask(f"{number} " + "the ello thing " * 100)
    assert chats[4].ask("Again") <= FEW
    assert chats[3].ask("Again") <= FEW
    assert chats[0].ask("Again") > 100, "the one used least recently was to leave"


def test_a_state_belongs_to_the_adapters_it_was_made_with(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "adapter.gguf")
    session, fresh = open_session(tiny_model), open_session(tiny_model, memory_for_states=1)
    plain = request(user("Hello there"))
    adapted = request(user("Hello there"), adapters=adapters((adapter, 1.0)))
    without = list(session.chat(plain))
    with_it = list(session.chat(adapted))
    assert evaluated(with_it) == in_context(without) - 30
    assert text_of(with_it) != text_of(without)
    removed = list(session.chat(plain))
    assert evaluated(removed) <= FEW
    assert text_of(removed) == text_of(without)
    assert text_of(list(session.chat(adapted))) == text_of(with_it)
    assert text_of(list(fresh.chat(adapted))) == text_of(with_it)


@pytest.mark.parametrize("scale", [0.0, -0.0])
def test_an_adapter_at_scale_zero_is_none(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path, scale: float
) -> None:
    adapter = write_adapter(tmp_path / "adapter.gguf")
    session = open_session(tiny_model)
    without = list(session.chat(request(user("Hello"))))
    at_zero = list(session.chat(request(user("Hello"), adapters=adapters((adapter, scale)))))
    assert evaluated(at_zero) == 1
    assert text_of(at_zero) == text_of(without)


def test_a_recurrent_model_goes_back_to_where_an_answer_began(
    open_session: OpenSession, tmp_path: Path
) -> None:
    path = write_recurrent_model(tmp_path / "recurrent.gguf")
    session, fresh = open_session(path), open_session(path, memory_for_states=1)
    chat = Chat(session, SYSTEM)
    chat.ask("One")
    assert chat.ask("Two") <= FEW
    again = chat.again()
    assert evaluated(again) <= FEW
    assert text_of(again) == text_of(chat.events) == chat.expected(fresh)
    edited = request(*chat.messages[:-2], user("Not two"))
    events = list(session.chat(edited))
    assert evaluated(events) < in_context(events) - 60
    assert text_of(events) == text_of(from_scratch(fresh, *edited.messages))
