"""How fast a long prompt is read through the whole path, beside a bare `llama_decode` loop."""

import itertools
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from benchmarks.engine_path import answer, session_on
from benchmarks.engine_peers import Peer, Task
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 11
TARGET = 0.97
SENTENCES = 25


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    tasks = (Task(_text(number), 2) for number in itertools.count())
    with session_on(path, n_threads) as session, Peer("bare", path, n_threads) as peer:
        speeds = alternate(
            {
                "causeway": lambda: answer(session, next(tasks)).prompt_tokens_per_second,
                "bare": lambda: peer.run(next(tasks)).prompt_tokens_per_second,
            },
            rounds=ROUNDS,
        )
    value = ratio(speeds["causeway"], speeds["bare"])
    detail: dict[str, object] = {"n_threads": n_threads, "tokens_per_second": speeds}
    measure = "prompt speed, whole path / a bare llama_decode loop"
    return [Row(measure, value, "×", f"≥ {TARGET}", value >= TARGET, detail)]


def _text(number: int) -> str:
    """A prompt of about 600 tokens that shares nothing with the one before it."""
    return "".join(
        f"In case {number + 100} the {line}th witness saw a ship of {line * 37} tons leave the harbour. "
        for line in range(SENTENCES)
    )
