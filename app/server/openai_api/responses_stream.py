"""A response as it comes into being: the events that tell of it, in the API's own order."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from app.server.failures import Failure
from app.server.openai_api.responses_objects import (
    IncompleteDetails,
    OutputCall,
    OutputItem,
    OutputMessage,
    OutputReasoning,
    OutputText,
    ReasoningText,
    ResponseError,
    ResponseObject,
    Status,
    response_usage,
)
from app.server.openai_api.sending import new_id
from backends.protocol import Event, Finished, ReasoningDelta, TextDelta, ToolCall, ToolCallDelta

_encoder = msgspec.json.Encoder()


class ResponseStream:
    """Turns the events of an answer into those of the API, as bytes ready to be sent.

    Attributes:
        response: as far as it has come.
    """

    def __init__(self, response: ResponseObject) -> None:
        self.response = response
        self._numbers = itertools.count()
        self._done: list[OutputItem] = []
        self._open: OutputMessage | OutputReasoning | OutputCall | None = None
        self._pieces: list[str] = []
        self._reasoning_tokens = 0

    def opening(self) -> Iterator[bytes]:
        """Before all else."""
        yield self._told("response.created", response=self.response)
        yield self._told("response.in_progress", response=self.response)

    def feed(self, event: Event) -> Iterator[bytes]:
        match event:
            case TextDelta(text):
                if not isinstance(self._open, OutputMessage):
                    yield from self._close()
                    yield from self._begin_message()
                self._pieces.append(text)
                yield self._part_told("response.output_text.delta", delta=text, logprobs=[])
            case ReasoningDelta(text):
                if not isinstance(self._open, OutputReasoning):
                    yield from self._close()
                    yield from self._begin_reasoning()
                self._pieces.append(text)
                self._reasoning_tokens += 1
                yield self._part_told("response.reasoning_text.delta", delta=text)
            case ToolCallDelta():
                yield from self._call_piece(event)
            case ToolCall():
                if not self._is_open(event.id):
                    yield from self._call_piece(
                        ToolCallDelta(event.id, event.name, event.arguments)
                    )
                yield from self._end_call(event)
            case Finished():
                is_cut = event.reason == "length" or isinstance(self._open, OutputCall)
                yield from self._close(whole=not is_cut)
                yield self._end(event, is_cut=is_cut)

    def fail(self, failure: Failure) -> Iterator[bytes]:
        """It broke off. What has come stays."""
        yield from self._close(whole=False)
        error = ResponseError(failure.code or "server_error", failure.message)
        self.response = msgspec.structs.replace(
            self.response, status="failed", error=error, output=self._done
        )
        yield self._told("response.failed", response=self.response)

    def _begin_message(self) -> Iterator[bytes]:
        self._open = OutputMessage(id=new_id("msg_"), status="in_progress", content=[])
        yield self._item_told("response.output_item.added", self._open)
        yield self._part_told("response.content_part.added", part=OutputText(text=""))

    def _begin_reasoning(self) -> Iterator[bytes]:
        self._open = OutputReasoning(id=new_id("rs_"), status="in_progress", content=[])
        yield self._item_told("response.output_item.added", self._open)
        yield self._part_told("response.content_part.added", part=ReasoningText(text=""))

    def _close(self, *, whole: bool = True) -> Iterator[bytes]:
        """End the item that is being written, if any."""
        text = "".join(self._pieces)
        status: Status = "completed" if whole else "incomplete"
        item: OutputItem
        match self._open:
            case None:
                return
            case OutputCall():
                # What ends a whole call is its own event.
                yield self._end_item(
                    msgspec.structs.replace(self._open, arguments=text, status="incomplete")
                )
                return
            case OutputMessage():
                part: OutputText | ReasoningText = OutputText(text=text)
                yield self._part_told("response.output_text.done", text=text, logprobs=[])
                item = msgspec.structs.replace(self._open, content=[part], status=status)
            case OutputReasoning():
                part = ReasoningText(text=text)
                yield self._part_told("response.reasoning_text.done", text=text)
                item = msgspec.structs.replace(self._open, content=[part], status=status)
        yield self._part_told("response.content_part.done", part=part)
        yield self._end_item(item)

    def _is_open(self, call_id: str) -> bool:
        return isinstance(self._open, OutputCall) and self._open.call_id == call_id

    def _call_piece(self, piece: ToolCallDelta) -> Iterator[bytes]:
        if not self._is_open(piece.id):
            yield from self._close()
            self._open = OutputCall(
                id=new_id("fc_"),
                status="in_progress",
                call_id=piece.id,
                name=piece.name,
                arguments="",
            )
            yield self._item_told("response.output_item.added", self._open)
        self._pieces.append(piece.arguments)
        yield self._call_told("delta", delta=piece.arguments)

    def _end_call(self, call: ToolCall) -> Iterator[bytes]:
        yield self._call_told("done", name=call.name, arguments=call.arguments)
        if isinstance(self._open, OutputCall):
            yield self._end_item(
                msgspec.structs.replace(self._open, arguments=call.arguments, status="completed")
            )

    def _end_item(self, item: OutputItem) -> bytes:
        told = self._item_told("response.output_item.done", item)
        self._done.append(item)
        self._open = None
        self._pieces = []
        return told

    def _end(self, finished: Finished, *, is_cut: bool) -> bytes:
        has_no_room = finished.reason == "length"
        self.response = msgspec.structs.replace(
            self.response,
            status="incomplete" if is_cut else "completed",
            incomplete_details=IncompleteDetails("max_output_tokens") if has_no_room else None,
            output=self._done,
            usage=response_usage(finished.usage, self._reasoning_tokens),
        )
        name = "response.incomplete" if is_cut else "response.completed"
        return self._told(name, response=self.response)

    def _item_told(self, name: str, item: OutputItem) -> bytes:
        return self._told(name, output_index=len(self._done), item=item)

    def _part_told(self, name: str, **fields: Any) -> bytes:
        item_id = self._open.id if self._open is not None else ""
        return self._told(
            name, item_id=item_id, output_index=len(self._done), content_index=0, **fields
        )

    def _call_told(self, what: str, **fields: Any) -> bytes:
        item_id = self._open.id if self._open is not None else ""
        name = f"response.function_call_arguments.{what}"
        return self._told(name, item_id=item_id, output_index=len(self._done), **fields)

    def _told(self, name: str, /, **fields: Any) -> bytes:
        event = {"type": name, "sequence_number": next(self._numbers), **fields}
        return b"event: " + name.encode() + b"\ndata: " + _encoder.encode(event) + b"\n\n"
