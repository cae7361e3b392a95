import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.conversations import database, migrations
from app.conversations.database import DamagedDatabase, back_up_and_start_fresh
from app.conversations.migrations import VERSION
from app.conversations.records import ReadingPlace
from app.conversations.store import ConversationStore
from app.errors import StorageError

STORED = Path(__file__).with_name("stored")


def make_from(script: Path, database_file: Path) -> None:
    connection = sqlite3.connect(database_file)
    connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()


def fill(store: ConversationStore, messages: int = 50) -> str:
    conversation = store.create()
    parent = None
    for number in range(messages):
        parent = store.add_message(
            conversation.id, parent_id=parent, role="user", text=f"{number} " * 200
        ).id
    return conversation.id


def set_pragma(store: ConversationStore, pragma: str) -> None:
    with store._database.read() as connection:
        connection.execute(f"PRAGMA {pragma}").fetchall()


# Versions


@pytest.mark.parametrize("script", sorted(STORED.glob("*.sql")), ids=lambda path: path.stem)
def test_a_database_of_every_version_opens_with_all_it_holds(script, database_file):
    make_from(script, database_file)
    store = ConversationStore(database_file)
    assert store.recover() == 1
    assert [(row.title, row.snippet, row.status) for row in store.rows()] == [
        ("Tell me a story", "Once upon a", "interrupted"),
        ("Sky", "Because of scattering.", "complete"),
    ]
    sky = store.get("0000000000000001")
    assert sky.options == {"temperature": 0.2, "system_prompt": "Answer briefly."}
    assert (sky.model_id, sky.draft) == ("smollm2-135m-instruct", "And at dusk?")
    question, reply = store.page(sky.id).messages
    assert (question.text, question.created) == ("Why is the sky blue?", 1_747_000_001.0)
    assert (reply.text, reply.reasoning) == ("Because of **scattering**.", "Rayleigh.")
    assert (reply.sibling_count, reply.reasoning_seconds) == (2, 2.5)
    assert reply.notice == "The oldest message no longer fits."
    assert reply.origin is not None
    assert (reply.origin.seed, reply.origin.usage.prompt_tokens) == (42, 30)
    assert [row.title for row in store.rows(search="東京 🎉")] == ["Sky"]
    assert store.restore_message("0000000000000005").leaf_id == "0000000000000005"
    assert store.restore("0000000000000009").title == "A whole chat, deleted"
    store.close()


def test_a_stored_database_keeps_its_log_probabilities(database_file):
    make_from(STORED / "version_2.sql", database_file)
    store = ConversationStore(database_file)
    first, second = store.logprobs("0000000000000003")
    assert (first.text, first.logprob, first.top) == ("Because", -0.25, ((" Since", -1.5),))
    assert second.text == " of"
    assert store.logprobs("0000000000000002") == ()
    store.close()


def test_a_stored_database_keeps_the_places_of_its_reader(database_file):
    make_from(STORED / "version_3.sql", database_file)
    store = ConversationStore(database_file)
    assert store.get("0000000000000001").place == ReadingPlace("0000000000000003", 0.25)
    assert store.get("0000000000000006").place is None
    store.close()


def test_there_is_a_stored_database_of_every_version():
    names = {path.name for path in STORED.iterdir()}
    assert names == {f"version_{number}.sql" for number in range(1, VERSION + 1)}


def test_a_database_made_now_has_the_schema_of_the_stored_one(store, database_file, tmp_path):
    migrated = tmp_path / "stored.sqlite3"
    make_from(STORED / f"version_{VERSION}.sql", migrated)
    assert schema(migrated) == schema(database_file)


def schema(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {" ".join(sql.split()) for (sql,) in rows}


def test_a_step_takes_a_database_further_and_a_failing_one_leaves_it_whole(
    store, database_file, monkeypatch
):
    conversation_id = fill(store, 3)
    store.close()

    def add_a_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE conversations ADD COLUMN folder TEXT NOT NULL DEFAULT ''")

    def fail_halfway(connection: sqlite3.Connection) -> None:
        add_a_column(connection)
        connection.execute("UPDATE messages SET no_such_column = 1")

    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, fail_halfway))
    before = schema(database_file)
    with pytest.raises(sqlite3.OperationalError, match="no_such_column"):  # our bug, not a fault
        ConversationStore(database_file)
    assert schema(database_file) == before

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:-1], add_a_column))
    further = ConversationStore(database_file)
    assert len(further.page(conversation_id).messages) == 3
    further.close()
    assert any("folder TEXT" in statement for statement in schema(database_file))
    monkeypatch.undo()
    with pytest.raises(StorageError, match="newer Causeway"):
        ConversationStore(database_file)


