"""Messages of a chat in the OpenAI API, and what they are as a prompt."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from app.server.failures import Failure
from app.server.openai_api.pictures import image_of
from backends.protocol import Image, Message, Role, ToolCall

ROLES: dict[str, Role] = {
    "developer": "system",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class RefusalPart(msgspec.Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: str


class ImageUrl(msgspec.Struct, frozen=True):
    url: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    """`image_url.url` is a data URL."""

    image_url: ImageUrl


class CalledFunction(msgspec.Struct, frozen=True):
    name: str
    arguments: str = "{}"


class MessageToolCall(msgspec.Struct, frozen=True):
    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the role “function”, and `function_call`, are what tools and their calls were before."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[TextPart | ImagePart | RefusalPart] | None = None
    reasoning_content: str | None = None
    tool_calls: list[MessageToolCall] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None


Messages = Annotated[list[ChatMessage], msgspec.Meta(min_length=1, max_length=20_000)]


def prompt_of(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """Raises `Failure`."""
    known = [_with_ids(each, index) for index, each in enumerate(messages)]
    return joined(_message(each, f"messages[{index}]") for index, each in enumerate(known))


def _with_ids(message: ChatMessage, index: int) -> ChatMessage:
    """A function's call and its result as those of a tool: the result follows its call at once."""
    if message.role == "function" and message.tool_call_id is None:
        return msgspec.structs.replace(message, tool_call_id=f"call_{index - 1}")
    if message.function_call is not None and not message.tool_calls:
        call = MessageToolCall(f"call_{index}", message.function_call)
        return msgspec.structs.replace(message, tool_calls=[call])
    return message


def joined(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Neighbours of one role as one, since many templates refuse two in a row of system or user."""
    prompt: list[Message] = []
    for role, neighbours in itertools.groupby(messages, lambda message: message.role):
        if role not in ("system", "user"):
            prompt.extend(neighbours)
            continue
        several = tuple(neighbours)
        prompt.append(
            Message(
                role=role,
                content="\n\n".join(each.content for each in several),
                images=tuple(image for each in several for image in each.images),
            )
        )
    return tuple(prompt)


def _message(message: ChatMessage, where: str) -> Message:
    if message.role == "tool" and not message.tool_call_id:
        raise Failure(
            "invalid",
            f"{where}.tool_call_id: a tool's message needs it.",
            param=f"{where}.tool_call_id",
        )
    if message.content is None and message.role != "assistant":
        raise Failure("invalid", f"{where}.content: it is missing.", param=f"{where}.content")
    text, images = _content(message, where)
    calls = message.tool_calls or () if message.role == "assistant" else ()
    return Message(
        role=ROLES[message.role],
        content=text,
        reasoning=message.reasoning_content or "" if message.role == "assistant" else "",
        images=images,
        tool_calls=tuple(
            ToolCall(each.id, each.function.name, each.function.arguments) for each in calls
        ),
        tool_call_id=message.tool_call_id or "" if ROLES[message.role] == "tool" else "",
    )


def _content(message: ChatMessage, where: str) -> tuple[str, tuple[Image, ...]]:
    if message.content is None or isinstance(message.content, str):
        return message.content or "", ()
    texts: list[str] = []
    images: list[Image] = []
    for index, part in enumerate(message.content):
        match part:
            case TextPart(text):
                texts.append(text)
            case RefusalPart(refusal):
                texts.append(refusal)
            case ImagePart(image_url):
                images.append(image_of(image_url.url, f"{where}.content[{index}].image_url.url"))
    return "\n".join(texts), tuple(images)
