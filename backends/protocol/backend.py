"""The parts that a backend consists of."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from backends.protocol.events import Event
from backends.protocol.loading import LoadOptions, LoadProgress, SessionInfo
from backends.protocol.requests import ChatRequest, Message, Text
from backends.protocol.spelling import Question, Spelled


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do. A caller asks here before it asks the session.

    `complete`: it goes on with a `ChatRequest.prompt`. `echo`: it honours `ChatRequest.echo`. `tokens`: it
    takes the numbers of tokens in place of a text, as a prompt and to embed, and its sessions are
    `TokenSession`s. `infill`: it honours `ChatRequest.suffix`, as far as the model can. `continue_answer`: it
    honours `continue_last`.
    `prompt_progress`: it tells how far the prompt is read. `parallel`: a session answers several
    requests at once. `local`: what is asked stays on this computer.
    """

    chat: bool = True
    complete: bool = False
    echo: bool = False
    tokens: bool = False
    infill: bool = False
    continue_answer: bool = False
    embed: bool = False
    adapters: bool = False
    images: bool = False
    tools: bool = False
    grammar: bool = False
    count_tokens: bool = False
    logprobs: bool = False
    prompt_progress: bool = False
    save_state: bool = False
    parallel: bool = False
    local: bool = False


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a backend offers by itself. `id` is what `Backend.open` takes.

    `context_length` in tokens, 0: not known. `embeds`: it makes vectors of texts instead of answers.
    """

    id: str
    name: str
    context_length: int = 0
    embeds: bool = False


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """A vector for each text, all of one length and of norm 1. `tokens` is what was read for them."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int = 0


class ChatStream(Protocol):
    """The events of one answer. `close` cancels it and may be called from any thread.

    After `close` the iterator still ends with `Finished("cancelled")`, so that the partial answer's
    usage is known.
    """

    def __iter__(self) -> Iterator[Event]: ...

    def __next__(self) -> Event: ...

    def close(self) -> None: ...


class Session(Protocol):
    """A loaded model. It answers any number of requests at once, as `Capabilities.parallel` says.

    `close` ends every stream, saves what it may keep, and returns within a few seconds.
    """

    @property
    def info(self) -> SessionInfo: ...

    @property
    def alive(self) -> bool: ...

    def chat(self, request: ChatRequest) -> ChatStream: ...

    def count_tokens(self, messages: Sequence[Message]) -> int: ...

    def embed(self, texts: Sequence[Text]) -> Embeddings:
        """Raises PromptTooLong, and Unsupported where `Capabilities.embed` doesn't say so."""
        ...

    def close(self) -> None: ...


class TokenSession(Session, Protocol):
    """A session of a backend whose capabilities name `tokens`."""

    def spell(self, question: Question) -> Spelled:
        """Raises PromptTooLong, or Unsupported for numbers that are no tokens."""
        ...


class Backend(Protocol):
    """An engine. Third parties register a zero-argument factory in `causeway.backends`."""

    @property
    def protocol_version(self) -> int:
        """The `PROTOCOL_VERSION` that it was written for."""
        ...

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def models(self) -> Sequence[ModelDescription]:
        """Models the backend offers by itself; an engine that runs files lists none."""
        ...

    def open(self, model: str, options: LoadOptions, on_progress: LoadProgress) -> Session:
        """Load a model: a file's path for an engine that runs files, else an id of `models()`."""
        ...
