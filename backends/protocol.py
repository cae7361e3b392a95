"""The one protocol between Causeway and whatever answers.

A `Backend` opens a `Session` on a model; a `Session` turns a `ChatRequest` into a `ChatStream` of
events. It is synchronous: callers bring their own thread. Failures are `backends.errors`.
docs/backends.md tells how to write one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

PROTOCOL_VERSION = 1
"""Rises when a backend that was written for the one before would no longer work."""

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "cancelled"]

DEFAULT_CONTEXT = 8192
"""Tokens of context that an engine sets up at most when nobody asks for a length."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do. A caller asks here before it asks the session.

    `complete`: it goes on with a `ChatRequest.prompt`. `continue_answer`: it honours `continue_last`.
    `prompt_progress`: it tells how far the prompt is read. `parallel`: a session answers several
    requests at once. `local`: what is asked stays on this computer.
    """

    chat: bool = True
    complete: bool = False
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


CacheType = Literal["f16", "q8_0", "q4_0"]
FlashAttention = Literal["auto", "on", "off"]


class StateKeeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where an engine keeps what it has read when it must leave memory, and how much of that in all."""

    folder: str
    limit_bytes: int


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to load a model. Zero means that the backend chooses, for `n_gpu_layers` a negative number.

    `chat_template` is a Jinja text to use instead of the file's own template; empty: the file's.
    `cache_type` is how keys and values of the context are stored. `rpc_servers` are "HOST:PORT" of
    machines that hold a part of the model. `memory_for_states` bounds the bytes of evaluated prompts
    that are kept in memory beside the context. With `keep` None nothing of a chat goes to the disk.
    With `embedding`, the model is loaded for `Session.embed` alone.
    """

    n_ctx: int = 0
    n_threads: int = 0
    n_gpu_layers: int = -1
    chat_template: str = ""
    cache_type: CacheType = "f16"
    flash_attention: FlashAttention = "auto"
    mmap: bool = True
    mlock: bool = False
    rpc_servers: tuple[str, ...] = ()
    memory_for_states: int = 0
    keep: StateKeeping | None = None
    embedding: bool = False


class Image(msgspec.Struct, frozen=True):
    """A picture as the bytes of its file. `media_type` such as "image/png"."""

    media_type: str
    data: bytes


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is a JSON text, not yet checked."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the prompt.

    `tool_calls` are what an answer asked for; a message of the role "tool" is what came of the one
    that `tool_call_id` names.
    """

    role: Role
    content: str
    reasoning: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may ask to be called. `parameters` is the text of a JSON schema."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'


ToolChoice = Literal["auto", "none", "required"]


Sampler = Literal[
    "penalties", "dry", "top_n_sigma", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature"
]
SAMPLERS: tuple[Sampler, ...] = (
    "penalties",
    "dry",
    "top_n_sigma",
    "top_k",
    "typical_p",
    "top_p",
    "min_p",
    "xtc",
    "temperature",
)
"""The usual order, which is llama.cpp's."""


class TokenBias(msgspec.Struct, frozen=True):
    """Adds `bias` to the logit of a token; of a text, to those of all its tokens."""

    token: int | str
    bias: float


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen: each sampler of `order` in turn narrows the choice.

    A negative `seed` draws one. A sampler is off with `top_k` 0, `top_p` 1, `min_p` 0, `typical_p` 1,
    `top_n_sigma` 0 or below, `xtc_probability` 0, `dry_multiplier` 0, `repeat_penalty` 1 and the other
    penalties 0. `temperature` 0 takes the likeliest; `dynamic_range` varies it by so much up and down
    with the entropy, to the power of `dynamic_exponent`. `repeat_last_n` and `dry_last_n` are tokens
    looked back on, -1 the whole context. With `mirostat` 1 or 2, only penalties, bias and temperature
    remain of the chain.
    """

    temperature: float = 0.8
    dynamic_range: float = 0.0
    dynamic_exponent: float = 1.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_last_n: int = -1
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[TokenBias, ...] = ()
    order: tuple[Sampler, ...] = SAMPLERS
    seed: int = -1


class Grammar(msgspec.Struct, frozen=True):
    """What an answer must be: text that a JSON schema or a GBNF grammar allows."""

    kind: Literal["json_schema", "gbnf"]
    text: str


class AppliedAdapter(msgspec.Struct, frozen=True):
    """A LoRA adapter's GGUF file, and how much of it is added to the model's weights."""

    path: str
    scale: float = 1.0


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt and how to answer it.

    `max_tokens` below zero means up to the end of the context. With `continue_last`, the last
    message is the beginning of the answer, and the stream holds only what follows it. A `prompt` takes
    the place of all messages: a text to go on with, as it stands. Thinking is
    outside the `grammar`. `logprobs` asks for the log-probability of each token, and of so many
    alternatives; below zero, for none. With `tool_choice` "required" the answer is a call of one of
    the `tools`, of several only with `parallel_tool_calls`. `chosen` names the fields of `sampling` that
    somebody chose: a service keeps its own ways in the others; None: all of them count. `think` asks a
    model that can do either to think before it answers, or not to; None: as it does. `lookup` guesses what is copied from the prompt, and checks
    several tokens at once: the same answer, often sooner.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    sampling: Sampling = Sampling()
    chosen: tuple[str, ...] | None = None
    max_tokens: int = -1
    stop: tuple[str, ...] = ()
    continue_last: bool = False
    adapters: tuple[AppliedAdapter, ...] = ()
    grammar: Grammar | None = None
    logprobs: int = -1
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    think: bool | None = None
    lookup: bool = False


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


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token of the answer, its natural log-probability before sampling, and the likeliest others.

    `text` may be a part of a character, shown as a replacement character.
    """

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


class Logprobs(msgspec.Struct, frozen=True, tag="logprobs"):
    """Of the tokens that came since the last such event, thinking included."""

    tokens: tuple[TokenLogprob, ...]


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
    """The last event of every stream that did not fail. `seed` is the one that was used.

    `stop_text` is the one of `ChatRequest.stop` that ended the answer, where one did.
    """

    reason: FinishReason
    usage: Usage = Usage()
    timings: Timings = Timings()
    seed: int = 0
    stop_text: str = ""


Event = (
    PromptProgress
    | TextDelta
    | ReasoningDelta
    | Logprobs
    | ToolCall
    | HistoryTrimmed
    | Warned
    | Usage
    | Finished
)


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """A vector for each text, all of one length and of norm 1. `tokens` is what was read for them."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int = 0


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
    in", "none: plain completion"). `allocated` is None where the engine does not tell. A vector of
    `Session.embed` has `embedding_length` numbers. `warnings` are sentences for the person.
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
    embedding_length: int = 0
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
    """A loaded model. It answers any number of requests at once, as `Capabilities.parallel` says.

    `close` ends every stream, saves what it may keep, and returns within a few seconds.
    """

    @property
    def info(self) -> SessionInfo: ...

    @property
    def alive(self) -> bool: ...

    def chat(self, request: ChatRequest) -> ChatStream: ...

    def count_tokens(self, messages: Sequence[Message]) -> int: ...

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Raises PromptTooLong, and Unsupported where `Capabilities.embed` doesn't say so."""
        ...

    def close(self) -> None: ...


LoadProgress = Callable[[float], bool]
"""Called with the fraction loaded, 0…1; returning False cancels the load."""


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
