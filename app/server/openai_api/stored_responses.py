"""Responses that a client may continue from, kept in memory until the server stops."""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from app.server.failures import Failure
from app.server.openai_api.responses_objects import (
    OutputCall,
    OutputMessage,
    OutputReasoning,
    ResponseObject,
)
from backends.protocol import Message, ToolCall

MOST_RESPONSES = 256
MOST_BYTES = 64 * 1024 * 1024
"""Of all responses and their conversations. A message counts again with each response that goes on from it."""


class StoredResponse(msgspec.Struct, frozen=True):
    """A response, and the conversation down to its end, without instructions."""

    response: ResponseObject
    messages: tuple[Message, ...]
    n_bytes: int


class StoredResponses:
    """The newest ones. For the server's loop alone."""

    def __init__(self) -> None:
        self._stored: OrderedDict[str, StoredResponse] = OrderedDict()
        self._bytes = 0

    def keep(self, response: ResponseObject, messages: Sequence[Message]) -> None:
        """`messages` are what was asked, the earlier conversation included."""
        conversation = (*messages, answer_of(response))
        # The response repeats what it was asked with: instructions and tools can be large, too.
        n_bytes = len(msgspec.json.encode(response)) + sum(map(_size, conversation))
        if n_bytes > MOST_BYTES:
            return
        self._stored[response.id] = StoredResponse(response, conversation, n_bytes)
        self._bytes += n_bytes
        while len(self._stored) > MOST_RESPONSES or self._bytes > MOST_BYTES:
            _, oldest = self._stored.popitem(last=False)
            self._bytes -= oldest.n_bytes

    def find(self, response_id: str, param: str = "") -> StoredResponse:
        """Raises `Failure`."""
        stored = self._stored.get(response_id)
        if stored is None:
            raise Failure(
                "not_found",
                f"There is no response “{response_id[:100]}”. The server keeps the newest {MOST_RESPONSES},"
                " until it stops, unless they were asked for with “store”: false.",
                code="response_not_found",
                param=param,
            )
        return stored

    def delete(self, response_id: str) -> None:
        """Raises `Failure`."""
        self._bytes -= self.find(response_id).n_bytes
        del self._stored[response_id]


def answer_of(response: ResponseObject) -> Message:
    """What a response said, as a message of the conversation."""
    text: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []
    for item in response.output:
        match item:
            case OutputMessage():
                text += [part.text for part in item.content]
            case OutputReasoning():
                reasoning += [part.text for part in item.content]
            case OutputCall(status="completed"):
                calls.append(ToolCall(item.call_id, item.name, item.arguments))
    return Message(
        role="assistant",
        content="".join(text),
        reasoning="".join(reasoning),
        tool_calls=tuple(calls),
    )


def _size(message: Message) -> int:
    return (
        len(message.content)
        + len(message.reasoning)
        + sum(len(call.arguments) for call in message.tool_calls)
        + sum(len(image.data) for image in message.images)
    )
