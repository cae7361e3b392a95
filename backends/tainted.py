"""Text that remembers which of its characters came from outside, whatever a template does to it.

A chat template mixes its own text, control tokens included, with the contents of messages. Before it
runs, `taint` moves every character of a content to a plane of Unicode in which nothing is assigned.
A character that is moved spells no control token, and no trimming, cutting, replacing or joining
moves it back; only `plain` does. Answers of the model have planes of their own, so that they are
found again. `Tainted` compares, searches and trims as if nothing had been moved, so that templates
decide as they would about the plain text.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, SupportsIndex

_ASSIGNED = (0, 1, 2, 3, 14, 15, 16)
_FREE = range(4, 14)
_INPUT, _ANSWER = 4, 5
_PLANE = slice(2, None, 4)
"""The bytes of UTF-32 that say in which plane a character is."""


def _table(moves: dict[int, int]) -> bytes:
    return bytes(moves.get(plane, plane) for plane in range(256))


# A text from outside may have characters in unassigned planes already. They become input, too.
_AS_INPUT = _table({0: _INPUT, **dict.fromkeys(_FREE, _INPUT)})
_AS_ANSWER = _table(
    {**dict.fromkeys(_FREE, _ANSWER), **{plane: _ANSWER + i for i, plane in enumerate(_ASSIGNED)}}
)
_AS_PLAIN = _table({_INPUT: 0, **{_ANSWER + i: plane for i, plane in enumerate(_ASSIGNED)}})
_ANSWERS = re.compile("[\U00050000-\U000bffff]+")
_INPUTS = re.compile("[\U00040000-\U0004ffff]")


class Tainted(str):
    """A text, some characters of which may be tainted.

    A method that is not overridden here works on the moved characters. What it returns stays tainted, too.
    """

    __slots__ = ("_plain",)
    _plain: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made._plain = _moved(str.__str__(made), _AS_PLAIN)
        return made

    # Questions

    def __eq__(self, other: object) -> bool:
        return self._plain == plain(other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._plain)

    def __lt__(self, other: str) -> bool:
        return self._plain < plain(other)

    def __contains__(self, part: object) -> bool:
        return isinstance(part, str) and plain(part) in self._plain

    def find(self, sub: str, *bounds: SupportsIndex | None) -> int:
        return self._plain.find(plain(sub), *bounds)

    def rfind(self, sub: str, *bounds: SupportsIndex | None) -> int:
        return self._plain.rfind(plain(sub), *bounds)

    def index(self, sub: str, *bounds: SupportsIndex | None) -> int:
        return self._plain.index(plain(sub), *bounds)

    def rindex(self, sub: str, *bounds: SupportsIndex | None) -> int:
        return self._plain.rindex(plain(sub), *bounds)

    def count(self, sub: str, *bounds: SupportsIndex | None) -> int:
        return self._plain.count(plain(sub), *bounds)

    def startswith(self, prefix: str | tuple[str, ...], *bounds: SupportsIndex | None) -> bool:
        return self._plain.startswith(_all_plain(prefix), *bounds)

    def endswith(self, suffix: str | tuple[str, ...], *bounds: SupportsIndex | None) -> bool:
        return self._plain.endswith(_all_plain(suffix), *bounds)

    def isspace(self) -> bool:
        return self._plain.isspace()

    def isdigit(self) -> bool:
        return self._plain.isdigit()

    def isalpha(self) -> bool:
        return self._plain.isalpha()

    def isalnum(self) -> bool:
        return self._plain.isalnum()

    # Parts

    def __getitem__(self, key: SupportsIndex | slice) -> "Tainted":
        return Tainted(str.__str__(self)[key])

    def __iter__(self) -> Iterator["Tainted"]:
        return map(Tainted, str.__str__(self))

    def strip(self, chars: str | None = None, /) -> "Tainted":
        return self.lstrip(chars).rstrip(chars)

    def lstrip(self, chars: str | None = None, /) -> "Tainted":
        return self[len(self) - len(self._plain.lstrip(_maybe_plain(chars))) :]

    def rstrip(self, chars: str | None = None, /) -> "Tainted":
        return self[: len(self._plain.rstrip(_maybe_plain(chars)))]

    def removeprefix(self, prefix: str, /) -> "Tainted":
        return self[len(prefix) :] if self.startswith(prefix) else self

    def removesuffix(self, suffix: str, /) -> "Tainted":
        return self[: len(self) - len(suffix)] if suffix and self.endswith(suffix) else self

    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        return self._parts(self._plain.split(_maybe_plain(sep), maxsplit), sep)

    def rsplit(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        return self._parts(self._plain.rsplit(_maybe_plain(sep), maxsplit), sep)

    def splitlines(self, keepends: bool = False) -> list[str]:
        return self._parts(self._plain.splitlines(keepends), None)

    def partition(self, sep: str, /) -> tuple[str, str, str]:
        before, found, after = self._parts(self._plain.partition(plain(sep)), "")
        return before, found, after

    def rpartition(self, sep: str, /) -> tuple[str, str, str]:
        before, found, after = self._parts(self._plain.rpartition(plain(sep)), "")
        return before, found, after

    # Other texts

    def __add__(self, other: str, /) -> "Tainted":
        return Tainted(str.__str__(self) + str.__str__(other))

    def __radd__(self, other: str) -> "Tainted":
        return Tainted(other + str.__str__(self))

    def replace(self, old: str, new: str, /, count: SupportsIndex = -1) -> "Tainted":
        if not old:
            return Tainted(str.__str__(self).replace("", new, count))
        parts = self._parts(self._plain.split(plain(old), count), old)
        return Tainted(str.__str__(new).join(parts))

    def upper(self) -> "Tainted":
        return self._mapped(str.upper)

    def lower(self) -> "Tainted":
        return self._mapped(str.lower)

    def title(self) -> "Tainted":
        return self._mapped(str.title)

    def capitalize(self) -> "Tainted":
        return self._mapped(str.capitalize)

    def __str__(self) -> "Tainted":
        return self

    def __repr__(self) -> str:
        return str.__str__(taint(repr(self._plain)))

    def _parts(self, parts: Sequence[str], separator: str | None) -> list[str]:
        """These parts of the plain text, with the `separator` between them; None: white space."""
        found: list[str] = []
        position = 0
        for part in parts:
            if separator is None:
                position = self._plain.index(part, position)
            found.append(self[position : position + len(part)])
            position += len(part) + len(separator or "")
        return found

    def _mapped(self, change: Callable[[str], str]) -> "Tainted":
        changed = change(self._plain)
        if len(changed) != len(self):
            return taint(changed)
        # Where the length is the same, each character stays at its place and in its plane.
        old = str.__str__(self).encode("utf-32-le", "surrogatepass")
        new = bytearray(changed.encode("utf-32-le", "surrogatepass"))
        tables = {_INPUT: _AS_INPUT} | dict.fromkeys(range(_ANSWER, _ANSWER + 7), _AS_ANSWER)
        new[_PLANE] = bytes(
            tables[plane][to] if plane in tables else to
            for plane, to in zip(old[_PLANE], new[_PLANE], strict=True)
        )
        return Tainted(new.decode("utf-32-le", "surrogatepass"))


def taint(text: str) -> Tainted:
    """A text from outside: of a person, a tool, a program. What is tainted already stays as it is."""
    return text if isinstance(text, Tainted) else Tainted(_moved(text, _AS_INPUT))


def taint_answer(text: str) -> Tainted:
    """A text that the model is said to have written."""
    return text if isinstance(text, Tainted) else Tainted(_moved(text, _AS_ANSWER))


def taint_all(value: Any, how: Callable[[str], Tainted] = taint) -> Any:
    """A JSON value with all its texts tainted, names of members included."""
    if isinstance(value, str):
        return how(value)
    if isinstance(value, list):
        return [taint_all(part, how) for part in value]
    if isinstance(value, dict):
        return {how(key): taint_all(part, how) for key, part in value.items()}
    return value


def plain(text: str) -> str:
    """The text as it is read."""
    return text._plain if isinstance(text, Tainted) else text


def raw(text: str) -> str:
    """The text with its tainted characters still in the planes to which `taint` moved them."""
    return str.__str__(text)


def as_tainted(text: str) -> Tainted:
    """Make a `Tainted` again of a plain `str` that Python's own code joined from tainted texts."""
    return text if isinstance(text, Tainted) else Tainted(text)


