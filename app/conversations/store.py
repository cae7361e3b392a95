"""Every conversation, on disk: what the window and the command line read and change."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.conversations.conversation_table import (
    conversation_at,
    conversation_seq,
    leaf_of,
    list_conversations,
    name_after_question,
    rename,
    show_leaf,
    touch,
)
from app.conversations.database import Database
from app.conversations.erasing import erase_deleted, merge_index
from app.conversations.logprob_table import logprobs_of, save_logprobs
from app.conversations.message_table import (
    conversation_of,
    insert_message,
    json_text,
    message_at,
    message_seq,
    parent_of,
    save_finished,
    save_streaming,
    siblings_of,
    storable,
)
from app.conversations.records import (
    Conversation,
    ConversationRow,
    Message,
    Origin,
    Page,
    ReadingPlace,
    Role,
    Status,
)
from app.conversations.search import index_message
from app.conversations.tree import (
    leaf_without,
    mark_deleted,
    newest_leaf,
    steps_up,
    unmark_deleted,
    walk_up,
)
from app.conversations.writers import Writer, is_running, this_process
from app.errors import AppError
from app.options import Value
from backends.protocol import TokenLogprob

_ABOVE_PLACE = 20
"""Messages that are read above the place of the reader."""

_CUT_OFF = "Causeway ended while this answer was being written."
_UNSAVED = "The end of this answer could not be saved."


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

    def create(self, *, model_id: str = "", options: Mapping[str, Value] = {}) -> Conversation:
        """A conversation without messages. Its first question gives it a title."""
        now = self._clock()
        with self._database.write() as connection:
            row = connection.execute(
                "INSERT INTO conversations (id, created, updated, model_id, options)"
                " VALUES (?, ?, ?, ?, ?) RETURNING seq",
                (_new_id(), now, now, model_id, json_text(dict(options))),
            ).fetchone()
            return conversation_at(connection, row["seq"])

    def get(self, conversation_id: str) -> Conversation:
        with self._database.read() as connection:
            return conversation_at(connection, conversation_seq(connection, conversation_id))

    def rows(self, *, limit: int = 5000, search: str = "") -> tuple[ConversationRow, ...]:
        """The newest conversations; with `search`, those that have its words in title or messages.

        All words must be in one message, or in the title; each may be the beginning of a longer
        word, in any case and with or without accents.
        """
        with self._database.read() as connection:
            return list_conversations(connection, limit=limit, search=storable(search))

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give it a title by hand. An empty one names it after its first question again."""
        with self._database.write() as connection:
            seq = conversation_seq(connection, conversation_id)
            rename(connection, seq, title)
            return conversation_at(connection, seq)

    def set_options(self, conversation_id: str, options: Mapping[str, Value]) -> Conversation:
        return self._set(conversation_id, "options", json_text(dict(options)))

    def set_model(self, conversation_id: str, model_id: str) -> Conversation:
        return self._set(conversation_id, "model_id", model_id)

    def set_draft(self, conversation_id: str, draft: str) -> Conversation:
        return self._set(conversation_id, "draft", storable(draft))

    def set_place(self, conversation_id: str, place: ReadingPlace | None) -> None:
        """Keep where it is read; None is at its end."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET place_id = ?, place_part = ? WHERE seq = ?",
                (
                    place.message_id if place else "",
                    place.part if place else 0.0,
                    conversation_seq(connection, conversation_id),
                ),
            )

    def delete(self, conversation_id: str) -> None:
        """Hide it until `restore` brings it back or `purge` erases it."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET deleted_at = ? WHERE seq = ?",
                (self._clock(), conversation_seq(connection, conversation_id)),
            )

    def restore(self, conversation_id: str) -> Conversation:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET deleted_at = NULL WHERE id = ?", (conversation_id,)
            )
            return conversation_at(connection, conversation_seq(connection, conversation_id))

    def page(
        self,
        conversation_id: str,
        *,
        before: str | None = None,
        limit: int = 60,
        reaching: str = "",
    ) -> Page:
        """The end of the shown branch or, with `before`, the stretch that ends before that message.

        The end is longer than `limit` where it is to reach up to a message of the branch.
        """
        with self._database.read() as connection:
            if before is None:
                end = leaf_of(connection, conversation_seq(connection, conversation_id))
                if end is not None and reaching:
                    limit = max(limit, _steps_to(connection, end, reaching) + _ABOVE_PLACE)
            else:
                end = parent_of(connection, message_seq(connection, before))
            messages = [] if end is None else walk_up(connection, end, limit)
        has_earlier = bool(messages) and messages[0].parent_id is not None
        return Page(messages=tuple(messages), has_earlier=has_earlier)

    def branch(self, message_id: str) -> tuple[Message, ...]:
        """Everything from the first message to that one."""
        with self._database.read() as connection:
            return tuple(walk_up(connection, message_seq(connection, message_id)))

    def message(self, message_id: str) -> Message:
        with self._database.read() as connection:
            return message_at(connection, message_seq(connection, message_id))

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
        with self._database.write() as connection:
            return self._insert(
                connection,
                conversation_id,
                parent_id=parent_id,
                role=role,
                text=text,
                status=status,
                origin=origin,
            )

    def add_question(
        self, conversation_id: str, *, parent_id: str | None, text: str
    ) -> tuple[Message, Message]:
        """A question and its empty answer, which this process will write: both, or neither."""
        with self._database.write() as connection:
            question = self._insert(
                connection, conversation_id, parent_id=parent_id, role="user", text=text
            )
            answer = self._insert(
                connection,
                conversation_id,
                parent_id=question.id,
                role="assistant",
                text="",
                status="streaming",
            )
            return question, answer

    def stream_into(
        self, message_id: str, *, text: str, reasoning: str, reasoning_seconds: float
    ) -> None:
        """Save an answer as far as it has come. It counts as being written by this process."""
        with self._database.write() as connection:
            save_streaming(
                connection,
                message_id,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=reasoning_seconds,
                writer=self._writer,
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
        logprobs: Sequence[TokenLogprob] = (),
    ) -> Message:
        """Save an answer for good. Without `origin` or `logprobs`, those that are stored stay."""
        with self._database.write() as connection:
            seq = save_finished(
                connection,
                message_id,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=reasoning_seconds,
                status=status,
                problem=problem,
                notice=notice,
                origin=origin,
            )
            if logprobs:
                save_logprobs(connection, seq, logprobs)
            touch(connection, conversation_of(connection, seq), self._clock())
            return message_at(connection, seq)

    def logprobs(self, message_id: str) -> tuple[TokenLogprob, ...]:
        """How sure the model was of each token of an answer; empty where that was not kept."""
        with self._database.read() as connection:
            return logprobs_of(connection, message_seq(connection, message_id))

    def step_sibling(self, message_id: str, step: int) -> Conversation:
        """Show the version `step` further on of a message, and what was written last after it."""
        with self._database.write() as connection:
            seq = message_seq(connection, message_id)
            versions = siblings_of(connection, seq)
            target = min(max(versions.index(seq) + step, 0), len(versions) - 1)
            conversation = conversation_of(connection, seq)
            show_leaf(connection, conversation, newest_leaf(connection, versions[target]))
            return conversation_at(connection, conversation)

    def delete_message(self, message_id: str) -> Conversation:
        """Hide a message and all that follows it, until `restore_message` or `purge`.

        Where the shown branch ran through it, the neighbouring version is shown instead, or else
        the branch ends before it.
        """
        with self._database.write() as connection:
            seq = message_seq(connection, message_id)
            conversation = conversation_of(connection, seq)
            versions = siblings_of(connection, seq)
            mark_deleted(connection, seq, self._clock())
            leaf = leaf_of(connection, conversation)
            was_shown = newest_leaf(connection, leaf) is None
            connection.execute(
                "UPDATE messages SET leaf_before = ? WHERE seq = ?",
                (leaf if was_shown else None, seq),
            )
            if was_shown:
                show_leaf(connection, conversation, leaf_without(connection, seq, versions))
            return conversation_at(connection, conversation)

    def restore_message(self, message_id: str) -> Conversation:
        """Undo `delete_message`: what it took is there again, and shown if it was shown."""
        with self._database.write() as connection:
            seq = message_seq(connection, message_id, deleted_too=True)
            row = connection.execute(
                "SELECT conversation_seq, deleted_by, leaf_before FROM messages WHERE seq = ?",
                (seq,),
            ).fetchone()
            conversation = row["conversation_seq"]
            if row["deleted_by"] == seq:
                unmark_deleted(connection, seq)
                shown = row["leaf_before"], leaf_of(connection, conversation), seq
                leaves = (newest_leaf(connection, leaf) for leaf in shown)
                show_leaf(connection, conversation, next(filter(None, leaves), None))
            return conversation_at(connection, conversation)

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

    def end_unsaved(self, message_id: str) -> None:
        """Mark an answer of this process as interrupted whose end could not be saved."""
        with self._database.write() as connection:
            row = connection.execute(
                "UPDATE messages SET status = 'interrupted', problem = ?, writer_pid = NULL,"
                " writer_started = NULL WHERE id = ? AND status = 'streaming'"
                " AND writer_pid = ? AND writer_started = ? RETURNING seq, text",
                (_UNSAVED, message_id, self._writer.pid, self._writer.started),
            ).fetchone()
            if row is not None:
                index_message(connection, row["seq"], row["text"])

    def purge(self, *, older_than_seconds: float) -> bool:
        """Erase what was deleted longer ago than that: out of the file, not only out of sight.

        Says whether there was anything. On a large file this may take a second, in many short transactions.
        """
        with self._database.write() as connection:
            more = erased = erase_deleted(connection, self._clock() - older_than_seconds)
            if erased:
                merge_index(connection, begin=True)
        while more:
            with self._database.write() as connection:
                more = merge_index(connection, begin=False)
        if erased:
            self._database.empty_log()
        return erased

    def _insert(
        self,
        connection: sqlite3.Connection,
        conversation_id: str,
        *,
        parent_id: str | None,
        role: Role,
        text: str,
        status: Status = "complete",
        origin: Origin | None = None,
    ) -> Message:
        now = self._clock()
        conversation = conversation_seq(connection, conversation_id)
        seq = insert_message(
            connection,
            id=_new_id(),
            conversation_seq=conversation,
            parent_seq=None if parent_id is None else message_seq(connection, parent_id),
            role=role,
            text=text,
            status=status,
            origin=origin,
            created=now,
            writer=self._writer,
        )
        show_leaf(connection, conversation, seq)
        touch(connection, conversation, now)
        name_after_question(connection, conversation)
        return message_at(connection, seq)

    def _set(self, conversation_id: str, column: str, value: str) -> Conversation:
        with self._database.write() as connection:
            seq = conversation_seq(connection, conversation_id)
            connection.execute(f"UPDATE conversations SET {column} = ? WHERE seq = ?", (value, seq))
            return conversation_at(connection, seq)


def _steps_to(connection: sqlite3.Connection, leaf: int, message_id: str) -> int:
    try:
        return steps_up(connection, leaf, message_seq(connection, message_id))
    except AppError:  # it has been deleted
        return 0


def _new_id() -> str:
    return secrets.token_hex(8)
