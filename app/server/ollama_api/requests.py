"""What a client of the Ollama API sends. Fields that are not here are ignored."""

from typing import Annotated, Any

import msgspec

from app.server.extensions import Extensions

Number = int | float
"""Clients send whole numbers as 40 or as 40.0."""

KeepAlive = Number | str


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Those of Ollama's options that say how to answer. How a model is loaded is not a client's to say."""

    temperature: Number | None = None
    top_k: Number | None = None
    top_p: Number | None = None
    min_p: Number | None = None
    typical_p: Number | None = None
    repeat_last_n: Number | None = None
    repeat_penalty: Number | None = None
    presence_penalty: Number | None = None
    frequency_penalty: Number | None = None
    mirostat: Number | None = None
    mirostat_tau: Number | None = None
    mirostat_eta: Number | None = None
    seed: Number | None = None
    num_predict: Number | None = None
    stop: tuple[str, ...] | str | None = None


class CalledFunction(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any] = {}


class ToolCall(msgspec.Struct, frozen=True):
    function: CalledFunction
    id: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    role: str
    content: str | None = None
    thinking: str | None = None
    images: tuple[str, ...] | None = None
    tool_calls: Annotated[tuple[ToolCall, ...], msgspec.Meta(max_length=1_000)] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Function(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(msgspec.Struct, frozen=True):
    function: Function
    type: str | None = None


class _Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What chat and generate share. Answers are streamed unless `stream` is false."""

    model: str
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    options: ModelOptions | None = None
    think: bool | str | None = None
    keep_alive: KeepAlive | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    causeway: Extensions | None = None


class ChatRequest(_Answered, frozen=True, kw_only=True):
    """`POST /api/chat`. Without messages it only loads the model."""

    messages: tuple[Message, ...] | None = None
    tools: tuple[Tool, ...] | None = None


class GenerateRequest(_Answered, frozen=True, kw_only=True):
    """`POST /api/generate`. Without a prompt it only loads the model."""

    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    template: str | None = None
    context: tuple[int, ...] | None = None
    raw: bool | None = None
    images: tuple[str, ...] | None = None


class EmbedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /api/embed`. With `dimensions`, vectors are cut to so many numbers."""

    model: str
    input: str | tuple[str, ...]
    dimensions: Annotated[int, msgspec.Meta(ge=0)] | None = None
    keep_alive: KeepAlive | None = None


class EmbeddingsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /api/embeddings`, which `/api/embed` has replaced."""

    model: str
    prompt: str = ""
    keep_alive: KeepAlive | None = None


class NamedModel(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /api/show`. Older clients say `name`."""

    model: str = ""
    name: str = ""

    @property
    def wanted(self) -> str:
        return self.model or self.name


class PullRequest(NamedModel, frozen=True, kw_only=True):
    """`POST /api/pull`. A model of the catalogue ("ID", "ID:QUANT") or of the Hub ("hf.co/OWNER/NAME:QUANT")."""

    stream: bool | None = None
