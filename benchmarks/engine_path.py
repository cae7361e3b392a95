"""The path that the window takes to an answer, timed from outside: session, worker, engine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import (
    ChatRequest,
    Finished,
    LoadOptions,
    Message,
    PromptProgress,
    Sampling,
    StateKeeping,
    TextDelta,
    Usage,
)
from benchmarks.engine_peers import N_CTX, Speed, Task, together


@contextmanager
def session_on(
    model: Path, n_threads: int, *, keep: StateKeeping | None = None
) -> Iterator[LlamaCppSession]:
    options = LoadOptions(n_ctx=N_CTX, n_threads=n_threads, keep=keep)
    session = LlamaCppBackend().open(str(model), options, lambda fraction: True)
    try:
        yield session
    finally:
        session.close()


def ask(
    session: LlamaCppSession, messages: list[Message], *, max_tokens: int = 100
) -> tuple[str, Usage]:
    """The text of an answer, and what it took."""
    text = ""
    request = ChatRequest(messages=tuple(messages), max_tokens=max_tokens)
    for event in session.chat(request):
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, Finished):
            return text, event.usage
    raise EOFError("the answer did not finish")


def answer(session: LlamaCppSession, task: Task) -> Speed:
    """How fast an answer arrives, or several at once.

    `prompt_seconds` go from the request to the end of the prompt that is read first.
    """
    requests = [request_for(task, text) for text in task.texts]
    if len(requests) == 1:
        return timed(session, requests[0])
    parts: list[_Times] = []
    started = time.perf_counter()
    together([partial(_run, session, request, parts) for request in requests])
    first = min(part.texts[0] for part in parts)
    return Speed(
        sum(part.evaluated for part in parts),
        min(part.prompt_end for part in parts) - started,
        sum(part.tokens for part in parts),
        max(part.texts[-1] for part in parts) - first,
    )


def request_for(task: Task, text: str) -> ChatRequest:
    return ChatRequest(
        messages=(Message(role="user", content=text),),
        sampling=Sampling(seed=task.seed),
        max_tokens=task.n_generate,
    )


def timed(session: LlamaCppSession, request: ChatRequest) -> Speed:
    """How fast an answer arrives. `prompt_seconds` go from the request to the prompt's end."""
    parts: list[_Times] = []
    started = time.perf_counter()
    _run(session, request, parts)
    (part,) = parts
    seconds = part.texts[-1] - part.texts[0]
    return Speed(part.evaluated, part.prompt_end - started, part.tokens, seconds)


class _Times:
    """When what of an answer came."""

    def __init__(self) -> None:
        self.prompt_end = 0.0
        self.texts: list[float] = []
        self.evaluated = 0
        self.tokens = 0


def _run(session: LlamaCppSession, request: ChatRequest, done: list[_Times]) -> None:
    times = _Times()
    for event in session.chat(request):
        match event:
            case PromptProgress():
                times.prompt_end = time.perf_counter()
            case TextDelta():
                times.texts.append(time.perf_counter())
            case Finished(usage=usage):
                times.evaluated = usage.prompt_tokens - usage.cached_tokens
                times.tokens = usage.completion_tokens
                done.append(times)
                return
    raise EOFError("the answer did not finish")
