"""A bare client of the servers that are measured: the same for all, so that it costs all the same."""

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import msgspec

from backends.protocol import Sampling

PATH = "/v1/chat/completions"
_SECONDS = 120


class Question(msgspec.Struct, frozen=True):
    """`system` comes first in the prompt: where it is new, a server has read nothing of it before."""

    system: str
    text: str
    max_tokens: int
    seed: int


class Streamed(msgspec.Struct, frozen=True):
    """Seconds since the first of the requests was sent: when each began, and its pieces came.

    `tokens` are what the server says it wrote, else the pieces.
    """

    began: float
    pieces: tuple[float, ...]
    tokens: int

    @property
    def first_token_seconds(self) -> float:
        return self.pieces[0] - self.began

    @property
    def tokens_per_second(self) -> float:
        """From the first token to the last."""
        return (self.tokens - 1) / (self.pieces[-1] - self.pieces[0])


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)


class _Usage(msgspec.Struct):
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None


def together(address: str, questions: Sequence[Question]) -> list[Streamed]:
    """Ask all at once, each over a connection and on a thread of its own."""
    started = time.perf_counter()
    answers: list[Streamed] = []

    def ask(question: Question) -> None:
        answers.append(streamed(address, question, started))

    run_together([partial(ask, question) for question in questions])
    if len(answers) != len(questions):
        raise RuntimeError("a request failed")
    return answers


def streamed(address: str, question: Question, started: float) -> Streamed:
    began = time.perf_counter() - started
    connection = connect(address)
    try:
        connection.request("POST", PATH, _body(question), {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(response.read().decode())
        pieces: list[float] = []
        tokens = 0
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            chunk = msgspec.json.decode(line[6:], type=_Chunk)
            if chunk.choices and chunk.choices[0].delta.content:
                pieces.append(time.perf_counter() - started)
            if chunk.usage is not None:
                tokens = chunk.usage.completion_tokens
    finally:
        connection.close()
    return Streamed(began, tuple(pieces), tokens or len(pieces))


def connect(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)


def run_together(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _body(question: Question) -> bytes:
    """Each server finds the samplers where it looks for them, and ignores the other names."""
    sampling = Sampling()
    extra = {"top_k": sampling.top_k, "min_p": sampling.min_p}
    return msgspec.json.encode(
        {
            "model": "default",
            "messages": [
                {"role": "system", "content": question.system},
                {"role": "user", "content": question.text},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": question.max_tokens,
            "seed": question.seed,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repeat_penalty": sampling.repeat_penalty,
            **extra,
            "causeway": {"options": {**extra, "repeat_penalty": sampling.repeat_penalty}},
        }
    )