def test_a_newer_database_is_refused_and_not_touched(database_file):
    make_from(STORED / "version_1.sql", database_file)
    connection = sqlite3.connect(database_file)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = database_file.read_bytes()
    with pytest.raises(StorageError, match="newer Causeway") as refused:
        ConversationStore(database_file)
    assert str(database_file) in refused.value.what
    assert refused.value.fix
    assert not isinstance(refused.value, DamagedDatabase)
    assert database_file.read_bytes() == before
    assert list(database_file.parent.iterdir()) == [database_file]


# Damage


@pytest.mark.parametrize(
    "content",
    [b"These are not the chats you are looking for. " * 40, b"SQLite format 3\0" + b"\xff" * 4080],
    ids=["text", "damaged header"],
)
def test_what_is_no_database_is_refused_and_not_touched(database_file, content):
    database_file.write_bytes(content)
    with pytest.raises(DamagedDatabase, match="damaged") as refused:
        ConversationStore(database_file)
    assert str(database_file) in refused.value.what
    assert "set it aside" in refused.value.fix
    assert database_file.read_bytes() == content


def test_another_programs_database_is_refused_and_not_touched(database_file):
    connection = sqlite3.connect(database_file)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = database_file.read_bytes()
    with pytest.raises(DamagedDatabase, match="not a conversation database"):
        ConversationStore(database_file)
    assert database_file.read_bytes() == before


def test_damage_inside_is_told_and_the_way_out_works(store, database_file):
    conversation_id = fill(store)
    store.close()
    whole = database_file.read_bytes()
    half = len(whole) // 2
    database_file.write_bytes(whole[:half] + b"\xa5" * (len(whole) - half))
    with pytest.raises(DamagedDatabase, match="damaged"):
        read_all(database_file, conversation_id)
    damaged = database_file.read_bytes()

    backup = back_up_and_start_fresh(database_file)
    assert backup.read_bytes() == damaged
    fresh = ConversationStore(database_file)
    assert fresh.rows() == ()
    fresh.close()


def test_a_truncated_database_is_told(store, database_file):
    conversation_id = fill(store)
    store.close()
    database_file.write_bytes(database_file.read_bytes()[:20_000])
    with pytest.raises(DamagedDatabase):
        read_all(database_file, conversation_id)


def read_all(database_file: Path, conversation_id: str) -> None:
    store = ConversationStore(database_file)
    try:
        store.rows()
        store.page(conversation_id)
        store.rows(search="7")
    finally:
        store.close()


def test_setting_aside_takes_the_write_ahead_log_along(database_file, tmp_path):
    elsewhere = tmp_path / "elsewhere.sqlite3"
    store = ConversationStore(elsewhere)
    conversation_id = fill(store, 3)
    for suffix in ("", "-wal"):  # as a killed program leaves them
        shutil.copy(f"{elsewhere}{suffix}", f"{database_file}{suffix}")
    store.close()
    backup = back_up_and_start_fresh(database_file)
    assert not list(database_file.parent.glob("conversations.sqlite3*"))
    opened = ConversationStore(backup)
    assert len(opened.page(conversation_id).messages) == 3
    opened.close()


# The disk


@pytest.mark.skipif(sys.platform == "win32", reason="limits a file's size")
def test_on_a_full_disk_chats_can_be_read(tmp_path):
    import resource

    path = tmp_path / "conversations.sqlite3"
    store = ConversationStore(path)
    conversation_id = fill(store, 3)
    store.close()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited[1]))
    try:
        store = ConversationStore(path)
        assert len(store.page(conversation_id).messages) == 3
        with pytest.raises(StorageError):
            store.rename(conversation_id, "No room for this")
        store.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    store = ConversationStore(path)
    assert len(store.page(conversation_id).messages) == 3
    store.close()


def test_a_full_disk_is_told_harms_nothing_and_saving_can_be_tried_again(store):
    conversation_id = fill(store, 3)
    kept = store.page(conversation_id)
    streaming = store.add_message(
        conversation_id,
        parent_id=kept.messages[-1].id,
        role="assistant",
        text="",
        status="streaming",
    )
    set_pragma(store, "max_page_count = 1")  # SQLite takes it for the size it has
    text = "All that was written so far. " * 4000
    with pytest.raises(StorageError, match="disk is full") as told:
        store.stream_into(streaming.id, text=text, reasoning="", reasoning_seconds=0)
    assert told.value.fix
    with pytest.raises(StorageError, match="disk is full"):
        store.add_message(conversation_id, parent_id=None, role="user", text=text)
    assert store.page(conversation_id).messages[:-1] == kept.messages
    assert store.message(streaming.id) == streaming

    set_pragma(store, "max_page_count = 1000000")
    store.stream_into(streaming.id, text=text, reasoning="", reasoning_seconds=0)
    assert store.message(streaming.id).text == text


def test_a_read_only_database_can_be_read_and_says_why_not_written(store, database_file):
    conversation_id = fill(store, 2)
    set_pragma(store, "query_only = ON")
    with pytest.raises(StorageError, match="can't write") as told:
        store.set_draft(conversation_id, "x")
    assert str(database_file) in told.value.what
    assert len(store.page(conversation_id).messages) == 2


