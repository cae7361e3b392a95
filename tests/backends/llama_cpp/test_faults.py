"""What happens when a worker is killed, hangs, or loses its program."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backends.errors import EngineCrashed, PromptTooLong
from backends.llama_cpp.session import MAX_PROMPT_BYTES
from backends.protocol import ChatRequest, Event, Message, PromptProgress, Sampling
from backends.testing import HELLO, last, text_of
from tests.backends.conftest import OpenSession

ENDLESS = ChatRequest(
    messages=(Message(role="user", content="Talk"),), sampling=Sampling(temperature=0)
)
posix_only = pytest.mark.skipif(os.name != "posix", reason="uses signals")


@posix_only
@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGKILL, "memory"), (signal.SIGSEGV, "fault in the engine")]
)
def test_a_worker_killed_mid_answer_is_reported_after_its_text(
    open_session: OpenSession, tiny_model: Path, number: signal.Signals, word: str
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    stream = session.chat(ENDLESS)
    received: list[Event] = []
    while len(text_of(received)) < 5:
        received.append(next(stream))
    os.kill(session.pid, number)
    with pytest.raises(EngineCrashed) as error:
        received.extend(stream)
    assert len(text_of(received)) >= 5
    assert word in error.value.why
    assert error.value.fix
    assert not session.alive


@posix_only
def test_the_report_of_a_crash_holds_the_end_of_the_log(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    stream = session.chat(ENDLESS)
    next(stream)
    os.kill(session.pid, signal.SIGSEGV)
    with pytest.raises(EngineCrashed) as error:
        list(stream)
    assert "Segmentation fault" in error.value.detail
    assert len(error.value.detail) <= 8 * 1024


@posix_only
def test_a_dead_session_refuses_the_next_request_in_words(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        list(session.chat(HELLO))
    with pytest.raises(EngineCrashed):
        session.count_tokens(HELLO.messages)


@posix_only
def test_closing_the_stream_of_a_hanging_worker_ends_it(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    stream = session.chat(ENDLESS)
    next(stream)
    os.kill(session.pid, signal.SIGSTOP)
    stream.close()
    assert session.alive, "it waited until the worker was killed"
    assert last(list(stream)).reason == "cancelled"
    assert not session.alive


@posix_only
def test_a_worker_ends_with_its_program(tiny_model: Path) -> None:
    """Killed in the middle of an answer, the program leaves no worker that goes on computing."""
    code = (
        "import sys, time\n"
        "from backends.llama_cpp.backend import LlamaCppBackend\n"
        "from backends.protocol import *\n"
        "session = LlamaCppBackend().open(sys.argv[1], LoadOptions(n_ctx=32768), lambda _: True)\n"
        "stream = session.chat(ChatRequest(messages=(Message(role='user', content='Talk'),),\n"
        "                                  sampling=Sampling(temperature=0)))\n"
        "next(stream)\n"
        "print(session.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tiny_model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        worker = psutil.Process(int(program.stdout.readline()))
        program.kill()
    with_nobody_to_reap_it = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    deadline = time.monotonic() + 60
    while worker.is_running() and worker.status() not in with_nobody_to_reap_it:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_cancelling_while_the_prompt_is_read(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    prompt = Message(role="user", content="abcdefg " * 3000)
    stream = session.chat(ChatRequest(messages=(prompt,)))
    events = []
    for event in stream:
        events.append(event)
        if isinstance(event, PromptProgress) and 0 < event.done < event.total:
            stream.close()
    assert last(events).reason == "cancelled"
    assert last(events).usage.completion_tokens == 0
    assert text_of(list(session.chat(HELLO)))


@posix_only
def test_a_worker_killed_while_it_reads_a_prompt_is_reported(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    stream = session.chat(ChatRequest(messages=(Message(role="user", content="abcdefg " * 3000),)))
    received: list[Event] = []
    while not any(isinstance(event, PromptProgress) and event.done for event in received):
        received.append(next(stream))
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        received.extend(stream)
    assert text_of(received) == ""
    assert not session.alive


@posix_only
def test_a_worker_killed_mid_answer_ends_every_answer_of_it(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    streams = [session.chat(ENDLESS) for _ in range(3)]
    for stream in streams:
        next(stream)
    os.kill(session.pid, signal.SIGTERM)
    for stream in streams:
        with pytest.raises(EngineCrashed):
            list(stream)


def test_a_text_too_long_for_the_wire_is_refused_in_words(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    messages = (Message(role="user", content="x" * (MAX_PROMPT_BYTES + 1)),)
    for ask in (
        lambda: session.chat(ChatRequest(messages=messages)),
        lambda: session.count_tokens(messages),
    ):
        with pytest.raises(PromptTooLong):
            ask()
    assert text_of(list(session.chat(HELLO)))


def test_a_message_that_is_no_text_is_an_error_and_no_wait(
    open_session: OpenSession, tiny_model: Path
) -> None:
    request = ChatRequest(messages=(Message(role="user", content="\udcff"),))
    with pytest.raises(UnicodeEncodeError):
        open_session(tiny_model).chat(request)


def test_a_message_too_long_is_refused_in_words(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=512)
    request = ChatRequest(messages=(Message(role="user", content="long " * 500),))
    with pytest.raises(PromptTooLong) as error:
        list(session.chat(request))
    assert "512" in error.value.why
    assert text_of(list(session.chat(HELLO)))
