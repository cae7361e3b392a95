"""The tree of messages: up to the first question, down to the newest leaf, cutting and mending.

Functions on an open transaction, for messages by `seq`. What is deleted is not there.
"""

import sqlite3
from typing import cast

from app.conversations.message_table import SELECT_MESSAGES, message_from, parent_of
from app.conversations.records import Message

_WALK_UP = f"""
    WITH RECURSIVE walk (seq, parent_seq, steps) AS (
        SELECT seq, parent_seq, 1 FROM messages WHERE seq = :start
        UNION ALL
        SELECT before.seq, before.parent_seq, walk.steps + 1
        FROM walk JOIN messages AS before ON before.seq = walk.parent_seq
        WHERE walk.steps < :limit
    )
    {SELECT_MESSAGES}
    WHERE m.seq IN (SELECT seq FROM walk)
    ORDER BY m.seq
"""

_STEPS_UP = """
    WITH RECURSIVE walk (seq, parent_seq, steps) AS (
        SELECT seq, parent_seq, 1 FROM messages WHERE seq = :leaf
        UNION ALL
        SELECT before.seq, before.parent_seq, walk.steps + 1
        FROM walk JOIN messages AS before ON before.seq = walk.parent_seq
        WHERE before.seq >= :seq
    )
    SELECT steps FROM walk WHERE seq = :seq
"""

_SUBTREE = """
    WITH RECURSIVE subtree (seq) AS (
        SELECT seq FROM messages WHERE seq = :top AND deleted_at IS NULL
        UNION ALL
        SELECT after.seq
        FROM subtree JOIN messages AS after ON after.parent_seq = subtree.seq
        WHERE after.deleted_at IS NULL
    )
"""

_NO_LIMIT = 2**62


def walk_up(connection: sqlite3.Connection, seq: int, limit: int = _NO_LIMIT) -> list[Message]:
    """That message and up to `limit` − 1 before it, oldest first."""
    rows = connection.execute(_WALK_UP, {"start": seq, "limit": limit})
    return [message_from(row) for row in rows]


def steps_up(connection: sqlite3.Connection, leaf: int, seq: int) -> int:
    """How many messages lie from a leaf up to that one, both included; 0 where it isn't above it."""
    row = connection.execute(_STEPS_UP, {"leaf": leaf, "seq": seq}).fetchone()
    return cast(int, row["steps"]) if row is not None else 0


def newest_leaf(connection: sqlite3.Connection, seq: int | None) -> int | None:
    """The leaf below a message (or itself) that was written last; None where it is deleted.

    It is the newest of the whole subtree: a child is always newer than its parent.
    """
    rows = connection.execute(f"{_SUBTREE} SELECT max(seq) AS leaf FROM subtree", {"top": seq})
    return cast("int | None", rows.fetchone()["leaf"])


def leaf_without(connection: sqlite3.Connection, deleted: int, versions: list[int]) -> int | None:
    """Where a branch ends that ran through `deleted`, one of these versions of a message.

    In the version before it, else in the one after it, else at the message they all follow.
    """
    index = versions.index(deleted)
    neighbours = versions[index - 1 : index] or versions[index + 1 : index + 2]
    if neighbours:
        return newest_leaf(connection, neighbours[0])
    return parent_of(connection, deleted)


def mark_deleted(connection: sqlite3.Connection, seq: int, now: float) -> None:
    """Delete a message and all that follows it, whichever way the conversation went on."""
    connection.execute(
        f"{_SUBTREE} UPDATE messages SET deleted_at = :now, deleted_by = :top"
        " WHERE seq IN (SELECT seq FROM subtree)",
        {"top": seq, "now": now},
    )


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
