"""A request of /v1/chat/completions, and what it asks."""

from typing import Annotated, Literal

import msgspec

from app.server.asked import Asked
from app.server.extensions import Extensions, applied, thinking
from app.server.failures import Failure
from app.server.openai_api.fields import (
    Answers,
    Model,
    Penalty,
    Temperature,
    TopP,
    biases_of,
    sampling_options,
    stops_of,
)
from app.server.openai_api.messages import Messages, prompt_of
from app.server.openai_api.tools import (
    ChatTool,
    NamedTool,
    ResponseFormat,
    chosen_tools,
    grammar_of,
)
from backends.protocol import Grammar


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    include_usage: bool | None = None


class TemplateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """As vLLM and llama-server take them."""

    enable_thinking: bool | None = None


class ChatCompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is not here is ignored. A last message of the assistant is gone on with."""

    messages: Messages
    model: Model = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Answers | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[ChatTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    chat_template_kwargs: TemplateOptions | None = None
    causeway: Extensions | None = None


def asked_of(request: ChatCompletionRequest) -> Asked:
    """Raises `Failure`."""
    messages = prompt_of(request.messages)
    last = messages[-1]
    extended = applied(request.causeway)
    choice = request.tool_choice
    tools, tool_choice = chosen_tools(
        [tool.function for tool in request.tools or ()],
        choice if isinstance(choice, str) else "auto",
        choice.function.name if isinstance(choice, NamedTool) else "",
    )
    limit = request.max_completion_tokens
    own = sampling_options(
        temperature=request.temperature,
        top_p=request.top_p,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        max_tokens=limit if limit is not None else request.max_tokens,
        effort=request.reasoning_effort,
    )
    templated = request.chat_template_kwargs
    own |= thinking(templated.enable_thinking if templated else None)
    return Asked(
        model=request.model,
        messages=messages,
        options={**own, **extended.options},
        stop=stops_of(request.stop),
        logit_bias=biases_of(request.logit_bias),
        grammar=_grammar(request.response_format) or extended.grammar,
        tools=tools,
        tool_choice=tool_choice,
        parallel_tool_calls=request.parallel_tool_calls is not False,
        logprobs=_logprobs(request),
        continue_last=last.role == "assistant" and not last.tool_calls,
    )


def _logprobs(request: ChatCompletionRequest) -> int:
    if not request.logprobs:
        if request.top_logprobs:
            raise Failure(
                "invalid", "top_logprobs: it needs “logprobs”: true.", param="top_logprobs"
            )
        return -1
    return request.top_logprobs or 0


def _grammar(wanted: ResponseFormat | None) -> Grammar | None:
    if wanted is None:
        return None
    schema = wanted.json_schema.schema if wanted.json_schema else None
    return grammar_of(wanted.type, schema, "response_format.json_schema")
