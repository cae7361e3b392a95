"""What the program and its worker say to each other: msgpack messages, each after its length."""

import threading
from collections.abc import Callable
from typing import BinaryIO, Generic, Literal, TypeVar

import msgspec

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

MAX_FRAME_BYTES = 64 * 2**20
_LENGTH_BYTES = 4

FailureKind = Literal["load", "memory", "prompt", "adapter", "grammar", "unsupported"]


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Load a model. Answered by `Connecting`…, `Loading`…, `SelfTesting`, and `Loaded` or `Failed`."""

    path: str
    options: LoadOptions
    safe_mode: bool


class Chat(msgspec.Struct, frozen=True, tag="chat"):
    """Answer. Replied to by events up to `Finished`, or by `Failed`."""

    request: ChatRequest


class Count(msgspec.Struct, frozen=True, tag="count"):
    """Count a prompt's tokens. Answered by `Counted`."""

    messages: tuple[Message, ...]


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Make vectors. Replied to by a `Vector` for each text, and `Embedded`, or by `Failed`."""

    texts: tuple[Text, ...]


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the job of the same number, running or waiting, with `Finished("cancelled")`."""


class Close(msgspec.Struct, frozen=True, tag="close"):
    """End every job as cancelled, save what may be kept, for so many seconds at most, and exit."""

    seconds: float


class Order(msgspec.Struct, frozen=True):
    """To the worker. Job numbers rise; `Cancel` carries the number of the job it ends."""

    job: int
    command: Load | Chat | Count | Embed | Tokenize | Detokenize | ApplyTemplate | Cancel | Close


class Connecting(msgspec.Struct, frozen=True, tag="connecting"):
    """Another machine is asked to hold a part of the model; an empty name: all have answered.

    `reached`: something listens there.
    """

    server: str
    reached: bool = False


class Loading(msgspec.Struct, frozen=True, tag="loading"):
    fraction: float


class SelfTesting(msgspec.Struct, frozen=True, tag="self_testing"):
    """The model is loaded and computes its first batch: a death from here on is the computing's."""


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    info: SessionInfo


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    tokens: int


class Vector(msgspec.Struct, frozen=True, tag="vector"):
    """Of the text at a place of the order: 32-bit floats of norm 1, in the machine's byte order.

    They come in any order, and each by itself: those of one order together may be too much for a
    message.
    """

    text: int
    values: bytes


class Embedded(msgspec.Struct, frozen=True, tag="embedded"):
    """All vectors of an order were sent; `tokens` were read for them."""

    tokens: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A failure in words, which the program raises as the error of that kind."""

    kind: FailureKind
    what: str
    why: str
    fix: str


class Reply(msgspec.Struct, frozen=True):
    """From the worker, about one job."""

    job: int
    body: (
        Connecting
        | Loading
        | SelfTesting
        | Loaded
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


Incoming = TypeVar("Incoming")


class Channel(Generic[Incoming]):
    """Sends and receives messages on two binary files. Sending is safe from any thread."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO, incoming: type[Incoming]) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()
        self._encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(incoming).decode

    def send(self, message: object) -> None:
        """Raises OSError when the other side is gone, and ValueError after the file was closed."""
        self.write(self.frame(message))

    def frame(self, message: object) -> bytes:
        """The message as it goes over the wire."""
        body = self._encode(message)
        return len(body).to_bytes(_LENGTH_BYTES, "little") + body

    def write(self, frame: bytes) -> None:
        """Raises like `send`."""
        with self._lock:
            self._writer.write(frame)
            self._writer.flush()

    def receive(self) -> Incoming:
        """The next message. Raises EOFError at the end, ValueError for what is no message."""
        length = int.from_bytes(self._read(_LENGTH_BYTES), "little")
        if length > MAX_FRAME_BYTES:
            raise ValueError(f"a message of {length} bytes")
        return self._decode(self._read(length))

    def _read(self, count: int) -> bytes:
        data = self._reader.read(count)
        if len(data) < count:
            raise EOFError
        return data
