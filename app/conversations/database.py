"""One SQLite file, opened with care and shared by threads and processes.

Every commit is synced to the disk (`synchronous = FULL`), also the flush that a streaming answer gets
once a second: neither a killed program nor a power cut takes more than what came after the last
flush. With `NORMAL` a power cut could take everything since the last checkpoint, which for text is
hours of chat.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from app.conversations.migrations import APPLICATION_ID, VERSION, migrate, version_of
from app.errors import StorageError
from catalog.kept_file import set_aside_name

BUSY_SECONDS = 5.0
_UNREADABLE_TEXT = "Could not decode to UTF-8"  # Python's words, without a code of SQLite's


class DamagedDatabase(StorageError):
    """The file is damaged, or no database of ours. `recover` and `back_up_and_start_fresh` are ways out."""


class Database:
    """A connection behind a lock. Transactions are short: hold none while waiting for anything."""

    def __init__(self, path: Path) -> None:
        """Open, create or migrate the file; a `StorageError` says in words why that failed."""
        self.path = path
        self._lock = threading.Lock()
        self._connection = _open(path)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent view of the file."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is stored whole or, if anything fails, not at all."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def empty_log(self) -> None:
        """Move the write-ahead log into the file: erased text is in it until then."""
        with self._lock, _errors_in_words(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, _errors_in_words(self.path), _atomically(self._connection, begin):
            yield self._connection


def back_up_and_start_fresh(path: Path) -> Path:
    """Move a database that cannot be used out of the way; answers where it lies now.

    The write-ahead log goes with it: what it holds belongs to that file and no other.
    """
    backup = set_aside_name(path, "set-aside")
    try:
        path.rename(backup)
        damage_mark(path).unlink(missing_ok=True)
        for suffix in ("-wal", "-shm"):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(backup.with_name(backup.name + suffix))
    except OSError as error:
        raise StorageError(
            f"{path} could not be moved aside.",
            f"{error.strerror or error}.",
            "Close other windows of Causeway and try again, or move the file yourself.",
        ) from error
    return backup


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise _not_writable(path, f"{error.strerror or error}.") from error
    with _errors_in_words(path):
        try:
            return _connect(path, alone=False)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_IOERR_SHMSIZE:
                raise
            # The disk is too full for the file in which processes tell each other of the log. Nobody
            # else can have the database open, then; alone, its chats can be read.
            return _connect(path, alone=True)


def _connect(path: Path, *, alone: bool) -> sqlite3.Connection:
    """`alone` keeps every other process out for as long as the connection lives."""
    with contextlib.ExitStack() as undo:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        undo.callback(connection.close)
        connection.row_factory = sqlite3.Row
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _refuse_what_is_not_ours(connection, path)
        _refuse_what_is_marked(connection, path)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            "temp_store = MEMORY",  # a temporary file would hold messages in the open
        ):
            connection.execute(f"PRAGMA {pragma}")
        if version_of(connection) < VERSION:
            with _atomically(connection, "BEGIN IMMEDIATE"):
                migrate(connection)
        undo.pop_all()
    return connection


def _refuse_what_is_not_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Look before anything is written."""
    version = version_of(connection)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if objects and application != APPLICATION_ID:
        raise DamagedDatabase(
            f"{path} is not a conversation database of Causeway.",
            "Another program made it. Nothing in it was changed.",
            "Move it away, or set it aside and start with an empty one.",
        )
    if version > VERSION:
        raise StorageError(
            f"{path} was written by a newer Causeway.",
            f"It has version {version}, and this program knows versions up to {VERSION}. "
            "Nothing in it was changed.",
            "Update Causeway, or set CAUSEWAY_HOME to another folder to start with an empty one.",
        )


def _refuse_what_is_marked(connection: sqlite3.Connection, path: Path) -> None:
    """Damage in a page that a start does not read would be met again in the middle of a chat."""
    if damage_mark(path).exists():
        (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            raise _damaged(path, f"SQLite says: {said}.")
        damage_mark(path).unlink(missing_ok=True)


@contextlib.contextmanager
def _atomically(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some failures SQLite has rolled back already
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _errors_in_words(path: Path) -> Iterator[None]:
    """Turn what can happen to any file into a `StorageError`; anything else is a bug and stays one."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL:
                raise StorageError(
                    f"The conversation could not be saved to {path}.",
                    "The disk is full. What was saved before is safe.",
                    "Free some space and try again.",
                ) from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise StorageError(
                    "The conversations are in use by another program.",
                    f"{path} stayed locked for {BUSY_SECONDS:.0f} seconds.",
                    "Try again; if it persists, close whatever else has the file open.",
                ) from error
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                raise _not_writable(path, "It is read-only.") from error
            case sqlite3.SQLITE_IOERR:
                raise StorageError(
                    f"The disk reported an error at {path}.",
                    f"{error}.",
                    "Check that the disk is connected and has space, then try again.",
                ) from error
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                raise _met_damage(path, f"SQLite says: {error}.") from error
            case 0 if str(error).startswith(_UNREADABLE_TEXT):
                raise _met_damage(path, "A text in it is no UTF-8.") from error
            case _:
                raise
    except UnicodeDecodeError as error:  # SQLite tells of a damaged schema in that schema's words
        raise _met_damage(path, "Its schema can't be read.") from error


def damage_mark(path: Path) -> Path:
    """Lies beside a database in which damage was met, so that the next start looks at all of it."""
    return path.with_name(f"{path.name}.damaged")


def _met_damage(path: Path, why: str) -> DamagedDatabase:
    with contextlib.suppress(OSError):
        damage_mark(path).touch()
    return _damaged(path, why)


def _damaged(path: Path, why: str) -> DamagedDatabase:
    return DamagedDatabase(
        f"The conversation database {path} is damaged.",
        f"{why} Nothing in it was overwritten.",
        "Start Causeway again to save what can be read, or set it aside and start with an empty one.",
    )


def _not_writable(path: Path, why: str) -> StorageError:
    return StorageError(
        f"Causeway can't write to {path}.",
        why,
        "Make the file and its folder writable, or set CAUSEWAY_HOME to another folder.",
    )
