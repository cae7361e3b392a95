"""Every conversation, on disk: what the window and the command line read and change."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import msgspec

from app.conversations import tree
from app.conversations.database import Database
from app.conversations.erasing import erase_deleted
from app.conversations.records import (
    Conversation,
    ConversationRow,
    Message,
    Origin,
    Page,
    Role,
    Status,
)
from app.conversations.search import index_message, index_title, match_expression
from app.conversations.titles import first_line, title_from
from app.conversations.writers import Writer, is_running, this_process
from app.errors import AppError, StorageError
from app.options import Value

_CUT_OFF = "Causeway ended while this answer was being written."

# The newest answer of the shown branch is its leaf, or the message before it.
_ROWS = """
    SELECT c.id, c.title, c.updated, leaf.status, substr(
        CASE leaf.role WHEN 'assistant' THEN leaf.text ELSE before.text END, 1, 1000
    ) AS answer
    FROM conversations AS c
    LEFT JOIN messages AS leaf ON leaf.seq = c.leaf_seq
    LEFT JOIN messages AS before ON before.seq = leaf.parent_seq
    WHERE c.deleted_at IS NULL {condition}
    ORDER BY c.updated DESC, c.seq DESC
    LIMIT :limit
"""

_FOUND = """
    AND c.seq IN (
        SELECT m.conversation_seq
        FROM message_search JOIN messages AS m ON m.seq = message_search.rowid
        WHERE message_search MATCH :expression AND m.deleted_at IS NULL
        UNION
        SELECT rowid FROM title_search WHERE title_search MATCH :expression
    )
