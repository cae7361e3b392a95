"""What a client wants, whichever API it speaks."""

import msgspec

from app.options import Value
from backends.protocol import Grammar, Message, Text, TokenBias, Tool, ToolChoice


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an answer.

    `model` as the client names it. `options` are those of `app.options` that the client sets, by
    key and checked ("temperature", "adapters", …). Settings of the sampling that it does not set are
    neutral, or as the `defaults` of its API say; where it is `advised`, they are as in a chat of the
    window. The other settings are always as in a chat: the person's, and the model's profile. A `prompt`
    takes the place of all messages. With `echo`, the model tells it back, with how likely its tokens
    were where `logprobs` are asked for. With a `suffix`, the answer is what stands between the prompt and
    it. `continue_last`: the last message is the beginning of the answer. `tool_call_deltas`: calls are wanted
    in pieces, too.
    """

    model: str
    messages: tuple[Message, ...] = ()
    prompt: Text | None = None
    echo: bool = False
    suffix: str | None = None
    options: dict[str, Value] = {}
    defaults: dict[str, Value] = {}
    advised: bool = False
    stop: tuple[str, ...] = ()
    logit_bias: tuple[TokenBias, ...] = ()
    grammar: Grammar | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    tool_call_deltas: bool = False
    logprobs: int = -1
    continue_last: bool = False
