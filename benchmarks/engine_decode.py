"""Generation speed through the whole path, beside three other ways to run the same model."""

import contextlib
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

from backends.llama_cpp.engine import default_threads
from benchmarks.engine_path import answer, session_on
from benchmarks.engine_peers import KINDS, Peer, Task, is_installed
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 15
TASK = Task("Write a very long story about a lighthouse keeper and the sea.", 64)
TARGETS = {
    "bare": ("a bare llama_decode loop", 0.97),
    "llama": ("llama_cpp.Llama streaming", 1.0),
    "xllamacpp": ("xllamacpp's server", 1.0),
}


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(session_on(path, n_threads))
        contenders: dict[str, Callable[[], float]] = {
            "causeway": lambda: answer(session, TASK).tokens_per_second
        }
        for kind in filter(is_installed, KINDS):
            peer = stack.enter_context(Peer(kind, path, n_threads))
            contenders[kind] = partial(_speed_of, peer)
        speeds = alternate(contenders, rounds=ROUNDS)
    return [_row(kind, speeds, n_threads) for kind in TARGETS]


def _speed_of(peer: Peer) -> float:
    return peer.run(TASK).tokens_per_second


def _row(kind: str, speeds: dict[str, list[float]], n_threads: int) -> Row:
    title, target = TARGETS[kind]
    measure = f"decode speed, whole path / {title}"
    if kind not in speeds:
        return Row(measure, float("nan"), "×", f"≥ {target}", False, {"reason": "not installed"})
    value = ratio(speeds["causeway"], speeds[kind])
    detail: dict[str, object] = {
        "n_threads": n_threads,
        "tokens_per_second": {name: speeds[name] for name in ("causeway", kind)},
        "medians": {name: statistics.median(speeds[name]) for name in ("causeway", kind)},
    }
    return Row(measure, value, "×", f"≥ {target}", value >= target, detail)