"""


class ConversationStore:
    """Conversations as trees of messages. Safe to call from any thread; every call is short.

    Raises `StorageError` where the disk fails, and then nothing of the call is stored; `AppError`
    where an id is unknown. `clock` gives Unix seconds.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path)
        self._clock = clock
        self._writer = this_process()

    def close(self) -> None:
        self._database.close()

    # Conversations

    def create(self, *, model_id: str = "", options: Mapping[str, Value] = {}) -> Conversation:
        """A conversation without messages. Its first question gives it a title."""
        now = self._clock()
        with self._database.write() as connection:
            row = connection.execute(
                "INSERT INTO conversations (id, created, updated, model_id, options)"
                " VALUES (?, ?, ?, ?, ?) RETURNING seq",
                (_new_id(), now, now, model_id, _options_json(options)),
            ).fetchone()
            return _conversation_at(connection, row["seq"])

    def get(self, conversation_id: str) -> Conversation:
        with self._database.read() as connection:
            return _conversation_at(connection, _conversation_seq(connection, conversation_id))

    def rows(self, *, limit: int = 200, search: str = "") -> tuple[ConversationRow, ...]:
        """The newest conversations; with `search`, those that have its words in title or messages.

        All words must be in one message, or in the title; each may be the beginning of a longer
        word, in any case and with or without accents.
        """
        expression = match_expression(search)
        if search.strip() and not expression:
            return ()
        query = _ROWS.format(condition=_FOUND if expression else "")
        with self._database.read() as connection:
            rows = connection.execute(query, {"limit": limit, "expression": expression}).fetchall()
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

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give it a title by hand, which its first question then leaves alone."""
        with self._database.write() as connection:
            seq = _conversation_seq(connection, conversation_id)
            connection.execute("UPDATE conversations SET renamed = 1 WHERE seq = ?", (seq,))
            _set_title(connection, seq, " ".join(_storable(title).split()))
            return _conversation_at(connection, seq)

    def set_options(self, conversation_id: str, options: Mapping[str, Value]) -> Conversation:
        return self._set(conversation_id, "options", _options_json(options))

    def set_model(self, conversation_id: str, model_id: str) -> Conversation:
        return self._set(conversation_id, "model_id", model_id)

    def set_draft(self, conversation_id: str, draft: str) -> Conversation:
        return self._set(conversation_id, "draft", _storable(draft))

    def delete(self, conversation_id: str) -> None:
        """Hide it until `restore` brings it back or `purge` erases it."""
        with self._database.write() as connection:
            seq = _conversation_seq(connection, conversation_id)
            connection.execute(
                "UPDATE conversations SET deleted_at = ? WHERE seq = ?", (self._clock(), seq)
            )

    def restore(self, conversation_id: str) -> Conversation:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET deleted_at = NULL WHERE id = ?", (conversation_id,)
            )
            return _conversation_at(connection, _conversation_seq(connection, conversation_id))

    # Messages

    def page(self, conversation_id: str, *, before: str | None = None, limit: int = 60) -> Page:
        """The end of the shown branch or, with `before`, the stretch that ends before that message."""
        with self._database.read() as connection:
            if before is None:
                end = _leaf_of(connection, _conversation_seq(connection, conversation_id))
            else:
                end = _parent_of(connection, _message_seq(connection, before))
            messages = tree.walk_up(connection, end, limit) if end is not None else []
        return Page(
            messages=tuple(messages),
            has_earlier=bool(messages) and messages[0].parent_id is not None,
        )

    def branch(self, message_id: str) -> tuple[Message, ...]:
        """Everything from the first message to that one."""
        with self._database.read() as connection:
            return tuple(tree.walk_up(connection, _message_seq(connection, message_id)))

    def message(self, message_id: str) -> Message:
        with self._database.read() as connection:
            return tree.message_at(connection, _message_seq(connection, message_id))

    def add_message(
        self,
        conversation_id: str,
        *,
        parent_id: str | None,
        role: Role,
        text: str,
        status: Status = "complete",
        origin: Origin | None = None,
    ) -> Message:
        """A message after `parent_id` (None: a first one), which becomes the end of the shown branch."""
        now = self._clock()
        text = _storable(text)
        writer = self._writer if status == "streaming" else None
        with self._database.write() as connection:
            conversation_seq = _conversation_seq(connection, conversation_id)
            parent_seq = None if parent_id is None else _message_seq(connection, parent_id)
            seq = connection.execute(
                "INSERT INTO messages (id, conversation_seq, parent_seq, role, text, status,"
                " origin, created, writer_pid, writer_started)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
                (
                    _new_id(),
                    conversation_seq,
                    parent_seq,
                    role,
                    text,
                    status,
                    _json(origin) if origin else None,
                    now,
                    *(writer or (None, None)),
                ),
            ).fetchone()["seq"]
            if status != "streaming":
                index_message(connection, seq, text)
            if role == "user":
                _name_after(connection, conversation_seq, text)
            _show(connection, conversation_seq, seq)
            connection.execute(
                "UPDATE conversations SET updated = ? WHERE seq = ?", (now, conversation_seq)
            )
            return tree.message_at(connection, seq)

    def stream_into(
        self, message_id: str, *, text: str, reasoning: str, reasoning_seconds: float
    ) -> None:
        """Save an answer as far as it has come. It counts as being written by this process."""
        with self._database.write() as connection:
            _save_answer(
                connection,
                message_id,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=reasoning_seconds,
                status="streaming",
                writer_pid=self._writer.pid,
                writer_started=self._writer.started,
            )

    def finish(
        self,
        message_id: str,
        *,
        text: str,
        reasoning: str,
        reasoning_seconds: float,
        status: Status,
        problem: str = "",
        notice: str = "",
        origin: Origin | None = None,
    ) -> Message:
        """Save an answer for good. Without `origin`, the one that is stored stays."""
        changes: dict[str, str] = {"origin": _json(origin)} if origin else {}
        with self._database.write() as connection:
            seq = _save_answer(
                connection,
                message_id,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=reasoning_seconds,
                status=status,
                problem=problem,
                notice=notice,
                writer_pid=None,
                writer_started=None,
                **changes,
            )
            answer = tree.message_at(connection, seq)
            index_message(connection, seq, answer.text)
            connection.execute(
                "UPDATE conversations SET updated = ? WHERE id = ?",
                (self._clock(), answer.conversation_id),
            )
            return answer

    def step_sibling(self, message_id: str, step: int) -> Conversation:
        """Show the version of a message that is `step` further on, where the person last was in it."""
        with self._database.write() as connection:
            seq = _message_seq(connection, message_id)
            siblings = tree.siblings(connection, seq)
            target = min(max(siblings.index(seq) + step, 0), len(siblings) - 1)
            conversation_seq = _conversation_of(connection, seq)
            _show(connection, conversation_seq, tree.newest_leaf(connection, siblings[target]))
            return _conversation_at(connection, conversation_seq)

    def delete_message(self, message_id: str) -> Conversation:
        """Hide a message and all that follows it, until `restore_message` or `purge`.

        Where the shown branch ran through it, the neighbouring version is shown instead, or else
        the branch ends before it.
        """
        with self._database.write() as connection:
            seq = _message_seq(connection, message_id)
            conversation_seq = _conversation_of(connection, seq)
            siblings = tree.siblings(connection, seq)
            tree.mark_deleted(connection, seq, self._clock())
            leaf_seq = _leaf_of(connection, conversation_seq)
            if tree.newest_leaf(connection, leaf_seq) is None:
                connection.execute(
                    "UPDATE messages SET leaf_before = ? WHERE seq = ?", (leaf_seq, seq)
                )
                _show(connection, conversation_seq, _leaf_without(connection, seq, siblings))
            return _conversation_at(connection, conversation_seq)

    def restore_message(self, message_id: str) -> Conversation:
        """Undo `delete_message`: what it took is there again, and shown if it was shown."""
        with self._database.write() as connection:
            seq = _message_seq(connection, message_id, deleted_too=True)
            row = connection.execute(
                "SELECT conversation_seq, deleted_by, leaf_before FROM messages WHERE seq = ?",
                (seq,),
            ).fetchone()
            if row["deleted_by"] == seq:
                tree.unmark_deleted(connection, seq)
                leaf_seq = row["leaf_before"]
                if tree.newest_leaf(connection, leaf_seq) is None:
                    leaf_seq = _end_of_branch(connection, row["conversation_seq"], seq)
                _show(connection, row["conversation_seq"], leaf_seq)
            return _conversation_at(connection, row["conversation_seq"])

    # Housekeeping

    def recover(self) -> int:
        """Mark answers whose writing process is gone as interrupted; says how many there were."""
        with self._database.write() as connection:
            cut_off = [
                row
                for row in connection.execute(
                    "SELECT seq, text, writer_pid, writer_started FROM messages"
                    " WHERE status = 'streaming'"
                ).fetchall()
                if not is_running(Writer(row["writer_pid"], row["writer_started"]))
            ]
            for row in cut_off:
                connection.execute(
                    "UPDATE messages SET status = 'interrupted', problem = ?, writer_pid = NULL,"
                    " writer_started = NULL WHERE seq = ?",
                    (_CUT_OFF, row["seq"]),
                )
                index_message(connection, row["seq"], row["text"])
        return len(cut_off)

    def purge(self, *, older_than_seconds: float) -> None:
        """Erase what was deleted longer ago than that: out of the file, not only out of sight."""
        with self._database.write() as connection:
            erased = erase_deleted(connection, self._clock() - older_than_seconds)
        if erased:
            self._database.empty_log()

    def _set(self, conversation_id: str, column: str, value: str) -> Conversation:
        with self._database.write() as connection:
            seq = _conversation_seq(connection, conversation_id)
            connection.execute(f"UPDATE conversations SET {column} = ? WHERE seq = ?", (value, seq))
            return _conversation_at(connection, seq)


def _new_id() -> str:
    return secrets.token_hex(8)


def _storable(text: str) -> str:
    """Without what UTF-8 or SQLite's text functions can't hold: lone surrogates, NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _options_json(options: Mapping[str, Value]) -> str:
    return _json({k: _storable(v) if isinstance(v, str) else v for k, v in options.items()})


