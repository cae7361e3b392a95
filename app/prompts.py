"""From a branch of a conversation and its options to what a backend is asked."""

from collections.abc import Iterable, Mapping, Sequence

from app.conversations.records import Message
from app.options import Value
from backends import protocol


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


def load_options(options: Mapping[str, Value], template: str = "") -> protocol.LoadOptions:
    """How to load a model for these options; `template` is what its catalogue entry gives it."""
    return protocol.LoadOptions(
        n_ctx=int(options["n_ctx"]),
        n_threads=int(options["threads"]),
        n_gpu_layers=int(options["gpu_layers"]),
        chat_template=str(options["chat_template"]) or template,
    )


def chat_request(
    branch: Iterable[Message],
    options: Mapping[str, Value],
    *,
    stop: Sequence[str] = (),
    continue_last: bool = False,
) -> protocol.ChatRequest:
    """What to ask for the branch, every option of `app.options` given."""
    return protocol.ChatRequest(
        messages=prompt_messages(branch, str(options["system_prompt"])),
        sampling=protocol.Sampling(
            temperature=float(options["temperature"]),
            top_k=int(options["top_k"]),
            top_p=float(options["top_p"]),
            min_p=float(options["min_p"]),
            repeat_penalty=float(options["repeat_penalty"]),
            seed=int(options["seed"]),
        ),
        max_tokens=int(options["max_tokens"]),
        stop=tuple(stop),
        continue_last=continue_last,
    )
