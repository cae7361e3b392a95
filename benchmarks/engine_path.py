"""The path that the window takes to an answer, timed from outside: session, worker, engine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    TextDelta,
)
from benchmarks.engine_peers import N_CTX, Speed, Task


@contextmanager
def session_on(model: Path, n_threads: int) -> Iterator[LlamaCppSession]:
    options = LoadOptions(n_ctx=N_CTX, n_threads=n_threads)
    session = LlamaCppBackend().open(str(model), options, lambda fraction: True)
    try:
        yield session
    finally:
        session.close()


def answer(session: LlamaCppSession, task: Task) -> Speed:
    """How fast an answer arrives. `prompt_seconds` go from the request to the prompt's end."""
    request = ChatRequest(
        messages=(Message(role="user", content=task.text),),
        sampling=Sampling(seed=task.seed),
        max_tokens=task.n_generate,
    )
    times: list[float] = []
    prompt_end = started = time.perf_counter()
    for event in session.chat(request):
        match event:
            case PromptProgress():
                prompt_end = time.perf_counter()
            case TextDelta():
                times.append(time.perf_counter())
            case Finished(usage=usage):
                evaluated = usage.prompt_tokens - usage.cached_tokens
                return Speed(
                    evaluated,
                    prompt_end - started,
                    usage.completion_tokens,
                    times[-1] - times[0],
                )
    raise EOFError("the answer did not finish")
