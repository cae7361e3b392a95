"""What a client of the Ollama API gets. Durations are in nanoseconds."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

DoneReason = Literal["stop", "length", "load", "unload"]


class TokenLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: tuple[int, ...]


class Logprob(TokenLogprob, frozen=True):
    top_logprobs: tuple[TokenLogprob, ...] = ()


class CalledFunction(msgspec.Struct, frozen=True):
    index: int
    name: str
    arguments: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True):
    id: str
    function: CalledFunction


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    role: Literal["assistant"] = "assistant"
    content: str
    thinking: str | UnsetType = UNSET
    tool_calls: tuple[ToolCall, ...] | UnsetType = UNSET


class More(msgspec.Struct, frozen=True, kw_only=True):
    """What Causeway says beyond that API: how much of the prompt needed no evaluation, and how many of
    the oldest messages had no room in the context.
    """

    cached_tokens: int
    messages_left_out: int = 0


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that only the last part has."""

    done_reason: DoneReason | UnsetType = UNSET
    total_duration: int | UnsetType = UNSET
    load_duration: int | UnsetType = UNSET
    prompt_eval_count: int | UnsetType = UNSET
    prompt_eval_duration: int | UnsetType = UNSET
    eval_count: int | UnsetType = UNSET
    eval_duration: int | UnsetType = UNSET
    causeway: More | UnsetType = UNSET


class ChatPart(Ending, frozen=True, kw_only=True):
    """A part of a streamed answer, or all of it."""

    model: str
    created_at: str
    message: AnswerMessage
    done: bool
    logprobs: tuple[Logprob, ...] | UnsetType = UNSET


class GeneratePart(Ending, frozen=True, kw_only=True):
    """A part of a streamed answer, or all of it."""

    model: str
    created_at: str
    response: str
    thinking: str | UnsetType = UNSET
    done: bool
    logprobs: tuple[Logprob, ...] | UnsetType = UNSET


class EmbedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    embeddings: tuple[tuple[float, ...], ...]
    total_duration: int
    load_duration: int
    prompt_eval_count: int


class EmbeddingsAnswer(msgspec.Struct, frozen=True):
    embedding: tuple[float, ...]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    parent_model: str = ""
    format: str
    family: str
    families: tuple[str, ...]
    parameter_size: str
    quantization_level: str


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    details: Details


class ModelList(msgspec.Struct, frozen=True):
    models: tuple[ListedModel, ...]


class RunningModel(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    model: str
    size: int
    digest: str
    details: Details
    size_vram: int
    context_length: int
    expires_at: str


class RunningModels(msgspec.Struct, frozen=True):
    models: tuple[RunningModel, ...]


class ShownModel(msgspec.Struct, frozen=True, kw_only=True):
    modelfile: str
    parameters: str
    template: str
    details: Details
    model_info: dict[str, Any]
    capabilities: tuple[str, ...]
    modified_at: str


class Version(msgspec.Struct, frozen=True):
    """`version` is of the Ollama whose API this is, since clients compare it; the other is ours."""

    version: str
    causeway: str


class PullStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a download is: bytes `completed` of `total`. “success” is the last."""

    status: str
    digest: str | UnsetType = UNSET
    total: int | UnsetType = UNSET
    completed: int | UnsetType = UNSET


class ErrorReport(msgspec.Struct, frozen=True):
    error: str


def moment(unix_seconds: float) -> str:
    """As RFC 3339 writes it."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat().replace("+00:00", "Z")


def line(part: msgspec.Struct) -> bytes:
    """The part as a line of a stream."""
    return msgspec.json.encode(part) + b"\n"
