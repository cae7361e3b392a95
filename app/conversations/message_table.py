"""The rows of messages: found by id, read as records, written.

Functions on an open transaction. Inside it a message goes by `seq`, the world outside knows its `id`.
"""

import json
import sqlite3
from typing import cast

import msgspec

from app.conversations.records import Message, Origin, Role, Status
from app.conversations.search import index_message
from app.conversations.writers import Writer
from app.errors import AppError, StorageError

_IS_SIBLING = """
    sibling.parent_seq IS m.parent_seq
    AND sibling.conversation_seq = m.conversation_seq
    AND sibling.deleted_at IS NULL
"""

SELECT_MESSAGES = f"""
    SELECT m.*, c.id AS conversation_id, parent.id AS parent_id,
        (SELECT count(*) FROM messages AS sibling WHERE {_IS_SIBLING} AND sibling.seq < m.seq)
            AS sibling_index,
        (SELECT count(*) FROM messages AS sibling WHERE {_IS_SIBLING}) AS sibling_count
    FROM messages AS m
    JOIN conversations AS c ON c.seq = m.conversation_seq
    LEFT JOIN messages AS parent ON parent.seq = m.parent_seq
"""


def message_seq(
    connection: sqlite3.Connection, message_id: str, *, deleted_too: bool = False
) -> int:
    """The row of that id; an `AppError` where there is none, or it is deleted."""
    row = connection.execute(
        "SELECT seq, deleted_at FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    if row is None or (row["deleted_at"] is not None and not deleted_too):
        raise AppError(f"There is no message “{message_id}”.", "It may have been deleted.")
    return cast(int, row["seq"])


def message_at(connection: sqlite3.Connection, seq: int) -> Message:
    rows = connection.execute(f"{SELECT_MESSAGES} WHERE m.seq = ?", (seq,))
    return message_from(rows.fetchone())


def message_from(row: sqlite3.Row) -> Message:
    """The record in a row of `SELECT_MESSAGES`."""
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=cast(Role, row["role"]),
        text=row["text"],
        created=row["created"],
        status=cast(Status, row["status"]),
        reasoning=row["reasoning"],
        reasoning_seconds=row["reasoning_seconds"],
        problem=row["problem"],
        notice=row["notice"],
        origin=_origin(row["origin"]),
        sibling_index=row["sibling_index"],
        sibling_count=row["sibling_count"],
    )


def parent_of(connection: sqlite3.Connection, seq: int) -> int | None:
    row = connection.execute("SELECT parent_seq FROM messages WHERE seq = ?", (seq,)).fetchone()
    return cast("int | None", row["parent_seq"])


def conversation_of(connection: sqlite3.Connection, seq: int) -> int:
    row = connection.execute(
        "SELECT conversation_seq FROM messages WHERE seq = ?", (seq,)
    ).fetchone()
    return cast(int, row["conversation_seq"])


def siblings_of(connection: sqlite3.Connection, seq: int) -> list[int]:
    """The versions of a message that are not deleted, itself among them, oldest first."""
    rows = connection.execute(
        f"SELECT sibling.seq FROM messages AS m JOIN messages AS sibling ON {_IS_SIBLING}"
        " WHERE m.seq = ? ORDER BY sibling.seq",
        (seq,),
    )
    return [row["seq"] for row in rows]


def insert_message(
    connection: sqlite3.Connection,
    *,
    id: str,
    conversation_seq: int,
    parent_seq: int | None,
    role: Role,
    text: str,
    status: Status,
    origin: Origin | None,
    created: float,
    writer: Writer,
) -> int:
    """Add a message; `writer` is noted while it is streaming. Gives its `seq`."""
    text = storable(text)
    streaming = status == "streaming"
    row = connection.execute(
        "INSERT INTO messages (id, conversation_seq, parent_seq, role, text, status, origin,"
        " created, writer_pid, writer_started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        (
            id,
            conversation_seq,
            parent_seq,
            role,
            text,
            status,
            json_text(origin) if origin else None,
            created,
            *(writer if streaming else (None, None)),
        ),
    ).fetchone()
    seq = cast(int, row["seq"])
    if not streaming:
        index_message(connection, seq, text)
    return seq


def save_streaming(
    connection: sqlite3.Connection,
    message_id: str,
    *,
    text: str,
    reasoning: str,
    reasoning_seconds: float,
    writer: Writer,
) -> None:
    """Save an answer that is still being written; search finds it when it is finished."""
    row = connection.execute(
        "UPDATE messages SET text = ?, reasoning = ?, reasoning_seconds = ?, status = 'streaming',"
        " writer_pid = ?, writer_started = ? WHERE id = ? RETURNING seq",
        (storable(text), storable(reasoning), reasoning_seconds, *writer, message_id),
    ).fetchone()
    _refuse_erased(row)


def save_finished(
    connection: sqlite3.Connection,
    message_id: str,
    *,
    text: str,
    reasoning: str,
    reasoning_seconds: float,
    status: Status,
    problem: str,
    notice: str,
    origin: Origin | None,
) -> int:
    """Save an answer for good, deleted or not. Without `origin`, the stored one stays."""
    text = storable(text)
    row = connection.execute(
        "UPDATE messages SET text = ?, reasoning = ?, reasoning_seconds = ?, status = ?,"
        " problem = ?, notice = ?, origin = coalesce(?, origin), writer_pid = NULL,"
        " writer_started = NULL WHERE id = ? RETURNING seq",
        (
            text,
            storable(reasoning),
            reasoning_seconds,
            status,
            storable(problem),
            storable(notice),
            json_text(origin) if origin else None,
            message_id,
        ),
    ).fetchone()
    seq = _refuse_erased(row)
    index_message(connection, seq, text)
    return seq


def storable(text: str) -> str:
    """Without what UTF-8 or SQLite's text functions can't hold: lone surrogates, NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def json_text(value: object) -> str:
    """A record or a dictionary as JSON that can be stored, whatever its texts hold."""
    return storable(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def _refuse_erased(row: sqlite3.Row | None) -> int:
    if row is None:
        raise StorageError(
            "The answer can't be saved.", "Its conversation was erased while it was being written."
        )
    return cast(int, row["seq"])


def _origin(stored: str | None) -> Origin | None:
    """None too where it can't be read: an answer is worth showing without its history."""
    try:
        return msgspec.json.decode(stored, type=Origin) if stored else None
    except (ValueError, RecursionError):
        return None
