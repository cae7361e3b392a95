"""Four answers at once: how much more they come to than one, beside a server of the same kind."""

import contextlib
import statistics
from collections.abc import Callable
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from benchmarks.engine_path import answer, session_on
from benchmarks.engine_peers import SERVER_OF_FOUR, SLOTS, Peer, Task, is_installed
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 7
N_GENERATE = 96
STORY = "Write a very long story about a lighthouse keeper and the sea."
ONE = Task(STORY, N_GENERATE)
FOUR = Task(STORY, N_GENERATE, at_once=SLOTS)


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(session_on(path, n_threads))
        contenders: dict[str, Callable[[], float]] = {
            "one": lambda: answer(session, ONE).tokens_per_second,
            "four": lambda: answer(session, FOUR).tokens_per_second,
        }
        if is_installed(SERVER_OF_FOUR):
            server = stack.enter_context(Peer(SERVER_OF_FOUR, path, n_threads))
            contenders["server"] = lambda: server.run(FOUR).tokens_per_second
        speeds = alternate(contenders, rounds=ROUNDS)
    return [
        _row("four answers at once / one: tokens a second in all", "one", 1.5, speeds, n_threads),
        _row("four answers at once / xllamacpp's server", "server", 1.0, speeds, n_threads),
    ]


def _row(
    measure: str, other: str, target: float, speeds: dict[str, list[float]], n_threads: int
) -> Row:
    if other not in speeds:
        return Row(measure, float("nan"), "×", f"≥ {target}", False, {"reason": "not installed"})
    value = ratio(speeds["four"], speeds[other])
    detail: dict[str, object] = {
        "n_threads": n_threads,
        "tokens_per_second": {name: speeds[name] for name in ("four", other)},
        "medians": {name: statistics.median(speeds[name]) for name in ("four", other)},
    }
    return Row(measure, value, "×", f"≥ {target}", value >= target, detail)
