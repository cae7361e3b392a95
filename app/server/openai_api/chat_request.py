"""A request of /v1/chat/completions, and what it asks."""

from typing import Annotated, Any, Literal

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
    Chosen,
    FunctionTool,
    NamedFunction,
    NamedTool,
    ResponseFormat,
    chosen_tools,
    grammar_of,
)
from app.server.served import DEFAULT_NAME
from backends.protocol import Grammar


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    include_usage: bool | None = None


class TemplateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """As vLLM and llama-server take them."""

    enable_thinking: bool | None = None


class ChatCompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that are not here are ignored. If the last message is the assistant's, the answer continues it.

    `functions` and `function_call` are what `tools` were before. `top_k`, `min_p` and the penalty for
    repetition, by either name, are taken as other local servers take them.
    """

    messages: Messages
    model: Model = DEFAULT_NAME
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
    functions: list[FunctionTool] | None = None
    function_call: Literal["none", "auto"] | NamedFunction | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    chat_template_kwargs: TemplateOptions | None = None
    top_k: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    repeat_penalty: float | None = None
    repetition_penalty: float | None = None
    modalities: list[str] | None = None
    audio: Any = None
    web_search_options: Any = None
    causeway: Extensions | None = None

    @property
    def is_legacy(self) -> bool:
        """Whether calls are wanted as `function_call`, one an answer, as before there were tools."""
        return self.functions is not None


def asked_of(request: ChatCompletionRequest) -> Asked:
    """Raises `Failure`."""
    _refuse_what_is_missing(request)
    messages = prompt_of(request.messages)
    last = messages[-1]
    extended = applied(request.causeway)
    tools, tool_choice = _chosen(request)
    limit = request.max_completion_tokens
    own = sampling_options(
        temperature=request.temperature,
        top_p=request.top_p,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        max_tokens=limit if limit is not None else request.max_tokens,
        effort=request.reasoning_effort,
        top_k=request.top_k,
        min_p=request.min_p,
        repeat_penalty=request.repetition_penalty
        if request.repeat_penalty is None
        else request.repeat_penalty,
    )
    templated = request.chat_template_kwargs
    own |= thinking(templated.enable_thinking if templated else None)
    return Asked(
        model=request.model,
        messages=messages,
        options={**own, **extended.options},
        advised=extended.advised,
        stop=stops_of(request.stop),
        logit_bias=biases_of(request.logit_bias),
        grammar=_grammar(request.response_format) or extended.grammar,
        tools=tools,
        tool_choice=tool_choice,
        parallel_tool_calls=request.parallel_tool_calls is not False and not request.is_legacy,
        tool_call_deltas=bool(request.stream),
        logprobs=_logprobs(request),
        continue_last=last.role == "assistant" and not last.tool_calls,
    )


def _chosen(request: ChatCompletionRequest) -> Chosen:
    if not request.is_legacy:
        choice = request.tool_choice
        return chosen_tools(
            [tool.function for tool in request.tools or ()],
            choice if isinstance(choice, str) else "auto",
            choice.function.name if isinstance(choice, NamedTool) else "",
        )
    if request.tools:
        raise Failure(
            "invalid", "functions: give either these or “tools”, not both.", param="functions"
        )
    called = request.function_call
    return chosen_tools(
        request.functions or (),
        called if isinstance(called, str) else "auto",
        called.name if isinstance(called, NamedFunction) else "",
        "functions",
    )


def _refuse_what_is_missing(request: ChatCompletionRequest) -> None:
    wants_sound = request.audio or any(each != "text" for each in request.modalities or ())
    for wanted, field, words in (
        (wants_sound, "modalities", "models here answer in text alone."),
        (request.web_search_options, "web_search_options", "this server searches no web."),
        (
            request.function_call is not None and not request.is_legacy,
            "function_call",
            "there are no “functions” to call.",
        ),
    ):
        if wanted:
            raise Failure("invalid", f"{field}: {words}", code="unsupported_parameter", param=field)


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
    inner = wanted.json_schema.schema if wanted.json_schema else None
    schema = wanted.schema if inner is None else inner
    return grammar_of(wanted.type, schema, "response_format.json_schema")
