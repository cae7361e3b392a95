"""What a conversation is made of in the responses API, and what that is as a prompt."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from app.server.failures import Failure
from app.server.openai_api.messages import ROLES, joined
from app.server.openai_api.pictures import image_of
from backends.protocol import Image, Message, ToolCall


class InputPart(msgspec.Struct, frozen=True, kw_only=True):
    """`image_url` is a data URL."""

    type: Literal["input_text", "output_text", "refusal", "input_image"]
    text: str = ""
    refusal: str = ""
    image_url: str | None = None


class InputItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message (then it has `role` and `content`), a call of a tool, what came of one, or thinking."""

    type: Literal["message", "function_call", "function_call_output", "reasoning"] = "message"
    role: Literal["developer", "system", "user", "assistant"] | None = None
    content: str | list[Any] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[InputPart] | None = None


class _ReasoningPart(msgspec.Struct, frozen=True):
    text: str = ""


def prompt_of(items: Sequence[InputItem]) -> tuple[Message, ...]:
    """Raises `Failure`. Thinking and calls of tools are parts of the answer that they stand by."""
    prompt: list[Message] = []
    reasoning = ""
    for index, item in enumerate(items):
        where = f"input[{index}]"
        match item.type:
            case "reasoning":
                reasoning += _reasoning(item)
                continue
            case "function_call":
                _add_call(prompt, _call(item, where), reasoning)
            case "function_call_output":
                prompt.append(_output(item, where))
            case "message":
                prompt.append(_message(item, where, reasoning))
        reasoning = ""
    if not prompt:
        raise Failure("invalid", "input: there is no message in it.", param="input")
    return joined(prompt)


def _add_call(prompt: list[Message], call: ToolCall, reasoning: str) -> None:
    """Calls one after the other, and the text before them, are one answer."""
    last = prompt[-1] if prompt else None
    if last is not None and last.role == "assistant" and not reasoning:
        prompt[-1] = msgspec.structs.replace(last, tool_calls=(*last.tool_calls, call))
    else:
        prompt.append(
            Message(role="assistant", content="", reasoning=reasoning, tool_calls=(call,))
        )


def _message(item: InputItem, where: str, reasoning: str) -> Message:
    if item.role is None or item.content is None:
        missing = "role" if item.role is None else "content"
        raise Failure("invalid", f"{where}.{missing}: it is missing.", param=f"{where}.{missing}")
    text = item.content
    images: tuple[Image, ...] = ()
    if not isinstance(text, str):
        text, images = _parts(_converted(text, list[InputPart], f"{where}.content"), where)
    return Message(
        role=ROLES[item.role],
        content=text,
        reasoning=reasoning if item.role == "assistant" else "",
        images=images,
    )


def _call(item: InputItem, where: str) -> ToolCall:
    if not item.call_id or not item.name:
        missing = "name" if item.call_id else "call_id"
        raise Failure("invalid", f"{where}.{missing}: it is missing.", param=f"{where}.{missing}")
    return ToolCall(item.call_id, item.name, item.arguments or "{}")


def _output(item: InputItem, where: str) -> Message:
    if not item.call_id or item.output is None:
        missing = "output" if item.call_id else "call_id"
        raise Failure("invalid", f"{where}.{missing}: it is missing.", param=f"{where}.{missing}")
    text = item.output
    images: tuple[Image, ...] = ()
    if not isinstance(text, str):
        text, images = _parts(text, where)
    return Message(role="tool", content=text, images=images, tool_call_id=item.call_id)


def _reasoning(item: InputItem) -> str:
    if not isinstance(item.content, list):
        return ""
    parts = _converted(item.content, list[_ReasoningPart], "input")
    return "".join(part.text for part in parts)


def _parts(parts: Sequence[InputPart], where: str) -> tuple[str, tuple[Image, ...]]:
    texts = [part.text or part.refusal for part in parts if part.type != "input_image"]
    images = tuple(
        image_of(part.image_url or "", f"{where}.content")
        for part in parts
        if part.type == "input_image"
    )
    return "\n".join(texts), images


def _converted(value: list[Any], kind: Any, param: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Failure("invalid", f"{param}: {error}.", param=param) from None
