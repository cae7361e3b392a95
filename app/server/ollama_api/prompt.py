"""The messages of an Ollama request as a prompt."""

import base64
import binascii
from collections.abc import Sequence

import msgspec

from app.server.failures import Failure
from app.server.ollama_api.requests import Message, ToolCall
from backends import protocol
from backends.protocol import Image

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def prompt_of(messages: Sequence[Message]) -> tuple[protocol.Message, ...]:
    """Raises `Failure`.

    Calls of tools have no ids in this API, so that each result belongs to the first call of its name
    in the last message with calls that has none yet.
    """
    prompt = []
    open_calls: list[protocol.ToolCall] = []
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        calls = _calls(message.tool_calls or (), index)
        prompt.append(
            protocol.Message(
                role=_role(message.role, where),
                content=message.content or "",
                reasoning=message.thinking or "",
                images=images_of(message.images or (), where),
                tool_calls=calls,
                tool_call_id=_answered(message, open_calls) if message.role == "tool" else "",
            )
        )
        if calls:
            open_calls = [*calls]
    return tuple(prompt)


def images_of(texts: Sequence[str], where: str) -> tuple[Image, ...]:
    """Pictures of base64 texts. Raises `Failure`."""
    return tuple(_image(text, f"{where}.images.{index}") for index, text in enumerate(texts))


def _role(role: str, where: str) -> protocol.Role:
    try:
        known: protocol.Role = msgspec.convert(role, protocol.Role)
    except msgspec.ValidationError:
        raise Failure(
            "invalid",
            f"“{role}” is no role of a message. It is system, user, assistant or tool.",
            param=f"{where}.role",
        ) from None
    return known


def _calls(calls: Sequence[ToolCall], index: int) -> tuple[protocol.ToolCall, ...]:
    return tuple(
        protocol.ToolCall(
            call.id or f"call_{index}_{number}",
            call.function.name,
            msgspec.json.encode(call.function.arguments).decode(),
        )
        for number, call in enumerate(calls)
    )


def _answered(result: Message, open_calls: list[protocol.ToolCall]) -> str:
    """The id of the call that it is the result of."""
    matching = (
        call
        for call in open_calls
        if (
            call.id == result.tool_call_id
            if result.tool_call_id
            else call.name == result.tool_name or not result.tool_name
        )
    )
    call = next(matching, None)
    if call is None:
        return result.tool_call_id or ""
    open_calls.remove(call)
    return call.id


def _image(text: str, where: str) -> Image:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Failure("invalid", "This is no picture in base64.", param=where) from None
    kinds = (kind for beginning, kind in _BEGINNINGS if data.startswith(beginning))
    kind = next(kinds, "image/webp" if data[8:12] == b"WEBP" else "")
    if not kind:
        raise Failure(
            "invalid", "This is no picture of a known kind: PNG, JPEG, GIF, WebP.", param=where
        )
    return Image(kind, data)
