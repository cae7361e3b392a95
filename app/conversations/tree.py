"""Walking the tree of messages: up to the first question, down to the newest leaf, across siblings.

Functions on an open transaction. Messages go by `seq`; those that are deleted are not there.
"""

import sqlite3
from typing import cast

import msgspec

from app.conversations.records import Message, Origin, Role, Status

_IS_SIBLING = """
    sibling.parent_seq IS m.parent_seq
    AND sibling.conversation_seq = m.conversation_seq
    AND sibling.deleted_at IS NULL
"""

_SELECT = f"""
    SELECT m.*, c.id AS conversation_id, parent.id AS parent_id,
        (SELECT count(*) FROM messages AS sibling WHERE {_IS_SIBLING} AND sibling.seq < m.seq)
            AS sibling_index,
        (SELECT count(*) FROM messages AS sibling WHERE {_IS_SIBLING}) AS sibling_count
    FROM {{source}}
    JOIN conversations AS c ON c.seq = m.conversation_seq
    LEFT JOIN messages AS parent ON parent.seq = m.parent_seq
"""

_WALK_UP = f"""
    WITH RECURSIVE walk (seq, parent_seq, steps) AS (
        SELECT seq, parent_seq, 1 FROM messages WHERE seq = :start
        UNION ALL
        SELECT m.seq, m.parent_seq, walk.steps + 1
        FROM walk JOIN messages AS m ON m.seq = walk.parent_seq
        WHERE walk.steps < :limit
    )
    {_SELECT.format(source="walk JOIN messages AS m ON m.seq = walk.seq")}
    ORDER BY m.seq
"""

_NEWEST_UNDER = """
    WITH RECURSIVE subtree (seq) AS (
        SELECT seq FROM messages WHERE seq = :top AND deleted_at IS NULL
        UNION ALL
        SELECT m.seq
        FROM subtree JOIN messages AS m ON m.parent_seq = subtree.seq
        WHERE m.deleted_at IS NULL
    )
    SELECT max(seq) FROM subtree
"""

_MARK_SUBTREE = """
    WITH RECURSIVE subtree (seq) AS (
        SELECT :top
        UNION ALL
        SELECT m.seq
        FROM subtree JOIN messages AS m ON m.parent_seq = subtree.seq
        WHERE m.deleted_at IS NULL
    )
    UPDATE messages SET deleted_at = :now, deleted_by = :top WHERE seq IN (SELECT seq FROM subtree)
"""


def message_at(connection: sqlite3.Connection, seq: int) -> Message:
    select = _SELECT.format(source="messages AS m")
    return _message(connection.execute(f"{select} WHERE m.seq = ?", (seq,)).fetchone())


def walk_up(connection: sqlite3.Connection, seq: int, limit: int = -1) -> list[Message]:
    """That message and up to `limit` − 1 before it (−1: all of them), oldest first."""
    rows = connection.execute(_WALK_UP, {"start": seq, "limit": limit if limit >= 0 else 2**62})
    return [_message(row) for row in rows]


def newest_leaf(connection: sqlite3.Connection, seq: int | None) -> int | None:
    """The leaf below a message (or itself) that was written last; None where it is deleted.

    It is the newest of the whole subtree: a child is always newer than its parent.
    """
    (leaf,) = connection.execute(_NEWEST_UNDER, {"top": seq}).fetchone()
    return cast("int | None", leaf)


def siblings(connection: sqlite3.Connection, seq: int) -> list[int]:
    """The versions of a message that are not deleted, oldest first."""
    rows = connection.execute(
        f"SELECT sibling.seq FROM messages AS m JOIN messages AS sibling ON {_IS_SIBLING}"
        " WHERE m.seq = ? ORDER BY sibling.seq",
        (seq,),
    )
    return [row["seq"] for row in rows]


def mark_deleted(connection: sqlite3.Connection, seq: int, now: float) -> None:
    """Delete a message and all that follows it, whichever way the conversation went on."""
    connection.execute(_MARK_SUBTREE, {"top": seq, "now": now})


def unmark_deleted(connection: sqlite3.Connection, seq: int) -> None:
    """Undo that deletion. What it took becomes what the parent is: there, or deleted with it."""
    connection.execute(
        """
        UPDATE messages SET (deleted_at, deleted_by) = (
            SELECT parent.deleted_at, parent.deleted_by
            FROM messages AS top JOIN messages AS parent ON parent.seq = top.parent_seq
            WHERE top.seq = :top
        )
        WHERE deleted_by = :top
        """,
        {"top": seq},
    )


def _message(row: sqlite3.Row) -> Message:
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


def _origin(stored: str | None) -> Origin | None:
    """None too where it cannot be read: an answer is worth showing without its history."""
    try:
        return msgspec.json.decode(stored, type=Origin) if stored else None
    except msgspec.DecodeError:
        return None
