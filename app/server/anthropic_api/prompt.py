"""The messages of an Anthropic request as a prompt.

There, what tools gave back comes inside a user's message; here it is a message of its own.
"""

import base64
import binascii
import itertools
from collections.abc import Iterator, Sequence

import msgspec

from app.server.anthropic_api.requests import Block, Message, Source
from app.server.failures import Failure
from backends import protocol
from backends.protocol import Image, ToolCall

_ATTRIBUTION = "x-anthropic-billing-header:"
"""Begins a block that coding agents put before their system prompt. It differs in each request, so
that with it nothing of the prompt would ever be found in the cache."""

_ELSEWHERE = ("redacted_thinking", "server_tool_use")
"""What only the server that wrote it can read. Results of a server's tools end in "_tool_result"."""


def prompt_of(
    system: str | Sequence[Block] | None, messages: Sequence[Message]
) -> tuple[protocol.Message, ...]:
    """Neighbours of one role are joined, as that API does. Raises `Failure`."""
    if not messages:
        raise Failure("invalid", "messages: at least one message is required.", param="messages")
    prompt: list[protocol.Message] = []
    text = _system_text(system)
    if text.strip():
        prompt.append(protocol.Message(role="system", content=text))
    parts = (
        part
        for index, message in enumerate(messages)
        for part in _parts(message, f"messages.{index}")
    )
    for role, neighbours in itertools.groupby(parts, lambda part: part.role):
        several = tuple(neighbours)
        prompt.extend(several if role == "tool" else [_joined(several)])
    return tuple(prompt)


def _system_text(system: str | Sequence[Block] | None) -> str:
    if isinstance(system, str) or system is None:
        return system or ""
    texts = (block.text for block in system if block.type == "text")
    return "\n\n".join(text for text in texts if not text.startswith(_ATTRIBUTION))


def _parts(message: Message, where: str) -> Iterator[protocol.Message]:
    content = message.content
    blocks = (Block("text", text=content),) if isinstance(content, str) else content
    match message.role:
        case "assistant":
            yield _answer(blocks, where)
        case "user" | "system":  # many templates know a system prompt at the beginning only
            yield from _question(blocks, where)
        case role:
            raise Failure(
                "invalid",
                f"{where}.role: “{role}” is no role. It is “user” or “assistant”.",
                param=f"{where}.role",
            )


def _question(blocks: Sequence[Block], where: str) -> Iterator[protocol.Message]:
    """What tools gave back, each, and then all the rest as one message of the user."""
    rest = []
    for index, block in enumerate(blocks):
        if block.type == "tool_result":
            yield _tool_result(block, f"{where}.content.{index}")
        else:
            rest.append((index, block))
    if rest or not blocks:
        texts, images = _read(rest, where)
        yield protocol.Message(role="user", content="\n\n".join(texts), images=images)


def _tool_result(block: Block, where: str) -> protocol.Message:
    if not block.tool_use_id:
        raise Failure(
            "invalid",
            f"{where}.tool_use_id: a result must name its call.",
            param=f"{where}.tool_use_id",
        )
    content = block.content
    texts, images = _read(list(enumerate(_blocks(content))), where)
    text = "\n".join(texts)
    return protocol.Message(
        role="tool",
        content=f"Error: {text}" if block.is_error else text,
        images=images,
        tool_call_id=block.tool_use_id,
    )


def _answer(blocks: Sequence[Block], where: str) -> protocol.Message:
    texts, thinking, calls = [], [], []
    for index, block in enumerate(blocks):
        match block.type:
            case "text":
                texts.append(block.text)
            case "thinking":
                thinking.append(block.thinking)
            case "tool_use":
                calls.append(_call(block, f"{where}.content.{index}"))
            case kind if not _is_foreign(kind):
                raise _unreadable(kind, f"{where}.content.{index}")
    return protocol.Message(
        role="assistant",
        content="".join(texts),
        reasoning="".join(thinking),
        tool_calls=tuple(calls),
    )


def _call(block: Block, where: str) -> ToolCall:
    if not block.id or not block.name:
        raise Failure("invalid", f"{where}: a tool_use has an id and a name.", param=where)
    return ToolCall(block.id, block.name, msgspec.json.encode(block.input).decode())


def _read(blocks: Sequence[tuple[int, Block]], where: str) -> tuple[list[str], tuple[Image, ...]]:
    texts: list[str] = []
    images: list[Image] = []
    for index, block in blocks:
        at = f"{where}.content.{index}"
        match block.type:
            case "text":
                texts.append(block.text)
            case "image":
                images.append(_image(block, at))
            case "document":
                texts.append(_document(block, at))
            case "search_result":
                found = "\n".join(each.text for each in _blocks(block.content))
                texts.append("\n".join(part for part in (block.title, found) if part))
            case kind if not _is_foreign(kind):
                raise _unreadable(kind, at)
    return texts, tuple(images)


def _image(block: Block, where: str) -> Image:
    source = block.source
    if not isinstance(source, Source) or source.type != "base64":
        raise Failure(
            "invalid",
            f"{where}.source: pictures are read from base64 only, not fetched from elsewhere.",
            param=f"{where}.source",
        )
    try:
        data = base64.b64decode(source.data, validate=True)
    except (binascii.Error, ValueError):
        raise Failure(
            "invalid", f"{where}.source.data: this is no base64.", param=f"{where}.source.data"
        ) from None
    return Image(source.media_type, data)


def _document(block: Block, where: str) -> str:
    source = block.source
    match source:
        case Source(type="text"):
            text = source.data
        case Source(type="content"):
            text = "\n".join(each.text for each in _blocks(source.content))
        case _:
            raise Failure(
                "invalid",
                f"{where}.source: only documents of plain text are read here. Send its text instead.",
                param=f"{where}.source",
            )
    return f"{block.title}\n\n{text}" if block.title else text


def _blocks(content: object) -> tuple[Block, ...]:
    if isinstance(content, str):
        return (Block("text", text=content),)
    return content if isinstance(content, tuple) else ()


def _is_foreign(kind: str) -> bool:
    return kind in _ELSEWHERE or kind.endswith("_tool_result")


def _unreadable(kind: str, where: str) -> Failure:
    return Failure(
        "invalid",
        f"{where}.type: “{kind}” can't be read here. Send its content as text.",
        param=f"{where}.type",
    )


def _joined(several: Sequence[protocol.Message]) -> protocol.Message:
    return protocol.Message(
        role=several[0].role,
        content="\n\n".join(each.content for each in several if each.content),
        reasoning="".join(each.reasoning for each in several),
        images=tuple(image for each in several for image in each.images),
        tool_calls=tuple(call for each in several for call in each.tool_calls),
    )
