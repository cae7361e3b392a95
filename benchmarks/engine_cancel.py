"""How long an answer goes on after the person has stopped it."""

import time
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, Finished, Message, PromptProgress, TextDelta
from benchmarks.engine_path import session_on
from benchmarks.harness import Row, percentile
from benchmarks.starter import starter_model

CANCELS = 40
TARGET_MS = 50


def run(model: Path | None = None) -> list[Row]:
    with session_on(model or starter_model(), default_threads()) as session:
        prompt = [_cancel_prompt(session, number) for number in range(CANCELS)]
        generation = [_cancel_generation(session, number) for number in range(CANCELS)]
    return [_row("during the prompt", prompt), _row("during generation", generation)]


def _row(when: str, times: list[float]) -> Row:
    value = percentile(times, 0.95)
    measure = f"cancel to idle {when}, p95 of {CANCELS}"
    return Row(measure, value, "ms", f"≤ {TARGET_MS}", value <= TARGET_MS, {"ms": times})


def _cancel_prompt(session: LlamaCppSession, number: int) -> float:
    """In the middle of a batch: its share of a second differs from one time to the next."""
    text = f"{number} " + "the ship left the harbour " * 400
    request = ChatRequest(messages=(Message(role="user", content=text),))
    stream = session.chat(request)
    for event in stream:
        if isinstance(event, PromptProgress):
            time.sleep(0.02 + 0.01 * (number % 10))
            return _close(stream)
    raise EOFError("the prompt was not read")


def _cancel_generation(session: LlamaCppSession, number: int) -> float:
    request = ChatRequest(messages=(Message(role="user", content="Tell me a long story."),))
    stream = session.chat(request)
    received = 0
    for event in stream:
        received += isinstance(event, TextDelta)
        if received == 5 + number % 7:
            return _close(stream)
    raise EOFError("the answer was too short")


def _close(stream: object) -> float:
    """Milliseconds from the call until the worker is free."""
    started = time.perf_counter()
    stream.close()
    for event in stream:
        if isinstance(event, Finished):
            return (time.perf_counter() - started) * 1000
    raise EOFError("the stream did not finish")
