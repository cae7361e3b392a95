"""The adapters of a chat, in order, as one of its options keeps them: a JSON text."""

from collections.abc import Mapping, Sequence

import msgspec

from app.errors import AppError
from app.options.option import Value

LOWEST_SCALE, HIGHEST_SCALE = -2.0, 2.0
MOST_ADAPTERS = 16


class StackedAdapter(msgspec.Struct, frozen=True, omit_defaults=True):
    """An adapter by its id in the library, and how strongly it acts; a muted one waits."""

    adapter: str
    scale: float = 1.0
    muted: bool = False


AdapterStack = tuple[StackedAdapter, ...]


def parse_stack(text: str) -> AdapterStack:
    """Raises `AppError` for what is no stack. An empty text is the empty one."""
    if not text.strip():
        return ()
    try:
        stack = msgspec.json.decode(text, type=AdapterStack)
    except (ValueError, RecursionError):  # as all that msgspec raises
        raise AppError(
            "These are no adapters.",
            fix='They are a JSON list of objects such as {"adapter": "NAME", "scale": 0.8}.',
        ) from None
    if len(stack) > MOST_ADAPTERS:
        raise AppError(f"A chat can have {MOST_ADAPTERS} adapters at most.")
    if len({each.adapter for each in stack}) < len(stack):
        raise AppError("An adapter can be in a chat only once.")
    for each in stack:
        checked_scale(each.adapter, each.scale)
    return stack


def stack_text(stack: Sequence[StackedAdapter]) -> str:
    return msgspec.json.encode(list(stack)).decode() if stack else ""


def stack_of(options: Mapping[str, Value]) -> AdapterStack:
    """The adapters among a chat's options."""
    return parse_stack(str(options.get("adapters", "")))


def checked_scale(adapter: str, scale: float) -> float:
    if not LOWEST_SCALE <= scale <= HIGHEST_SCALE:
        raise AppError(
            f"{scale:g} is no strength for {adapter}.",
            fix=f"It takes a number from {LOWEST_SCALE:g} to {HIGHEST_SCALE:g}.",
        )
    return scale
