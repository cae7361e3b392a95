"""What a process that borrows a model and the one that lends it say to each other."""

from typing import Literal

import msgspec

from backends.errors import (
    BackendError,
    BadAdapter,
    BadGrammar,
    EngineCrashed,
    ModelLoadError,
    OutOfMemory,
    PromptTooLong,
    Unsupported,
)
from backends.protocol import (
    ApplyTemplate,
    ChatRequest,
    Detokenize,
    Finished,
    HistoryTrimmed,
    LoadOptions,
    Logprobs,
    Message,
    PromptEcho,
    PromptProgress,
    ReasoningDelta,
    SessionInfo,
    Spelled,
    Text,
    TextDelta,
    Tokenize,
    ToolCall,
    ToolCallDelta,
    Usage,
    Warned,
)

ErrorKind = Literal[
    "crash", "load", "memory", "prompt", "adapter", "grammar", "unsupported", "other"
]
_ERRORS: dict[ErrorKind, type[BackendError]] = {
    "crash": EngineCrashed,
    "load": ModelLoadError,
    "memory": OutOfMemory,
    "prompt": PromptTooLong,
    "adapter": BadAdapter,
    "grammar": BadGrammar,
    "unsupported": Unsupported,
}
ASKING = 0
"""The number of the job that a connection begins with."""


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Lend me the model of this file, loaded so.

    Answered by `Wait`…, and `Lent` or `NotLent`. Lent it is until the connection ends.
    """

    path: str
    options: LoadOptions


class Chat(msgspec.Struct, frozen=True, tag="chat"):
    """Answered by events up to `Finished`, or by `Failed`."""

    request: ChatRequest


class Count(msgspec.Struct, frozen=True, tag="count"):
    """Answered by `Counted` or `Failed`."""

    messages: tuple[Message, ...]


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Answered by a `Vector` for each text, in their order, and `Embedded`, or by `Failed`."""

    texts: tuple[Text, ...]


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the chat or the embedding of the same job number."""


class Order(msgspec.Struct, frozen=True):
    """To who lends. Job numbers rise; `Cancel` carries the number of the job that it ends."""

    job: int
    command: Ask | Chat | Count | Embed | Tokenize | Detokenize | ApplyTemplate | Cancel


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Others come first. Told about ten times a second, as a sign of life."""


class Lent(msgspec.Struct, frozen=True, tag="lent"):
    info: SessionInfo


class NotLent(msgspec.Struct, frozen=True, tag="not_lent"):
    """The model is not loaded, or otherwise."""


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    tokens: int


class Vector(msgspec.Struct, frozen=True, tag="vector"):
    """32-bit floats, in the machine's byte order. Those of many texts are too much for a message."""

    values: bytes


class Embedded(msgspec.Struct, frozen=True, tag="embedded"):
    """All vectors were sent; `tokens` were read for them."""

    tokens: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A failure in words. `detail` is what a crashed engine wrote last."""

    kind: ErrorKind
    what: str
    why: str
    fix: str
    detail: str


class Reply(msgspec.Struct, frozen=True):
    """From who lends, about one job."""

    job: int
    body: (
        Wait
        | Lent
        | NotLent
        | Counted
        | Spelled
        | Vector
        | Embedded
        | Failed
        | PromptProgress
        | TextDelta
        | ReasoningDelta
        | Logprobs
        | ToolCallDelta
        | ToolCall
        | PromptEcho
        | HistoryTrimmed
        | Warned
        | Usage
        | Finished
    )


def failed_by(error: BackendError) -> Failed:
    kinds = (kind for kind, error_type in _ERRORS.items() if type(error) is error_type)
    detail = error.detail if isinstance(error, EngineCrashed) else ""
    return Failed(next(kinds, "other"), error.what, error.why, error.fix, detail)


def error_from(failed: Failed) -> BackendError:
    if failed.kind == "crash":
        return EngineCrashed(failed.what, failed.why, failed.fix, failed.detail)
    return _ERRORS.get(failed.kind, BackendError)(failed.what, failed.why, failed.fix)
