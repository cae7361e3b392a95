"""Calls of tools, put together from the pieces in which services send them."""

from typing import Any

import msgspec

from backends.openai_compatible.fields import at, count_at, list_at, text_at
from backends.protocol import ToolCall

MOST_CALLS = 128
LONGEST_ARGUMENTS = 4 << 20
_LONGEST_NAME = 256


class TooManyCalls(Exception):
    """More calls, or longer ones, than any answer has."""


class ToolCallParts:
    """Collects pieces. A piece belongs to the call of its index; without one, a new id begins a call."""

    def __init__(self) -> None:
        self._calls: dict[int, _Parts] = {}
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: Any) -> None:
        """Take what a delta, or a whole message, has of calls. Raises TooManyCalls."""
        for piece in list_at(delta, "tool_calls"):
            self._add(piece)
        older = at(delta, "function_call")
        if isinstance(older, dict):
            self._add({"index": 0, "function": older})

    def whole(self) -> tuple[ToolCall, ...]:
        """All calls that have a name, in their order. An id that is missing is made up."""
        return tuple(
            ToolCall(
                id=parts.id or f"call_{number}",
                name=parts.name,
                arguments="".join(parts.arguments) or "{}",
            )
            for number, (_, parts) in enumerate(sorted(self._calls.items()))
            if parts.name
        )

    def _add(self, piece: Any) -> None:
        if not isinstance(piece, dict):
            return
        index = self._index(piece)
        if index not in self._calls and len(self._calls) >= MOST_CALLS:
            raise TooManyCalls
        parts = self._calls.setdefault(index, _Parts())
        parts.id = parts.id or text_at(piece, "id")[:_LONGEST_NAME]
        # Some send the name with every piece, none sends it in pieces.
        parts.name = parts.name or text_at(piece, "function.name")[:_LONGEST_NAME]
        arguments = at(piece, "function.arguments")
        if isinstance(arguments, dict):
            arguments = _json(arguments)
        if isinstance(arguments, str):
            self._size += len(arguments)
            if self._size > LONGEST_ARGUMENTS:
                raise TooManyCalls
            parts.arguments.append(arguments)

    def _index(self, piece: dict[str, Any]) -> int:
        last = max(self._calls, default=-1)
        if isinstance(piece.get("index"), int):
            index = count_at(piece, "index")
            # Some give several whole calls the same index.
            known = self._calls.get(index)
            identity = text_at(piece, "id")
            if known is None or not identity or known.id in ("", identity):
                return index
            same = (i for i, parts in self._calls.items() if parts.id == identity)
            return next(same, last + 1)
        if text_at(piece, "id") or last < 0 or text_at(piece, "function.name"):
            return last + 1
        return last


class _Parts:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
