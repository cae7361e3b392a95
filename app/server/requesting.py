"""From what a client asks to what a session is asked."""

from collections.abc import Mapping

import msgspec

from app.adapters import Adapters
from app.chats import Chats
from app.models import ChatModel
from app.options import CHAT_OPTIONS, Value, option
from app.options.adapter_stack import StackedAdapter, stack_of
from app.prompts import sampling_of, think_of
from app.server.asked import Asked
from app.server.failures import Failure
from app.server.served import ServedModel
from backends.protocol import AppliedAdapter, Capabilities, ChatRequest, Message, Sampling
from catalog.library import InstalledModel

_NEUTRAL: Mapping[str, Value] = {
    **{each.key: each.default for each in CHAT_OPTIONS if each.section in ("sampling", "advanced")},
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
}
"""Every token as likely as the model has it: what programs expect where they say nothing."""


def check_abilities(asked: Asked, served: ServedModel) -> None:
    """Raises `Failure` for what the model can't do, in words, before it is loaded for that."""
    can = served.capabilities
    if served.kind == "embedding":
        raise Failure(
            "invalid", f"{served.name} makes vectors of texts. It can't answer.", param="model"
        )
    for wanted, able, words, param in _demands(asked, can):
        if wanted and not able:
            raise Failure("invalid", f"{served.name} {words}", code="unsupported", param=param)


def chat_request(
    asked: Asked, model: ChatModel, options: Mapping[str, Value], chats: Chats, adapters: Adapters
) -> ChatRequest:
    """`options` are all that are in force for the request. Reads headers of adapters, so it blocks.

    It is asked in the background: the person at this computer does not wait for programs. The person's
    format of answers and wish for probabilities are not a client's: it says its own.
    """
    sampling = sampling_of(options)
    own_stop = model.entry.stop if isinstance(model, InstalledModel) and model.entry else ()
    return ChatRequest(
        messages=_messages(asked, str(options["system_prompt"])),
        prompt=asked.prompt,
        echo=asked.echo,
        suffix=asked.suffix,
        sampling=msgspec.structs.replace(
            sampling, logit_bias=(*sampling.logit_bias, *asked.logit_bias)
        ),
        chosen=_chosen(asked, model, chats),
        max_tokens=int(options["max_tokens"]),
        stop=(*asked.stop, *(each for each in own_stop if each not in asked.stop)),
        continue_last=asked.continue_last,
        adapters=_applied(asked, model, options, adapters),
        grammar=asked.grammar,
        logprobs=asked.logprobs,
        tools=asked.tools if asked.tool_choice != "none" else (),
        tool_choice=asked.tool_choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        tool_call_deltas=asked.tool_call_deltas,
        think=think_of(options),
        background=True,
        lookup=bool(options["lookup"]),
        answer_reserve=int(options["answer_reserve"]),
    )


def options_of(asked: Asked) -> dict[str, Value]:
    """What counts for the request alone: nothing for which the model would be loaded again."""
    own = {key: value for key, value in asked.options.items() if not option(key).reloads}
    return own if asked.advised else {**_NEUTRAL, **asked.defaults, **own}


def _chosen(asked: Asked, model: ChatModel, chats: Chats) -> tuple[str, ...]:
    """The fields of `Sampling` that a service is told."""
    if asked.advised:
        return chats.chosen_sampling(model, asked.options)
    return tuple(name for name in Sampling.__struct_fields__ if name in asked.options)


def _demands(asked: Asked, can: Capabilities) -> tuple[tuple[bool, bool, str, str], ...]:
    has_images = any(message.images for message in asked.messages)
    return (
        (asked.prompt is not None, can.complete, "doesn't go on with plain text.", "prompt"),
        (
            isinstance(asked.prompt, tuple),
            can.tokens,
            "reads no numbers of tokens. Send the text itself.",
            "prompt",
        ),
        (asked.suffix is not None, can.infill, "can't fill in between two texts.", "suffix"),
        (asked.echo, can.echo, "doesn't tell how likely a prompt was.", "echo"),
        (asked.prompt is None, can.chat, "can't chat.", "messages"),
        (has_images, can.images, "can't see pictures.", "messages"),
        (bool(asked.tools), can.tools, "can't use tools.", "tools"),
        (asked.grammar is not None, can.grammar, "can't be held to a format.", "response_format"),
        (asked.logprobs >= 0, can.logprobs, "tells no probabilities.", "logprobs"),
        (asked.continue_last, can.continue_answer, "can't go on with an answer.", "messages"),
    )


def _messages(asked: Asked, system_prompt: str) -> tuple[Message, ...]:
    """The person's own system prompt counts where the client has none."""
    if (
        asked.prompt is not None
        or not system_prompt.strip()
        or any(message.role == "system" for message in asked.messages)
    ):
        return asked.messages
    return (Message(role="system", content=system_prompt), *asked.messages)


def _applied(
    asked: Asked, model: ChatModel, options: Mapping[str, Value], adapters: Adapters
) -> tuple[AppliedAdapter, ...]:
    stack = stack_of(options)
    if not stack:
        return ()
    is_asked = "adapters" in asked.options
    if is_asked:
        _refuse_files(stack)
    applied = adapters.applied(stack, model)
    if is_asked and applied.left_out:
        raise Failure(
            "invalid",
            " ".join(applied.left_out),
            code="invalid_adapter",
            param="causeway.adapters",
        )
    return applied.applied


def _refuse_files(stack: tuple[StackedAdapter, ...]) -> None:
    """The library also takes the path of a file: that is for the person at this computer."""
    for each in stack:
        if "/" in each.adapter or "\\" in each.adapter or each.adapter.lower().endswith(".gguf"):
            raise Failure(
                "invalid",
                f"“{each.adapter}” is no installed adapter. Name one by its id.",
                code="invalid_adapter",
                param="causeway.adapters",
            )
