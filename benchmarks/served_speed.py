"""Answers over the network: our server beside the engine itself, llama-server and `llama_cpp.server`.

The same weights, threads, context, samplers and questions for all, from one client and from eight.
"""

import contextlib
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from backends.llama_cpp.loaded_model import default_threads
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, Finished, Message, Sampling, TextDelta
from benchmarks.engine_path import session_on
from benchmarks.harness import Row, alternate, ratio
from benchmarks.served_client import Question, Streamed, together
from benchmarks.served_peers import (
    CAUSEWAY,
    CLIENTS,
    LLAMA_CPP_SERVER,
    LLAMA_SERVER,
    LLAMA_SERVER_OF_EIGHT,
    Served,
    is_installed,
)
from benchmarks.starter import starter_model

ROUNDS = 5
TOKENS = {1: 96, CLIENTS: 64}
"""Of an answer, where so many are asked for at once."""
ENGINE = "engine"
PEERS = (LLAMA_SERVER, LLAMA_CPP_SERVER)
ENGINE_TARGET = 0.95
PEER_TARGET = 1.0
SYSTEM = (
    "You tell stories to sailors who are on watch. They know the sea, so that you explain no word of"
    " it, and they have the whole night, so that you leave nothing out: the weather, the light, the"
    " tide, who stands at the wheel and what he thinks of."
)
STORY = "Tell a very long story about a lighthouse keeper and the sea. Begin in the morning."
CHATTER = "The lamp was lit at dusk, and every ship on the bay knew where the rocks lay. " * 75
"""About 1,500 tokens, after which the ways of computing attention differ most."""

Measured = dict[str, list["Measure"]]


class Measure(msgspec.Struct, frozen=True):
    """What one client saw, or several at once: then all their tokens in all the time, reading
    included, and the mean of the times to the first token.
    """

    tokens_per_second: float
    first_token_seconds: float
    tokens: int


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    n_threads = default_threads()
    with contextlib.ExitStack() as stack:
        addresses = {
            kind: stack.enter_context(Served(kind, path, n_threads)).address
            for kind in (CAUSEWAY, *PEERS, LLAMA_SERVER_OF_EIGHT)
            if is_installed(kind)
        }
        eight = dict(addresses)
        if LLAMA_SERVER in eight:
            eight[LLAMA_SERVER] = eight.pop(LLAMA_SERVER_OF_EIGHT)
            del addresses[LLAMA_SERVER_OF_EIGHT]
        session = stack.enter_context(session_on(path, n_threads))
        one: dict[str, Callable[[], Measure]] = {ENGINE: _of_engine(session)}
        one |= {kind: _of_server(address, 1) for kind, address in addresses.items()}
        alone = alternate(one, rounds=ROUNDS)
        far_on = alternate(
            {kind: _of_server(each, 1, _far_on()) for kind, each in addresses.items()},
            rounds=ROUNDS,
        )
        together_ = alternate(
            {kind: _of_server(address, CLIENTS) for kind, address in eight.items()}, rounds=ROUNDS
        )
    rows = [_row("one stream through the server / the engine itself", ENGINE, alone, n_threads)]
    for peer in PEERS:
        rows += _rows("one client", peer, alone, n_threads)
        rows.append(_speed_row("one client, 1,500 tokens on", peer, far_on, n_threads))
        rows += _rows("eight clients", peer, together_, n_threads)
    return rows


def _of_server(
    address: str, clients: int, questions: Iterator[Question] | None = None
) -> Callable[[], Measure]:
    questions = questions or _questions(clients)

    def ask() -> Measure:
        answers = together(address, list(itertools.islice(questions, clients)))
        return _measure(answers)

    return ask


def _of_engine(session: LlamaCppSession) -> Callable[[], Measure]:
    questions = _questions(1)
    return lambda: _measure([_straight(session, next(questions))])


def _questions(at_once: int) -> Iterator[Question]:
    """Each begins otherwise, so that nothing of it was read before; the same ones for all."""
    for number in itertools.count(1000 * at_once):
        yield Question(f"{number}. {SYSTEM}", STORY, TOKENS[at_once], seed=number)


def _far_on() -> Iterator[Question]:
    """Far into one chat, which all have read but for its last question."""
    for number in itertools.count(1):
        yield Question(CHATTER, f"{number}. {STORY}", TOKENS[1], seed=number)


def _straight(session: LlamaCppSession, question: Question) -> Streamed:
    """The answer of a session in this process, without a server."""
    request = ChatRequest(
        messages=(
            Message(role="system", content=question.system),
            Message(role="user", content=question.text),
        ),
        sampling=Sampling(seed=question.seed),
        max_tokens=question.max_tokens,
    )
    started = time.perf_counter()
    pieces: list[float] = []
    tokens = 0
    for event in session.chat(request):
        if isinstance(event, TextDelta):
            pieces.append(time.perf_counter() - started)
        elif isinstance(event, Finished):
            tokens = event.usage.completion_tokens
    return Streamed(0.0, tuple(pieces), tokens)


def _measure(answers: Sequence[Streamed]) -> Measure:
    tokens = sum(answer.tokens for answer in answers)
    if len(answers) == 1:
        rate = answers[0].tokens_per_second
    else:
        rate = tokens / max(answer.pieces[-1] for answer in answers)
    first = statistics.mean(answer.first_token_seconds for answer in answers)
    return Measure(rate, first, tokens)


def _rows(clients: str, peer: str, measured: Measured, n_threads: int) -> list[Row]:
    return [
        _speed_row(clients, peer, measured, n_threads),
        _row(
            f"{clients}, {peer} / our server: time to the first token",
            peer,
            measured,
            n_threads,
            of_time=True,
        ),
    ]


def _speed_row(clients: str, peer: str, measured: Measured, n_threads: int) -> Row:
    measure = f"{clients}, our server / {peer}: tokens a second"
    return _row(measure, peer, measured, n_threads)


def _row(
    measure: str, other: str, measured: Measured, n_threads: int, *, of_time: bool = False
) -> Row:
    target = ENGINE_TARGET if other == ENGINE else PEER_TARGET
    if other not in measured:
        return Row(measure, float("nan"), "×", f"≥ {target}", False, {"reason": "not installed"})
    ours, theirs = measured[CAUSEWAY], measured[other]
    if of_time:
        values = {CAUSEWAY: _first_tokens(ours), other: _first_tokens(theirs)}
        value = ratio(values[other], values[CAUSEWAY])
    else:
        values = {CAUSEWAY: _speeds(ours), other: _speeds(theirs)}
        value = ratio(values[CAUSEWAY], values[other])
    detail: dict[str, object] = {
        "n_threads": n_threads,
        "seconds" if of_time else "tokens_per_second": values,
        "medians": {name: statistics.median(each) for name, each in values.items()},
        "tokens": {name: [each.tokens for each in measured[name]] for name in values},
    }
    return Row(measure, value, "×", f"≥ {target}", value >= target, detail)


def _first_tokens(measures: Sequence[Measure]) -> list[float]:
    return [each.first_token_seconds for each in measures]


def _speeds(measures: Sequence[Measure]) -> list[float]:
    return [each.tokens_per_second for each in measures]
