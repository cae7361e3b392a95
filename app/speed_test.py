"""How fast a model reads and writes here, and what llama.cpp does with nothing around it."""

import statistics
from collections.abc import Callable, Sequence
from itertools import chain

import msgspec

from app.engines import Engines
from app.whole_stream import whole
from app.worker_tools import run_in_worker
from backends.protocol import (
    ChatRequest,
    Finished,
    LoadOptions,
    Message,
    Sampling,
    Session,
    SessionInfo,
)
from catalog.library import InstalledModel

_ROUNDS = 3
_GENERATED = 96
_BARE_TIMEOUT = 600.0
_WORDS = [
    "river",
    "stone",
    "window",
    "paper",
    "garden",
    "winter",
    "engine",
    "letter",
    "bridge",
    "silver",
    "morning",
    "harbour",
    "candle",
    "forest",
    "market",
    "thunder",
    "pocket",
    "island",
    "mirror",
    "blanket",
]


class Speeds(msgspec.Struct, frozen=True):
    """Tokens per second."""

    prompt_tokens_per_second: float
    tokens_per_second: float


class SpeedTest(msgspec.Struct, frozen=True):
    """Medians of alternating rounds. `bare` is a loop around llama.cpp in a process of its own."""

    model: str
    threads: int
    prompt_tokens: int
    rounds: int
    causeway: Speeds
    bare: Speeds


def speed_test(
    engines: Engines, model: InstalledModel, on_progress: Callable[[str], None]
) -> SpeedTest:
    """Takes turns between the engine and the bare loop. `on_progress` gets what is going on."""

    def on_load(fraction: float) -> bool:
        on_progress(f"Loading {model.name} … {fraction:.0%}")
        return True

    ours: list[Speeds] = []
    bare: list[Speeds] = []
    with engines.use(model, LoadOptions(), on_load) as session:
        prompt_tokens = 0
        for number in range(_ROUNDS):
            on_progress(f"Round {number + 1} of {_ROUNDS}: Causeway")
            finished = _answer(session, number)
            prompt_tokens = finished.usage.prompt_tokens - finished.usage.cached_tokens
            ours.append(
                Speeds(
                    _per_second(prompt_tokens, finished.timings.prompt_ms),
                    finished.timings.tokens_per_second,
                )
            )
            on_progress(f"Round {number + 1} of {_ROUNDS}: bare loop")
            bare.append(_bare(model, session.info, prompt_tokens))
        threads = session.info.n_threads
    return SpeedTest(model.id, threads, prompt_tokens, _ROUNDS, _median(ours), _median(bare))


def _answer(session: Session, number: int) -> Finished:
    """An answer to a prompt of about 500 words that shares no beginning with the last one."""
    words = chain.from_iterable(_WORDS[number:] + _WORDS[:number] for _ in range(25))
    request = ChatRequest(
        messages=(Message(role="user", content=f"{' '.join(words)}. Tell a long story of these."),),
        sampling=Sampling(temperature=0.0),
        max_tokens=_GENERATED,
    )
    return next(event for event in whole(session.chat(request)) if isinstance(event, Finished))


def _bare(model: InstalledModel, info: SessionInfo, prompt_tokens: int) -> Speeds:
    numbers = (info.n_threads, info.n_gpu_layers, prompt_tokens, _GENERATED)
    return run_in_worker(
        "bare-loop", [str(model.path), *map(str, numbers)], Speeds, timeout=_BARE_TIMEOUT
    )


def _per_second(tokens: int, milliseconds: float) -> float:
    return tokens / milliseconds * 1000 if milliseconds else 0.0


def _median(speeds: Sequence[Speeds]) -> Speeds:
    return Speeds(
        statistics.median(speed.prompt_tokens_per_second for speed in speeds),
        statistics.median(speed.tokens_per_second for speed in speeds),
    )
