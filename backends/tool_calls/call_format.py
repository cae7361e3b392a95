"""What a form of tool calls must tell of itself, and what a reader finds."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from backends.protocol import Tool
from backends.tainted import as_json_texts

Tools = Mapping[str, Tool]
"""The tools that may be called, by their names."""

Notation = Literal["json", "keyed", "tagged"]
"""How arguments are written: as JSON, as `{key:value}` with quotes of its own, or in tags."""


class Call(msgspec.Struct, frozen=True):
    """`arguments` is the text of a JSON object. `id` is empty where the model gave none."""

    name: str
    arguments: str
    id: str = ""


class Found(msgspec.Struct, frozen=True):
    """Calls that the first `end` characters of a text are; without any, these are plain text."""

    calls: tuple[Call, ...]
    end: int


Reader = Callable[[str, Tools, bool], Found | None]
"""Reads a text that begins with an opening. None: the call isn't finished.

The last argument says that no more text will come.
"""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds a call: `before` its name, `within` up to the arguments, and `after` them.

    `first` and `last` surround all the calls of an answer, `between` parts them; None: a model of this
    form makes one call at a time.
    """

    before: str
    within: str
    after: str
    first: str = ""
    between: str | None = "\n"
    last: str = ""

    def name(self, name: str) -> str:
        """A tool's name with what is around it."""
        written = json.dumps(as_json_texts(name, ensure_ascii=False), ensure_ascii=False)
        return f"{self.before}{written[1:-1]}{self.within}"


class CallFormat(msgspec.Struct, frozen=True, kw_only=True):
    """A form of tool calls.

    `sign` is a text that a chat with a call of the tool `probe` has in it. A call begins with one of the
    `openings`, or, where the answer or another call would begin, with one of the `bare` ones. `marks`
    are special tokens of some models, which must be seen. `quote` surrounds the texts of keyed arguments.
    """

    name: str
    sign: str
    openings: tuple[str, ...]
    frame: Frame
    read: Reader
    bare: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    notation: Notation = "json"
    quote: str = ""
    write_arguments: Callable[[str], str] = str

    def write(self, calls: Sequence[Call]) -> str:
        """The calls as a model writes them."""
        frame = self.frame
        texts = [
            f"{frame.name(call.name)}{self.write_arguments(call.arguments)}{frame.after}"
            for call in calls
        ]
        return f"{frame.first}{(frame.between or '').join(texts)}{frame.last}"


PROBE = "probe"
"""The name of the tool that a template is tried out with, see `CallFormat.sign`."""


def skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def may_become(text: str, start: int, mark: str) -> bool:
    """Whether what the text has from `start` on is a beginning of the mark, so that more may follow."""
    return mark.startswith(text[start:]) and len(text) - start < len(mark)
