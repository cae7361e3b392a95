"""What is kept of chats that were read: each command a real process on a real model."""

from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.gguf_files import write_model

GREEDY = ("--set", "temperature=0", "--set", "max_tokens=8")


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_model(tmp_path / "tiny.gguf"))


def test_a_new_process_reads_nothing_again(causeway: CommandLine, model: str) -> None:
    first = causeway.json("chat", "-m", model, *GREEDY, "Remember the number 47.")
    second = causeway.json("chat", "-c", first["conversation_id"], "Which number?")
    turn = first["usage"]["prompt_tokens"] + first["usage"]["completion_tokens"]
    assert second["usage"]["cached_tokens"] >= turn - 1  # the last token was never evaluated
    states = causeway.json("states")
    assert states["kept"]
    assert 0 < states["bytes"] <= states["limit_bytes"]


def test_an_answer_from_a_kept_state_is_the_one_from_scratch(
    causeway: CommandLine, model: str
) -> None:
    def second_answer() -> tuple[str, int]:
        first = causeway.json("chat", "-m", model, *GREEDY, "Remember the number 47.")
        answer = causeway.json("chat", "-c", first["conversation_id"], "Which number?")
        return answer["text"], answer["usage"]["cached_tokens"]

    kept, cached = second_answer()
    assert cached > 0
    causeway.run("settings", "keep_states", "off")
    causeway.run("states", "clear")
    assert second_answer() == (kept, 0)


def test_what_is_kept_can_be_deleted_and_switched_off(causeway: CommandLine, model: str) -> None:
    first = causeway.json("chat", "-m", model, *GREEDY, "Hello")
    assert "freed" in causeway.run("states", "clear").stderr
    assert causeway.json("states")["bytes"] == 0
    causeway.run("settings", "keep_states", "off")
    causeway.json("chat", "-c", first["conversation_id"], "And now?")
    assert causeway.json("states") == {"kept": False, "bytes": 0, "limit_bytes": 0}
    assert "is off" in causeway.run("states").stdout
    assert "no such" not in causeway.run("states", "burn", code=2).stderr


def test_erasing_a_deleted_chat_takes_what_was_read_of_it(
    causeway: CommandLine, model: str
) -> None:
    from app.conversations.store import ConversationStore
    from app.paths import default_paths

    causeway.json("chat", "-m", model, *GREEDY, "A secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSEWAY_HOME", str(causeway.home))
        database = default_paths().database_file
    store = ConversationStore(database, clock=lambda: 0.0)
    (row,) = store.rows()
    store.delete(row.id)
    store.close()
    assert causeway.json("states")["bytes"] == 0