def _conversation_seq(connection: sqlite3.Connection, conversation_id: str) -> int:
    row = connection.execute(
        "SELECT seq FROM conversations WHERE id = ? AND deleted_at IS NULL", (conversation_id,)
    ).fetchone()
    if row is None:
        raise AppError(
            f"There is no conversation “{conversation_id}”.",
            "It may have been deleted.",
            "Choose one from the list of conversations.",
        )
    return cast(int, row["seq"])


def _message_seq(
    connection: sqlite3.Connection, message_id: str, *, deleted_too: bool = False
) -> int:
    row = connection.execute(
        "SELECT seq, deleted_at FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    if row is None or (row["deleted_at"] is not None and not deleted_too):
        raise AppError(f"There is no message “{message_id}”.", "It may have been deleted.")
    return cast(int, row["seq"])


def _conversation_at(connection: sqlite3.Connection, seq: int) -> Conversation:
    row = connection.execute(
        "SELECT c.*, leaf.id AS leaf_id FROM conversations AS c"
        " LEFT JOIN messages AS leaf ON leaf.seq = c.leaf_seq WHERE c.seq = ?",
        (seq,),
    ).fetchone()
    try:
        options = msgspec.json.decode(row["options"], type=dict[str, Value])
    except msgspec.DecodeError:
        options = {}
    return Conversation(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        model_id=row["model_id"],
        options=options,
        leaf_id=row["leaf_id"],
        draft=row["draft"],
    )


def _leaf_of(connection: sqlite3.Connection, conversation_seq: int) -> int | None:
    row = connection.execute(
        "SELECT leaf_seq FROM conversations WHERE seq = ?", (conversation_seq,)
    ).fetchone()
    return cast("int | None", row["leaf_seq"])


def _parent_of(connection: sqlite3.Connection, seq: int) -> int | None:
    row = connection.execute("SELECT parent_seq FROM messages WHERE seq = ?", (seq,)).fetchone()
    return cast("int | None", row["parent_seq"])


def _conversation_of(connection: sqlite3.Connection, seq: int) -> int:
    row = connection.execute(
        "SELECT conversation_seq FROM messages WHERE seq = ?", (seq,)
    ).fetchone()
    return cast(int, row["conversation_seq"])


def _show(connection: sqlite3.Connection, conversation_seq: int, leaf_seq: int | None) -> None:
    """Let the shown branch end at that message."""
    connection.execute(
        "UPDATE conversations SET leaf_seq = ? WHERE seq = ?", (leaf_seq, conversation_seq)
    )


def _leaf_without(connection: sqlite3.Connection, deleted: int, versions: list[int]) -> int | None:
    """Where the shown branch ends now that one of these versions of a message is deleted."""
    index = versions.index(deleted)
    neighbours = versions[index - 1 : index] or versions[index + 1 : index + 2]
    if neighbours:
        return tree.newest_leaf(connection, neighbours[0])
    return _parent_of(connection, deleted)


def _end_of_branch(
    connection: sqlite3.Connection, conversation_seq: int, restored: int
) -> int | None:
    """Where the shown branch ends now that this message, which wasn't on it, is there again."""
    leaf_seq = _leaf_of(connection, conversation_seq)
    return tree.newest_leaf(connection, restored if leaf_seq is None else leaf_seq)


def _set_title(connection: sqlite3.Connection, conversation_seq: int, title: str) -> None:
    connection.execute(
        "UPDATE conversations SET title = ? WHERE seq = ?", (title, conversation_seq)
    )
    index_title(connection, conversation_seq, title)


def _name_after(connection: sqlite3.Connection, conversation_seq: int, question: str) -> None:
    unnamed = connection.execute(
        "SELECT 1 FROM conversations WHERE seq = ? AND title = '' AND NOT renamed",
        (conversation_seq,),
    ).fetchone()
    if unnamed:
        _set_title(connection, conversation_seq, title_from(question))


def _save_answer(
    connection: sqlite3.Connection, message_id: str, **columns: str | float | None
) -> int:
    values = {k: _storable(v) if isinstance(v, str) else v for k, v in columns.items()}
    assignments = ", ".join(f"{column} = :{column}" for column in columns)
    row = connection.execute(
        f"UPDATE messages SET {assignments} WHERE id = :id RETURNING seq",
        {**values, "id": message_id},
    ).fetchone()
    if row is None:
        raise StorageError(
            "The answer can't be saved.", "Its conversation was erased while it was being written."
        )
    return cast(int, row["seq"])
