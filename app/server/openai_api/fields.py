"""Fields that several requests of the OpenAI API share."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.options import Value, option
from app.server.extensions import checked_option, thinking
from app.server.failures import Failure
from backends.protocol import Text, TokenBias, Usage

Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
TopP = Annotated[float, msgspec.Meta(ge=0, le=1)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Answers = Annotated[int, msgspec.Meta(ge=1, le=8)]
Token = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
"""A token's number, in the model's own vocabulary."""
Texts = str | Annotated[list[str | Token | list[Token]], msgspec.Meta(min_length=1)]
"""One text or several, each as a text or as the numbers of its tokens."""
Model = Annotated[str, msgspec.Meta(max_length=500)]
"""Where a request names none, it is the default one."""

_MOST_STOPS = 16
_LARGEST_BIAS = 100.0
_MOST_BIASES = 1024
_SEEDS = 2**31


class PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens of the prompt, of all answers, and of both; `cached_tokens` needed no evaluation."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


def usage_of(usages: list[Usage]) -> TokenUsage:
    """Of several answers to one prompt, which counts once."""
    prompt = max((each.prompt_tokens for each in usages), default=0)
    cached = min((each.cached_tokens for each in usages), default=0)
    completion = sum(each.completion_tokens for each in usages)
    return TokenUsage(prompt, completion, prompt + completion, PromptDetails(cached))


def sampling_options(
    *,
    temperature: float | None = None,
    top_p: float | None = None,
    frequency_penalty: float | None = None,
    presence_penalty: float | None = None,
    seed: int | None = None,
    max_tokens: int | None = None,
    effort: str | None = None,
    top_k: int | None = None,
    min_p: float | None = None,
    repeat_penalty: float | None = None,
) -> dict[str, Value]:
    """The options that a request sets, of those that it has."""
    wanted: dict[str, object] = {
        "temperature": temperature,
        "top_p": top_p,
        "frequency_penalty": frequency_penalty,
        "presence_penalty": presence_penalty,
        "seed": None if seed is None else seed % _SEEDS,
        # Beyond so many it makes no difference that anybody could see.
        "top_k": None if top_k is None else min(max(top_k, 0), int(option("top_k").maximum)),
        "min_p": min_p,
        "repeat_penalty": repeat_penalty,
    }
    options = {
        key: checked_option(key, value, key) for key, value in wanted.items() if value is not None
    }
    if max_tokens is not None:
        options["max_tokens"] = min(max_tokens, int(option("max_tokens").maximum))
    # How long a local model thinks is its own affair: any effort but none is thinking.
    return {**options, **thinking(None if effort is None else effort != "none")}


def stops_of(stop: str | list[str] | None) -> tuple[str, ...]:
    """Raises `Failure`."""
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > _MOST_STOPS:
        raise Failure("invalid", f"stop: at most {_MOST_STOPS} of them.", param="stop")
    return tuple(each for each in stops if each)


def biases_of(logit_bias: Mapping[str, float] | None) -> tuple[TokenBias, ...]:
    """Raises `Failure`."""
    biases = logit_bias or {}
    if len(biases) > _MOST_BIASES:
        raise Failure("invalid", f"logit_bias: at most {_MOST_BIASES} of them.", param="logit_bias")
    for token, bias in biases.items():
        if not (token.isascii() and token.isdigit() and len(token) < 10):
            raise Failure(
                "invalid",
                f"logit_bias: “{token[:50]}” is no token's number.",
                param="logit_bias",
            )
        if not -_LARGEST_BIAS <= bias <= _LARGEST_BIAS:
            raise Failure("invalid", "logit_bias: each is from -100 to 100.", param="logit_bias")
    return tuple(TokenBias(int(token), bias) for token, bias in biases.items())


def texts_of(given: Texts, param: str) -> list[Text]:
    """A list of numbers is one text. Raises `Failure` about `param`."""
    if isinstance(given, str):
        return [given]
    if all(isinstance(each, int) for each in given):
        return [tuple(each for each in given if isinstance(each, int))]
    texts: list[Text] = []
    for each in given:
        if isinstance(each, int):
            raise Failure(
                "invalid", f"{param}: numbers of tokens stand beside something else.", param=param
            )
        texts.append(each if isinstance(each, str) else tuple(each))
    if () in texts:
        raise Failure("invalid", f"{param}: a list of tokens is empty.", param=param)
    return texts


def json_text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
