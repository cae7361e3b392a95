"""Ways to save a state, and what is saved."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from backends.llama_cpp.state_files import StateFiles
from backends.llama_cpp.state_format import ModelKey, SavedState

KEY = ModelKey(model="weights", template="{{ x }}", cache_type="f16", engine="1.0 cpu")
OTHER_ENGINE = ModelKey(model="weights", template="{{ x }}", cache_type="f16", engine="1.1 cpu")
STACK = (("a" * 64, 0.5),)
TOKENS = tuple(range(100, 400))
ANSWERS = (("Hello.", (7, 8, 9)), ("Größe 你好", (1,)))
PAYLOAD = random.Random(0).randbytes(50_000)
LIMIT = 10**9
SECONDS = 120.0

Open = Callable[..., StateFiles]


def save(
    states: StateFiles,
    tokens: tuple[int, ...] = TOKENS,
    payload: bytes = PAYLOAD,
    adapters: tuple[tuple[str, float], ...] = STACK,
) -> None:
    states.save(adapters, tokens, ANSWERS, payload)
    assert states.flush(SECONDS)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def only(states: StateFiles) -> SavedState:
    (state,) = states.known(STACK)
    return state


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def branch(number: int) -> tuple[int, ...]:
    """Tokens of a conversation of its own: it goes on from no other."""
    return (number, *TOKENS)
