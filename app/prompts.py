"""From a branch of a conversation and its options to what a backend is asked."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.conversations.records import Message
from app.errors import AppError
from app.options import Value
from app.options.texts import parse_biases, parse_order, parse_servers
from backends import protocol

_ANY_OBJECT = '{"type": "object"}'

_ALTERNATIVES = 5
"""Of each token, kept beside its own log-probability."""


def prompt_messages(branch: Iterable[Message], system_prompt: str) -> tuple[protocol.Message, ...]:
    """The branch as a prompt. Answers that never got a word are left out.

    Neighbours of one role are joined, since many chat templates refuse two in a row.
    """
    prompt: list[protocol.Message] = []
    if system_prompt.strip():
        prompt.append(protocol.Message(role="system", content=system_prompt))
    for message in branch:
        if not message.text and not message.reasoning:
            continue
        content, reasoning = message.text, message.reasoning
        if prompt and prompt[-1].role == message.role:
            before = prompt.pop()
            content = f"{before.content}\n\n{content}"
            reasoning = before.reasoning + reasoning
        prompt.append(protocol.Message(role=message.role, content=content, reasoning=reasoning))
    return tuple(prompt)


def load_options(
    options: Mapping[str, Value],
    template: str = "",
    *,
    keep: protocol.StateKeeping | None = None,
) -> protocol.LoadOptions:
    """How to load a model for these options; `template` is what its catalogue entry gives it."""
    return protocol.LoadOptions(
        n_ctx=int(options["n_ctx"]),
        n_threads=int(options["threads"]),
        n_gpu_layers=int(options["gpu_layers"]),
        chat_template=str(options["chat_template"]) or template,
        cache_type=msgspec.convert(options["cache_type"], protocol.CacheType),
        flash_attention=msgspec.convert(options["flash_attention"], protocol.FlashAttention),
        mmap=bool(options["mmap"]),
        mlock=bool(options["mlock"]),
        rpc_servers=parse_servers(str(options["rpc_servers"])),
        keep=keep,
    )


def chat_request(
    branch: Iterable[Message],
    options: Mapping[str, Value],
    *,
    stop: Sequence[str] = (),
    chosen: Sequence[str] | None = None,
    continue_last: bool = False,
    adapters: Sequence[protocol.AppliedAdapter] = (),
) -> protocol.ChatRequest:
    """What to ask for the branch, every option of `app.options` given."""
    return protocol.ChatRequest(
        messages=prompt_messages(branch, str(options["system_prompt"])),
        sampling=sampling_of(options),
        chosen=tuple(chosen) if chosen is not None else None,
        max_tokens=int(options["max_tokens"]),
        stop=tuple(stop),
        continue_last=continue_last,
        adapters=tuple(adapters),
        grammar=grammar_of(options),
        logprobs=_ALTERNATIVES if options["logprobs"] else -1,
        think=think_of(options),
        lookup=bool(options["lookup"]),
        answer_reserve=int(options["answer_reserve"]),
    )


def think_of(options: Mapping[str, Value]) -> bool | None:
    """Whether the model is to think first; None: as it does."""
    return {"on": True, "off": False}.get(str(options["thinking"]))


def sampling_of(options: Mapping[str, Value]) -> protocol.Sampling:
    """The samplers that the options set."""
    plain = {
        name: options[name]
        for name in protocol.Sampling.__struct_fields__
        if name not in ("logit_bias", "order")
    }
    return msgspec.convert(
        {
            **plain,
            "logit_bias": parse_biases(str(options["logit_bias"])),
            "order": parse_order(str(options["sampler_order"])),
        },
        protocol.Sampling,
    )


def grammar_of(options: Mapping[str, Value]) -> protocol.Grammar | None:
    """What an answer must be; None where any text will do."""
    match options["answer_format"]:
        case "json":
            return protocol.Grammar("json_schema", _ANY_OBJECT)
        case "json_schema" if schema := str(options["answer_schema"]).strip():
            return protocol.Grammar("json_schema", schema)
        case "grammar" if grammar := str(options["answer_grammar"]).strip():
            return protocol.Grammar("gbnf", grammar)
        case "json_schema" | "grammar" as missing:
            what = "schema" if missing == "json_schema" else "grammar"
            raise AppError(
                f"The chat wants answers by a {what}, and has none.",
                fix=f"Write the {what}, or choose another format.",
            )
    return None
