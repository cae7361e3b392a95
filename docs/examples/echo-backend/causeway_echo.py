"""A whole engine: it repeats the last message, word by word. docs/backends.md goes through it."""

import threading
from collections.abc import Iterator, Sequence

from backends.errors import BackendError, LoadCancelled, Unsupported
from backends.protocol import (
    Capabilities,
    ChatRequest,
    Embeddings,
    Event,
    Finished,
    FinishReason,
    LoadOptions,
    LoadProgress,
    Message,
    ModelDescription,
    SessionInfo,
    Text,
    TextDelta,
    Usage,
)


class EchoBackend:
    """Implements `backends.protocol.Backend`."""

    protocol_version = 1
    name = "echo"
    capabilities = Capabilities(count_tokens=True, parallel=True, local=True)

    def models(self) -> Sequence[ModelDescription]:
        return [ModelDescription(id="parrot", name="Parrot", context_length=2048)]

    def open(self, model: str, options: LoadOptions, on_progress: LoadProgress) -> "EchoSession":
        if not on_progress(1.0):
            raise LoadCancelled("Loading was cancelled.")
        return EchoSession(model)


class EchoSession:
    """Implements `backends.protocol.Session`."""

    def __init__(self, model: str) -> None:
        self.info = SessionInfo(model=model, n_ctx=2048)
        self.alive = True

    def chat(self, request: ChatRequest) -> "EchoStream":
        if not self.alive:
            raise BackendError("The parrot has flown away.", fix="Ask again.")
        return EchoStream(request)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) for message in messages)

    def embed(self, texts: Sequence[Text]) -> Embeddings:
        raise Unsupported("A parrot makes no vectors.")

    def close(self) -> None:
        self.alive = False


class EchoStream:
    """Implements `backends.protocol.ChatStream`: `close` may be called from any thread."""

    def __init__(self, request: ChatRequest) -> None:
        self._closed = threading.Event()
        self._events = self._answer(request)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        self._closed.set()

    def _answer(self, request: ChatRequest) -> Iterator[Event]:
        words = request.messages[-1].content.split()
        most = request.max_tokens if request.max_tokens >= 0 else len(words)
        said = 0
        reason: FinishReason = "length" if most < len(words) else "stop"
        for word in words[:most]:
            if self._closed.wait(0.001):
                reason = "cancelled"
                break
            yield TextDelta(f"{word} ")
            said += 1
        usage = Usage(prompt_tokens=len(words), completion_tokens=said)
        yield usage
        yield Finished(reason, usage=usage, seed=max(0, request.sampling.seed))
