"""How much of the context a chat and a draft use: estimated, and counted by the model."""

from pathlib import Path

import pytest

from app.chats import Chats
from app.context_use import ContextUse, estimated_tokens
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.turns import TurnEnded
from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import InstalledModel
from tests.app.conftest import MakeChats
from tests.scripted_backend import ScriptedBackend


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), (" \n", 0), ("a", 1), ("four", 1), ("fives", 2), ("word " * 100, 125), ("漢字", 2)],
)
def test_a_text_is_estimated_by_its_bytes(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_a_draft_is_estimated_at_once_and_exact_as_soon_as_it_is_counted() -> None:
    use = ContextUse()
    use.know(100)
    assert use.tokens == 100
    use.draft("x" * 40)
    assert use.tokens == 110
    use.count_exactly("x" * 40, 133)
    assert use.tokens == 133
    use.draft("x" * 48)
    assert use.tokens == 135, "what was typed since is estimated"
    use.draft("")
    assert use.tokens == 100
    use.draft("x" * 40)
    use.know(200)
    assert use.tokens == 210, "the chat has gone on since it was counted"


def test_while_an_answer_is_made_its_tokens_count_and_so_does_the_next_draft() -> None:
    use = ContextUse()
    use.know(100)
    use.run(150)
    assert use.tokens == 150
    use.draft("x" * 40)
    assert use.tokens == 160
    use.run(0)
    assert use.tokens == 110


def test_nothing_is_loaded_for_a_count(
    chats: Chats, store: ConversationStore, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    chat = store.create(model_id=model.id)
    assert chats.count_tokens(chat, "Hello") is None
    assert scripted.sessions == []
    *_, last = chats.send(chat.id, "How are you?").events()
    assert isinstance(last, TurnEnded)
    assert chats.count_tokens(store.get(chat.id), "two words") == 3 + 2 + 2
    assert len(scripted.sessions) == 1


def test_a_model_that_is_gone_counts_nothing(chats: Chats, store: ConversationStore) -> None:
    assert chats.count_tokens(store.create(model_id="nobody"), "Hello") is None


def test_a_worker_counts_what_it_would_read(
    make_chats: MakeChats, store: ConversationStore, model: InstalledModel, tmp_path: Path
) -> None:
    engines = Engines({"llama_cpp": LlamaCppBackend()}, unload_after=lambda: 0.0)
    chats = make_chats(engines=engines)
    try:
        chat = store.create(model_id=model.id, options={"system_prompt": "Be brief."})
        list(chats.send(chat.id, "Hello").events())
        counted = chats.count_tokens(store.get(chat.id), "And now?")
        *_, last = chats.send(chat.id, "And now?").events()
        assert isinstance(last, TurnEnded)
        assert last.message.origin is not None
        assert counted == last.message.origin.usage.prompt_tokens
    finally:
        chats.close()
        engines.close()


def test_what_was_loaded_otherwise_is_not_asked(
    chats: Chats, store: ConversationStore, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    chat = store.create(model_id=model.id)
    list(chats.send(chat.id, "Hello").events())
    longer = store.create(model_id=model.id, options={"n_ctx": 4096})
    assert chats.count_tokens(longer, "Hello") is None
    scripted.sessions[0].close()
    assert chats.count_tokens(store.get(chat.id), "Hello") is None
