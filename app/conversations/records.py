"""What the conversation database holds, as frozen records."""

from typing import Literal

import msgspec

from app.options import Value
from backends.protocol import Timings, Usage

Role = Literal["user", "assistant"]
Status = Literal["streaming", "complete", "stopped", "length", "interrupted"]
"""How a message ended. A person's message is always complete."""


class UsedAdapter(msgspec.Struct, frozen=True):
    """An adapter that took part in an answer; `sha256` is of its file."""

    id: str
    name: str
    sha256: str
    scale: float


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What produced an answer, and at which cost. Times in milliseconds.

    `model_sha256` is empty where nobody has published the file's hash; `model_bytes` is its size.
    """

    model_id: str = ""
    model_name: str = ""
    model_file: str = ""
    model_bytes: int = 0
    model_sha256: str = ""
    quant: str = ""
    adapters: tuple[UsedAdapter, ...] = ()
    backend: str = ""
    template: str = ""
    options: dict[str, Value] = {}
    seed: int = 0
    usage: Usage = Usage()
    timings: Timings = Timings()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the tree. `sibling_index` counts from 0 among `sibling_count`; times are Unix seconds."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    created: float
    status: Status = "complete"
    reasoning: str = ""
    reasoning_seconds: float = 0.0
    problem: str = ""
    notice: str = ""
    origin: Origin | None = None
    sibling_index: int = 0
    sibling_count: int = 1


class ReadingPlace(msgspec.Struct, frozen=True):
    """Where a person reads: `part` of that message (0 to 1) has scrolled out of sight at the top.

    With `below`, the message begins that many pixels below the upper edge instead.
    """

    message_id: str
    part: float = 0.0
    below: int = 0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages. `options` holds only what differs from the defaults.

    `place` is where it was read last; None is at its end.
    """

    id: str
    title: str
    created: float
    updated: float
    model_id: str = ""
    options: dict[str, Value] = {}
    leaf_id: str | None = None
    draft: str = ""
    place: ReadingPlace | None = None


class ConversationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the conversation list. `snippet` is the newest answer's first line, as plain text."""

    id: str
    title: str
    updated: float
    snippet: str = ""
    status: Status = "complete"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the shown branch, oldest first. `has_earlier` says that more lies before it."""

    messages: tuple[Message, ...]
    has_earlier: bool
