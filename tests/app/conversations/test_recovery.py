"""Saving what can be read of databases that are really damaged."""

import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.conversations import recovery
from app.conversations.database import DamagedDatabase
from app.conversations.recovery import Cancelled, is_whole, recover, recovered_path, use_recovered
from app.conversations.store import ConversationStore
from app.errors import StorageError
from backends.protocol import TokenLogprob

PAGE = 4096
N_CHATS, N_TURNS = 12, 20
LOST = "was lost when the database was damaged"


def unheard(done: int, of: int) -> None:
    pass


def said(chat: int, turn: int, who: str) -> str:
    """Every ninth text is longer than two pages, so that it lies in a chain of further ones."""
    return f"{who} {chat}/{turn} " + "wört " * (2500 if turn % 9 == 8 else 40)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chats with branches, a deleted message, long texts and log-probabilities; the log is empty."""
    database_file = tmp_path_factory.mktemp("whole") / "conversations.sqlite3"
    store = ConversationStore(database_file)
    for chat in range(N_CHATS):
        conversation = store.create(model_id="m", options={"temperature": 0.5})
        parent = None
        for turn in range(N_TURNS):
            question = store.add_message(
                conversation.id, parent_id=parent, role="user", text=said(chat, turn, "Q")
            )
            answer = store.add_message(
                conversation.id, parent_id=question.id, role="assistant", text=said(chat, turn, "A")
            )
            parent = answer.id
            if turn == 3:
                store.add_message(
                    conversation.id, parent_id=question.id, role="assistant", text="Another"
                )
        store.finish(
            parent,
            text=said(chat, N_TURNS - 1, "A"),
            reasoning="",
            reasoning_seconds=0,
            status="complete",
            logprobs=[TokenLogprob(text="A", logprob=-0.5)],
        )
    doomed = store.add_message(conversation.id, parent_id=parent, role="user", text="Doomed")
    store.delete_message(doomed.id)
    store.close()
    return database_file


@pytest.fixture
def whole(template: Path, database_file: Path) -> Path:
    return Path(shutil.copy(template, database_file))


def texts(path: Path) -> dict[str, str]:
    """All messages of all chats, by their id."""
    store = ConversationStore(path)
    try:
        with store._database.read() as connection:
            rows = connection.execute("SELECT id, text FROM messages").fetchall()
            return {row["id"]: row["text"] for row in rows}
    finally:
        store.close()


def check(path: Path) -> None:
    """A database as the program wants it: whole, with a tree in which every branch leads to a first message."""
    assert is_whole(path)
    store = ConversationStore(path)
    try:
        with store._database.read() as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            (strays,) = connection.execute(
                "SELECT count(*) FROM messages AS m JOIN messages AS p ON p.seq = m.parent_seq"
                " WHERE p.conversation_seq <> m.conversation_seq"
                " OR (m.deleted_at IS NULL AND p.deleted_at IS NOT NULL)"
            ).fetchone()
            assert strays == 0
        for row in store.rows():
            leaf = store.get(row.id).leaf_id
            if leaf is not None:
                assert store.branch(leaf)[0].parent_id is None
    finally:
        store.close()


def overwrite(path: Path, pages: list[int], content: Callable[[], bytes]) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(content())


def n_pages(path: Path) -> int:
    return path.stat().st_size // PAGE


def test_a_whole_database_is_saved_whole(whole: Path) -> None:
    expected = texts(whole)
    before = whole.read_bytes()
    steps: list[tuple[int, int]] = []
    saved = recover(whole, lambda done, of: steps.append((done, of)))
    assert (saved.chats, saved.messages) == (N_CHATS, len(expected))
    assert (saved.of_chats, saved.of_messages) == (saved.chats, saved.messages)
    assert (saved.cut, saved.moved) == (0, 0)
    assert texts(saved.path) == expected
    assert whole.read_bytes() == before
    assert steps[-1] == (n_pages(whole), n_pages(whole))
    check(saved.path)
    store, original = ConversationStore(saved.path), ConversationStore(whole)
    try:
        assert store.rows() == original.rows()
        for row in original.rows():
            assert store.get(row.id) == original.get(row.id)
            assert store.page(row.id, limit=999) == original.page(row.id, limit=999)
            leaf = store.page(row.id).messages[-1]
            assert store.logprobs(leaf.id) == original.logprobs(leaf.id)
        assert len(store.rows(search="wört")) == N_CHATS
        assert store.rows(search="Doomed") == ()
    finally:
        store.close()
        original.close()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("what", ["noise", "zeros"])
def test_overwritten_pages_cost_what_lay_in_them(whole: Path, what: str, seed: int) -> None:
    expected = texts(whole)
    chance = random.Random(seed)
    pages = chance.sample(range(2, n_pages(whole)), n_pages(whole) // 10)
    overwrite(whole, pages, lambda: chance.randbytes(PAGE) if what == "noise" else bytes(PAGE))
    saved = recover(whole, unheard)
    check(saved.path)
    found = texts(saved.path)
    assert found.keys() <= expected.keys()
    equal = sum(expected[each] == text for each, text in found.items())
    assert equal >= len(expected) * 0.6
    for each, text in found.items():
        assert expected[each].startswith(text[:20])


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"SQLite format 3\0" + b"\xff" * 84],
    ids=["noise", "zeros", "half"],
)
def test_a_damaged_header_or_schema_costs_nothing(whole: Path, content: bytes) -> None:
    expected = texts(whole)
    overwrite(whole, [1], lambda: content or os.urandom(PAGE))
    with pytest.raises(DamagedDatabase):
        ConversationStore(whole)
    saved = recover(whole, unheard)
    assert texts(saved.path) == expected
    check(saved.path)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_file_that_was_cut_off_gives_what_is_left(whole: Path, part: float) -> None:
    expected = texts(whole)
    os.truncate(whole, int(whole.stat().st_size * part) - 1000)
    saved = recover(whole, unheard)
    check(saved.path)
    assert len(texts(saved.path)) >= len(expected) * part * 0.7


@pytest.fixture
def with_log(whole: Path, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The database as a killed program leaves it: its newest chat lies in the write-ahead log only."""
    store = ConversationStore(whole)
    conversation = store.create()
    for turn in range(30):
        store.add_message(conversation.id, parent_id=None, role="user", text=f"New {turn}")
    killed = tmp_path / "killed" / whole.name
    killed.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(whole.with_name(whole.name + suffix), killed.with_name(killed.name + suffix))
    store.close()
    return killed, texts(whole)


