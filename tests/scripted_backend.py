"""A backend without a model: it answers from a script, at a given pace, and fails where told to."""

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Iterator, Sequence

import msgspec

from backends.errors import BackendError, EngineCrashed, LoadCancelled, Unsupported
from backends.protocol import (
    PROTOCOL_VERSION,
    Capabilities,
    ChatRequest,
    Embeddings,
    Event,
    Finished,
    FinishReason,
    HistoryTrimmed,
    LoadOptions,
    LoadProgress,
    Logprobs,
    Message,
    ModelDescription,
    PromptProgress,
    ReasoningDelta,
    SessionInfo,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCall,
    Usage,
    Warned,
)

_VECTOR_LENGTH = 8


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a session does.

    `tokens` are streamed `delay` seconds apart, after `reasoning`. It dies after `crash_at` tokens,
    or stops sending after `hang_at` tokens until it is closed, or ends without its last events after
    `break_at`. After the tokens come the `calls` of tools. `load_seconds` pass before it opens
    and `load_error` is then raised. `trimmed` messages and `warnings` are announced before the text.
    """

    tokens: tuple[str, ...] = ("Hello", ",", " world", ".")
    calls: tuple[ToolCall, ...] = ()
    reasoning: tuple[str, ...] = ()
    delay: float = 0.0
    crash_at: int | None = None
    hang_at: int | None = None
    break_at: int | None = None
    load_seconds: float = 0.0
    load_error: BackendError | None = None
    trimmed: int = 0
    warnings: tuple[str, ...] = ()


class ScriptedBackend:
    """Implements `backends.protocol.Backend`. `sessions`, `requests` and `embedded` are for tests
    to look at.

    Assign another `script` between answers to change what open sessions do next.
    """

    protocol_version = PROTOCOL_VERSION
    name = "scripted"

    def __init__(
        self,
        script: Script = Script(),  # noqa: B008
        *,
        parallel: bool = True,
        embeds: bool = False,
    ) -> None:
        self.capabilities = Capabilities(
            complete=True,
            continue_answer=True,
            embed=embeds,
            adapters=True,
            tools=True,
            grammar=True,
            count_tokens=True,
            logprobs=True,
            prompt_progress=True,
            parallel=parallel,
            local=True,
        )
        self.script = script
        self.sessions: list[ScriptedSession] = []
        self.requests: list[ChatRequest] = []
        self.embedded: list[tuple[str, ...]] = []

    def models(self) -> Sequence[ModelDescription]:
        return (ModelDescription(id="scripted", name="Scripted"),)

    def open(
        self, model: str, options: LoadOptions, on_progress: LoadProgress
    ) -> "ScriptedSession":
        steps = 10
        for step in range(steps + 1):
            if not on_progress(step / steps):
                raise LoadCancelled("Loading was cancelled.")
            time.sleep(self.script.load_seconds / steps)
        if self.script.load_error is not None:
            raise self.script.load_error
        session = ScriptedSession(self, model, options)
        self.sessions.append(session)
        return session


class ScriptedSession:
    """Implements `backends.protocol.Session`. A token is a word."""

    def __init__(self, backend: ScriptedBackend, model: str, options: LoadOptions) -> None:
        self._backend = backend
        self.options = options
        self.info = SessionInfo(
            model=model,
            n_ctx=options.n_ctx or 2048,
            n_ctx_train=2048,
            n_threads=options.n_threads or 1,
            template="scripted",
            embedding_length=_VECTOR_LENGTH if backend.capabilities.embed else 0,
        )
        self.alive = True

    def chat(self, request: ChatRequest) -> "ScriptedStream":
        if not self.alive:
            raise EngineCrashed("The model is not running any more.")
        self._backend.requests.append(request)
        return ScriptedStream(self, self._backend.script, request)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) for message in messages)

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """The same vector for the same text, and another for another."""
        if not self.alive:
            raise EngineCrashed("The model is not running any more.")
        if not self._backend.capabilities.embed:
            raise Unsupported("This model makes no vectors.")
        self._backend.embedded.append(tuple(texts))
        tokens = sum(len(text.split()) for text in texts)
        return Embeddings(vectors=tuple(map(_vector, texts)), tokens=tokens)

    def close(self) -> None:
        self.alive = False


class ScriptedStream:
    """Implements `backends.protocol.ChatStream`."""

    def __init__(self, session: ScriptedSession, script: Script, request: ChatRequest) -> None:
        self._session = session
        self._script = script
        self._request = request
        self._closed = threading.Event()
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> Iterator[Event]:
        script, request = self._script, self._request
        started = time.perf_counter()
        prompt_tokens = self._session.count_tokens(request.messages)
        for text in script.warnings:
            yield Warned(text)
        if script.trimmed:
            yield HistoryTrimmed(script.trimmed)
        yield PromptProgress(done=prompt_tokens, total=prompt_tokens, cached=0)
        for text in script.reasoning:
            yield ReasoningDelta(text)
        reason: FinishReason = "stop"
        sent = 0
        for sent in itertools.count():
            if sent == script.hang_at:
                self._closed.wait()
            if sent == script.break_at:
                return
            if sent == script.crash_at:
                self._session.alive = False
                raise EngineCrashed("The model stopped working.", "It was scripted to.")
            if self._closed.is_set():
                reason = "cancelled"
                break
            if sent == len(script.tokens):
                break
            if 0 <= request.max_tokens <= sent:
                reason = "length"
                break
            yield TextDelta(script.tokens[sent])
            if request.logprobs >= 0:
                yield Logprobs((TokenLogprob(script.tokens[sent], -0.5),))
            self._closed.wait(script.delay)
        if reason == "stop":
            yield from script.calls
        seconds = time.perf_counter() - started
        usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=sent)
        timings = Timings(
            generation_ms=seconds * 1000, tokens_per_second=sent / seconds if seconds else 0.0
        )
        yield usage
        seed = request.sampling.seed
        yield Finished(reason, usage=usage, timings=timings, seed=seed if seed >= 0 else 1)


def _vector(text: str) -> tuple[float, ...]:
    values = hashlib.sha256(text.encode("utf-8", "replace")).digest()[:_VECTOR_LENGTH]
    norm = math.hypot(*values)
    return tuple(value / norm for value in values)
