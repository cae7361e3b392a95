"""Gemma's forms: `call:name{key:value}` between marks, with a mark for quotes."""

import functools
import json
import re

from backends.tool_calls.call_format import (
    PROBE,
    Call,
    CallFormat,
    Found,
    Frame,
    Reader,
    Tools,
    skip_space,
)

_HEAD = re.compile(r"\s*call:([^\s{]+)\s*(?=\{)")
_UNFINISHED_HEAD = re.compile(r"\s*(?:c|ca|cal|call|call:[^\s{]*\s*)?")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,300})(?:\.\d+)?(?:[eE][+-]?\d{1,3})?(?=\s*[,}\]])")
_WORDS = {"true": True, "false": False, "null": None, "None": None}
_BARE = re.compile(r"[^,}\]]*")
_KEY = re.compile(r"\s*([^:,{}\[\]]+?)\s*:")
_DEEPEST = 40


class _Values:
    """Reads values. Raises ValueError for what is none or ends too early."""

    def __init__(self, text: str, quote: str) -> None:
        self._text = text
        self._quote = quote

    def members(self, at: int, depth: int = 0) -> tuple[dict[str, object], int]:
        """The object whose brace is at that place, and where it ends."""
        found: dict[str, object] = {}
        at = self._past(at, depth)
        while self._at(at) != "}":
            key, at = self._key(at)
            found[key], at = self._value(at, depth)
            at = self._next(at, "}")
        return found, at + 1

    def _list(self, at: int, depth: int) -> tuple[list[object], int]:
        found: list[object] = []
        at = self._past(at, depth)
        while self._at(at) != "]":
            value, at = self._value(at, depth)
            found.append(value)
            at = self._next(at, "]")
        return found, at + 1

    def _key(self, at: int) -> tuple[str, int]:
        if self._text.startswith((self._quote, '"'), at):
            key, at = self._value(at, 0)
            at = skip_space(self._text, at)
            if self._at(at) != ":":
                raise ValueError("no colon")
            return str(key), at + 1
        head = _KEY.match(self._text, at)
        if head is None:
            raise ValueError("no key")
        return head[1], head.end()

    def _value(self, at: int, depth: int) -> tuple[object, int]:
        text, at = self._text, skip_space(self._text, at)
        if text.startswith(self._quote, at):
            start = at + len(self._quote)
            end = text.index(self._quote, start)
            return text[start:end], end + len(self._quote)
        if self._at(at) == "{":
            return self.members(at, depth + 1)
        if self._at(at) == "[":
            return self._list(at, depth + 1)
        if self._at(at) == '"':
            return json.JSONDecoder(strict=False).raw_decode(text, at)
        number = _NUMBER.match(text, at)
        if number is not None:
            return json.loads(number[0]), number.end()
        bare = _BARE.match(text, at)
        end = bare.end() if bare else at
        word = text[at:end].strip()
        return _WORDS.get(word, word), end

    def _past(self, at: int, depth: int) -> int:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        return skip_space(self._text, at + 1)

    def _next(self, at: int, closing: str) -> int:
        at = skip_space(self._text, at)
        if self._at(at) == ",":
            return skip_space(self._text, at + 1)
        if self._at(at) != closing:
            raise ValueError("no comma")
        return at

    def _at(self, at: int) -> str:
        if at >= len(self._text):
            raise ValueError("no end")
        return self._text[at]


def _reader(opening: str, closing: str, quote: str) -> Reader:
    def read(text: str, tools: Tools, is_whole: bool) -> Found | None:
        no_call = Found((), len(opening))
        head = _HEAD.match(text, len(opening))
        if head is None:
            is_open = not is_whole and _UNFINISHED_HEAD.fullmatch(text, len(opening))
            return None if is_open else no_call
        if head[1] not in tools:
            return no_call
        closed = text.find(closing, head.end())
        if closed < 0 and not is_whole:
            return None
        try:
            values, end = _Values(text, quote).members(head.end())
            arguments = json.dumps(values, ensure_ascii=False, allow_nan=False)
        except ValueError:
            return no_call
        end = skip_space(text, end)
        end += len(closing) * text.startswith(closing, end)
        return Found((Call(head[1], arguments),), end)

    return read


def _written(quote: str, arguments: str) -> str:
    try:
        return _value(quote, json.loads(arguments))
    except (ValueError, RecursionError):
        return arguments


def _value(quote: str, value: object) -> str:
    match value:
        case str():
            return f"{quote}{value}{quote}"
        case dict():
            members = (f"{key}:{_value(quote, part)}" for key, part in sorted(value.items()))
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(_value(quote, part) for part in value) + "]"
    return json.dumps(value)


def _format(name: str, opening: str, closing: str, quote: str) -> CallFormat:
    return CallFormat(
        name=name,
        sign=f"{opening}call:{PROBE}" + "{",
        openings=(opening,),
        marks=(opening, closing, quote),
        frame=Frame(before=f"{opening}call:", within="", after=closing, between=""),
        read=_reader(opening, closing, quote),
        notation="keyed",
        write_arguments=functools.partial(_written, quote),
        quote=quote,
    )


FUNCTION_GEMMA = _format(
    "FunctionGemma", "<start_function_call>", "<end_function_call>", "<escape>"
)
GEMMA_4 = _format("Gemma 4", "<|tool_call>", "<tool_call|>", '<|"|>')
