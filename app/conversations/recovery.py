"""Saving what can be read of a damaged conversation database, into a new one that is whole.

The rows are read from the file's pages (`raw_pages`), told apart by their columns, and put together as
the tree that they were. What lost its place is kept: a message whose parent is gone follows the one
before it, and messages whose conversation is gone get one of their own.
"""

import math
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, get_args

import msgspec

from app.conversations.conversation_table import name_after_question
from app.conversations.database import DamagedDatabase, Database, back_up_and_start_fresh
from app.conversations.logprob_table import TOKENS
from app.conversations.migrations import migrate
from app.conversations.raw_pages import RawRow, rows_of
from app.conversations.records import Role, Status
from app.conversations.search import index_message, index_title
from app.errors import AppError, StorageError
from catalog.whole_file import replace

_COMPANIONS = ("-wal", "-shm")
_CUT_OFF = "The end of this message was lost when the database was damaged."
_BEFORE_LOST = "What came before this message was lost when the database was damaged."
_LOST_TITLE = "Recovered chat"
_ROLES, _STATUSES = get_args(Role), get_args(Status)

Row = dict[str, Any]
OnProgress = Callable[[int, int], None]


class Cancelled(AppError):
    """The person did not want to wait."""


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was saved, into `path`. `of_chats` and `of_messages` is how many there were, None where nobody
    knows. `cut` messages lost their end, `moved` ones their place.
    """

    path: Path
    chats: int
    messages: int
    of_chats: int | None = None
    of_messages: int | None = None
    cut: int = 0
    moved: int = 0


def recovered_path(path: Path) -> Path:
    """Where the saved copy of the database at `path` lies."""
    return path.with_name(f"{path.stem}.recovered{path.suffix}")


def is_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the database. Reads all of it."""
    try:
        with closing(Database(path)) as database, database.read() as connection:
            return [row[0] for row in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
    except DamagedDatabase:
        return False


def recover(
    path: Path, on_progress: OnProgress, cancelled: threading.Event | None = None
) -> Recovered:
    """Save what can be read of the database at `path` into `recovered_path`. The file itself stays as it is.

    Raises `StorageError` where nothing can be read or written, `Cancelled` when `cancelled` is set.
    """
    target = recovered_path(path)

    def go_on(done: int, of: int) -> None:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("Saving what can be read was cancelled.")
        on_progress(done, of)

    try:
        chats, messages, logprobs = _sorted_rows(rows_of(path, go_on))
        discard(path)
    except OSError as error:
        raise StorageError(
            f"{path} can't be read.",
            f"{error.strerror or error}.",
            "Check that the disk is connected, and who may read the file.",
        ) from error
    if not chats and not messages:
        raise StorageError(
            f"Nothing could be saved of {path}.",
            "No chat in it can be read.",
            "Restore it from a backup, or set it aside and start with an empty one.",
        )
    moved = _mend(chats, messages)
    try:
        with closing(Database(target)) as database:
            with database.write() as connection:
                _store(connection, chats, messages, logprobs)
            with database.read() as connection:
                (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            assert said == "ok", said
            database.empty_log()
    except BaseException:
        discard(path)
        raise
    of_chats, of_messages = _counts(path)
    return Recovered(
        path=target,
        chats=len(chats),
        messages=len(messages),
        of_chats=of_chats,
        of_messages=of_messages,
        cut=sum(message["notice"].endswith(_CUT_OFF) for message in messages.values()),
        moved=moved,
    )


class Recovery:
    """One try to save what can be read, which another thread can cancel."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def run(self, on_percent: Callable[[int], None]) -> Recovered:
        """As `recover` does. `on_percent` is told each further hundredth of the file once."""
        shown = 0

        def tell(done: int, of: int) -> None:
            nonlocal shown
            percent = 100 * done // of
            if percent > shown:
                shown = percent
                on_percent(percent)

        return recover(self._path, tell, self._cancelled)


def use_recovered(path: Path) -> Path:
    """Put the saved copy in the place of the damaged database, which is kept; answers where that lies."""
    aside = back_up_and_start_fresh(path)
    try:
        replace(recovered_path(path), path)
    except OSError as error:
        raise StorageError(
            f"The saved copy could not be moved to {path}.",
            f"{error.strerror or error}.",
            f"It is {recovered_path(path)}: rename it yourself.",
        ) from error
    return aside


def discard(path: Path) -> None:
    """Delete the saved copy of the database at `path`, if there is one. Raises `OSError`."""
    target = recovered_path(path)
    for suffix in ("", *_COMPANIONS):
        target.with_name(target.name + suffix).unlink(missing_ok=True)


def _sorted_rows(rows: Iterable[RawRow]) -> tuple[dict[int, Row], dict[int, Row], dict[int, bytes]]:
    """Conversations, messages and log-probabilities by `seq`. Any other row is left out."""
    columns = _columns()
    chats: dict[int, Row] = {}
    messages: dict[int, Row] = {}
    logprobs: dict[int, bytes] = {}
    for raw in rows:
        named = dict(zip(columns["messages"], raw.values, strict=False)) | {"seq": raw.rowid}
        if _is_message(named):
            whole = columns["messages"].keys() <= named.keys() and raw.is_whole
            row = columns["messages"] | named
            if not whole and len(raw.values) <= list(columns["messages"]).index("created"):
                row["notice"] = f"{row['notice']} {_CUT_OFF}".strip()
            _keep(messages, row)
            continue
        named = dict(zip(columns["conversations"], raw.values, strict=False)) | {"seq": raw.rowid}
        if _is_chat(named):
            _keep(chats, columns["conversations"] | named)
        elif len(raw.values) == 2 and isinstance(raw.values[1], bytes) and raw.is_whole:
            with suppress(msgspec.MsgspecError):
                msgspec.msgpack.decode(raw.values[1], type=TOKENS)
                logprobs[raw.rowid] = raw.values[1]
    return chats, messages, logprobs


def _columns() -> dict[str, Row]:
    """The columns of both tables in this version, with what an older or shorter row has in them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        return {
            table: {
                name: _default(kind, is_needed, default)
                for _, name, kind, is_needed, default, _ in connection.execute(
                    f"PRAGMA table_info({table})"
                )
            }
            for table in ("conversations", "messages")
        }


def _default(kind: str, is_needed: int, default: str | None) -> Any:
    if default is not None:
        return default.strip("'") if kind == "TEXT" else float(default)
    return {"TEXT": "", "REAL": 0.0, "INTEGER": 0}.get(kind) if is_needed else None


def _is_message(row: Row) -> bool:
    return (
        row["seq"] > 0
        and row.get("role") in _ROLES
        and bool(row.get("id"))
        and isinstance(row["id"], str)
        and isinstance(row.get("text"), str)
        and isinstance(row.get("conversation_seq"), int)
        and isinstance(row.get("parent_seq"), int | None)
    )


def _is_chat(row: Row) -> bool:
    texts = ("id", "title", "model_id", "options", "draft")
    return (
        row["seq"] > 0
        and bool(row.get("id"))
        and all(isinstance(row.get(name, ""), str) for name in texts)
        and _is_number(row.get("created"))
        and _is_number(row.get("updated"))
        and isinstance(row.get("leaf_seq"), int | None)
        and isinstance(row.get("deleted_at"), int | float | None)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _keep(rows: dict[int, Row], row: Row) -> None:
    """Of two versions of a row, the longer one: the other is older, or cut off."""
    known = rows.get(row["seq"])
    if known is None or len(repr(row)) > len(repr(known)):
        rows[row["seq"]] = row


def _mend(chats: dict[int, Row], messages: dict[int, Row]) -> int:
    """Make a tree of what is left, as the database demands. Returns how many messages lost their place."""
    _drop_equal_ids(chats)
    _drop_equal_ids(messages)
    moved: set[int] = set()
    lost: dict[int, list[Row]] = {}
    before: dict[int, list[Row]] = {}
    for seq in sorted(messages):
        message = messages[seq]
        _mend_values(message)
        chat = message["conversation_seq"]
        if chat not in chats:
            lost.setdefault(chat, []).append(message)
            moved.add(seq)
        parent = messages.get(message["parent_seq"]) if message["parent_seq"] is not None else None
        fits = parent is not None and parent["seq"] < seq and parent["conversation_seq"] == chat
        if message["parent_seq"] is not None and not fits:
            moved.add(seq)
            message["parent_seq"] = _nearest(before.get(chat, []), message)
            message["notice"] = f"{_BEFORE_LOST} {message['notice']}".strip()
        elif message["deleted_at"] is None:
            _undelete_above(messages, message)
        before.setdefault(chat, []).append(message)
    usual = _columns()["conversations"]
    for chat, theirs in lost.items():
        chats[chat] = usual | {
            "seq": chat,
            "id": secrets.token_hex(8),
            "created": theirs[0]["created"],
            "updated": theirs[-1]["created"],
        }
    for seq, conversation in chats.items():
        if not isinstance(conversation["place_id"], str):
            conversation["place_id"] = ""
        if not _is_number(conversation["place_part"]):
            conversation["place_part"] = 0.0
        leaf = messages.get(conversation["leaf_seq"] or 0)
        if leaf is None or leaf["conversation_seq"] != seq or leaf["deleted_at"] is not None:
            shown = [each["seq"] for each in before.get(seq, []) if each["deleted_at"] is None]
            conversation["leaf_seq"] = max(shown, default=None)
    return len(moved)


def _undelete_above(messages: dict[int, Row], message: Row) -> None:
    """Bring back what is marked as deleted above a message that is not: a deletion takes all that follows."""
    above = messages.get(message["parent_seq"] or 0)
    while above is not None and above["deleted_at"] is not None:
        above["deleted_at"] = above["deleted_by"] = above["leaf_before"] = None
        above = messages.get(above["parent_seq"] or 0)


def _drop_equal_ids(rows: dict[int, Row]) -> None:
    """An id that occurs twice is that of a stale copy of a row."""
    seen: set[str] = set()
    for seq in sorted(rows, reverse=True):
        if rows[seq]["id"] in seen:
            del rows[seq]
        else:
            seen.add(rows[seq]["id"])


def _mend_values(message: Row) -> None:
    for name in ("created", "reasoning_seconds"):
        if not _is_number(message[name]):
            message[name] = 0.0
    for name in ("reasoning", "problem", "notice"):
        if not isinstance(message[name], str):
            message[name] = ""
    if not _is_number(message["deleted_at"]):
        message["deleted_at"] = None
    for name in ("deleted_by", "leaf_before"):
        if not isinstance(message[name], int):
            message[name] = None
    if not isinstance(message["origin"], str):
        message["origin"] = None
    if message["status"] not in _STATUSES or message["status"] == "streaming":
        message["status"] = "complete" if message["role"] == "user" else "interrupted"
    message["writer_pid"] = message["writer_started"] = None


def _nearest(earlier: list[Row], message: Row) -> int | None:
    """The newest message of the chat before the one that was lost; a deleted one only for a deleted one."""
    lost = message["parent_seq"]
    known = 0 < lost < message["seq"]  # else the number is damaged, and says nothing
    for each in reversed(earlier):
        is_before = not known or each["seq"] < lost
        if is_before and (each["deleted_at"] is None or message["deleted_at"] is not None):
            return int(each["seq"])
    return None


def _store(
    connection: sqlite3.Connection,
    chats: dict[int, Row],
    messages: dict[int, Row],
    logprobs: dict[int, bytes],
) -> None:
    for table, rows in (("conversations", chats), ("messages", messages)):
        for row in rows.values():
            names = ", ".join(row)
            places = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", row)
    for seq, tokens in logprobs.items():
        if seq in messages:
            connection.execute("INSERT INTO token_logprobs VALUES (?, ?)", (seq, tokens))
    for seq, message in messages.items():
        index_message(connection, seq, message["text"])
    for seq, chat in chats.items():
        index_title(connection, seq, chat["title"])
        name_after_question(connection, seq)
    connection.execute("UPDATE conversations SET title = ? WHERE title = ''", (_LOST_TITLE,))


def _counts(path: Path) -> tuple[int | None, int | None]:
    """How many chats and messages there were, where an index still tells."""
    found: list[int | None] = []
    for table in ("conversations", "messages"):
        count = None
        with (
            suppress(sqlite3.DatabaseError, UnicodeDecodeError),  # the latter in SQLite's own words
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection,
        ):
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        found.append(count)
    return found[0], found[1]
