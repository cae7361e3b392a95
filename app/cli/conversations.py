"""`causeway conversations`: what was said."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import msgspec
import typer

from app.cli.output import StatusLine, print_json, print_table, say, terminal_safe
from app.conversations.records import Conversation, ConversationRow, Message
from app.conversations.recovery import is_whole, use_recovered
from app.conversations.recovery import recover as rescue
from app.conversations.store import ConversationStore
from app.errors import AppError, StorageError
from app.formatting import list_date
from app.paths import default_paths

commands = typer.Typer(help="List, show and search conversations.", no_args_is_help=True)

_ALL = 1_000_000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class ShownConversation(msgspec.Struct, frozen=True):
    """What `show --json` prints: the shown branch, oldest message first."""

    conversation: Conversation
    messages: tuple[Message, ...]


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all conversations, newest first."""
    _print_rows(_rows(""), as_json, "There are no conversations yet.")


@commands.command()
def search(
    text: Annotated[str, typer.Argument(help="Words to look for.")], as_json: AsJson = False
) -> None:
    """List the conversations in which the words appear."""
    _print_rows(_rows(text), as_json, "No conversation has these words.")


@commands.command()
def show(
    conversation_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Print a conversation."""
    with _open_store() as store:
        conversation = store.get(conversation_id)
        messages = store.branch(conversation.leaf_id) if conversation.leaf_id else ()
    if as_json:
        print_json(ShownConversation(conversation, messages))
        return
    for message in messages:
        name = message.origin.model_name if message.origin else "Answer"
        print(f"## {'You' if message.role == 'user' else name}\n")
        print(terminal_safe(message.text).rstrip() + "\n")
        for remark in filter(None, (message.notice, message.problem)):
            print(f"({terminal_safe(remark)})\n")


@commands.command()
def recover(
    use: Annotated[
        bool, typer.Option("--use", help="Go on with what was saved. The damaged file is kept.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save what can be read of a damaged database into a new one beside it."""
    path = default_paths().database_file
    if not path.exists():
        raise AppError("There are no conversations yet.")
    if is_whole(path):
        raise AppError("The conversations are not damaged.", "Every page of the database was read.")
    status = StatusLine()
    try:
        saved = rescue(path, lambda done, of: status.show(f"Reading: {100 * done // of} %"))
    finally:
        status.clear()
    aside = use_recovered(path) if use else None
    if as_json:
        print_json(saved if aside is None else msgspec.structs.replace(saved, path=path))
        return
    print(f"Chats: {_of(saved.chats, saved.of_chats)}")
    print(f"Messages: {_of(saved.messages, saved.of_messages)}")
    if saved.cut:
        print(f"Messages that lost their end: {saved.cut}")
    if saved.moved:
        print(f"Messages that lost what came before them: {saved.moved}")
    if aside is not None:
        say(f"They are in use now. The damaged database is kept: {aside}")
    else:
        say(f"Saved as {saved.path}. “causeway conversations recover --use” puts it in use.")


def _of(count: int, of: int | None) -> str:
    return f"{count} of {of}" if of is not None and of >= count else str(count)


@contextmanager
def _open_store() -> Iterator[ConversationStore]:
    store = ConversationStore(default_paths().database_file)
    try:
        with suppress(StorageError):  # on a full disk, chats can still be read
            store.recover()
        yield store
    finally:
        store.close()


def _rows(words: str) -> tuple[ConversationRow, ...]:
    with _open_store() as store:
        return store.rows(limit=_ALL, search=words)


def _print_rows(rows: tuple[ConversationRow, ...], as_json: bool, none: str) -> None:
    if as_json:
        print_json(rows)
        return
    now = time.time()
    print_table(
        ("ID", "When", "Title"),
        [(row.id, list_date(row.updated, now), row.title) for row in rows],
    )
    if not rows:
        say(none)
