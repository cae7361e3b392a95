"""What an answer consists of, in the order in which it comes."""

from typing import Literal

import msgspec

from backends.protocol.requests import ToolCall

FinishReason = Literal["stop", "length", "cancelled"]


class PromptProgress(msgspec.Struct, frozen=True, tag="prompt_progress"):
    """Tokens of the prompt evaluated so far (`done` counts the `cached` ones) of `total`."""

    done: int
    total: int
    cached: int


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    """The next piece of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning"):
    """The next piece of the model's thinking."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, tag="tool_call_delta"):
    """The next piece of a call's `arguments`, while the model writes them.

    The `ToolCall` of the same `id` follows the pieces of a call before any other part of the answer. Its
    arguments are those of the pieces, joined. If it never comes, the answer was cut off within the call.
    """

    id: str
    name: str
    arguments: str


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token of the answer, its natural log-probability before sampling, and the likeliest others.

    `text` may be a part of a character, shown as a replacement character.
    """

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


class Logprobs(msgspec.Struct, frozen=True, tag="logprobs"):
    """Of the tokens that came since the last such event, thinking included."""

    tokens: tuple[TokenLogprob, ...]


class PromptToken(msgspec.Struct, frozen=True):
    """A token of the prompt, its natural log-probability, and the likeliest ones in its place.

    `logprob` is None for the first token, which has nothing before it. `offset` is where it begins in
    the text of the prompt, in characters; `text` may be a part of a character, shown as a replacement
    character.
    """

    text: str
    offset: int
    logprob: float | None
    top: tuple[tuple[str, float], ...] = ()


class PromptEcho(msgspec.Struct, frozen=True, tag="prompt_echo"):
    """The next piece of the prompt. It has `tokens` where log-probabilities are asked for.

    The beginning-of-text token that an engine adds to a text is not listed.
    """

    text: str
    tokens: tuple[PromptToken, ...] = ()


class HistoryTrimmed(msgspec.Struct, frozen=True, tag="history_trimmed"):
    """The oldest `messages` of the history did not fit in the context and were left out."""

    messages: int


class Warned(msgspec.Struct, frozen=True, tag="warned"):
    """Something a person should know that did not stop the answer."""

    text: str


class Usage(msgspec.Struct, frozen=True, tag="usage"):
    """Tokens of one answer. `cached_tokens` of the prompt needed no evaluation."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Timings(msgspec.Struct, frozen=True):
    """Milliseconds of one answer; `first_token_ms` counts from the request."""

    prompt_ms: float = 0.0
    first_token_ms: float = 0.0
    generation_ms: float = 0.0
    tokens_per_second: float = 0.0


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The last event of every stream that did not fail. `seed` is the one that was used.

    `stop_text` is the one of `ChatRequest.stop` that ended the answer, where one did.
    """

    reason: FinishReason
    usage: Usage = Usage()
    timings: Timings = Timings()
    seed: int = 0
    stop_text: str = ""


Event = (
    PromptProgress
    | TextDelta
    | ReasoningDelta
    | Logprobs
    | ToolCallDelta
    | ToolCall
    | PromptEcho
    | HistoryTrimmed
    | Warned
    | Usage
    | Finished
)
