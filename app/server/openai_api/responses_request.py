"""A request of /v1/responses, and what it asks."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from app.server.asked import Asked
from app.server.extensions import Extensions, applied
from app.server.failures import Failure
from app.server.openai_api.fields import Model, Temperature, TopP, sampling_options
from app.server.openai_api.messages import joined
from app.server.openai_api.responses_items import InputItem, prompt_of
from app.server.openai_api.tools import FunctionTool, chosen_tools, grammar_of
from app.server.served import DEFAULT_NAME
from backends.protocol import Message


class ResponseTool(msgspec.Struct, frozen=True, kw_only=True):
    """A function. Tools that a service would run itself don't exist here."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChosenTool(msgspec.Struct, frozen=True, kw_only=True):
    """This tool has to be called."""

    type: Literal["function"]
    name: str


class TextFormat(msgspec.Struct, frozen=True, kw_only=True):
    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class TextConfig(msgspec.Struct, frozen=True, kw_only=True):
    format: TextFormat | None = None


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    effort: str | None = None


class ResponsesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that are not here are ignored. Unless `store` is false, a later request can continue from
    the response: `previous_response_id` puts that conversation before the `input`, without its
    instructions.
    """

    input: str | Annotated[list[InputItem], msgspec.Meta(min_length=1, max_length=20_000)]
    model: Model = DEFAULT_NAME
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    text: TextConfig | None = None
    tools: list[ResponseTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None
    metadata: dict[str, str] | None = None
    causeway: Extensions | None = None


def asked_of(request: ResponsesRequest, conversation: Sequence[Message]) -> Asked:
    """`conversation` is what was said down to the end of the request's input. Raises `Failure`."""
    _refuse_what_is_missing(request)
    messages = _instructed(request.instructions, tuple(conversation))
    last = messages[-1]
    extended = applied(request.causeway)
    choice = request.tool_choice
    tools, tool_choice = chosen_tools(
        [
            FunctionTool(name=tool.name, description=tool.description, parameters=tool.parameters)
            for tool in request.tools or ()
        ],
        choice if isinstance(choice, str) else "auto",
        choice.name if isinstance(choice, ChosenTool) else "",
    )
    own = sampling_options(
        temperature=request.temperature,
        top_p=request.top_p,
        max_tokens=request.max_output_tokens,
        effort=request.reasoning.effort if request.reasoning else None,
    )
    wanted = request.text.format if request.text else None
    grammar = grammar_of(wanted.type, wanted.schema, "text.format.schema") if wanted else None
    return Asked(
        model=request.model,
        messages=messages,
        options={**own, **extended.options},
        advised=extended.advised,
        grammar=grammar or extended.grammar,
        tools=tools,
        tool_choice=tool_choice,
        parallel_tool_calls=request.parallel_tool_calls is not False,
        tool_call_deltas=bool(request.stream),
        continue_last=last.role == "assistant" and not last.tool_calls,
    )


def conversation_of(
    request: ResponsesRequest, earlier: Sequence[Message] = ()
) -> tuple[Message, ...]:
    """The input as messages, after those of an `earlier` response. Raises `Failure`."""
    given = request.input
    messages = (
        (Message(role="user", content=given),) if isinstance(given, str) else prompt_of(given)
    )
    return joined((*earlier, *messages))


def _instructed(instructions: str | None, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    if not instructions:
        return messages
    first = Message(role="system", content=instructions)
    if messages[0].role == "system":
        first = Message(role="system", content=f"{first.content}\n\n{messages[0].content}")
        messages = messages[1:]
    return (first, *messages)


def _refuse_what_is_missing(request: ResponsesRequest) -> None:
    for field, value, words in (
        ("background", request.background, "a response is written while its client waits."),
        (
            "conversation",
            request.conversation,
            "send “previous_response_id”, or the whole conversation in “input”.",
        ),
        (
            "prompt",
            request.prompt,
            "this server keeps no prompts. Send “instructions” and “input”.",
        ),
        ("top_logprobs", request.top_logprobs, "/v1/chat/completions tells them."),
    ):
        if value:
            raise Failure("invalid", f"{field}: {words}", code="unsupported_parameter", param=field)
