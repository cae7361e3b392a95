"""The schema of the conversation database, as numbered steps.

Step n takes a database of version n − 1 to version n. A step that has been released never changes:
`tests/app/conversations/stored/` holds a database of every earlier version.

Rows refer to each other by `seq`, so that walking a branch compares integers; the world outside
knows a row by its random `id`. A message comes after its parent, which the CHECK makes certain:
no damaged row can close a circle that a walk would never leave.

Deleting marks a subtree and keeps it. `deleted_by` is the `seq` of the message that was deleted,
so that undo brings back what this deletion took and nothing else; `leaf_before` on that message is
the leaf to return to.
"""

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x43577931  # "CWy1", so that another program's database is told apart


def _create(connection: sqlite3.Connection) -> None:
    for statement in (
        """
        CREATE TABLE conversations (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            updated REAL NOT NULL,
            model_id TEXT NOT NULL DEFAULT '',
            options TEXT NOT NULL DEFAULT '{}',
            draft TEXT NOT NULL DEFAULT '',
            leaf_seq INTEGER REFERENCES messages (seq) DEFERRABLE INITIALLY DEFERRED,
            deleted_at REAL
        ) STRICT
        """,
        """
        CREATE TABLE messages (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            conversation_seq INTEGER NOT NULL
                REFERENCES conversations (seq) DEFERRABLE INITIALLY DEFERRED,
            parent_seq INTEGER
                REFERENCES messages (seq) DEFERRABLE INITIALLY DEFERRED
                CHECK (parent_seq < seq),
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            reasoning TEXT NOT NULL DEFAULT '',
            reasoning_seconds REAL NOT NULL DEFAULT 0,
            status TEXT NOT NULL,
            problem TEXT NOT NULL DEFAULT '',
            notice TEXT NOT NULL DEFAULT '',
            origin TEXT,
            created REAL NOT NULL,
            writer_pid INTEGER,
            writer_started REAL,
            deleted_at REAL,
            deleted_by INTEGER,
            leaf_before INTEGER,
            CHECK (
                status <> 'streaming'
                OR (writer_pid IS NOT NULL AND writer_started IS NOT NULL)
            )
        ) STRICT
        """,
        "CREATE INDEX conversations_by_update ON conversations (updated)",
        "CREATE INDEX conversations_by_leaf ON conversations (leaf_seq)",
        "CREATE INDEX messages_by_parent ON messages (parent_seq, conversation_seq, deleted_at)",
        "CREATE INDEX messages_by_conversation ON messages (conversation_seq)",
        "CREATE INDEX messages_in_writing ON messages (status) WHERE status = 'streaming'",
        "CREATE INDEX messages_deleted ON messages (deleted_by) WHERE deleted_by IS NOT NULL",
        "CREATE VIRTUAL TABLE message_search USING fts5 (text, tokenize = 'unicode61')",
        "CREATE VIRTUAL TABLE title_search USING fts5 (title, tokenize = 'unicode61')",
        f"PRAGMA application_id = {APPLICATION_ID}",
    ):
        connection.execute(statement)


def _keep_logprobs(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE token_logprobs (
            message_seq INTEGER PRIMARY KEY REFERENCES messages (seq),
            tokens BLOB NOT NULL
        ) STRICT
        """
    )


def _keep_places(connection: sqlite3.Connection) -> None:
    for column in ("place_id TEXT NOT NULL DEFAULT ''", "place_part REAL NOT NULL DEFAULT 0"):
        connection.execute(f"ALTER TABLE conversations ADD COLUMN {column}")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    _keep_logprobs,
    _keep_places,
)
VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open database; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Take the database to `VERSION`, inside the caller's transaction."""
    for number, step in enumerate(MIGRATIONS[version_of(connection) :], version_of(connection) + 1):
        step(connection)
        connection.execute(f"PRAGMA user_version = {number}")
