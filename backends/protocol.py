"""The one protocol between Causeway and whatever answers.

A `Backend` opens a `Session` on a model; a `Session` turns a `ChatRequest` into a `ChatStream` of
events. It is synchronous: callers bring their own thread. Failures are `backends.errors`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]

DEFAULT_CONTEXT = 8192
"""Tokens of context that an engine sets up at most when nobody asks for a length."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do. A caller asks here before it asks the session."""

    chat: bool = True
    complete: bool = False
    embed: bool = False
    adapters: bool = False
    images: bool = False
    tools: bool = False
    grammar: bool = False
    count_tokens: bool = False
    save_state: bool = False
    local: bool = False


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a backend offers by itself. `id` is what `Backend.open` takes."""

    id: str
    name: str


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to load a model. Zero means that the backend chooses, for `n_gpu_layers` a negative number.

    `chat_template` is a Jinja text to use instead of the file's own template; empty: the file's.
    """

    n_ctx: int = 0
    n_threads: int = 0
    n_gpu_layers: int = -1
    chat_template: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the prompt."""

    role: Role
    content: str
    reasoning: str = ""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen. A negative `seed` draws one; `top_k` 0 switches it off."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = -1


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt and how to answer it.

    `max_tokens` below zero means up to the end of the context. With `continue_last`, the last
    message is the beginning of the answer, and the stream holds only what follows it.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    max_tokens: int = -1
    stop: tuple[str, ...] = ()
    continue_last: bool = False


class PromptProgress(msgspec.Struct, frozen=True, tag="prompt_progress"):
    """Tokens of the prompt evaluated so far (`done` counts the `cached` ones) of `total`."""

    done: int
    total: int
    cached: int


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    """The next piece of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning"):
    """The next piece of the model's thinking."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is a JSON text, not yet checked."""

    id: str
    name: str
    arguments: str


class HistoryTrimmed(msgspec.Struct, frozen=True, tag="history_trimmed"):
    """The oldest `messages` of the history did not fit in the context and were left out."""

    messages: int


class Warned(msgspec.Struct, frozen=True, tag="warned"):
    """Something a person should know that did not stop the answer."""

    text: str


class Usage(msgspec.Struct, frozen=True, tag="usage"):
    """Tokens of one answer. `cached_tokens` of the prompt needed no evaluation."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Timings(msgspec.Struct, frozen=True):
    """Milliseconds of one answer; `first_token_ms` counts from the request."""

    prompt_ms: float = 0.0
    first_token_ms: float = 0.0
    generation_ms: float = 0.0
    tokens_per_second: float = 0.0


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The last event of every stream that did not fail. `seed` is the one that was used."""

    reason: FinishReason
    usage: Usage = Usage()
    timings: Timings = Timings()
    seed: int = 0


Event = (
    PromptProgress
    | TextDelta
    | ReasoningDelta
    | ToolCall
    | HistoryTrimmed
    | Warned
    | Usage
    | Finished
)


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that an engine took for a model, wherever they lie.

    `weights` counts those that are only mapped from the file too, `compute` the scratch space.
    """

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.compute


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a loaded model says of itself. Zero or an empty text where it does not know.

    `template` names where the chat template comes from, in words ("from the file", "ChatML, built
    in", "none: plain completion"). `allocated` is None where the engine does not tell. `warnings` are
    sentences for the person.
    """

    model: str
    n_ctx: int = 0
    n_ctx_train: int = 0
    n_threads: int = 0
    n_gpu_layers: int = 0
    device: str = "CPU"
    template: str = ""
    memory_bytes: int = 0
    allocated: Allocation | None = None
    load_ms: float = 0.0
    safe_mode: bool = False
    warnings: tuple[str, ...] = ()


class ChatStream(Protocol):
    """The events of one answer. `close` cancels it and may be called from any thread.

    After `close` the iterator still ends with `Finished("cancelled")`, so that the partial answer's
    usage is known.
    """

    def __iter__(self) -> Iterator[Event]: ...

    def __next__(self) -> Event: ...

    def close(self) -> None: ...


class Session(Protocol):
    """A model, ready to answer one request at a time."""

    @property
    def info(self) -> SessionInfo: ...

    @property
    def alive(self) -> bool: ...

    def chat(self, request: ChatRequest) -> ChatStream: ...

    def count_tokens(self, messages: Sequence[Message]) -> int: ...

    def close(self) -> None: ...


LoadProgress = Callable[[float], bool]
"""Called with the fraction loaded, 0…1; returning False cancels the load."""


class Backend(Protocol):
    """An engine. Third parties register a zero-argument factory in `causeway.backends`."""

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
