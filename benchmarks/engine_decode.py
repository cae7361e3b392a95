"""Generation speed through the whole path, beside three other ways to run the same model."""

import contextlib
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from benchmarks.engine_path import answer, session_on
from benchmarks.engine_peers import KINDS, Peer, Speed, Task, is_installed
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 15
N_GENERATE = 96
STORY = "Write a very long story about a lighthouse keeper and the sea."
CHATTER = "The lamp was lit at dusk, and every ship on the bay knew where the rocks lay. "
TASKS = {"at the start of a chat": STORY, "1,500 tokens on": CHATTER * 75 + STORY}
TARGETS = {
    "bare": ("a bare llama_decode loop", 0.97),
    "llama": ("llama_cpp.Llama streaming", 1.0),
    "xllamacpp": ("xllamacpp's server", 1.0),
}


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(session_on(path, n_threads))
        peers = {
            kind: stack.enter_context(Peer(kind, path, n_threads))
            for kind in filter(is_installed, KINDS)
        }
        for where, text in TASKS.items():
            task = Task(text, N_GENERATE)
            contenders: dict[str, Callable[[], float]] = {
                "causeway": partial(_speed, partial(answer, session), task)
            }
            contenders |= {kind: partial(_speed, peer.run, task) for kind, peer in peers.items()}
            speeds = alternate(contenders, rounds=ROUNDS)
            rows += [_row(kind, where, speeds, n_threads) for kind in TARGETS]
    return rows


def _speed(run_task: Callable[[Task], Speed], task: Task) -> float:
    return run_task(task).tokens_per_second


def _row(kind: str, where: str, speeds: dict[str, list[float]], n_threads: int) -> Row:
    title, target = TARGETS[kind]
    measure = f"decode speed {where}, whole path / {title}"
    if kind not in speeds:
        return Row(measure, float("nan"), "×", f"≥ {target}", False, {"reason": "not installed"})
    value = ratio(speeds["causeway"], speeds[kind])
    detail: dict[str, object] = {
        "n_threads": n_threads,
        "tokens_per_second": {name: speeds[name] for name in ("causeway", kind)},
        "medians": {name: statistics.median(speeds[name]) for name in ("causeway", kind)},
    }
    return Row(measure, value, "×", f"≥ {target}", value >= target, detail)
