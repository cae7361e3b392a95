"""`causeway chat`: a real process, a real worker, a real database."""

import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.cli.interrupts import stopping
from app.conversations.store import ConversationStore
from tests.app.cli_process import CommandLine
from tests.gguf_files import CHATML, write_model

ANSWER = "Good morning."


@pytest.fixture(scope="module")
def causeway(tmp_path_factory: pytest.TempPathFactory, model_file: Path) -> CommandLine:
    causeway = CommandLine(tmp_path_factory.mktemp("home"))
    causeway.run("import", str(model_file))
    return causeway


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that talks for seconds: it is large, and knows no end."""
    return write_model(
        tmp_path_factory.mktemp("endless") / "endless.gguf",
        n_embd=256,
        n_layers=8,
        context_length=8192,
        seed=5,
    )


def test_json_is_one_object_with_all_that_is_known(causeway: CommandLine) -> None:
    answer = causeway.json("chat", "-m", "polite", "Hello")
    assert answer["text"] == ANSWER
    assert answer["reasoning"] == ""
    assert answer["finish_reason"] == "stop"
    assert answer["model"] == "polite"
    usage, timings = answer["usage"], answer["timings"]
    assert set(usage) == {"prompt_tokens", "cached_tokens", "completion_tokens"}
    assert usage["prompt_tokens"] > usage["cached_tokens"] == 0
    assert usage["completion_tokens"] >= 3
    assert set(timings) == {
        "load_ms",
        "prompt_ms",
        "first_token_ms",
        "generation_ms",
        "tokens_per_second",
    }
    assert all(value > 0 for value in timings.values())
    rows = causeway.json("conversations", "list")
    assert answer["conversation_id"] in [row["id"] for row in rows]


def test_a_question_on_standard_input_has_its_answer_on_standard_output(
    causeway: CommandLine,
) -> None:
    done = causeway.run("chat", stdin="A question with “quotes”\nand two lines")
    assert done.stdout == ANSWER + "\n", "and nothing else"
    newest = causeway.json("conversations", "list")[0]
    shown = causeway.json("conversations", "show", newest["id"])
    assert shown["messages"][0]["text"] == "A question with “quotes”\nand two lines"


def test_a_conversation_goes_on(causeway: CommandLine) -> None:
    first = causeway.json("chat", "-s", "Be kind.", "--set", "seed=3", "One")
    second = causeway.json("chat", "-c", first["conversation_id"], "Two")
    assert second["conversation_id"] == first["conversation_id"]
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    shown = causeway.json("conversations", "show", first["conversation_id"])
    assert [message["text"] for message in shown["messages"]] == ["One", ANSWER, "Two", ANSWER]
    assert shown["conversation"]["options"] == {"system_prompt": "Be kind.", "seed": 3}
    assert shown["messages"][3]["origin"]["options"]["system_prompt"] == "Be kind."


def test_a_conversation_is_found_and_shown_as_text(causeway: CommandLine) -> None:
    told = causeway.json("chat", "Where is the lighthouse?")
    assert told["conversation_id"] in causeway.run("conversations", "search", "lighthouse").stdout
    text = causeway.run("conversations", "show", told["conversation_id"]).stdout
    assert text == f"## You\n\nWhere is the lighthouse?\n\n## polite\n\n{ANSWER}\n\n"


def test_a_setting_of_the_chat_reaches_the_model(causeway: CommandLine) -> None:
    answer = causeway.json("chat", "--set", "max_tokens=2", "Hello")
    assert answer["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("setting", ["colour=red", "top_k=none", "top_k=-1", "top_k"])
def test_a_setting_that_is_none_is_wrong_usage(causeway: CommandLine, setting: str) -> None:
    done = causeway.run("chat", "--set", setting, "Hello", code=2)
    assert "Usage" in done.stderr
    assert "top_k" in done.stderr


def test_any_file_can_be_asked_without_adding_it(
    causeway: CommandLine, other_model_file: Path
) -> None:
    answer = causeway.json("chat", "-m", str(other_model_file), "--set", "max_tokens=3", "Hello")
    again = causeway.json("chat", "-c", answer["conversation_id"], "And?", "--set", "max_tokens=3")
    assert again["model"] == answer["model"] == "talkative"
    assert [model["id"] for model in causeway.json("models")] == ["polite"]


def test_a_file_that_is_no_model_is_one_sentence_and_code_1(causeway: CommandLine) -> None:
    before = causeway.json("conversations", "list")
    error = causeway.error("chat", "-m", "/etc/hostname", "hi")
    assert "hostname" in error
    assert "GGUF" in error
    assert causeway.json("conversations", "list") == before, "nothing was stored for nothing"


def test_an_unknown_conversation_is_named(causeway: CommandLine) -> None:
    assert "“nowhere”" in causeway.error("chat", "-c", "nowhere", "hi")


def test_an_empty_prompt_is_wrong_usage(causeway: CommandLine) -> None:
    assert "empty" in causeway.run("chat", " ", code=2).stderr


def test_a_model_that_will_not_load_keeps_the_question(
    causeway: CommandLine, tmp_path: Path
) -> None:
    strange = write_model(tmp_path / "strange.gguf", architecture="quux", template=CHATML)
    error = causeway.error("chat", "-m", str(strange), "Is this kept?")
    assert "quux" in error
    newest = causeway.json("conversations", "list")[0]
    assert (newest["title"], newest["status"]) == ("Is this kept?", "interrupted")


def test_a_prompt_longer_than_the_context_is_refused_in_words(causeway: CommandLine) -> None:
    error = causeway.error("chat", "-m", "polite", "word " * 3000)
    assert "too long" in error
    assert "context" in error


def test_the_room_kept_for_the_answer_decides_how_much_history_stays(
    causeway: CommandLine,
) -> None:
    """The model's context holds 512 tokens; a word of one character is two."""
    first = causeway.json("chat", "-m", "polite", "y " * 100)
    chat = ("chat", "-c", first["conversation_id"], "y " * 60)
    squeezed = causeway.json(*chat, "--set", "answer_reserve=250")
    assert squeezed["usage"]["prompt_tokens"] < first["usage"]["prompt_tokens"]
    first = causeway.json("chat", "-m", "polite", "y " * 100)
    chat = ("chat", "-c", first["conversation_id"], "y " * 60)
    whole = causeway.json(*chat, "--set", "answer_reserve=0")
    assert whole["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    wrong = causeway.run("chat", "--set", "answer_reserve=much", "Hello", code=2)
    assert "a whole number from -1 to" in wrong.stderr


class Running:
    """A `causeway chat` in the midst of an answer that takes seconds."""

    def __init__(self, causeway: CommandLine, model: Path) -> None:
        self.process = causeway.start("chat", "-m", str(model), "--set", "temperature=0", "Go on")
        assert self.process.stdout is not None
        if not self.process.stdout.read(1):
            pytest.fail(f"it did not begin to answer: {self.wait()}")
        self.workers = psutil.Process(self.process.pid).children(recursive=True)

    def wait(self) -> str:
        """Until it ends; returns what it said on standard error."""
        _, error = self.process.communicate(timeout=60)
        return error

    def assert_no_worker_is_left(self) -> None:
        assert self.workers
        _, alive = psutil.wait_procs(self.workers, timeout=60)
        assert alive == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_answer_and_keeps_it(
    causeway: CommandLine, endless: Path, number: int
) -> None:
    running = Running(causeway, endless)
    running.process.send_signal(number)
    error = running.wait()
    assert running.process.returncode == 1
    assert error.startswith("Stopped. What there is of the answer is kept in conversation ")
    running.assert_no_worker_is_left()
    conversation = causeway.json("conversations", "list")[0]["id"]
    answer = causeway.json("conversations", "show", conversation)["messages"][-1]
    assert answer["status"] == "stopped"
    assert answer["text"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping(lambda: None):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_killed_program_loses_at_most_what_came_after_the_last_flush(
    causeway: CommandLine, endless: Path
) -> None:
    running = Running(causeway, endless)
    store = ConversationStore(causeway.home / "conversations.sqlite3")
    try:
        conversation = store.rows()[0].id
        deadline = time.monotonic() + 60
        while not (seen := store.page(conversation).messages[-1].text):
            assert time.monotonic() < deadline, "nothing was saved"
            time.sleep(0.02)
        running.process.kill()
        running.wait()
        assert store.page(conversation).messages[-1].status == "streaming"
    finally:
        store.close()
    running.assert_no_worker_is_left()
    with closing(sqlite3.connect(causeway.home / "conversations.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    question, answer = causeway.json("conversations", "show", conversation)["messages"]
    assert question["text"] == "Go on"
    assert answer["status"] == "interrupted"
    assert answer["text"].startswith(seen)


def test_a_killed_worker_leaves_the_partial_answer_and_the_reason(
    causeway: CommandLine, endless: Path
) -> None:
    running = Running(causeway, endless)
    for worker in running.workers:
        worker.kill()
    error = running.wait()
    assert running.process.returncode == 1
    conversation = causeway.json("conversations", "list")[0]["id"]
    answer = causeway.json("conversations", "show", conversation)["messages"][-1]
    assert answer["status"] == "interrupted"
    assert answer["text"]
    assert answer["problem"]
    assert answer["problem"] in error


def test_two_at_once_share_the_database(causeway: CommandLine, endless: Path) -> None:
    running = Running(causeway, endless)
    assert causeway.json("chat", "-m", "polite", "Meanwhile")["text"] == ANSWER
    assert running.process.poll() is None, "the other one is still answering"
    running.process.terminate()
    running.wait()
    titles = {row["title"] for row in causeway.json("conversations", "list")[:2]}
    assert titles == {"Go on", "Meanwhile"}


@pytest.mark.model
def test_the_starter_answers(causeway: CommandLine, starter_model: Path) -> None:
    brief = ("--set", "max_tokens=40")
    answer = causeway.json("chat", "-m", str(starter_model), *brief, "Name the capital of France.")
    assert answer["text"]
    assert answer["finish_reason"] in ("stop", "length")
    assert answer["model"] == "smollm2-135m-instruct"
