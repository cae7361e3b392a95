"""From a request of the Ollama API to what is asked of a model."""

from collections.abc import Sequence

import msgspec

from app.options import Value, option
from app.server.asked import Asked
from app.server.extensions import applied, checked_option, thinking
from app.server.failures import Failure
from app.server.ollama_api.prompt import images_of, prompt_of
from app.server.ollama_api.requests import (
    ChatRequest,
    GenerateRequest,
    ModelOptions,
    Tool,
)
from backends import protocol
from backends.protocol import Grammar

_ANY_OBJECT = '{"type": "object"}'
_MOST_STOPS = 64
_DEFAULTS: dict[str, Value] = {"temperature": 0.8, "top_k": 40, "top_p": 0.9}
"""As Ollama documents them, but for its penalty on repetition: at temperature 0, the likeliest token is chosen."""


def asked_in_chat(request: ChatRequest, model: str) -> Asked:
    """`model` as it is named here. Raises `Failure`."""
    messages = prompt_of(request.messages or ())
    return _asked(
        request,
        model,
        Asked(
            model=model,
            messages=messages,
            tools=tuple(_tool(tool) for tool in request.tools or ()),
            continue_last=bool(messages)
            and messages[-1].role == "assistant"
            and not messages[-1].tool_calls,
        ),
    )


def asked_to_generate(request: GenerateRequest, model: str, *, as_it_stands: bool) -> Asked:
    """With `as_it_stands` the model goes on with the prompt's own text. Raises `Failure`."""
    _refuse(request.template, "template", "A model's template is set in Causeway.")
    _refuse(request.context, "context", "Send the conversation to /api/chat instead.")
    prompt = request.prompt or ""
    system = request.system or ""
    images = images_of(request.images or (), "request")
    if request.suffix:
        _refuse(images, "images", "A prompt that is filled in has no pictures.")
        return _asked(request, model, Asked(model=model, prompt=prompt, suffix=request.suffix))
    if as_it_stands:
        _refuse(images, "images", "A prompt that is continued as it stands has no pictures.")
        text = f"{system}\n\n{prompt}" if system and not request.raw else prompt
        return _asked(request, model, Asked(model=model, prompt=text))
    question = protocol.Message(role="user", content=prompt, images=images)
    before = (protocol.Message(role="system", content=system),) if system else ()
    return _asked(request, model, Asked(model=model, messages=(*before, question)))


def _asked(request: ChatRequest | GenerateRequest, model: str, asked: Asked) -> Asked:
    """With all that both requests say in the same way."""
    options = request.options or ModelOptions()
    extended = applied(request.causeway)
    if isinstance(request.think, str) and request.think not in ("high", "medium", "low", "max"):
        raise Failure("invalid", "think is true, false, “high”, “medium” or “low”.", param="think")
    return msgspec.structs.replace(
        asked,
        options={**_options(options), **thinking(_thinks(request.think)), **extended.options},
        defaults=_DEFAULTS,
        advised=extended.advised,
        stop=_stops(options.stop),
        grammar=_grammar(request.format) or extended.grammar,
        logprobs=(request.top_logprobs or 0) if request.logprobs else -1,
    )


def _thinks(think: bool | str | None) -> bool | None:
    """A level of thinking is thinking."""
    return None if think is None else bool(think)


def _options(options: ModelOptions) -> dict[str, Value]:
    wanted = {
        name: value
        for name in options.__struct_fields__
        if name != "stop" and (value := getattr(options, name)) is not None
    }
    length = wanted.pop("num_predict", None)
    chosen = {
        name: checked_option(name, _meant(name, value), f"options.{name}")
        for name, value in wanted.items()
    }
    return chosen if length is None else {**chosen, "max_tokens": _length(length)}


def _meant(name: str, value: float) -> float:
    """What Ollama makes of values that mean nothing to the samplers."""
    match name:
        case "top_k":  # beyond so many it makes no difference that anybody could see
            return min(max(value, 0), option("top_k").maximum)
        case "repeat_last_n" if value < 0:
            return -1
        case "seed" if value == int(value):
            return -1 if value < 0 else int(value) % 2**31
    return value


def _length(num_predict: float) -> int:
    """Below zero, Ollama goes on to the end of the context, or beyond it."""
    return -1 if num_predict < 0 else min(int(num_predict), int(option("max_tokens").maximum))


def _stops(stop: Sequence[str] | str | None) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > _MOST_STOPS:
        raise Failure("invalid", f"There can be {_MOST_STOPS} stops at most.", param="options.stop")
    return tuple(each for each in stops if each)


def _grammar(wanted: str | dict[str, object] | None) -> Grammar | None:
    if isinstance(wanted, dict):
        return Grammar("json_schema", msgspec.json.encode(wanted).decode())
    match wanted:
        case None | "":
            return None
        case "json":
            return Grammar("json_schema", _ANY_OBJECT)
        case _:
            raise Failure("invalid", "format is “json” or a JSON schema.", param="format")


def _tool(tool: Tool) -> protocol.Tool:
    function = tool.function
    schema = function.parameters
    if schema is None:
        return protocol.Tool(name=function.name, description=function.description or "")
    return protocol.Tool(
        name=function.name,
        description=function.description or "",
        parameters=msgspec.json.encode(schema).decode(),
    )


def _refuse(given: object, name: str, words: str) -> None:
    if given:
        raise Failure("invalid", f"{name} can't be used. {words}", param=name)
