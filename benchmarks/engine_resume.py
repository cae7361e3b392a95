"""Coming back to a long conversation after a restart: what was read is not read again."""

import shutil
import tempfile
import time
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from backends.llama_cpp.state_folder import folder_bytes
from backends.protocol import ChatRequest, Finished, Message, Sampling, StateKeeping, TextDelta
from benchmarks.engine_path import ask, session_on
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 5
TARGET = 0.1
LIMIT_BYTES = 10 * 10**9
LINES = 112


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch) / "kept"
        messages = [Message(role="user", content=_long_text())]
        with session_on(path, n_threads, keep=_keeping(kept)) as session:
            text, usage = ask(session, messages, max_tokens=32)
        messages += [
            Message(role="assistant", content=text),
            Message(role="user", content="Which ship was the largest?"),
        ]
        cached: list[int] = []

        def after_a_restart(folder: Path | None) -> float:
            """Seconds from the question to the first of the answer, in a new process."""
            keep = _keeping(folder) if folder else None
            with session_on(path, n_threads, keep=keep) as session:
                request = ChatRequest(
                    messages=tuple(messages), max_tokens=2, sampling=Sampling(temperature=0)
                )
                started = time.perf_counter()
                first = 0.0
                for event in session.chat(request):
                    if isinstance(event, TextDelta) and not first:
                        first = time.perf_counter() - started
                    elif isinstance(event, Finished) and folder:
                        cached.append(event.usage.cached_tokens)
            return first

        def resumed() -> float:
            copy = Path(scratch) / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(kept, copy)
            return after_a_restart(copy)

        times = alternate(
            {"resumed": resumed, "evaluated": lambda: after_a_restart(None)}, rounds=ROUNDS
        )
        n_bytes = folder_bytes(kept)
    value = ratio(times["resumed"], times["evaluated"])
    return [
        Row(
            f"first token of a chat of {usage.prompt_tokens:,} tokens after a restart, "
            "restored / evaluated",
            value,
            "×",
            f"≤ {TARGET}",
            value <= TARGET,
            {"seconds": times, "cached_tokens": cached, "kept_bytes": n_bytes},
        )
    ]


def _keeping(folder: Path) -> StateKeeping:
    return StateKeeping(folder=str(folder), limit_bytes=LIMIT_BYTES)


def _long_text() -> str:
    return "".join(
        f"Ship {number + 100} of the fleet has {number * 37 % 91} sails, {number * 53 % 67} guns and a "
        f"crew of {number * 71 % 400 + 20}. "
        for number in range(LINES)
    )
