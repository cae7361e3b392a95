"""What guessing from the prompt brings where much is copied, and costs where nothing is."""

import statistics
from pathlib import Path

import msgspec

from backends.llama_cpp.loaded_model import default_threads
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, Sampling
from benchmarks.engine_path import request_for, session_on, timed
from benchmarks.engine_peers import Task
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 11
N_GENERATE = 128
CHAT = (
    "Write a very long story about a lighthouse keeper and the sea.",
    "What should I think of when I plan a garden for a school? Explain each point.",
)
PARAGRAPH = (
    "The harbour master counts the boats at dawn, writes the number in a green book, and rings the "
    "bell twice when one of them is missing. The fishermen set their clocks by it. "
)
COPY = f"Repeat this text word for word, then repeat it again:\n\n{PARAGRAPH * 2}"


def run(model: Path | None = None) -> list[Row]:
    rows = []
    with session_on(model or starter_model(), default_threads()) as session:
        for name, texts, target in (("a chat", CHAT, 0.95), ("copying", (COPY,), 1.0)):
            requests = [_greedy(text) for text in texts]
            speeds = alternate(
                {
                    "guessing": lambda: _speed(session, requests, lookup=True),  # noqa: B023
                    "plain": lambda: _speed(session, requests, lookup=False),  # noqa: B023
                },
                rounds=ROUNDS,
            )
            value = ratio(speeds["guessing"], speeds["plain"])
            detail: dict[str, object] = {"tokens_per_second": speeds}
            measure = f"prompt lookup in {name} / without"
            rows.append(Row(measure, value, "×", f"≥ {target}", value >= target, detail))
    return rows


def _greedy(text: str) -> ChatRequest:
    request = request_for(Task(text, N_GENERATE), text)
    return msgspec.structs.replace(request, sampling=Sampling(temperature=0))


def _speed(session: LlamaCppSession, requests: list[ChatRequest], *, lookup: bool) -> float:
    return statistics.median(
        timed(session, msgspec.structs.replace(request, lookup=lookup)).tokens_per_second
        for request in requests
    )
