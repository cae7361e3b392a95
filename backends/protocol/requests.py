"""What a session is asked."""

from typing import Literal

import msgspec

from backends.protocol.sampling import Sampling

Role = Literal["system", "user", "assistant", "tool"]
Text = str | tuple[int, ...]
"""A text, or the numbers of the tokens that it consists of, which are the model's own."""


class Image(msgspec.Struct, frozen=True):
    """A picture as the bytes of its file. `media_type` such as "image/png"."""

    media_type: str
    data: bytes


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is a JSON text, not yet checked."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the prompt.

    `tool_calls` are what an answer asked for; a message of the role "tool" is what came of the one
    that `tool_call_id` names.
    """

    role: Role
    content: str
    reasoning: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may ask to be called. `parameters` is the text of a JSON schema."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'


ToolChoice = Literal["auto", "none", "required"]


class Grammar(msgspec.Struct, frozen=True):
    """What an answer must be: text that a JSON schema or a GBNF grammar allows."""

    kind: Literal["json_schema", "gbnf"]
    text: str


class AppliedAdapter(msgspec.Struct, frozen=True):
    """A LoRA adapter's GGUF file, and how much of it is added to the model's weights."""

    path: str
    scale: float = 1.0


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt and how to answer it.

    `max_tokens` below zero means up to the end of the context. With `continue_last`, the last
    message is the beginning of the answer, and the stream holds only what follows it. A `prompt` takes
    the place of all messages: a text to go on with, as it stands, or the numbers of its tokens. With
    `suffix`, the answer is what stands between the `prompt`, a text, and it. With
    `echo`, the stream begins with the prompt itself, in `PromptEcho` events. Thinking is
    outside the `grammar`. `logprobs` asks for the log-probability of each token, and of so many
    alternatives; below zero, for none. With `echo`, it asks the same of the prompt's tokens. With `tool_choice` "required" the answer is a call of one of
    the `tools`, of several only with `parallel_tool_calls`. With `tool_call_deltas`, a call may also be told
    in `ToolCallDelta` events while it is written; a backend may ignore that. `chosen` names the fields of `sampling` that
    somebody chose: a service keeps its own ways in the others; None: all of them count. `think` asks a
    model that can do either to think before it answers, or not to; None: as it does. With `background`, it lets others go first
    that wait. `lookup` guesses what is copied from the prompt, and checks
    several tokens at once: the same answer, often sooner. `answer_reserve` is how many tokens of the
    context stay free for the answer when earlier messages have to be left out: at most half of it, and
    never more than `max_tokens`; below zero: a quarter, 2,048 at most.
    """

    messages: tuple[Message, ...] = ()
    prompt: Text | None = None
    echo: bool = False
    suffix: str | None = None
    sampling: Sampling = Sampling()
    chosen: tuple[str, ...] | None = None
    max_tokens: int = -1
    stop: tuple[str, ...] = ()
    continue_last: bool = False
    adapters: tuple[AppliedAdapter, ...] = ()
    grammar: Grammar | None = None
    logprobs: int = -1
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    tool_call_deltas: bool = False
    think: bool | None = None
    background: bool = False
    lookup: bool = False
    answer_reserve: int = -1
