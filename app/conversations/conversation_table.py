"""The rows of conversations: found by id, listed, named.

Functions on an open transaction. Inside it a conversation goes by `seq`, the world outside knows its
`id`.
"""

import sqlite3
from typing import cast

import msgspec

from app.conversations.message_table import storable
from app.conversations.records import Conversation, ConversationRow, ReadingPlace, Status
from app.conversations.search import index_title, match_expression
from app.conversations.titles import first_line, title_from
from app.errors import AppError
from app.options import Value

# The newest answer of the shown branch is its leaf, or the message before it.
_LIST = """
    SELECT c.id, c.title, c.updated, leaf.status, substr(
        CASE leaf.role WHEN 'assistant' THEN leaf.text ELSE before.text END, 1, 400
    ) AS answer
    FROM conversations AS c
    LEFT JOIN messages AS leaf ON leaf.seq = c.leaf_seq
    LEFT JOIN messages AS before ON before.seq = leaf.parent_seq
    WHERE c.deleted_at IS NULL {condition}
    ORDER BY c.updated DESC, c.seq DESC
    LIMIT :limit
"""

_IS_FOUND = """
    AND c.seq IN (
        SELECT m.conversation_seq
        FROM message_search JOIN messages AS m ON m.seq = message_search.rowid
        WHERE message_search MATCH :expression AND m.deleted_at IS NULL
        UNION
        SELECT rowid FROM title_search WHERE title_search MATCH :expression
    )
"""


def conversation_seq(connection: sqlite3.Connection, conversation_id: str) -> int:
    """The row of that id; an `AppError` where there is none, or it is deleted."""
    row = connection.execute(
        "SELECT seq FROM conversations WHERE id = ? AND deleted_at IS NULL",
        (storable(conversation_id),),
    ).fetchone()
    if row is None:
        raise AppError(
            f"There is no conversation “{conversation_id}”.",
            "It may have been deleted.",
            "Choose one from the list of conversations.",
        )
    return cast(int, row["seq"])


def conversation_at(connection: sqlite3.Connection, seq: int) -> Conversation:
    row = connection.execute(
        "SELECT c.*, leaf.id AS leaf_id FROM conversations AS c"
        " LEFT JOIN messages AS leaf ON leaf.seq = c.leaf_seq WHERE c.seq = ?",
        (seq,),
    ).fetchone()
    return Conversation(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        model_id=row["model_id"],
        options=_options(row["options"]),
        leaf_id=row["leaf_id"],
        draft=row["draft"],
        place=ReadingPlace(row["place_id"], row["place_part"]) if row["place_id"] else None,
    )


def list_conversations(
    connection: sqlite3.Connection, *, limit: int, search: str
) -> tuple[ConversationRow, ...]:
    expression = match_expression(search)
    if search.strip() and not expression:
        return ()
    rows = connection.execute(
        _LIST.format(condition=_IS_FOUND if expression else ""),
        {"limit": limit, "expression": expression},
    )
    return tuple(
        ConversationRow(
            id=row["id"],
            title=row["title"],
            updated=row["updated"],
            snippet=first_line(row["answer"] or ""),
            status=cast(Status, row["status"] or "complete"),
        )
        for row in rows
    )


def leaf_of(connection: sqlite3.Connection, seq: int) -> int | None:
    """The message at which the shown branch ends."""
    row = connection.execute("SELECT leaf_seq FROM conversations WHERE seq = ?", (seq,)).fetchone()
    return cast("int | None", row["leaf_seq"])


def show_leaf(connection: sqlite3.Connection, seq: int, leaf_seq: int | None) -> None:
    """Let the shown branch end at that message."""
    connection.execute("UPDATE conversations SET leaf_seq = ? WHERE seq = ?", (leaf_seq, seq))


def touch(connection: sqlite3.Connection, seq: int, now: float) -> None:
    """Move it to the top of the list."""
    connection.execute("UPDATE conversations SET updated = ? WHERE seq = ?", (now, seq))


def rename(connection: sqlite3.Connection, seq: int, title: str) -> None:
    """Give it a title that its questions leave alone; an empty one names it after the first again."""
    _set_title(connection, seq, " ".join(storable(title).split()))
    name_after_question(connection, seq)


def name_after_question(connection: sqlite3.Connection, seq: int) -> None:
    """Name it after its first question, unless it has a title."""
    question = connection.execute(
        "SELECT m.text FROM conversations AS c JOIN messages AS m ON m.conversation_seq = c.seq"
        " WHERE c.seq = ? AND c.title = '' AND m.role = 'user' AND m.deleted_at IS NULL"
        " ORDER BY m.seq LIMIT 1",
        (seq,),
    ).fetchone()
    if question is not None:
        _set_title(connection, seq, title_from(question["text"]))


def _set_title(connection: sqlite3.Connection, seq: int, title: str) -> None:
    connection.execute("UPDATE conversations SET title = ? WHERE seq = ?", (title, seq))
    index_title(connection, seq, title)


def _options(stored: str) -> dict[str, Value]:
    """None of them where they can't be read: the defaults serve."""
    try:
        return msgspec.json.decode(stored, type=dict[str, Value])
    except (ValueError, RecursionError):
        return {}
