"""A damaged database from the command line."""

from pathlib import Path

import pytest

from app.conversations.store import ConversationStore
from app.paths import paths_under
from tests.app.cli_process import CommandLine


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_what_can_be_read_is_saved_and_put_in_use(causeway: CommandLine) -> None:
    path = paths_under(causeway.home).database_file
    store = ConversationStore(path)
    for text in ("One", "Two"):
        conversation = store.create()
        store.add_message(conversation.id, parent_id=None, role="user", text=text)
    store.close()
    assert "not damaged" in causeway.error("conversations", "recover")
    damaged = b"\xff" * 4096 + path.read_bytes()[4096:]
    path.write_bytes(damaged)
    told = causeway.run("conversations", "list", code=1).stderr
    assert "conversations recover" in told
    done = causeway.run("conversations", "recover")
    assert done.stdout.splitlines() == ["Chats: 2", "Messages: 2"]
    assert "--use" in done.stderr
    assert path.read_bytes() == damaged
    done = causeway.run("conversations", "recover", "--use")
    assert "is kept" in done.stderr
    assert [each["title"] for each in causeway.json("conversations", "list")] == ["Two", "One"]
    (aside,) = causeway.home.glob("*set-aside*")
    assert aside.read_bytes() == damaged


def test_without_conversations_there_is_nothing_to_recover(causeway: CommandLine) -> None:
    assert "no conversations yet" in causeway.error("conversations", "recover")