def test_a_place_that_cannot_hold_a_database_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="can't write"):
        ConversationStore(tmp_path / "file" / "conversations.sqlite3")
    (tmp_path / "folder.sqlite3").mkdir()
    with pytest.raises(StorageError, match="can't write"):
        ConversationStore(tmp_path / "folder.sqlite3")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_its_owner_can_read_what_was_said(tmp_path):
    store = ConversationStore(tmp_path / "new" / "conversations.sqlite3")
    fill(store, 1)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    for path in (tmp_path / "new").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    store.close()


def test_a_database_that_stays_locked_is_told(store, database_file):
    conversation_id = fill(store, 1)
    set_pragma(store, "busy_timeout = 50")
    other = sqlite3.connect(database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use by another program"):
        store.set_draft(conversation_id, "x")
    assert len(store.page(conversation_id).messages) == 1  # reading goes on
    other.execute("COMMIT")
    other.close()
    store.set_draft(conversation_id, "x")


# Other processes

CHILD = """
import sys, time
from pathlib import Path
from app.conversations.store import ConversationStore
store = ConversationStore(Path(sys.argv[1]))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_open_a_new_database_at_once(database_file):
    """As when the window and the command line are first started together."""
    children = [start("print(store.create().id); store.close()", database_file) for _ in range(4)]
    made = {child.communicate(timeout=60)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0] * 4
    store = ConversationStore(database_file)
    assert {row.id for row in store.rows()} == made
    store.close()


def test_two_processes_write_at_once_and_nothing_is_lost(store, database_file):
    code = """
print("ready", flush=True)
sys.stdin.readline()
conversation = store.create()
parent = None
for number in range(60):
    parent = store.add_message(
        conversation.id, parent_id=parent, role="user", text=f"theirs {number}"
    ).id
print(conversation.id)
store.close()
"""
    with start(code, database_file) as child:
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        mine = fill(store, 60)
        theirs = child.communicate(timeout=60)[0].strip()
    assert child.returncode == 0
    assert [m.text for m in store.page(theirs).messages] == [f"theirs {n}" for n in range(60)]
    assert len(store.page(mine).messages) == 60


def test_a_killed_process_loses_nothing_it_had_saved(store, database_file):
    code = """
conversation = store.create()
question = store.add_message(conversation.id, parent_id=None, role="user", text="Why?")
answer = store.add_message(
    conversation.id, parent_id=question.id, role="assistant", text="", status="streaming"
)
store.stream_into(answer.id, text="Because", reasoning="Hm.", reasoning_seconds=0.5)
print(conversation.id, flush=True)
sys.stdin.readline()
"""
    with start(code, database_file) as child:
        conversation_id = child.stdout.readline().strip()
        assert store.recover() == 0  # it is being written
        assert store.page(conversation_id).messages[-1].status == "streaming"
        child.kill()
        child.wait(timeout=30)
        assert store.recover() == 1
    question, answer = store.page(conversation_id).messages
    assert question.text == "Why?"
    assert (answer.text, answer.reasoning, answer.status) == ("Because", "Hm.", "interrupted")
    assert "ended while" in answer.problem
    assert len(store.rows(search="because")) == 1
    assert store.recover() == 0
    connection = sqlite3.connect(database_file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_whatever_was_saved_survives_a_kill_in_the_middle_of_writing(store, database_file):
    code = """
conversation = store.create()
print(conversation.id, flush=True)
parent = None
while True:
    parent = store.add_message(
        conversation.id, parent_id=parent, role="user", text="words " * 2000
    ).id
    print(parent, flush=True)
"""
    with start(code, database_file) as child:
        conversation_id = child.stdout.readline().strip()
        saved = [child.stdout.readline().strip() for _ in range(30)]
        child.kill()
        saved += child.stdout.read().split("\n")[:-1]
    stored = [message.id for message in store.page(conversation_id, limit=10_000).messages]
    assert stored[: len(saved)] == saved
    assert len(stored) - len(saved) in (0, 1)
    with store._database.read() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_an_answer_of_ones_own_is_not_taken_for_a_dead_ones(store):
    conversation = store.create()
    question = store.add_message(conversation.id, parent_id=None, role="user", text="Why?")
    store.add_message(
        conversation.id, parent_id=question.id, role="assistant", text="", status="streaming"
    )
    assert store.recover() == 0


def test_a_process_number_given_again_is_not_taken_for_the_writer(store, database_file):
    conversation = store.create()
    question = store.add_message(conversation.id, parent_id=None, role="user", text="Why?")
    store.add_message(
        conversation.id, parent_id=question.id, role="assistant", text="", status="streaming"
    )
    other = sqlite3.connect(database_file)
    other.execute("UPDATE messages SET writer_started = writer_started - 3600")
    other.commit()
    other.close()
    assert store.recover() == 1


def test_every_commit_is_synced_to_the_disk(store):
    with store._database.read() as connection:
        pragmas = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