def answers_in(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each stretch that the model wrote, in a text as `raw` gives it."""
    return (found.span() for found in _ANSWERS.finditer(text))


def holds_answer_alone(text: str) -> bool:
    """Whether a text, as `raw` gives it, has text of the model in it and none of other messages."""
    return bool(_ANSWERS.search(text)) and not _INPUTS.search(text)


def as_json_texts(value: Any, *, ensure_ascii: bool) -> Any:
    """A JSON value in which each tainted text is escaped as JSON writes it, and stays tainted."""
    if isinstance(value, Tainted):
        written = json.dumps(plain(value), ensure_ascii=ensure_ascii)[1:-1]
        is_answer = holds_answer_alone(raw(value))
        return raw(taint_answer(written) if is_answer else taint(written))
    if isinstance(value, (list, tuple)):
        return [as_json_texts(part, ensure_ascii=ensure_ascii) for part in value]
    if isinstance(value, dict):
        return {
            as_json_texts(key, ensure_ascii=ensure_ascii): as_json_texts(
                part, ensure_ascii=ensure_ascii
            )
            for key, part in value.items()
        }
    return value


def _moved(text: str, table: bytes) -> str:
    units = bytearray(text.encode("utf-32-le", "surrogatepass"))
    units[_PLANE] = units[_PLANE].translate(table)
    return units.decode("utf-32-le", "surrogatepass")


def _maybe_plain(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _all_plain(texts: str | Iterable[str]) -> str | tuple[str, ...]:
    return plain(texts) if isinstance(texts, str) else tuple(map(plain, texts))