def test_what_is_only_in_the_log_is_saved(with_log: tuple[Path, dict[str, str]]) -> None:
    path, expected = with_log
    saved = recover(path, unheard)
    assert texts(saved.path) == expected
    check(saved.path)


@pytest.mark.parametrize("frame", [-1, 0, 10])
def test_a_damaged_log_costs_its_damaged_frames(
    with_log: tuple[Path, dict[str, str]], frame: int
) -> None:
    path, expected = with_log
    log = path.with_name(path.name + "-wal")
    data = bytearray(log.read_bytes())
    at = 0 if frame < 0 else 32 + frame * (PAGE + 24) + 24
    data[at : at + 24] = os.urandom(24)
    log.write_bytes(data)
    saved = recover(path, unheard)
    check(saved.path)
    found = texts(saved.path)
    assert {text for text in found.values() if text.startswith("New")} >= {
        f"New {turn}" for turn in range(25)
    }
    assert len(found) >= len(expected) * 0.9


def test_messages_keep_together_when_their_chat_or_parent_is_lost(whole: Path) -> None:
    with closing(sqlite3.connect(whole)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM conversations WHERE seq = 2")
        connection.execute("DELETE FROM messages WHERE conversation_seq = 3 AND seq % 7 = 0")
        (first,) = connection.execute(
            "SELECT text FROM messages WHERE conversation_seq = 2 ORDER BY seq"
        ).fetchone()
    saved = recover(whole, unheard)
    check(saved.path)
    assert saved.chats == N_CHATS
    assert 0 < saved.moved <= saved.messages
    store = ConversationStore(saved.path)
    try:
        again = [row for row in store.rows(search="1/0") if row.title.startswith("Q 1/0")]
        (row,) = again
        page = store.page(row.id, limit=999)
        assert len(page.messages) == 2 * N_TURNS
        assert page.messages[0].text == first
        with store._database.read() as connection:
            notices = connection.execute(
                "SELECT count(*) FROM messages WHERE notice LIKE ?", (f"%{LOST}%",)
            ).fetchone()
        assert notices[0] > 0
    finally:
        store.close()


def test_answers_to_a_lost_question_stay_beside_each_other(database_file: Path) -> None:
    store = ConversationStore(database_file)
    chat = store.create()
    question = store.add_message(chat.id, parent_id=None, role="user", text="Why?")
    for text in ("Because.", "Therefore."):
        answer = store.add_message(chat.id, parent_id=question.id, role="assistant", text=text)
    store.close()
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("DELETE FROM messages WHERE role = 'user'")
    saved = recover(database_file, unheard)
    check(saved.path)
    assert saved.moved == 2
    store = ConversationStore(saved.path)
    assert store.message(answer.id).sibling_count == 2
    store.close()


def test_the_saved_copy_takes_the_place_of_the_damaged_file_which_stays(whole: Path) -> None:
    expected = texts(whole)
    overwrite(whole, [1], lambda: os.urandom(PAGE))
    damaged = whole.read_bytes()
    recover(whole, unheard)
    aside = use_recovered(whole)
    assert aside.read_bytes() == damaged
    assert texts(whole) == expected
    assert not recovered_path(whole).exists()
    assert stat_mode(whole) == 0o600


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777 if os.name == "posix" else 0o600


@pytest.mark.parametrize("content", [b"", b"no database at all " * 5000, b"\0" * 100_000])
def test_where_nothing_can_be_read_that_is_said(database_file: Path, content: bytes) -> None:
    database_file.write_bytes(content)
    with pytest.raises(StorageError, match="Nothing could be saved"):
        recover(database_file, unheard)
    assert database_file.read_bytes() == content
    assert not recovered_path(database_file).exists()


def test_it_can_be_cancelled_and_leaves_nothing(whole: Path) -> None:
    cancelled = threading.Event()
    with pytest.raises(Cancelled):
        recover(whole, lambda done, of: cancelled.set(), cancelled)
    assert not recovered_path(whole).exists()


def test_damage_in_the_middle_is_told_at_the_next_start(whole: Path) -> None:
    overwrite(whole, list(range(n_pages(whole) // 2, n_pages(whole))), lambda: os.urandom(PAGE))
    store = ConversationStore(whole)
    with pytest.raises(DamagedDatabase):
        store.rows(search="wört")
    store.close()
    with pytest.raises(DamagedDatabase, match="damaged"):
        ConversationStore(whole)


def test_a_database_that_was_mended_opens_again(whole: Path, tmp_path: Path) -> None:
    good = shutil.copy(whole, tmp_path / "backup")
    overwrite(whole, [1], lambda: os.urandom(PAGE))
    with pytest.raises(DamagedDatabase):
        ConversationStore(whole)
    shutil.copy(good, whole)
    ConversationStore(whole).close()
    ConversationStore(whole).close()
    assert not whole.with_name(f"{whole.name}.damaged").exists()


def test_every_table_of_the_schema_is_saved() -> None:
    """Whoever adds a table to the schema teaches the recovery to read it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        recovery.migrate(connection)
        tables = {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if "_search" not in row[0]
        }
    assert tables == {"conversations", "messages", "token_logprobs"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "conversations.sqlite3"
    store = ConversationStore(path)
    for chat in range(3):
        conversation, parent = store.create(), None
        for turn in range(8):
            parent = store.add_message(
                conversation.id, parent_id=parent, role="user", text=said(chat, turn, "Q")
            ).id
    store.close()
    return path


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_damaged_what_is_saved_is_whole(
    small: Path, database_file: Path, seed: int
) -> None:
    chance = random.Random(seed)
    data = bytearray(small.read_bytes())
    for _ in range(chance.choice([3, 30, 300])):
        at = chance.randrange(len(data))
        length = chance.choice([1, 1, 8, 500])
        data[at : at + length] = chance.randbytes(len(data[at : at + length]))
    database_file.write_bytes(data)
    check(recover(database_file, unheard).path)


def test_damage_within_texts_and_names_is_told_in_words(small: Path, database_file: Path) -> None:
    data = small.read_bytes()
    for old, new in (
        ("wört".encode(), b"w\xff\xffrt"),
        (b"CREATE TABLE conversations", b"CREATE TABLE c\xff\xfeversations"),
    ):
        database_file.write_bytes(data.replace(old, new))
        with pytest.raises(DamagedDatabase):
            read_all(database_file)
        assert recover(database_file, unheard).chats == 3


def test_a_byte_that_is_no_text_costs_that_byte_alone(small: Path, database_file: Path) -> None:
    text = said(1, 2, "Q").encode()
    spoiled = text[:9] + b"\xff" + text[10:]
    database_file.write_bytes(small.read_bytes().replace(text, spoiled))
    saved = recover(database_file, unheard)
    assert saved.cut == 0
    assert spoiled.decode(errors="replace") in texts(saved.path).values()


CELLS = [None, 7, -1, 0.5, float("inf"), 2**62, "", "word", b"", b"\xff"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat of three messages for each of the cells."""
    path = tmp_path_factory.mktemp("rows") / "conversations.sqlite3"
    store = ConversationStore(path)
    for _ in CELLS:
        conversation, parent = store.create(), None
        for role in ("user", "assistant", "user"):
            parent = store.add_message(
                conversation.id, parent_id=parent, role=role, text="Good morning"
            ).id
    store.close()
    return path


@pytest.mark.parametrize(("table", "step"), [("conversations", 1), ("messages", 3)])
def test_whatever_a_cell_holds_the_saved_copy_opens(
    rows: Path, database_file: Path, table: str, step: int
) -> None:
    """A damaged byte can make any kind of value of another."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        recovery.migrate(connection)
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    for column in columns[1:]:
        shutil.copy(rows, database_file)
        loosen(database_file, table)
        with closing(sqlite3.connect(database_file)) as connection, connection:
            change = f"UPDATE {table} SET {column} = ? WHERE seq = ?"
            connection.executemany(change, [(value, step * i + 1) for i, value in enumerate(CELLS)])
        saved = recover(database_file, unheard)
        check(saved.path)
        read_all(saved.path)
        assert saved.chats >= len(CELLS)


def loosen(path: Path, table: str) -> None:
    """Let the table take any value in any column."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (schema,) = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
        for word in ("STRICT", "NOT NULL", "TEXT", "REAL", " INTEGER,"):
            schema = schema.replace(word, "," if word.endswith(",") else "")
        schema = schema.replace("CHECK (parent_seq < seq)", "")
        schema = (
            schema[: schema.rindex("CHECK (")].rstrip().rstrip(",") + ")"
            if (table == "messages")
            else schema
        )
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (schema, table))


def read_all(path: Path) -> None:
    store = ConversationStore(path)
    try:
        for row in store.rows():
            store.page(row.id)
    finally:
        store.close()
