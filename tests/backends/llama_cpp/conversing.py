"""What tests of the engine ask, and what they look at in the answers."""

import threading
from collections.abc import Sequence
from typing import Any

from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import AppliedAdapter, ChatRequest, Event, Message, Sampling
from backends.testing import last

_COMMON_BEGINNING = 16
"""All prompts of a template begin with so few tokens that are the same."""

GREEDY = Sampling(temperature=0)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def assistant(text: str) -> Message:
    return Message(role="assistant", content=text)


def request(*messages: Message, max_tokens: int = 30, **more: Any) -> ChatRequest:
    return ChatRequest(messages=messages, sampling=GREEDY, max_tokens=max_tokens, **more)


def evaluated(events: Sequence[Event]) -> int:
    """Tokens of the prompt that were not known before."""
    usage = last(list(events)).usage
    return usage.prompt_tokens - usage.cached_tokens


def in_context(events: Sequence[Event]) -> int:
    """Tokens of prompt and answer."""
    usage = last(list(events)).usage
    return usage.prompt_tokens + usage.completion_tokens


def ask_together(session: LlamaCppSession, requests: Sequence[ChatRequest]) -> list[list[Event]]:
    """Ask all at once, each stream read by a thread of its own."""
    streams = [session.chat(each) for each in requests]
    answers: list[list[Event]] = [[] for _ in streams]
    threads = [
        threading.Thread(target=answer.extend, args=(stream,))
        for answer, stream in zip(answers, streams, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def adapters(*stack: tuple[object, float]) -> tuple[AppliedAdapter, ...]:
    return tuple(AppliedAdapter(str(path), scale) for path, scale in stack)


def from_scratch(
    session: LlamaCppSession, *messages: Message, replays: bool = True, **more: Any
) -> list[Event]:
    """The answer to the last of the messages, all of which were evaluated just for that.

    The session keeps nothing (`memory_for_states=1`) and is first asked what drives all else out. It
    is asked the earlier questions too, since only who gave an answer knows its tokens; that is not
    needed (`replays`) for a model that is unambiguous.
    """
    events: list[Event] = []
    for end, message in enumerate(messages, start=1):
        if message.role != "user" or not (replays or end == len(messages)):
            continue
        for filler in ("0123456789" * 60, "9876543210" * 60):
            list(session.chat(request(user(filler), max_tokens=1)))
        events = list(session.chat(request(*messages[:end], **more)))
        assert last(events).usage.cached_tokens < _COMMON_BEGINNING
    return events
